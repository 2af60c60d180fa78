package heap_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/hextest"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// ids returns the heap IDs that the trees of a type hold. They follow at bytes of a record.
func ids(t *testing.T, f *indextest.File, typ, at, n int) [][]byte {
	t.Helper()
	var out [][]byte
	tree := f.Find(t, "BTHD", func(p []byte) bool { return int(p[5]) == typ })
	if err := btree.V2(f.R, tree, typ, func(rec []byte) error {
		out = append(out, bytes.Clone(rec[at:at+n]))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// link decodes what these tests need of a link message: its name and where it leads.
func link(f *indextest.File, p []byte) (name string, to any, err error) {
	c := f.R.CursorOver(p, 0)
	c.U8()
	flags := c.U8()
	typ := uint8(0)
	if flags&8 != 0 {
		typ = c.U8()
	}
	if flags&4 != 0 {
		c.U64()
	}
	if flags&16 != 0 {
		c.U8()
	}
	name = string(c.Bytes(int(c.Uint(1 << (flags & 3)))))
	if typ == 0 {
		to = float64(c.Address())
	} else {
		to = string(c.Bytes(int(c.U16())))
	}
	if c.Len() != 0 {
		return name, to, errors.New("bytes are left")
	}
	return name, to, c.Err()
}

func TestFractalLinks(t *testing.T) {
	kinds := map[byte]int{}
	for _, name := range indextest.Names(t, "links_") {
		t.Run(name, func(t *testing.T) {
			f := indextest.Load(t, name)
			h, err := heap.OpenFractal(f.R, f.Find(t, "FRHP", nil))
			if err != nil {
				t.Fatal(err)
			}
			if h.IDLength() != 7 {
				t.Fatalf("IDs of %d bytes", h.IDLength())
			}
			trees := [][][]byte{ids(t, f, btree.TypeLinkName, 4, 7)}
			if name != "links_tiny" {
				trees = append(trees, ids(t, f, btree.TypeLinkOrder, 8, 7))
			}
			for _, tree := range trees {
				got := map[string]any{}
				for _, id := range tree {
					kinds[id[0]>>4&3]++
					p, err := h.Object(id)
					if err != nil {
						t.Fatalf("% x: %v", id, err)
					}
					name, to, err := link(f, p)
					if err != nil {
						t.Fatalf("% x: %v", id, err)
					}
					got[name] = to
				}
				if len(got) != len(f.Want.Links) {
					t.Errorf("%d links, want %d", len(got), len(f.Want.Links))
				}
				for k, v := range f.Want.Links {
					if got[k] != v {
						t.Fatalf("%.20q leads to %v, want %v", k, got[k], v)
					}
				}
			}
		})
	}
	if kinds[0] < 1000 || kinds[1] < 10 || kinds[2] < 10 {
		t.Errorf("managed, huge and tiny objects: %v", kinds)
	}
}

func TestFractalAttributes(t *testing.T) {
	f := indextest.Load(t, "attrs_dense")
	h, err := heap.OpenFractal(f.R, f.Find(t, "FRHP", nil))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, id := range ids(t, f, btree.TypeAttrName, 0, 8) {
		p, err := h.Object(id)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range f.Want.Attributes {
			// Version 3: a head of nine bytes, then the name; the value ends the message.
			if !bytes.HasPrefix(p[9:], append([]byte(name), 0)) {
				continue
			}
			found++
			if v := bytes.Repeat([]byte{byte(want[0])}, want[1]); !bytes.HasSuffix(p, v) || len(p) > len(v)+60 {
				t.Errorf("attribute %s has %d bytes, want %d of %d and what describes them", name, len(p), want[1], want[0])
			}
		}
	}
	if found != len(f.Want.Attributes) {
		t.Errorf("%d attributes, want %d", found, len(f.Want.Attributes))
	}
}

// TestFractalDamage flips bytes of each structure of filtered and plain heaps: one object at least must fail.
func TestFractalDamage(t *testing.T) {
	for _, name := range []string{"links_filtered_4", "links_tiny", "links_dense"} {
		f := indextest.Load(t, name)
		at := f.Find(t, "FRHP", nil)
		all := ids(t, f, btree.TypeLinkName, 4, 7)
		if name == "links_dense" {
			all = append(all[:5], all[len(all)-5:]...)
		}
		type extent struct{ off, n int64 }
		seen := map[string][]extent{}
		f.R.OnExtent = func(off, n int64, what string) { seen[what] = append(seen[what], extent{off, n}) }
		read := func(r *meta.Reader) error {
			h, err := heap.OpenFractal(r, at)
			if err != nil {
				return err
			}
			var first error
			for _, id := range all {
				if _, err := h.Object(id); err != nil && first == nil {
					first = err
				}
			}
			return first
		}
		if err := read(f.R); err != nil {
			t.Fatal(err)
		}
		if name == "links_dense" && len(seen["fractal heap indirect block"]) < 2 {
			t.Errorf("%d indirect blocks", len(seen["fractal heap indirect block"]))
		}
		for what, list := range seen {
			if name == "links_tiny" && what == "huge object of a fractal heap" {
				continue // plain bytes, which nothing guards
			}
			for _, e := range list {
				for i := e.off; i < e.off+e.n; i += 1 + e.n/20 {
					f.Data[i] ^= 0x04
					err := read(indextest.Reader(f.Data, f.R.OffsetSize, f.R.LengthSize))
					if k := h5err.KindOf(err); k != h5err.Corrupt && k != h5err.Unsupported {
						t.Fatalf("%s: byte %d of a %s: %v", name, i-e.off, what, err)
					}
					f.Data[i] ^= 0x04
				}
			}
		}
	}
}

func TestFractalGeometry(t *testing.T) {
	for _, tt := range []struct {
		start, width, largest uint64
		maxBits, rows, levels int
	}{
		{64, 4, 1024, 32, 0, 0}, // the root is a direct block
		{64, 4, 1024, 32, 1, 1},
		{64, 4, 1024, 32, 6, 1},
		{64, 4, 256, 32, 8, 3},
		{64, 2, 64, 20, 6, 3},
		{64, 1, 128, 40, 7, 3},
		{64, 8, 4096, 63, 9, 2},
		{128, 2, 512, 18, 10, 4},
	} {
		for _, checked := range []bool{false, true} {
			name := fmt.Sprintf("%d_%d_%d_%d_%d_%v", tt.start, tt.width, tt.largest, tt.maxBits, tt.rows, checked)
			t.Run(name, func(t *testing.T) {
				b := &builder{start: tt.start, width: tt.width, largest: tt.largest, maxBits: tt.maxBits, rows: tt.rows, idLen: 12, maxManaged: 32, checked: checked}
				data := b.build()
				if b.levels < min(tt.levels, 2) {
					t.Fatalf("%d levels of indirect blocks", b.levels)
				}
				h, err := heap.OpenFractal(indextest.Reader(data, 8, 8), 0)
				if err != nil {
					t.Fatal(err)
				}
				rand.Shuffle(len(b.offsets), func(i, j int) { b.offsets[i], b.offsets[j] = b.offsets[j], b.offsets[i] })
				for _, off := range b.offsets {
					p, err := h.Object(b.id(off, 8))
					if err != nil {
						t.Fatalf("object at %d: %v", off, err)
					}
					if got := le.Uint64(p); off-got > 30 {
						t.Fatalf("object at %d is in the block at %d", off, got)
					}
				}
				for _, id := range [][]byte{
					b.id(0, 8),                              // inside a block's head
					b.id(b.offsets[0], 33),                  // larger than managed objects are
					b.id(1<<tt.maxBits-8, 8),                // after all blocks
					make([]byte, 11),                        // short
					append([]byte{0x40}, b.id(0, 8)[1:]...), // version
					append([]byte{0x30}, b.id(0, 8)[1:]...), // type
				} {
					if p, err := h.Object(id); err == nil {
						t.Errorf("% x is %d bytes", id, len(p))
					}
				}
			})
		}
	}
}

// TestFractalIDs reads objects whose place or bytes are in long IDs.
func TestFractalIDs(t *testing.T) {
	const idLen = 40
	// Version 2 of a pipeline message: deflate, one value.
	b := &builder{start: 64, width: 4, largest: 1024, maxBits: 32, idLen: idLen, maxManaged: 100, pipeline: []byte{2, 1, 1, 0, 0, 0, 1, 0, 6, 0, 0, 0}}
	data := b.build()
	want := bytes.Repeat([]byte("a huge object "), 100)
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(want)
	w.Close()
	at := len(data)
	data = append(data, z.Bytes()...)
	raw, size := len(data), uint64(len(want))
	data = append(data, want...)

	huge := func(addr, stored int, mask uint32, size uint64) []byte {
		id := make([]byte, idLen)
		id[0] = 0x10
		le.PutUint64(id[1:], uint64(addr))
		le.PutUint64(id[9:], uint64(stored))
		le.PutUint32(id[17:], mask)
		le.PutUint64(id[21:], size)
		return id
	}
	tiny := make([]byte, idLen)
	tiny[0], tiny[1] = 0x20, 29
	copy(tiny[2:], want[:30])
	long := bytes.Clone(tiny)
	long[0], long[1] = 0x21, 0

	h, err := heap.OpenFractal(indextest.Reader(data, 8, 8), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		id   []byte
		want []byte
		kind h5err.Kind
	}{
		{"filtered", huge(at, z.Len(), 0, size), want, 0},
		{"filter passed over", huge(raw, len(want), 1, size), want, 0},
		{"decodes to more", huge(at, z.Len(), 0, size-1), nil, h5err.Corrupt},
		{"decodes to less", huge(at, z.Len(), 0, size+1), nil, h5err.Corrupt},
		{"beyond the file", huge(raw, len(want)+1, 1, size), nil, h5err.Corrupt},
		{"too large", huge(at, z.Len(), 0, 1<<40), nil, h5err.Limit},
		{"extended tiny", tiny, want[:30], 0},
		{"tiny beyond its ID", long, nil, h5err.Corrupt},
	} {
		got, err := h.Object(tt.id)
		if h5err.KindOf(err) != tt.kind || !bytes.Equal(got, tt.want) {
			t.Errorf("%s: %d bytes, %v", tt.name, len(got), err)
		}
	}
}

// TestFractalUnknownFilter reads what needs no filter from a heap of an unknown one.
func TestFractalUnknownFilter(t *testing.T) {
	b := &builder{start: 64, width: 4, largest: 1024, maxBits: 32, idLen: 8, maxManaged: 100, pipeline: []byte{2, 1, 0x39, 0x30, 0, 0, 0, 0, 0, 0}}
	h, err := heap.OpenFractal(indextest.Reader(b.build(), 8, 8), 0)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := h.Object([]byte{0x22, 1, 2, 3, 4, 5, 6, 7}); err != nil || !bytes.Equal(p, []byte{1, 2, 3}) {
		t.Errorf("tiny object: % x, %v", p, err)
	}
}

// TestFractalCache reads a heap that is larger than what is kept, in random order.
func TestFractalCache(t *testing.T) {
	b := &builder{start: 1 << 19, width: 4, largest: 2 << 20, maxBits: 32, rows: 5, idLen: 8, maxManaged: 100, checked: true}
	data := b.build()
	if len(data) < 30<<20 {
		t.Fatalf("%d bytes", len(data))
	}
	h, err := heap.OpenFractal(indextest.Reader(data, 8, 8), 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		off := b.offsets[rand.IntN(len(b.offsets))]
		p, err := h.Object(b.id(off, 8))
		if err != nil || off-le.Uint64(p) > 30 {
			t.Fatalf("object at %d: % x, %v", off, p, err)
		}
	}
}

// TestConcurrent reads heaps from several goroutines, for the race detector.
func TestConcurrent(t *testing.T) {
	f := indextest.Load(t, "links_filtered_8")
	h, err := heap.OpenFractal(f.R, f.Find(t, "FRHP", nil))
	if err != nil {
		t.Fatal(err)
	}
	all := ids(t, f, btree.TypeLinkName, 4, 7)
	data, at := localHeap([]string{string(make([]byte, 70_000)), "last"})
	l, err := heap.OpenLocal(indextest.Reader(data, 8, 8), 0)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, id := range all {
				if _, err := h.Object(id); err != nil {
					t.Error(err)
				}
				if s, err := l.String(at[1]); err != nil || string(s) != "last" {
					t.Errorf("%q, %v", s, err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkFractal(b *testing.B) {
	f := indextest.Load(b, "links_dense")
	h, err := heap.OpenFractal(f.R, f.Find(b, "FRHP", nil))
	if err != nil {
		b.Fatal(err)
	}
	var all [][]byte
	tree := f.Find(b, "BTHD", func(p []byte) bool { return p[5] == btree.TypeLinkName })
	if err := btree.V2(f.R, tree, -1, func(rec []byte) error { all = append(all, bytes.Clone(rec[4:])); return nil }); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, id := range all {
			if _, err := h.Object(id); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all)), "ns/object")
}

// deepHeap has several levels of indirect blocks.
func deepHeap() (*builder, []byte) {
	b := &builder{start: 64, width: 4, largest: 256, maxBits: 32, rows: 8, idLen: 12, maxManaged: 32, checked: true}
	return b, b.build()
}

// TestFractalContradictions changes fields of structures whose checksums are not looked at.
func TestFractalContradictions(t *testing.T) {
	fields := hextest.Load(t, "fractal")
	for _, tt := range []struct {
		name, sig string
		field     string // of the golden file
		byte      int    // of the field
		v         byte
		want      h5err.Kind
	}{
		{"version", "FRHP", "version", 0, 1, h5err.Unsupported},
		{"ID length", "FRHP", "ID length", 0, 1, h5err.Corrupt},
		{"short IDs", "FRHP", "ID length", 0, 4, h5err.Corrupt},
		{"filters of no version", "FRHP", "length of the filters", 0, 20, h5err.Unsupported},
		{"largest object", "FRHP", "largest managed object", 0, 7, h5err.Corrupt},
		{"width", "FRHP", "table width", 0, 3, h5err.Corrupt},
		{"no width", "FRHP", "table width", 0, 0, h5err.Corrupt},
		{"start", "FRHP", "starting block size", 0, 63, h5err.Corrupt},
		{"largest block", "FRHP", "largest direct block", 1, 0, h5err.Corrupt},
		{"larger than the largest block", "FRHP", "starting block size", 1, 2, h5err.Corrupt},
		{"bits", "FRHP", "bits of the address space", 0, 64, h5err.Corrupt},
		{"no bits", "FRHP", "bits of the address space", 0, 0, h5err.Corrupt},
		{"rows", "FRHP", "rows of the root", 0, 30, h5err.Corrupt},
		{"fewer rows", "FRHP", "rows of the root", 0, 7, h5err.Corrupt},
		{"no rows", "FRHP", "rows of the root", 0, 0, h5err.Corrupt},
		{"no root", "FRHP", "root", 3, 0x80, h5err.Corrupt},
		{"block version", "FHIB", "version", 0, 1, h5err.Unsupported},
		{"block of another heap", "FHIB", "heap", 0, 1, h5err.Corrupt},
		{"block elsewhere", "FHIB", "place", 0, 1, h5err.Corrupt},
		{"block signature", "FHIB", "signature", 0, 'X', h5err.Corrupt},
		{"block version", "FHDB", "version", 0, 1, h5err.Unsupported},
		{"block of another heap", "FHDB", "heap", 0, 1, h5err.Corrupt},
		{"block elsewhere", "FHDB", "place", 0, 1, h5err.Corrupt},
		{"block signature", "FHDB", "signature", 0, 'X', h5err.Corrupt},
	} {
		b, data := deepHeap()
		f := &indextest.File{Data: data}
		structure := "block: " // direct and indirect ones start alike
		if tt.sig == "FRHP" {
			structure = "header: "
		}
		at := fields.At(t, structure+tt.field) - fields.At(t, structure+"signature") + tt.byte
		data[f.All(tt.sig, nil)[0]+uint64(at)] = tt.v
		r := indextest.Reader(data, 8, 8)
		r.AnyChecksum = true
		h, err := heap.OpenFractal(r, 0)
		for _, off := range b.offsets {
			if err == nil {
				_, err = h.Object(b.id(off, 8)[:min(h.IDLength(), b.idLen)])
			}
		}
		if !h5err.Is(err, tt.want) {
			t.Errorf("%s %s: %v", tt.sig, tt.name, err)
		}
	}
}

// TestFractalEntries has two entries that lead to one block, then one for a block that does not exist.
func TestFractalEntries(t *testing.T) {
	b, data := deepHeap()
	f := &indextest.File{Data: data}
	root := f.All("FHIB", nil)[0] + 17
	copy(data[root+8:root+16], data[root:root+8])
	r := indextest.Reader(data, 8, 8)
	r.AnyChecksum = true
	h, err := heap.OpenFractal(r, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, off := range b.offsets[:3] {
		if _, err := h.Object(b.id(off, 8)); (err != nil) != (i == 1) {
			t.Errorf("object %d: %v", i, err)
		}
	}

	copy(data[root:root+8], bytes.Repeat([]byte{0xff}, 8))
	r = indextest.Reader(data, 8, 8)
	r.AnyChecksum = true
	if h, err = heap.OpenFractal(r, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Object(b.id(b.offsets[0], 8)); !h5err.Is(err, h5err.Corrupt) {
		t.Errorf("no block: %v", err)
	}
}

// TestDecodedLimit asks for the objects of a filtered heap from a reader that lets nothing more be decoded.
func TestDecodedLimit(t *testing.T) {
	f := indextest.Load(t, "links_filtered_8")
	at := f.Find(t, "FRHP", nil)
	tree := f.Find(t, "BTHD", func(p []byte) bool { return p[5] == btree.TypeLinkName })
	for _, limit := range []int64{0, 1 << 20} {
		r := indextest.Reader(f.Data, f.R.OffsetSize, f.R.LengthSize)
		r.MaxDecoded = limit
		h, err := heap.OpenFractal(r, at)
		if err != nil {
			t.Fatal(err)
		}
		err = btree.V2(r, tree, btree.TypeLinkName, func(rec []byte) error {
			_, err := h.Object(rec[4:])
			return err
		})
		if limit == 0 && !h5err.Is(err, h5err.Limit) || limit > 0 && err != nil {
			t.Errorf("with %d bytes: %v", limit, err)
		}
	}
}
