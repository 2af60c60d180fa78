package check

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// chunks decodes each chunk of a dataset by itself, and reports whether all are sound.
func (c *checker) chunks(d *h5.Dataset, l *h5.Layout, pipe *filter.Pipeline) bool {
	list, err := d.Chunks()
	if err != nil || len(list) == 0 {
		return err == nil
	}
	most := int64(0)
	for i := range list {
		most = max(most, list[i].Size)
	}
	need := most + l.ChunkBytes
	if need > c.o.MaxMemory {
		c.report(h5err.New(h5err.Memory, "chunks of %d bytes, stored in up to %d, need more memory than the %d bytes there are",
			l.ChunkBytes, most, c.o.MaxMemory), d.Path())
		return false
	}
	bad := badChunks{most: c.o.MaxErrors}
	var next, bytes atomic.Int64
	var wg sync.WaitGroup
	for range max(1, min(int64(c.o.Workers), int64(len(list)), c.o.MaxMemory/max(need, 1))) {
		wg.Go(func() {
			w := decoder{d: d, l: l, pipe: pipe, st: filter.NewState(), in: make([]byte, most), out: make([]byte, l.ChunkBytes)}
			defer w.st.Close()
			for c.ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(len(list)) {
					return
				}
				if err := w.decode(&list[i]); err != nil {
					bad.add(int(i), err)
				}
				bytes.Add(l.ChunkBytes)
			}
		})
	}
	wg.Wait()
	c.Chunks += min(next.Load(), int64(len(list)))
	c.Bytes += bytes.Load()
	for _, i := range bad.first {
		c.report(bad.errs[i], d.Path())
	}
	if more := bad.n - len(bad.first); more > 0 {
		c.report(h5err.New(h5err.Corrupt, "%d more chunks are broken", more), d.Path())
	}
	return bad.n == 0
}

// badChunks keeps the errors of the first chunks that have one.
type badChunks struct {
	mu    sync.Mutex
	most  int
	n     int
	first []int // numbers of chunks, ascending
	errs  map[int]error
}

func (b *badChunks) add(i int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n++
	if b.errs == nil {
		b.errs = map[int]error{}
	}
	at := len(b.first)
	for at > 0 && b.first[at-1] > i {
		at--
	}
	b.first = append(b.first, 0)
	copy(b.first[at+1:], b.first[at:])
	b.first[at], b.errs[i] = i, err
	if len(b.first) > b.most {
		delete(b.errs, b.first[b.most])
		b.first = b.first[:b.most]
	}
}

// decoder is one worker's memory.
type decoder struct {
	d       *h5.Dataset
	l       *h5.Layout
	pipe    *filter.Pipeline
	st      *filter.State
	in, out []byte
}

func (w *decoder) decode(ch *h5.Chunk) error {
	in := w.in[:ch.Size]
	if _, err := w.d.File().Source().ReadAt(in, ch.Offset); err == io.EOF {
		return h5err.At(h5err.IO, ch.Offset, "the file was cut short while it was open")
	} else if err != nil {
		return err
	}
	if w.pipe == nil || w.raw(ch.Number) {
		if ch.Size != w.l.ChunkBytes {
			return h5err.At(h5err.Corrupt, ch.Offset, "a chunk of %d bytes without filters, it should have %d", ch.Size, w.l.ChunkBytes)
		}
		return nil
	}
	if err := w.pipe.Decode(w.st, w.out, in, ch.FilterMask); err != nil {
		return within(err, ch.Offset, fmt.Sprintf("a chunk of %d bytes", ch.Size))
	}
	return nil
}

// raw reports whether a chunk was stored without filters for reaching over the dataset's edge.
func (w *decoder) raw(number uint64) bool {
	if !w.l.RawEdges {
		return false
	}
	dims := w.d.Space().Dims
	for i := len(dims) - 1; i >= 0; i-- {
		n := w.l.ChunkDims[i]
		if n == 0 {
			return false
		}
		count := dims[i]/n + min(1, dims[i]%n)
		if count == 0 {
			return false
		}
		if number%count == count-1 && dims[i]%n != 0 {
			return true
		}
		number /= count
	}
	return false
}

