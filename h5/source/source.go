// Package source is where bytes come from: a reference-counted file mapping, or ranged reads through a Backend.
//
// A Source made by Open has its file mapped read-only where the system allows that, and View returns slices of the
// mapping. Such a slice is valid only while its user holds a reference (Retain, Release).
// The last Release unmaps the file and closes it. ReadAt never goes through the mapping.
//
// # Files that change
//
// A file that is cut short while it is mapped makes the pages beyond its new end unreadable. Bytes of a View are
// therefore read inside Guard, which turns the fault into an error, by goroutines that call Guard themselves: a fault
// in any other goroutine, or in C code, ends the process.
//
// # What is not promised
//
// Bytes that were overwritten in place can't be noticed by reading them, and neither can a cut inside the last page
// that remains, which reads as zeros. Changed compares a file's size and time of modification with those at Open, and asks
// the Backend of any other Source; callers ask it between their batches.
//
// # Files that are being written
//
// After Follow, a Source expects its file to grow and to be written to. Grow raises Size to what the file has; bytes past the
// first Size are never mapped. Changed then reports a file that became shorter, and no other change.
//
// # Sources that are far away
//
// A Backend says by Hints how it is read best. Readers of data then join ranges over larger gaps, and have more reads in
// flight than there are processors; metadata is read in larger blocks. Reads end with their context.
//
// A build with the tag invariants panics at a reference that is released twice, retained after the last release or
// never released, and keeps the range of a mapping that was released unreadable.
package source

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Source is the bytes of one file: always readable by ReadAt, and mapped where the system allows it. It may be used by
// several goroutines.
type Source struct {
	name  string
	path  string // "" unless local
	size  atomic.Int64
	live  atomic.Bool // Follow was called
	b     Backend
	hints Hints // resolved
	refs  atomic.Int64
	m     *mapping // nil when not mapped
}

// New returns a Source of the size bytes that a Backend reads. It is not mapped. The caller holds the one reference to it.
func New(b Backend, size int64, name string) *Source {
	s := newSource(b, size, name)
	if invariants {
		s.watch()
	}
	return s
}

// FromReaderAt is New for an io.ReaderAt with the hints of a local file. r is not closed by the last release, and a read that
// is stuck in it can't be interrupted.
func FromReaderAt(r io.ReaderAt, size int64, name string) *Source {
	return newSource(readerAt{r}, size, name)
}

func newSource(b Backend, size int64, name string) *Source {
	s := &Source{name: name, b: b}
	s.size.Store(max(size, 0))
	if h, ok := b.(Hinter); ok {
		s.hints = h.Hints()
	}
	s.hints = s.hints.resolved()
	s.refs.Store(1)
	return s
}

// Name is the path or the name that the Source was made with.
func (s *Source) Name() string { return s.name }

// Path returns the path of a local file, "" for any other Source.
func (s *Source) Path() string { return s.path }

// Hints returns how the Source is read best, without zero fields except for InFlight.
func (s *Source) Hints() Hints { return s.hints }

// Size is the number of bytes, as it was when the Source was made or when Grow was last called.
func (s *Source) Size() int64 { return s.size.Load() }

// Follow says that the file is being written: it may grow, and change where nothing was promised to stay. See the package
// comment.
func (s *Source) Follow() { s.live.Store(true) }

// Growable reports whether the Backend is a Grower. What is not, such as bytes in memory, can't be followed.
func (s *Source) Growable() bool {
	_, ok := s.b.(Grower)
	return ok
}

// Following reports whether Follow was called.
func (s *Source) Following() bool { return s.live.Load() }

// Grow raises Size to the number of bytes that the file has now, and returns Size. Size stays what it is if Follow was not
// called, or if the Backend is not a Grower. A file that became shorter is an error of kind IO.
func (s *Source) Grow(ctx context.Context) (int64, error) {
	g, ok := s.b.(Grower)
	if !ok || !s.live.Load() {
		return s.size.Load(), nil
	}
	if s.refs.Load() <= 0 {
		return 0, s.fail(h5err.NoOffset, "can't read", os.ErrClosed)
	}
	n, err := g.Length(ctx)
	if err != nil {
		return 0, h5err.In(err, s.name, "")
	}
	for {
		old := s.size.Load()
		switch {
		case n < old:
			return old, s.fail(n, "the file was cut short while it was open", nil)
		case n == old || s.size.CompareAndSwap(old, n):
			return n, nil
		}
	}
}

// Viewable is the number of bytes from the start of the file that View can return: 0 when the Source is not mapped.
func (s *Source) Viewable() int64 {
	if s.m == nil {
		return 0
	}
	return int64(len(s.m.b))
}

// Mapped reports whether View can succeed.
func (s *Source) Mapped() bool { return s.m != nil }

// ReadAt implements io.ReaderAt: it is ReadAtContext without an end.
func (s *Source) ReadAt(p []byte, off int64) (int, error) {
	return s.ReadAtContext(context.Background(), p, off)
}

// ReadAtContext fills p with the bytes at an offset. It never reads through the mapping, so that what it returns is a stable
// copy, and a file that was cut short returns io.EOF early. Bytes past Size are not read. When ctx ends, its error is
// returned; other errors are of kind IO, or of the kind that the Backend's error has. After the last release every
// read fails.
func (s *Source) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	return s.read(ctx, p, off, s.b.ReadAtContext)
}

