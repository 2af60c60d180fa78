package btree_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// rootGroup returns the B-tree and the local heap of the root group of a file of superblock version 0 or 1.
func rootGroup(tb testing.TB, f *indextest.File) (tree, names uint64) {
	tb.Helper()
	at := 24 + 4*f.R.OffsetSize
	if f.Data[8] == 1 {
		at += 4
	}
	p := f.Data[at:]
	s := btree.DecodeSymbol(f.R, p)
	if s.Cache != btree.CacheGroup {
		tb.Fatalf("the root's entry caches %d", s.Cache)
	}
	return s.Tree(f.R)
}

func TestV1Group(t *testing.T) {
	for _, name := range indextest.Names(t, "group_old", "sizes_") {
		t.Run(name, func(t *testing.T) {
			f := indextest.Load(t, name)
			tree, names := rootGroup(t, f)
			h, err := heap.OpenLocal(f.R, names)
			if err != nil {
				t.Fatal(err)
			}
			var order []string
			got := map[string]any{}
			room := f.R.Room()
			err = btree.V1Group(f.R, tree, func(snod uint64) error {
				return btree.Symbols(f.R, snod, &room, func(s btree.Symbol) error {
					name, err := h.String(s.Name)
					if err != nil {
						return err
					}
					order = append(order, string(name))
					if s.Cache != btree.CacheSoft {
						got[string(name)] = float64(s.Header)
						return nil
					}
					target, err := h.String(s.Target())
					got[string(name)] = string(target)
					return err
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.IsSorted(order) {
				t.Errorf("names are not in order: %q", order)
			}
			compareLinks(t, got, f.Want.Links)
		})
	}
}

func compareLinks(t *testing.T, got, want map[string]any) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d links, want %d", len(got), len(want))
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%q: %v, want %v", k, got[k], v)
		}
	}
}

func readV1(t *testing.T, f *indextest.File, tree uint64, rank int) []indextest.Chunk {
	t.Helper()
	var got []indextest.Chunk
	err := btree.V1Chunks(f.R, tree, rank+1, func(size, mask uint32, offset []uint64, addr uint64) error {
		got = append(got, indextest.Chunk{Offset: slices.Clone(offset), Addr: addr, Size: uint64(size), Mask: mask})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func compareChunks(t *testing.T, got, want []indextest.Chunk) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d chunks, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if !slices.Equal(g.Offset, w.Offset) || g.Addr != w.Addr || g.Size != w.Size || g.Mask != w.Mask {
			t.Fatalf("chunk %d is %v, want %v", i, g, w)
		}
	}
}

func TestV1Chunks(t *testing.T) {
	for _, name := range indextest.Names(t, "chunks_v1", "sizes_") {
		t.Run(name, func(t *testing.T) {
			f := indextest.Load(t, name)
			got := readV1(t, f, f.RootV1(t, 1), len(f.Want.Chunks[0].Offset))
			compareChunks(t, got, f.Want.Chunks)
		})
	}
}

// walkAll walks whatever tree is at an address and returns the number of records.
func walkAll(r *meta.Reader, addr uint64, kind, ndims int) (int, error) {
	n := 0
	switch kind {
	case 0:
		room := r.Room()
		return n, btree.V1Group(r, addr, func(snod uint64) error {
			return btree.Symbols(r, snod, &room, func(btree.Symbol) error { n++; return nil })
		})
	case 1:
		return n, btree.V1Chunks(r, addr, ndims, func(uint32, uint32, []uint64, uint64) error { n++; return nil })
	}
	return n, btree.V2(r, addr, -1, func([]byte) error { n++; return nil })
}

// TestCallbackError sees that walks end with the caller's error at the place where it came up.
func TestCallbackError(t *testing.T) {
	stop := errors.New("stop")
	n := 0
	count := func() error {
		if n++; n == 3 {
			return stop
		}
		return nil
	}
	f := indextest.Load(t, "chunks_v1")
	err := btree.V1Chunks(f.R, f.RootV1(t, 1), 4, func(uint32, uint32, []uint64, uint64) error { return count() })
	if err != stop || n != 3 {
		t.Errorf("V1Chunks: %v after %d calls", err, n)
	}
	n = 0
	f = indextest.Load(t, "group_old")
	if err := btree.V1Group(f.R, f.RootV1(t, 0), func(uint64) error { return count() }); err != stop || n != 3 {
		t.Errorf("V1Group: %v after %d calls", err, n)
	}
	n = 0
	f = indextest.Load(t, "chunks_v2")
	if err := btree.V2(f.R, f.Find(t, "BTHD", nil), -1, func([]byte) error { return count() }); err != stop || n != 3 {
		t.Errorf("V2: %v after %d calls", err, n)
	}
}

// TestDamage changes fixtures in ways that must be noticed.
func TestDamage(t *testing.T) {
	type damage struct {
		name   string
		file   string
		kind   int
		change func(f *indextest.File, root uint64)
	}
	le := binary.LittleEndian
	const (
		typ     = 4 // of a version 1 node
		level   = 5
		count   = 6  // of its entries
		head    = 24 // bytes before the entries, with offsets of 8 bytes
		key0    = 8  // bytes of a key in a group's tree
		key3    = 40 // and of one of a chunk in three dimensions
		entry0  = 16 // bytes of a key and a child in a group's tree
		child   = 48 // and of those of a chunk
		version = 4  // of a symbol table node
		symbols = 6  // how many it has
	)
	for _, tt := range []damage{
		{"signature", "chunks_v1", 1, func(f *indextest.File, root uint64) { f.Data[root] = 'X' }},
		{"node type", "chunks_v1", 1, func(f *indextest.File, root uint64) { f.Data[root+typ] = 0 }},
		{"level", "chunks_v1", 1, func(f *indextest.File, root uint64) { f.Data[root+level]++ }},
		{"count", "chunks_v1", 1, func(f *indextest.File, root uint64) { le.PutUint16(f.Data[root+count:], 65535) }},
		{"cycle", "chunks_v1", 1, func(f *indextest.File, root uint64) { le.PutUint64(f.Data[root+head+key3:], root) }},
		{"outside", "chunks_v1", 1, func(f *indextest.File, root uint64) { le.PutUint64(f.Data[root+head+key3:], 1<<40) }},
		{"undefined", "chunks_v1", 1, func(f *indextest.File, root uint64) { le.PutUint64(f.Data[root+head+key3:], meta.Undefined) }},
		{"child twice", "chunks_v1", 1, func(f *indextest.File, root uint64) {
			copy(f.Data[root+head+key3+child:][:8], f.Data[root+head+key3:])
		}},
		{"group's child twice", "group_old", 0, func(f *indextest.File, root uint64) {
			copy(f.Data[root+head+entry0+key0:][:8], f.Data[root+head+key0:])
		}},
		{"symbol node twice", "group_old", 0, func(f *indextest.File, root uint64) {
			leaf := f.All("TREE", func(p []byte) bool { return p[level] == 0 && p[count] > 1 })[0]
			copy(f.Data[leaf+head+entry0+key0:][:8], f.Data[leaf+head+key0:])
		}},
		{"symbol node signature", "group_old", 0, func(f *indextest.File, root uint64) {
			f.Data[f.All("SNOD", nil)[0]] = 'X'
		}},
		{"symbol node version", "group_old", 0, func(f *indextest.File, root uint64) { f.Data[f.All("SNOD", nil)[0]+version] = 2 }},
		{"symbol node count", "group_old", 0, func(f *indextest.File, root uint64) {
			le.PutUint16(f.Data[f.All("SNOD", nil)[0]+symbols:], 65535)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := indextest.Load(t, tt.file)
			root := f.RootV1(t, byte(tt.kind))
			if _, err := walkAll(f.R, root, tt.kind, 4); err != nil {
				t.Fatal(err)
			}
			tt.change(f, root)
			_, err := walkAll(indextest.Reader(f.Data, 8, 8), root, tt.kind, 4)
			if k := h5err.KindOf(err); k != h5err.Corrupt && k != h5err.Unsupported {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestTruncated walks files that end early: each must be refused or give all that is in the tree.
func TestTruncated(t *testing.T) {
	for _, tt := range []struct {
		file        string
		kind, ndims int
	}{{"sizes_4_4", 0, 0}, {"sizes_4_4", 1, 3}, {"chunks_v2_filtered", 2, 0}} {
		f := indextest.Load(t, tt.file)
		var root uint64
		if tt.kind == 2 {
			root = f.Find(t, "BTHD", nil)
		} else {
			root = f.RootV1(t, byte(tt.kind))
		}
		want, err := walkAll(f.R, root, tt.kind, tt.ndims)
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		for n := 0; n < len(f.Data); n += 1 + n/200 {
			r := indextest.Reader(f.Data[:n], f.R.OffsetSize, f.R.LengthSize)
			switch got, err := walkAll(r, root, tt.kind, tt.ndims); {
			case h5err.Is(err, h5err.Corrupt):
				failed++
			case err != nil || got != want:
				t.Errorf("%s cut to %d bytes: %d records, %v", tt.file, n, got, err)
			}
		}
		if failed == 0 {
			t.Errorf("%s: no cut was noticed", tt.file)
		}
	}
}

func TestLimits(t *testing.T) {
	f := indextest.Load(t, "chunks_v1")
	r := meta.NewReader(bytes.NewReader(f.Data), int64(len(f.Data)), meta.Limits{Chunks: 10})
	if _, err := walkAll(r, f.RootV1(t, 1), 1, 4); !h5err.Is(err, h5err.Limit) {
		t.Errorf("got %v", err)
	}
	if _, err := walkAll(r, f.RootV1(t, 1), 1, 100); !h5err.Is(err, h5err.Corrupt) {
		t.Errorf("99 dimensions: %v", err)
	}
}

// TestOverlap has nodes that start at different addresses and have bytes in common: a small file could have very many of
// them, each as large as the file.
func TestOverlap(t *testing.T) {
	const (
		n   = 20
		end = 64 + 24 + 24 + 16*n + 8
	)
	le := binary.LittleEndian
	data := make([]byte, end)
	node := func(at int, level byte, children int) {
		copy(data[at:], "TREE\x00")
		data[at+5] = level
		le.PutUint16(data[at+6:], uint16(children))
	}
	for at := 64; at < end; at += 8 {
		le.PutUint64(data[at:], uint64(1000+at))
	}
	node(0, 1, 2)
	le.PutUint64(data[32:], 64)
	le.PutUint64(data[48:], 64+24)
	node(64, 0, n)
	node(64+24, 0, n) // what is a key and an address in the node before
	seen := 0
	err := btree.V1Group(indextest.Reader(data, 8, 8), 0, func(uint64) error { seen++; return nil })
	if !h5err.Is(err, h5err.Corrupt) || !strings.Contains(err.Error(), "overlap") || seen != n {
		t.Errorf("%d children, then %v", seen, err)
	}
}

// TestSymbolsOverlap has symbol table nodes that start inside one another: each has nearly all entries that the file has
// room for. In a file that is large enough for all of them, that is accepted: nothing else is wrong.
func TestSymbolsOverlap(t *testing.T) {
	const (
		nodes, each = 20, 30
		first       = 24 + 16*nodes + 8
	)
	le := binary.LittleEndian
	data := make([]byte, first+8*(nodes-1)+8+40*each)
	copy(data, "TREE\x00\x00")
	le.PutUint16(data[6:], nodes)
	for i := range nodes {
		at := first + 8*i
		le.PutUint64(data[24+8+16*i:], uint64(at))
		copy(data[at:], "SNOD\x01\x00")
		le.PutUint16(data[at+6:], each)
	}
	if n, err := walkAll(indextest.Reader(append(bytes.Clone(data), make([]byte, nodes*40*each)...), 8, 8), 0, 0, 0); err != nil || n != nodes*each {
		t.Errorf("a large file: %d symbols of %d, %v", n, nodes*each, err)
	}
	n, err := walkAll(indextest.Reader(data, 8, 8), 0, 0, 0)
	var e *h5err.Error
	if !errors.As(err, &e) || e.Kind != h5err.Corrupt || e.Offset != first+8 || !strings.Contains(e.Msg, "overlap") || n != each {
		t.Errorf("%d symbols, then %v", n, err)
	}
}
