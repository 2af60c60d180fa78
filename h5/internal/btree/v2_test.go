package btree_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/hextest"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// chunksV2 decodes the records of types 10 and 11.
func chunksV2(f *indextest.File, h btree.Header, edge uint64, rec []byte) indextest.Chunk {
	o := f.R.OffsetSize
	c := indextest.Chunk{Addr: f.R.Addr(rec), Size: 1}
	rec = rec[o:]
	if h.Type == btree.TypeChunksFiltered {
		n := len(rec) - 4 - 8*2
		c.Size, c.Mask = meta.LE(rec[:n]), binary.LittleEndian.Uint32(rec[n:])
		rec = rec[n+4:]
	}
	for ; len(rec) > 0; rec = rec[8:] {
		c.Offset = append(c.Offset, edge*binary.LittleEndian.Uint64(rec))
	}
	return c
}

func TestV2Chunks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		typ   int
		depth int
		edge  uint64
	}{
		{"chunks_v2", btree.TypeChunks, 2, 1},
		{"chunks_v2_filtered", btree.TypeChunksFiltered, 1, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := indextest.Load(t, tt.name)
			tree := f.Find(t, "BTHD", nil)
			h, err := btree.V2Header(f.R, tree)
			if err != nil {
				t.Fatal(err)
			}
			if h.Depth != tt.depth || h.Records != uint64(len(f.Want.Chunks)) {
				t.Fatalf("depth %d and %d records, want %d and %d", h.Depth, h.Records, tt.depth, len(f.Want.Chunks))
			}
			var got []indextest.Chunk
			err = btree.V2(f.R, tree, tt.typ, func(rec []byte) error {
				got = append(got, chunksV2(f, h, tt.edge, rec))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			compareChunks(t, got, f.Want.Chunks)
			if err := btree.V2(f.R, tree, btree.TypeLinkName, nil); !h5err.Is(err, h5err.Corrupt) {
				t.Errorf("the type of another tree: %v", err)
			}
		})
	}
}

