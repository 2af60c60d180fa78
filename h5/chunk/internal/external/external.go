// Package external reads the storage of datasets that is in other files than their own.
package external

import (
	"context"
	"math"
	"sync"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// MaxOpenFiles bounds the other files that one Reader holds open.
const MaxOpenFiles = 64

// Extents is the external storage of a dataset (specification, IV.A.2.h). Files are opened when they are needed.
type Extents struct {
	List     []h5.ExternalExtent
	Open     func(name string) (*source.Source, error)
	ReadFrom func(ctx context.Context, src *source.Source, p []byte, off int64) error // fills p

	mu   sync.Mutex
	open map[string]*source.Source
	next []string // names of open, oldest first
}

// Read fills dst from a position on. What a file is too short for reads as zeros, as the HDF5 library does it.
func (x *Extents) Read(ctx context.Context, pos int64, dst []byte) error {
	for i := range x.List {
		e := &x.List[i]
		size := e.Size
		if size < 0 {
			size = math.MaxInt64
		}
		if pos >= size {
			pos -= size
			continue
		}
		n := min(int64(len(dst)), size-pos)
		if err := x.readExtent(ctx, e, pos, dst[:n]); err != nil {
			return err
		}
		if dst = dst[n:]; len(dst) == 0 {
			return nil
		}
		pos = 0
	}
	return h5err.New(h5err.Corrupt, "the external files end %d bytes before the data do", len(dst))
}

func (x *Extents) readExtent(ctx context.Context, e *h5.ExternalExtent, pos int64, dst []byte) error {
	if e.Offset < 0 {
		return h5err.New(h5err.Corrupt, "external file %q at offset %d", e.Name, e.Offset)
	}
	src, err := x.file(e.Name)
	if err != nil {
		return err
	}
	defer src.Release()
	n := int64(0)
	if e.Offset <= src.Size() && pos <= src.Size()-e.Offset {
		n = min(int64(len(dst)), src.Size()-e.Offset-pos)
	}
	clear(dst[n:])
	return x.ReadFrom(ctx, src, dst[:n], e.Offset+pos)
}

// file returns an open file with a reference for the caller.
func (x *Extents) file(name string) (*source.Source, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	src := x.open[name]
	if src == nil {
		var err error
		if src, err = x.Open(name); err != nil {
			return nil, err
		}
		if x.open == nil {
			x.open = map[string]*source.Source{}
		}
		if len(x.next) == MaxOpenFiles {
			x.open[x.next[0]].Release()
			delete(x.open, x.next[0])
			x.next = x.next[1:]
		}
		x.open[name] = src
		x.next = append(x.next, name)
	}
	src.Retain()
	return src, nil
}

// Close closes the files. Nothing may be read any more.
func (x *Extents) Close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, src := range x.open {
		src.Release()
	}
	x.open, x.next = nil, nil
}
