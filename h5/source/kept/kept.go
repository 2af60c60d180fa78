package kept

import (
	"cmp"
	"context"
	"io"
	"slices"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// block is the size of blocks of metadata where they are recorded and found: what lies around structures is seldom wanted.
const block = 512

// over is a Backend with an Index.
type over struct {
	source.Backend
	x   *Index
	hit func(int64)
}

// Over returns a Backend that finds metadata in x, and reads from b what is not there. hit, which may be nil, is called with the
// length of each read that did not need b. The length and version of b must be those of x.
func (x *Index) Over(b source.Backend, hit func(int64)) source.Backend {
	if hit == nil {
		hit = func(int64) {}
	}
	return &over{b, x, hit}
}

// Hints returns the hints of the Backend below, with smaller blocks of metadata.
func (o *over) Hints() source.Hints {
	var h source.Hints
	if b, ok := o.Backend.(source.Hinter); ok {
		h = b.Hints()
	}
	h.MetadataBlock = block
	return h
}

// Version returns the version of the file.
func (o *over) Version() string { return o.x.version }

// Changed asks the Backend below.
func (o *over) Changed(ctx context.Context) error {
	if b, ok := o.Backend.(source.Changer); ok {
		return b.Changed(ctx)
	}
	return nil
}

// Close closes the Backend below.
func (o *over) Close() error {
	if b, ok := o.Backend.(io.Closer); ok {
		return b.Close()
	}
	return nil
}

// ReadAtContext fills p.
func (o *over) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	return o.read(ctx, p, off, o.Backend.ReadAtContext)
}

// ReadMetadata fills p.
func (o *over) ReadMetadata(ctx context.Context, p []byte, off int64) (int, error) {
	if m, ok := o.Backend.(source.MetadataReader); ok {
		return o.read(ctx, p, off, m.ReadMetadata)
	}
	return o.read(ctx, p, off, o.Backend.ReadAtContext)
}

func (o *over) read(ctx context.Context, p []byte, off int64, below func(context.Context, []byte, int64) (int, error)) (int, error) {
	if o.x.copy(p, off) {
		o.hit(int64(len(p)))
		return len(p), nil
	}
	return below(ctx, p, off)
}

// Expect passes on what the index does not have.
func (o *over) Expect(ranges []source.Range) {
	m, ok := o.Backend.(source.MetadataReader)
	if !ok {
		return
	}
	rest := slices.DeleteFunc(slices.Clone(ranges), func(r source.Range) bool { return o.x.at(r.Off) >= 0 })
	if len(rest) > 0 {
		m.Expect(rest)
	}
}

// Paged passes on that metadata is in pages.
func (o *over) Paged(size int64) {
	if m, ok := o.Backend.(source.MetadataReader); ok {
		m.Paged(size)
	}
}

// Recorder is a Backend that reads from a Source and notes what was read. It does not release the Source.
type Recorder struct {
	s *source.Source

	mu     sync.Mutex
	ranges []source.Range
	merge  int // number of ranges at which they are merged
}

// Data that is read while a file is described is small: axes, labels, names. Reads up to maxData bytes are kept like metadata.
const maxData = 1 << 20

// NewRecorder returns a Recorder of what is read from s.
func NewRecorder(s *source.Source) *Recorder { return &Recorder{s: s, merge: 1 << 16} }

// Hints returns the hints of the Source, with smaller blocks of metadata.
func (r *Recorder) Hints() source.Hints {
	h := r.s.Hints()
	h.MetadataBlock = block
	return h
}

// Version returns the version of the Source.
func (r *Recorder) Version() string { return r.s.Version() }

// Changed asks the Source.
func (r *Recorder) Changed(ctx context.Context) error { return r.s.Changed(ctx) }

// ReadAtContext reads data.
func (r *Recorder) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	n, err := r.s.ReadAtContext(ctx, p, off)
	if len(p) <= maxData {
		r.note(off, int64(n))
	}
	return n, err
}

// ReadMetadata reads metadata.
func (r *Recorder) ReadMetadata(_ context.Context, p []byte, off int64) (int, error) {
	n, err := r.s.ReadMetadata(p, off)
	r.note(off, int64(n))
	return n, err
}

// Holds asks the Source.
func (r *Recorder) Holds(g source.Range) bool { return r.s.Holds(g) }

// Expect passes on what will be read.
func (r *Recorder) Expect(ranges []source.Range) { r.s.Expect(ranges) }

// Paged passes on that metadata is in pages.
func (r *Recorder) Paged(size int64) { r.s.Paged(size) }

func (r *Recorder) note(off, n int64) {
	if n <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ranges = append(r.ranges, source.Range{Off: off, Size: n})
	if len(r.ranges) >= r.merge {
		r.ranges = merged(r.ranges)
		r.merge = 2*len(r.ranges) + 1<<16
	}
}

// merged sorts ranges and joins those that touch.
func merged(ranges []source.Range) []source.Range {
	slices.SortFunc(ranges, func(a, b source.Range) int {
		return cmp.Or(cmp.Compare(a.Off, b.Off), cmp.Compare(b.Size, a.Size))
	})
	out := ranges[:0]
	for _, r := range ranges {
		if n := len(out); n > 0 && r.Off <= out[n-1].Off+out[n-1].Size {
			out[n-1].Size = max(out[n-1].Size, r.Off+r.Size-out[n-1].Off)
			continue
		}
		out = append(out, r)
	}
	return out
}

// Index returns an Index with all that was read until now, which it reads again: from the caches of the Source, mostly. A Source without
// a Version is an Unsupported error.
func (r *Recorder) Index(ctx context.Context) (*Index, error) {
	x := &Index{size: r.s.Size(), version: r.s.Version()}
	if x.version == "" {
		return nil, h5err.In(h5err.New(h5err.Unsupported, "an index of a file whose version is not known: the server sends no entity tag"), r.s.Name(), "")
	}
	r.mu.Lock()
	x.ranges = slices.Clone(merged(r.ranges))
	r.ranges = slices.Clone(x.ranges)
	r.mu.Unlock()
	total := int64(0)
	for _, g := range x.ranges {
		x.starts = append(x.starts, total)
		if total += g.Size; total > maxBytes {
			return nil, h5err.In(h5err.New(h5err.Limit, "more than %d bytes of metadata", int64(maxBytes)), r.s.Name(), "")
		}
	}
	x.data = make([]byte, total)
	r.s.Expect(x.ranges)
	for i, g := range x.ranges {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if n, err := r.s.ReadMetadata(x.data[x.starts[i]:x.starts[i]+g.Size], g.Off); int64(n) < g.Size {
			return nil, h5err.In(h5err.Wrap(h5err.IO, err, "the metadata can't be read again"), r.s.Name(), "")
		}
	}
	return x, r.s.Changed(ctx)
}
