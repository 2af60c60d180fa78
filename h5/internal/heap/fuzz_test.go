package heap_test

import (
	"bytes"
	"testing"

	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// FuzzGlobal sees that all objects of a collection are inside it and do not overlap.
func FuzzGlobal(f *testing.F) {
	indextest.Seed(f, "GCOL", "sizes_")
	f.Add(collection(100, 3, "abc", 1, "defg"), uint32(0), byte(8), byte(8), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at uint32, osize, lsize, _ byte) {
		c, err := heap.ReadCollection(indextest.FuzzReader(data, osize, lsize), uint64(at))
		if err != nil {
			return
		}
		if c.Size > int64(len(data)) {
			t.Fatalf("a collection of %d bytes in %d", c.Size, len(data))
		}
		sum := int64(0)
		for i := range uint32(300) {
			if n, err := c.ObjectSize(i); err == nil {
				sum += n
				if p, err := c.Object(i); err != nil || int64(len(p)) != n {
					t.Fatalf("object %d: %d bytes, want %d, %v", i, len(p), n, err)
				}
			}
		}
		if sum > c.Size {
			t.Fatalf("objects of %d bytes in %d", sum, c.Size)
		}
	})
}

// FuzzLocal sees that names are inside their heap.
func FuzzLocal(f *testing.F) {
	indextest.Seed(f, "HEAP", "sizes_")
	f.Fuzz(func(t *testing.T, data []byte, at uint32, osize, lsize, off byte) {
		h, err := heap.OpenLocal(indextest.FuzzReader(data, osize, lsize), uint64(at))
		if err != nil {
			return
		}
		s, err := h.String(uint64(off))
		if err == nil && (int64(off)+int64(len(s)) >= h.Size() || bytes.IndexByte(s, 0) >= 0) {
			t.Fatalf("%q at %d of %d bytes", s, off, h.Size())
		}
	})
}

// FuzzFractal sees that an object is the same whether it comes from the file or from the cache.
func FuzzFractal(f *testing.F) {
	for _, name := range indextest.Names(f, "links_filtered", "links_tiny") {
		x := indextest.Load(f, name)
		if len(x.Data) > 32<<10 {
			continue
		}
		tree := x.Find(f, "BTHD", func(p []byte) bool { return p[5] == btree.TypeLinkName })
		n := 0
		err := btree.V2(x.R, tree, -1, func(rec []byte) error {
			if n++; n%10 == 1 {
				f.Add(x.Data, uint32(x.Find(f, "FRHP", nil)), byte(x.R.OffsetSize), byte(x.R.LengthSize), bytes.Clone(rec[4:]))
			}
			return nil
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	for _, b := range []*builder{
		{start: 64, width: 2, largest: 128, maxBits: 16, rows: 6, idLen: 8, maxManaged: 32, checked: true},
		{start: 64, width: 4, largest: 1024, maxBits: 32, rows: 3, idLen: 40, maxManaged: 100},
	} {
		data := b.build()
		for _, off := range b.offsets[len(b.offsets)/2:] {
			f.Add(data, uint32(0), byte(8), byte(8), b.id(off, 8))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, at uint32, osize, lsize byte, id []byte) {
		r := indextest.FuzzReader(data, osize, lsize)
		r.Limits = meta.NewReader(nil, 0, meta.Limits{AttributeSize: 1 << 16}).Limits
		h, err := heap.OpenFractal(r, uint64(at))
		if err != nil {
			return
		}
		if h.IDLength() <= len(id) {
			id = id[:h.IDLength()]
		}
		p, err := h.Object(id)
		q, err2 := h.Object(id)
		if (err == nil) != (err2 == nil) || !bytes.Equal(p, q) {
			t.Fatalf("first % x, %v, then % x, %v", p, err, q, err2)
		}
		if len(p) > 2<<20 {
			t.Fatalf("%d bytes", len(p))
		}
	})
}
