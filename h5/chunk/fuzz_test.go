package chunk

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// numbers takes integers from fuzzed bytes: small ones from one byte, and now and then one of eight.
type numbers []byte

func (n *numbers) next() uint64 {
	if len(*n) == 0 {
		return 0
	}
	b := (*n)[0]
	*n = (*n)[1:]
	if b == 0xff && len(*n) >= 8 {
		v := binary.LittleEndian.Uint64(*n)
		*n = (*n)[8:]
		return v
	}
	return uint64(b)
}

func seeds(f *testing.F) {
	f.Add([]byte{1, 10, 3, 1, 2, 0, 40, 0, 1, 60, 0})
	f.Add([]byte{2, 10, 3, 4, 2, 2, 1, 0, 20, 0, 1, 20, 0, 2, 0, 255})
	f.Add(append([]byte{1, 0xff}, binary.LittleEndian.AppendUint64(nil, math.MaxUint64)...))
	f.Add(append([]byte{3, 0xff}, binary.LittleEndian.AppendUint64(nil, 1<<40)...))
}

// FuzzReader reads datasets whose shapes, chunks and offsets are any numbers: rows or an error, the same from one worker
// and from three, in one batch and in two.
func FuzzReader(f *testing.F) {
	seeds(f)
	file := make([]byte, 4096)
	content(seeded(1), file)
	f.Fuzz(func(t *testing.T, data []byte) {
		in := numbers(data)
		rank := int(in.next()%3) + 1
		ds := &dataset{file: "f.h5", path: "/x", elem: int(in.next()%9) + 1, decoded: 1 << 16, layout: &h5.Layout{Storage: h5.StorageChunked},
			src: source.FromReaderAt(bytes.NewReader(file), int64(len(file)), "f.h5"), fill: func() ([]byte, error) { return nil, nil }}
		chunkBytes := uint64(ds.elem)
		for range rank {
			ds.dims = append(ds.dims, in.next())
			ds.layout.ChunkDims = append(ds.layout.ChunkDims, in.next())
			chunkBytes *= ds.layout.ChunkDims[len(ds.layout.ChunkDims)-1]
		}
		ds.layout.ChunkBytes = int64(chunkBytes)
		flags := in.next()
		if flags&1 != 0 {
			ds.filters = []h5.Filter{{ID: 2, Values: []uint32{2}}}
		}
		ds.layout.RawEdges = flags&2 != 0
		var cs []h5.Chunk
		for len(in) > 0 && len(cs) < 50 {
			cs = append(cs, h5.Chunk{Number: in.next(), Offset: int64(in.next()), Size: int64(in.next()), FilterMask: uint32(in.next())})
			if flags&4 != 0 {
				cs[len(cs)-1].Size = ds.layout.ChunkBytes
			}
		}
		slices.SortFunc(cs, func(a, b h5.Chunk) int {
			if a.Number < b.Number {
				return -1
			}
			return 1
		})
		cs = slices.CompactFunc(cs, func(a, b h5.Chunk) bool { return a.Number == b.Number })
		ds.chunks = func() ([]h5.Chunk, error) { return cs, nil }
		r, err := newReader(ds, options{piece: 200})
		if err != nil {
			return
		}
		defer r.Close()
		rows := min(r.Rows(), 100)
		if n, ok := mul(uint64(rows), uint64(r.RowBytes())); !ok || n > 1<<16 {
			return
		}
		got := dirty(int(rows * r.RowBytes()))
		err = r.Read(context.Background(), 0, rows, got)
		p := NewPool(3)
		defer p.Close()
		again := dirty(len(got))
		cut := rows / 3
		err1 := start(r, p, 0, cut, again[:cut*r.RowBytes()], StartOptions{})
		err2 := start(r, p, cut, rows, again[cut*r.RowBytes():], StartOptions{})
		if err == nil && (err1 != nil || err2 != nil || !bytes.Equal(got, again)) {
			t.Errorf("in two batches: %v, %v", err1, err2)
		}
		if k := h5err.KindOf(err); err != nil && k != h5err.Corrupt && k != h5err.Limit && k != h5err.IO {
			t.Errorf("an error of kind %v: %v", k, err)
		}
	})
}

// FuzzSelection compiles selections of any numbers, and compares small ones with the naive list of their elements.
func FuzzSelection(f *testing.F) {
	seeds(f)
	f.Add([]byte{2, 6, 8, 0, 1, 1, 1, 0, 1, 1, 2, 1, 1, 1, 2, 5, 1, 1, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		in := numbers(data)
		rank := int(in.next()%3) + 1
		var dims []uint64
		var extent []int64
		small := uint64(1)
		for range rank {
			d := in.next() & math.MaxInt64
			dims, extent = append(dims, d), append(extent, int64(d))
			small *= min(d, 1<<20)
		}
		var s h5.Selection
		for len(in) > 0 && len(s.Blocks) < 8 {
			h := h5.Hyperslab{}
			for range rank {
				h.Start, h.Stride = append(h.Start, in.next()), append(h.Stride, in.next())
				h.Count, h.Block = append(h.Count, in.next()), append(h.Block, in.next())
			}
			s.Blocks = append(s.Blocks, h)
		}
		sel, err := newSelection(&s, extent)
		if err != nil || small > 1<<12 || small == 0 {
			return
		}
		want := points(s, dims)
		c := cursor{s: sel}
		c.seek(0)
		for _, w := range want {
			at := 0
			for d := range dims {
				at = at*int(dims[d]) + int(c.at[d])
			}
			if c.left <= 0 || at != w {
				t.Fatalf("%+v of %v: element %d, want %d", s, dims, at, w)
			}
			c.skip(1)
		}
		if c.left != 0 {
			t.Fatalf("%+v of %v: %d elements are left", s, dims, c.left)
		}
	})
}