// ReadMetadata is ReadAt for metadata, which a Backend may read in a way of its own (MetadataReader).
func (s *Source) ReadMetadata(p []byte, off int64) (int, error) {
	if m, ok := s.b.(MetadataReader); ok {
		return s.read(context.Background(), p, off, m.ReadMetadata)
	}
	return s.ReadAt(p, off)
}

// Expect says which metadata will be read soon, so that a Backend that is a MetadataReader can read it in few requests. It
// does not wait.
func (s *Source) Expect(ranges []Range) {
	if m, ok := s.b.(MetadataReader); ok && s.refs.Load() > 0 {
		m.Expect(ranges)
	}
}

// Holds reports whether ReadMetadata of a range needs no request, if the Backend is a Holder; else it is false.
func (s *Source) Holds(r Range) bool {
	h, ok := s.b.(Holder)
	return ok && r.Off >= 0 && r.Size > 0 && s.refs.Load() > 0 && h.Holds(r)
}

// Paged says that metadata is in pages of size bytes of its own, which start at the multiples of size.
func (s *Source) Paged(size int64) {
	if m, ok := s.b.(MetadataReader); ok && size > 0 {
		m.Paged(size)
	}
}

// Far reports whether the Backend is a MetadataReader: then reading ahead is worth its while.
func (s *Source) Far() bool {
	_, ok := s.b.(MetadataReader)
	return ok
}

// read is ReadAtContext by the given function of the Backend.
func (s *Source) read(ctx context.Context, p []byte, off int64, readAt func(context.Context, []byte, int64) (int, error)) (int, error) {
	if s.refs.Load() <= 0 {
		return 0, s.fail(off, "can't read", os.ErrClosed)
	}
	if off < 0 {
		return 0, s.fail(h5err.NoOffset, "can't read at a negative offset", nil)
	}
	size := s.size.Load()
	if off >= size {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	want := len(p)
	if room := size - off; int64(want) > room {
		p = p[:room]
	}
	n, err := readAt(ctx, p, off)
	switch {
	case n == want:
		return n, nil
	case err == nil || err == io.EOF:
		return n, io.EOF
	case ctx.Err() != nil:
		return n, ctx.Err()
	}
	if e, ok := errors.AsType[*h5err.Error](err); ok {
		return n, h5err.In(e, s.name, "")
	}
	return n, s.fail(off+int64(n), "can't read", err)
}

func (s *Source) fail(off int64, msg string, err error) error {
	return &h5err.Error{Kind: h5err.IO, File: s.name, Offset: off, Msg: msg, Err: h5err.Cause(err)}
}

// View returns the n bytes at an offset as a slice of the mapping, without room to grow. The slice is read-only, valid
// while a reference is held, and to be read inside Guard only. There is none (ok is false) when the Source is not mapped,
// when the range is not inside the mapping, and after the last release.
func (s *Source) View(off, n int64) (b []byte, ok bool) {
	if s.m == nil || s.refs.Load() <= 0 || off < 0 || n < 0 || off > int64(len(s.m.b)) || n > int64(len(s.m.b))-off {
		return nil, false
	}
	return s.m.b[off : off+n : off+n], true
}

// TryRetain takes one more reference and reports whether it did: there is none to take after the last release.
func (s *Source) TryRetain() bool {
	for {
		n := s.refs.Load()
		if n <= 0 {
			return false
		}
		if s.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Retain takes one more reference, for a caller that holds one. After the last release it does nothing, and panics
// under the tag invariants.
func (s *Source) Retain() {
	if !s.TryRetain() && invariants {
		panic("source: " + s.name + " is retained after its last release")
	}
}

// Release gives a reference back. The last one unmaps and closes the file. A release too many does nothing, and panics
// under the tag invariants.
func (s *Source) Release() {
	for {
		n := s.refs.Load()
		if n <= 0 {
			if invariants {
				panic("source: " + s.name + " is released more often than it was retained")
			}
			return
		}
		if s.refs.CompareAndSwap(n, n-1) {
			if n == 1 {
				s.close()
			}
			return
		}
	}
}

func (s *Source) close() {
	if invariants {
		runtime.SetFinalizer(s, nil)
	}
	if s.m != nil {
		s.m.unregister()
		if invariants {
			hideMapping(s.m.b)
		} else {
			unmapFile(s.m.b)
		}
	}
	if c, ok := s.b.(io.Closer); ok {
		c.Close() // read only: there is nothing to lose
	}
}

// ModTime returns the time of modification of what was opened, if the Backend is a Dater, else the zero time.
func (s *Source) ModTime() time.Time {
	if d, ok := s.b.(Dater); ok {
		return d.ModTime()
	}
	return time.Time{}
}

// Version returns a text that is another one for each version of the object, if the Backend is a Versioner, and "" if that is not known.
func (s *Source) Version() string {
	if v, ok := s.b.(Versioner); ok {
		return v.Version()
	}
	return ""
}

// Changed reports, as an error of kind IO, that the file is no longer the one that was opened. A local file is asked for its
// size and its time of modification, any other Source what its Backend asks for. It returns nil where a Backend can't know.
// After Follow, only a file that became shorter is reported, where the Backend is a Grower.
func (s *Source) Changed(ctx context.Context) error {
	if _, ok := s.b.(Grower); ok && s.live.Load() {
		_, err := s.Grow(ctx)
		return err
	}
	c, ok := s.b.(Changer)
	if !ok {
		return nil
	}
	return h5err.In(c.Changed(ctx), s.name, "")
}