// TestV2Range compares searches with picking from the whole tree.
func TestV2Range(t *testing.T) {
	f := indextest.Load(t, "chunks_v2")
	tree := f.Find(t, "BTHD", nil)
	var all [][]byte
	if err := btree.V2(f.R, tree, -1, func(rec []byte) error {
		all = append(all, bytes.Clone(rec))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	// The prefix of n coordinates selects one record for n = 7, a range for less, all for 0.
	key := func(rec []byte, n int) []uint64 {
		var k []uint64
		for i := range n {
			k = append(k, binary.LittleEndian.Uint64(rec[8+8*i:]))
		}
		return k
	}
	for n := range 8 {
		for i := 0; i < len(all); i += 5 + 20*(7-n) {
			k := key(all[i], n)
			var want, got [][]byte
			for _, rec := range all {
				if slices.Equal(key(rec, n), k) {
					want = append(want, rec)
				}
			}
			nodes := 0
			f.R.OnExtent = func(int64, int64, string) { nodes++ }
			err := btree.V2Range(f.R, tree, -1, func(rec []byte) int {
				return slices.Compare(key(rec, n), k)
			}, func(rec []byte) error {
				got = append(got, bytes.Clone(rec))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(got, want, bytes.Equal) {
				t.Fatalf("%d records for %v, want %d", len(got), k, len(want))
			}
			if n == 7 && nodes > 6 { // the header, and two ways down from an inner record
				t.Fatalf("%d nodes were read for one record", nodes)
			}
		}
	}
	none := 0
	err := btree.V2Range(f.R, tree, -1, func([]byte) int { return -1 }, func([]byte) error { none++; return nil })
	if err != nil || none != 0 {
		t.Errorf("%d records after all others, %v", none, err)
	}
}

// TestV2Checksums flips each byte of a version 2 tree.
func TestV2Checksums(t *testing.T) {
	f := indextest.Load(t, "chunks_v2_filtered")
	tree := f.Find(t, "BTHD", nil)
	type extent struct{ off, n int64 }
	var all []extent
	f.R.OnExtent = func(off, n int64, _ string) { all = append(all, extent{off, n}) }
	if _, err := walkAll(f.R, tree, 2, 0); err != nil {
		t.Fatal(err)
	}
	if len(all) < 5 {
		t.Fatalf("%d nodes", len(all))
	}
	for _, e := range all {
		for i := e.off; i < e.off+e.n; i += 1 + e.n/97 {
			f.Data[i] ^= 0x10
			if _, err := walkAll(indextest.Reader(f.Data, 4, 8), tree, 2, 0); !h5err.Is(err, h5err.Corrupt) {
				t.Fatalf("byte %d: %v", i, err)
			}
			f.Data[i] ^= 0x10
		}
	}
}

// TestV2Contradictions changes fields of nodes whose checksums are not looked at. Fields are those of the golden file.
func TestV2Contradictions(t *testing.T) {
	fields := hextest.Load(t, "v2")
	for _, tt := range []struct {
		name, sig string
		structure string // of the golden file
		field     string
		byte      int // of the field
		v         byte
		want      h5err.Kind
	}{
		{"version", "BTHD", "header", "version", 0, 1, h5err.Unsupported},
		{"type", "BTHD", "header", "type", 0, 11, h5err.Corrupt},
		{"no room for a record", "BTHD", "header", "node size", 1, 0, h5err.Corrupt},
		{"huge nodes", "BTHD", "header", "node size", 3, 0xff, h5err.Corrupt},
		{"no record size", "BTHD", "header", "record size", 0, 0, h5err.Corrupt},
		{"depth", "BTHD", "header", "depth", 0, 1, h5err.Corrupt},
		{"great depth", "BTHD", "header", "depth", 1, 1, h5err.Corrupt},
		{"records in the root", "BTHD", "header", "records in the root", 0, 29, h5err.Corrupt},
		{"more records in the root", "BTHD", "header", "records in the root", 1, 1, h5err.Corrupt},
		{"records", "BTHD", "header", "records", 0, 1, h5err.Corrupt},
		{"node version", "BTLF", "first leaf", "version", 0, 1, h5err.Unsupported},
		{"node type", "BTLF", "first leaf", "type", 0, 9, h5err.Corrupt},
		{"node type", "BTIN", "root", "type", 0, 9, h5err.Corrupt},
	} {
		f := indextest.Load(t, "chunks_v2")
		tree := f.Find(t, "BTHD", nil)
		at := fields.At(t, tt.structure+": "+tt.field) - fields.At(t, tt.structure+": signature") + tt.byte
		f.Data[f.All(tt.sig, nil)[0]+uint64(at)] = tt.v
		f.R.AnyChecksum = true
		if n, err := walkAll(f.R, tree, 2, 0); !h5err.Is(err, tt.want) {
			t.Errorf("%s %s: %d records, %v", tt.sig, tt.name, n, err)
		}
	}
}

// tree2 makes version 2 B-trees of records of one byte.
type tree2 struct{ data []byte }

const root2 = 38 // the root follows the header

// seal writes the checksum of the n bytes at a place into their end.
func (w *tree2) seal(at, n int) {
	binary.LittleEndian.PutUint32(w.data[at+n-4:], meta.Checksum(w.data[at:at+n-4]))
}

func (w *tree2) header(nodeSize, depth, inRoot, records int) {
	p := append([]byte("BTHD\x00"), btree.TypeChunks)
	p = binary.LittleEndian.AppendUint32(p, uint32(nodeSize))
	p = append(p, 1, 0, byte(depth), 0, 100, 40)
	p = binary.LittleEndian.AppendUint64(p, root2)
	p = binary.LittleEndian.AppendUint16(p, uint16(inRoot))
	p = binary.LittleEndian.AppendUint64(p, uint64(records))
	copy(w.data, p)
	w.seal(0, root2)
}

// head writes the start of a node.
func (w *tree2) head(at int, sig string) {
	copy(w.data[at:], sig)
	w.data[at+5] = btree.TypeChunks
}

// node writes an inner node of n records and returns its size. children are the fields of its pointers, each of a number
// of bytes; nothing else is written, so that a node may overlap another one.
func (w *tree2) node(at, n int, widths []int, children [][]int) int {
	w.head(at, "BTIN")
	p := at + 6 + n
	for _, c := range children {
		for i, v := range c {
			for k := range widths[i] {
				w.data[p+k] = byte(v >> (8 * k))
			}
			p += widths[i]
		}
	}
	w.seal(at, p+4-at)
	return p + 4 - at
}

// TestV2Overlap has leaves that start inside one another, each with a sound checksum: they have many times the records that
// fit the file. In a file that is large enough for all of them, that is accepted: nothing else is wrong.
func TestV2Overlap(t *testing.T) {
	const (
		leaves  = 100
		largest = 1000 // bytes; each leaf starts after the signature of the one before and ends before its checksum
		first   = root2 + 10 + leaves - 1 + 10*leaves
	)
	w := tree2{data: make([]byte, first+largest)}
	var children [][]int
	records := leaves - 1
	for i := range leaves {
		w.head(first+6*i, "BTLF")
		children = append(children, []int{first + 6*i, largest - 10*i - 10})
		records += largest - 10*i - 10
	}
	for i := leaves - 1; i >= 0; i-- {
		w.seal(first+6*i, largest-10*i)
	}
	if n := w.node(root2, leaves-1, []int{8, 2}, children); root2+n != first {
		t.Fatalf("a root of %d bytes", n)
	}
	w.header(4096, 1, leaves-1, records)
	walks := map[string]func(data []byte, fn func([]byte) error) error{
		"V2": func(data []byte, fn func([]byte) error) error {
			return btree.V2(indextest.Reader(data, 8, 8), 0, -1, fn)
		},
		"V2Range": func(data []byte, fn func([]byte) error) error {
			return btree.V2Range(indextest.Reader(data, 8, 8), 0, -1, func([]byte) int { return 0 }, fn)
		},
	}
	for name, walk := range walks {
		seen := 0
		count := func([]byte) error { seen++; return nil }
		if err := walk(append(bytes.Clone(w.data), make([]byte, records+10*leaves)...), count); err != nil || seen != records {
			t.Errorf("%s, a large file: %d records of %d, %v", name, seen, records, err)
		}
		seen = 0
		err := walk(w.data, count)
		if !h5err.Is(err, h5err.Corrupt) || !strings.Contains(err.Error(), "overlap") || seen == 0 || seen > len(w.data) {
			t.Errorf("%s: %d records in %d bytes, then %v", name, seen, len(w.data), err)
		}
	}
}

// TestV2Twice has nodes that are used twice, and different nodes at the same place. Each tree is sound if the second of the
// two is a copy elsewhere.
func TestV2Twice(t *testing.T) {
	// A root of two leaves: one, or one and its copy.
	leaf := func(copied bool) ([]byte, int, int) {
		const at, size = root2 + 10 + 1 + 2*9, 30
		w := tree2{data: make([]byte, at+2*size)}
		second := at
		for i := range 2 {
			w.head(at+i*size, "BTLF")
			w.seal(at+i*size, size)
		}
		if copied {
			second += size
		}
		w.node(root2, 1, []int{8, 1}, [][]int{{at, size - 10}, {second, size - 10}})
		w.header(100, 1, 1, 1+2*(size-10))
		return w.data, at, 1 + 2*(size-10)
	}
	// A root of height 2 that is its own first child: as a node of height 1 it has more records, the first of which are all
	// that it has as the root. Leaves have one record each.
	child := func(copied bool) ([]byte, int, int) {
		const (
			asRoot = 10 + 1 + 2*12
			n      = asRoot // records of the child
			size   = 10 + n + (n+1)*10
			other  = root2 + size // a second child of one record and two leaves
			leaves = other + 10 + 1 + 2*10
			more   = leaves + (n+1+2)*11 // for the copy
		)
		w := tree2{data: make([]byte, more+size)}
		var pointers [][]int
		for i := range n + 1 + 2 {
			w.head(leaves+11*i, "BTLF")
			w.seal(leaves+11*i, 11)
			pointers = append(pointers, []int{leaves + 11*i, 1})
		}
		w.node(other, 1, []int{8, 2}, pointers[n+1:])
		first := root2
		if copied {
			first = more
		}
		w.node(root2, 1, []int{8, 2, 2}, [][]int{{first, n, n + n + 1}, {other, 1, 1 + 2}})
		copy(w.data[more:], w.data[root2:root2+asRoot])
		w.node(first, n, []int{8, 2}, pointers[:n+1])
		records := 1 + n + n + 1 + 1 + 2
		w.header(512, 2, 1, records)
		return w.data, root2, records
	}
	for _, tt := range []struct {
		name string
		make func(copied bool) (data []byte, twice, records int)
	}{{"leaf", leaf}, {"a node that is its own child", child}} {
		data, _, records := tt.make(true)
		if n, err := walkAll(indextest.Reader(data, 8, 8), 0, 2, 0); err != nil || n != records {
			t.Errorf("%s, copied: %d records of %d, %v", tt.name, n, records, err)
		}
		data, at, _ := tt.make(false)
		_, err := walkAll(indextest.Reader(data, 8, 8), 0, 2, 0)
		var e *h5err.Error
		if want := fmt.Sprintf("a B-tree holds the node at address %#x twice", at); !errors.As(err, &e) || e.Kind != h5err.Corrupt || e.Offset != int64(at) || e.Msg != want {
			t.Errorf("%s: %v, want %q", tt.name, err, want)
		}
	}
}
