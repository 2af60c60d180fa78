package check

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// chunks decodes each chunk of a dataset, and looks up what its values refer to.
func (c *checker) chunks(d *h5.Dataset, l *h5.Layout, pipe *filter.Pipeline, own func(i int) bool) {
	list, err := d.Chunks()
	if err != nil || len(list) == 0 {
		return
	}
	largest := int64(0)
	for i := range list {
		largest = max(largest, list[i].Size)
	}
	need := largest + l.ChunkBytes
	if need > c.o.MaxMemory {
		c.report(h5err.New(h5err.Memory, "chunks of %d bytes, stored in up to %d, need more memory than the limit of %d bytes",
			l.ChunkBytes, largest, c.o.MaxMemory), d.Path())
		return
	}
	bad := badChunks{limit: c.o.MaxErrors}
	var next, bytes atomic.Int64
	var wg sync.WaitGroup
	for range max(1, min(int64(c.o.Workers), int64(len(list)), c.o.MaxMemory/max(need, 1))) {
		wg.Go(func() {
			w := decoder{d: d, l: l, pipe: pipe, st: filter.NewState(), in: make([]byte, largest), out: make([]byte, l.ChunkBytes)}
			if c.variable(d.Type()) {
				w.heap = c.newHeap()
			}
			defer w.st.Close()
			for c.ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(len(list)) {
					return
				}
				if !own(int(i)) {
					continue
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
}

// badChunks keeps the errors of the first chunks that have an error.
type badChunks struct {
	mu    sync.Mutex
	limit int
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
	if len(b.first) > b.limit {
		delete(b.errs, b.first[b.limit])
		b.first = b.first[:b.limit]
	}
}

// decoder decodes chunks in one worker.
type decoder struct {
	d       *h5.Dataset
	l       *h5.Layout
	pipe    *filter.Pipeline
	st      *filter.State
	in, out []byte
	heap    *heapCheck // nil if values do not refer to a heap
}

func (w *decoder) decode(ch *h5.Chunk) error {
	in := w.in[:ch.Size]
	if _, err := w.d.File().Source().ReadAt(in, ch.Offset); err == io.EOF {
		return h5err.At(h5err.IO, ch.Offset, "the file was cut short while it was open")
	} else if err != nil {
		return err
	}
	values := in
	if w.pipe == nil || w.raw(ch.Number) {
		if ch.Size != w.l.ChunkBytes && ch.Size != w.d.TailBytes(w.l, ch.Number) {
			return h5err.At(h5err.Corrupt, ch.Offset, "a chunk of %d bytes without filters, %d expected", ch.Size, w.l.ChunkBytes)
		}
	} else {
		n, err := w.pipe.DecodeEither(w.st, w.out, in, ch.FilterMask, int(w.d.TailBytes(w.l, ch.Number)))
		if err != nil {
			return within(err, ch.Offset, fmt.Sprintf("a chunk of %d bytes", ch.Size))
		}
		values = w.out[:n]
	}
	if w.heap == nil {
		return nil
	}
	return w.values(ch, values)
}

// values looks up what those values of a chunk refer to that are inside the dataset's shape.
func (w *decoder) values(ch *h5.Chunk, p []byte) error {
	dims, size := w.d.Space().Dims, w.d.Type().Size
	rank := len(dims)
	origin, at := make([]uint64, rank), make([]uint64, rank)
	number := ch.Number
	for i := rank - 1; i >= 0; i-- {
		n := w.l.ChunkDims[i]
		count := dims[i]/n + min(1, dims[i]%n)
		if count == 0 {
			return nil
		}
		origin[i] = number % count * n
		number /= count
	}
	for ; len(p) >= size; p = p[size:] {
		inside := true
		for i := range at {
			inside = inside && origin[i]+at[i] < dims[i]
		}
		if inside {
			if err := w.heap.element(w.d.Type(), p[:size]); err != nil {
				row := uint64(0)
				if rank > 0 {
					row = origin[0] + at[0]
				}
				return within(err, h5err.NoOffset, fmt.Sprintf("row %d", row))
			}
		}
		for i := rank - 1; i >= 0; i-- {
			if at[i]++; at[i] < w.l.ChunkDims[i] {
				break
			}
			at[i] = 0
		}
	}
	return nil
}

// raw reports whether a chunk is stored without filters because it extends past the dataset's edge.
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

// extentValues looks up what the values of a contiguous dataset refer to.
func (c *checker) extentValues(d *h5.Dataset, l *h5.Layout) {
	size := int64(d.Type().Size)
	if size > c.o.MaxMemory {
		c.report(h5err.New(h5err.Memory, "elements of %d bytes need more memory than the limit of %d bytes", size, c.o.MaxMemory), d.Path())
		return
	}
	piece := max(1, min(4<<20, c.o.MaxMemory)/size) * size
	buf := make([]byte, min(piece, l.Size))
	errs := 0
	for at := int64(0); at < l.Size && c.ctx.Err() == nil && errs < c.o.MaxErrors; at += piece {
		p := buf[:min(piece, l.Size-at)]
		if _, err := d.File().Source().ReadAt(p, l.Offset+at); err != nil {
			if err == io.EOF {
				err = h5err.At(h5err.IO, l.Offset+at, "the file was cut short while it was open")
			}
			c.report(err, d.Path())
			return
		}
		errs += c.values(d, p, uint64(at/size))
	}
}

// values looks up what elements refer to, and returns how many are wrong. first is the number of the first one.
func (c *checker) values(d *h5.Dataset, p []byte, first uint64) (errs int) {
	h, size, row := c.newHeap(), d.Type().Size, uint64(1) // elements in a row
	for i, n := range d.Space().Dims {
		if i > 0 {
			row *= max(n, 1)
		}
	}
	for i := first; len(p) >= size && errs < c.o.MaxErrors; i++ {
		if err := h.element(d.Type(), p[:size]); err != nil {
			c.report(within(err, h5err.NoOffset, fmt.Sprintf("row %d", i/row)), d.Path())
			errs++
		}
		p = p[size:]
	}
	return errs
}

// variable reports whether values of a type refer to a heap or, if there is a Note function, to objects.
func (c *checker) variable(t *h5.Type) bool {
	switch t.Class {
	case h5.ClassVLen:
		return true
	case h5.ClassReference:
		return t.Ref == h5.RefRegion1 || t.Ref == h5.RefObject2 || t.Ref == h5.RefObject1 && c.o.Note != nil
	case h5.ClassArray:
		return c.variable(t.Base)
	case h5.ClassCompound:
		for i := range t.Members {
			if c.variable(t.Members[i].Type) {
				return true
			}
		}
	}
	return false
}

// heapCheck looks up variable-length values. Only one goroutine may use it.
type heapCheck struct {
	c *checker
	r *h5.HeapReader
}

func (c *checker) newHeap() *heapCheck { return &heapCheck{c: c, r: c.f.HeapReader()} }

// within adds to an error where in a dataset it is. An error in the heap already has an offset.
func within(err error, offset int64, where string) error {
	var e *h5err.Error
	if err == nil {
		return nil
	}
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

// element looks up everything that one value refers to. It recurses as deeply as the type, whose depth is bounded.
func (h *heapCheck) element(t *h5.Type, p []byte) error {
	switch t.Class {
	case h5.ClassVLen:
		return h.sequence(t, p)
	case h5.ClassReference:
		return h.reference(t, p)
	case h5.ClassArray:
		if !h.c.variable(t.Base) {
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
			if !h.c.variable(m.Type) {
				continue
			}
			if err := h.element(m.Type, p[m.Offset:m.Offset+m.Type.Size]); err != nil {
				return err
			}
		}
	}
	return nil
}

// reference looks up the heap object of a region reference, or of a new reference of any kind (specification, VIII. Appendix D,
// "References"). Object references have none; where they lead is recorded.
func (h *heapCheck) reference(t *h5.Type, p []byte) error {
	size := h.c.f.OffsetSize()
	want := int64(size) // minimum bytes in the heap: an object's address, and more
	if t.Ref == h5.RefObject1 || t.Ref == h5.RefObject2 {
		ref, err := h5.ObjectReference(t, p, size)
		if err == nil {
			if addr, ok := h.c.f.RefAddress(ref); ok {
				h.c.refers(addr)
			}
			return nil
		}
		if !h5err.Is(err, h5err.Unsupported) {
			return err
		}
		if len(p) < 6+size+4 {
			return h5err.New(h5err.Corrupt, "a reference of %d bytes", len(p))
		}
		want, p = int64(binary.LittleEndian.Uint32(p[2:])), p[6:]
	}
	if len(p) < size+4 {
		return nil
	}
	addr, ok := h.c.f.RefAddress(p)
	if !ok {
		return nil
	}
	n, err := h.r.Size(addr, binary.LittleEndian.Uint32(p[size:]))
	if err == nil && n < want {
		err = h5err.New(h5err.Corrupt, "a reference of %d bytes in the heap, %d expected", n, want)
	}
	return err
}

// sequence looks up a variable-length value (specification, IV.B): its length, the address of a heap collection, and the
// index of an object there.
func (h *heapCheck) sequence(t *h5.Type, p []byte) error {
	if len(p) < 8+h.c.f.OffsetSize() {
		return h5err.New(h5err.Corrupt, "a reference to a heap of %d bytes", len(p))
	}
	n := uint64(binary.LittleEndian.Uint32(p))
	addr, _ := h.c.f.RefAddress(p[4:])
	if n == 0 || addr == 0 { // as readers do; an undefined address is an error
		return nil
	}
	index := binary.LittleEndian.Uint32(p[4+h.c.f.OffsetSize():])
	item := uint64(1)
	if !t.VarString {
		item = uint64(t.Base.Size)
	}
	size, err := h.r.Size(addr, index)
	if err != nil {
		return err
	}
	if n > uint64(size)/item {
		return h5err.New(h5err.Corrupt, "%d items of %d bytes in a heap object of %d", n, item, size)
	}
	if t.VarString || !h.c.variable(t.Base) {
		return nil
	}
	// Values may share the values inside of them, so that a small file could have endless many.
	if h.c.heapLeft.Add(-int64(n)) < 0 {
		return h5err.New(h5err.Limit, "variable-length values that contain too many others")
	}
	if size > h.c.o.MaxMemory {
		return h5err.New(h5err.Memory, "a heap object of %d bytes needs more memory than the limit of %d bytes", size, h.c.o.MaxMemory)
	}
	b, err := h.r.Object(addr, index)
	if err != nil {
		return err
	}
	for i := uint64(0); i < n; i++ {
		if err := h.element(t.Base, b[i*item:(i+1)*item]); err != nil {
			return err
		}
	}
	return nil
}
