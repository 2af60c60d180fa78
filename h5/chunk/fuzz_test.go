package chunk

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/selectiontest"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// FuzzReader reads datasets whose shapes, chunks and offsets are any numbers: rows or an error, the same from one worker
// and from three, in one batch and in two.
func FuzzReader(f *testing.F) {
	for _, s := range selectiontest.Seeds() {
		f.Add(s)
	}
	f.Add([]byte{0, 3, 10, 4, 4, 0, 0, 0, 0, 1, 20, 0, 0, 2, 60, 0, 0})                    // three chunks of four numbers
	f.Add([]byte{1, 1, 6, 4, 5, 2, 5, 0, 0, 0, 0, 1, 40, 0, 0, 3, 80, 0, 0, 5, 120, 0, 0}) // 2x3 shuffled chunks, two missing
	f.Add([]byte{0, 3, 10, 4, 4, 0, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0})                    // a chunk past the end of the file
	file := make([]byte, 4096)
	content(seeded(1), file)
	f.Fuzz(func(t *testing.T, data []byte) {
		in := selectiontest.Numbers(data)
		rank := int(in.Next()%3) + 1
		ds := &dataset{file: "f.h5", path: "/x", elem: int(in.Next()%9) + 1, decoded: 1 << 16, layout: &h5.Layout{Storage: h5.StorageChunked},
			src: source.FromReaderAt(bytes.NewReader(file), int64(len(file)), "f.h5"), fill: func() ([]byte, error) { return nil, nil }}
		chunkBytes := uint64(ds.elem)
		for range rank {
			ds.dims = append(ds.dims, in.Next())
			ds.layout.ChunkDims = append(ds.layout.ChunkDims, in.Next())
			chunkBytes *= ds.layout.ChunkDims[len(ds.layout.ChunkDims)-1]
		}
		ds.layout.ChunkBytes = int64(chunkBytes)
		flags := in.Next()
		if flags&1 != 0 {
			ds.filters = []h5.Filter{{ID: 2, Values: []uint32{2}}}
		}
		ds.layout.RawEdges = flags&2 != 0
		var cs []h5.Chunk
		for len(in) > 0 && len(cs) < 50 {
			cs = append(cs, h5.Chunk{Number: in.Next(), Offset: int64(in.Next()), Size: int64(in.Next()), FilterMask: uint32(in.Next())})
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