// rows reads all rows, and looks up what they refer to.
func (c *checker) rows(d *h5.Dataset, r *chunk.Reader) {
	const piece = 4 << 20
	t, row := d.Type(), r.RowBytes()
	if row == 0 || row > c.o.MaxMemory {
		return // no values, or more than may be held: readers say so
	}
	step := max(1, piece/row)
	if n := r.ChunkRows(); n > 0 && n*row <= c.o.MaxMemory {
		step = (step + n - 1) / n * n
	}
	step = min(step, c.o.MaxMemory/row, max(1, r.Rows()))
	buf := make([]byte, step*row)
	h := newHeap(d.File())
	errs := 0
	for a := int64(0); a < r.Rows() && c.ctx.Err() == nil; a += step {
		b := min(a+step, r.Rows())
		if err := r.Read(c.ctx, a, b, buf[:(b-a)*row]); err != nil {
			c.report(err, d.Path())
			return // the next rows would most often fail likewise
		}
		if !variable(t) {
			continue
		}
		for i := int64(0); i < b-a; i++ {
			for p := buf[i*row : (i+1)*row]; len(p) > 0; p = p[t.Size:] {
				if err := h.element(t, p[:t.Size]); err != nil {
					c.report(within(err, h5err.NoOffset, fmt.Sprintf("row %d", a+i)), d.Path())
					if errs++; errs == c.o.MaxErrors {
						return
					}
					break
				}
			}
		}
	}
}

// variable reports whether values of a type refer to a heap.
func variable(t *h5.Type) bool {
	switch t.Class {
	case h5.ClassVLen:
		return true
	case h5.ClassArray:
		return variable(t.Base)
	case h5.ClassCompound:
		for i := range t.Members {
			if variable(t.Members[i].Type) {
				return true
			}
		}
	}
	return false
}

// heap looks up variable-length values.
type heap struct {
	f    *h5.File
	left int64
}

// newHeap bounds what is looked up: values that hold values may share them, so that a small file stands for endless ones.
func newHeap(f *h5.File) *heap { return &heap{f: f, left: 1 << 32} }

// within says where in a dataset an error is. It has an offset already when it is in the heap.
func within(err error, offset int64, where string) error {
	var e *h5err.Error
	if !errors.As(err, &e) {
		return h5err.Wrap(h5err.IO, err, "%s", where)
	}
	c := *e
	c.Msg = where + ": " + c.Msg
	if c.Offset < 0 {
		c.Offset = offset
	}
	return &c
}

// element looks up all that one value refers to. Its depth is that of the type, which was bounded when it was read.
func (h *heap) element(t *h5.Type, p []byte) error {
	switch t.Class {
	case h5.ClassVLen:
		return h.sequence(t, p)
	case h5.ClassArray:
		if !variable(t.Base) {
			return nil
		}
		for ; len(p) >= t.Base.Size && t.Base.Size > 0; p = p[t.Base.Size:] {
			if err := h.element(t.Base, p[:t.Base.Size]); err != nil {
				return err
			}
		}
	case h5.ClassCompound:
		for i := range t.Members {
			m := &t.Members[i]
			if !variable(m.Type) {
				continue
			}
			if err := h.element(m.Type, p[m.Offset:m.Offset+m.Type.Size]); err != nil {
				return err
			}
		}
	}
	return nil
}

// sequence looks up a variable-length value (specification, IV.B): its length, a heap collection's address, and the
// number of an object there.
func (h *heap) sequence(t *h5.Type, p []byte) error {
	size := h.f.OffsetSize()
	if len(p) < 8+size {
		return h5err.New(h5err.Corrupt, "a reference to a heap of %d bytes", len(p))
	}
	n := uint64(binary.LittleEndian.Uint32(p))
	addr := uint64(0)
	for i := size - 1; i >= 0; i-- {
		addr = addr<<8 | uint64(p[4+i])
	}
	undefined := ^uint64(0) >> (64 - 8*size)
	if n == 0 || addr == 0 || addr == undefined {
		return nil
	}
	b, err := h.f.HeapObject(addr, binary.LittleEndian.Uint32(p[4+size:]))
	if err != nil {
		return err
	}
	item := uint64(1)
	if !t.VarString {
		item = uint64(t.Base.Size)
	}
	if h.left -= int64(n); h.left < 0 {
		return h5err.New(h5err.Limit, "variable-length values that hold too many others")
	}
	if item == 0 || n > uint64(len(b))/item {
		return h5err.New(h5err.Corrupt, "%d items of %d bytes in a heap object of %d", n, item, len(b))
	}
	if t.VarString || !variable(t.Base) {
		return nil
	}
	for i := uint64(0); i < n; i++ {
		if err := h.element(t.Base, b[i*item:(i+1)*item]); err != nil {
			return err
		}
	}
	return nil
}
