package check_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
	"github.com/h5arrow/h5arrow/h5/source"
)

// defect is a way to damage a file, and what is to be told of it. The objects of old.h5 under /numbers are found under
// /links/group_alias, where a walk comes first.
type defect struct {
	name, file string
	deep       bool
	damage     func(t *testing.T, b []byte) (at int64) // -1: no place
	kind       h5err.Kind
	object     string
	text       string
}

func put(b []byte, at int64, v uint64, n int) {
	for i := range n {
		b[at+int64(i)] = byte(v >> (8 * i))
	}
}

func get(b []byte, at int64, n int) (v uint64) {
	for i := range n {
		v |= uint64(b[at+int64(i)]) << (8 * i)
	}
	return v
}

// inspector shows what a file in memory is made of.
func inspector(t *testing.T, b []byte) *h5.Inspector {
	t.Helper()
	f, err := openBytes(t, b)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := h5.Inspect(f, inspect.Observer{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watch.Close() })
	return watch
}

// header finds an object's message of a type.
func header(t *testing.T, b []byte, path string, typ uint16) (o h5.Object, m inspect.Message) {
	t.Helper()
	watch := inspector(t, b)
	o, err := watch.File().Lookup(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := watch.Header(o.Address())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range h.Messages {
		if m.Type == typ {
			return o, m
		}
	}
	t.Fatalf("%s has no message of type %#x", path, typ)
	return nil, m
}

// symbolTable finds an old group's B-tree and heap, for sizes of eight bytes.
func symbolTable(t *testing.T, b []byte, path string) (tree, heap int64) {
	_, m := header(t, b, path, 0x11)
	return int64(get(m.Body, 0, 8)), int64(get(m.Body, 8, 8))
}

var defects = []defect{
	{"the end is in front of a structure", "old.h5", false, func(t *testing.T, b []byte) int64 {
		last := structure{}
		for _, s := range structures(t, b) {
			if s.off > last.off && s.what != "chunk" {
				last = s
			}
		}
		put(b, 40, uint64(last.off+1), 8)
		return last.off
	}, h5err.Corrupt, "", "where the file ends by its superblock"},

	{"raw data over the superblock", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/i4le", 8)
		put(b, m.Offset+2, 16, 8)
		return 16
	}, h5err.Corrupt, "/links/group_alias/i4le", "40 bytes of raw data overlap 96 bytes of superblock at byte 0"},

	{"raw data over those of another dataset", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/i4le", 8)
		_, other := header(t, b, "/numbers/u4le", 8)
		at := int64(get(other.Body, 2, 8)) + 4
		put(b, m.Offset+2, uint64(at), 8)
		return at
	}, h5err.Corrupt, "/links/group_alias/i4le", "40 bytes of raw data overlap 40 bytes of raw data of /links/group_alias/u4le"},

	{"two datasets of one place", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/i4le", 8)
		_, other := header(t, b, "/numbers/u4le", 8)
		at := int64(get(other.Body, 2, 8))
		put(b, m.Offset+2, uint64(at), 8)
		return at
	}, h5err.Corrupt, "/links/group_alias/u4le", "40 bytes of raw data overlap 40 bytes of raw data of /links/group_alias/i4le"},

	{"raw data outside", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/i4le", 8)
		put(b, m.Offset+2, uint64(len(b)-10), 8)
		return int64(len(b) - 10)
	}, h5err.Corrupt, "/links/group_alias/i4le", "40 bytes at address"},

	{"chunk outside", "old.h5", false, func(t *testing.T, b []byte) int64 {
		at := chunkEntry(t, b, "/layouts/chunked", 1)
		put(b, at, uint64(len(b)-10), 8)
		return int64(len(b) - 10)
	}, h5err.Corrupt, "/layouts/chunked", "are not inside the file"},

	{"chunk over another", "old.h5", false, func(t *testing.T, b []byte) int64 {
		first := get(b, chunkEntry(t, b, "/layouts/chunked", 0), 8)
		put(b, chunkEntry(t, b, "/layouts/chunked", 1), first+8, 8)
		return int64(first + 8)
	}, h5err.Corrupt, "/layouts/chunked", "chunk 1 of 56 bytes overlaps chunk 0 of 56 bytes"},

	{"chunk over metadata", "old.h5", false, func(t *testing.T, b []byte) int64 {
		put(b, chunkEntry(t, b, "/layouts/chunked", 1), 8, 8)
		return 8
	}, h5err.Corrupt, "/layouts/chunked", "56 bytes of chunks overlap 96 bytes of superblock"},

	{"chunk that is not on the grid", "old.h5", false, func(t *testing.T, b []byte) int64 {
		at := chunkEntry(t, b, "/layouts/chunked", 1)
		put(b, at-16, 1, 8) // the second of two places, in front of that in the element
		return int64(get(b, at, 8))
	}, h5err.Corrupt, "/layouts/chunked", "a chunk at [0 1], chunks have the shape [7 2]"},

	{"chunks out of order", "old.h5", false, func(t *testing.T, b []byte) int64 {
		at := chunkEntry(t, b, "/layouts/chunked", 1)
		put(b, at-24, 700, 8)
		addr, _ := chunkTree(t, b, "/layouts/chunked")
		return addr
	}, h5err.Corrupt, "/layouts/chunked", "of a B-tree are out of order"},

	{"left sibling", "old.h5", false, func(t *testing.T, b []byte) int64 {
		leaf := leafOf(t, b, "/layouts/many", 1)
		put(b, leaf+8, 4242, 8)
		return leaf
	}, h5err.Corrupt, "/layouts/many", "a node of a B-tree names one at address 0x1092 to its left"},

	{"right sibling", "old.h5", false, func(t *testing.T, b []byte) int64 {
		leaf := leafOf(t, b, "/layouts/many", 0)
		put(b, leaf+16, 4242, 8)
		return leaf
	}, h5err.Corrupt, "/layouts/many", "a node of a B-tree names one at address 0x1092 to its right"},

	{"a leaf that is none", "old.h5", false, func(t *testing.T, b []byte) int64 {
		leaf := leafOf(t, b, "/layouts/many", 1)
		b[leaf+4] = 0
		return leaf
	}, h5err.Corrupt, "/layouts/many", "B-tree node of type 0, 1 expected"},

	{"names out of order", "old.h5", false, func(t *testing.T, b []byte) int64 {
		snod := symbolNode(t, b, "/numbers")
		one, two := bytes.Clone(b[snod+8:snod+48]), bytes.Clone(b[snod+48:snod+88])
		copy(b[snod+8:], two)
		copy(b[snod+48:], one)
		return snod
	}, h5err.Corrupt, "/links/group_alias", "in a symbol table"},

	{"name outside of the heap", "old.h5", false, func(t *testing.T, b []byte) int64 {
		snod := symbolNode(t, b, "/numbers")
		put(b, snod+8, 1<<20, 8)
		_, heap := symbolTable(t, b, "/numbers")
		return int64(get(b, heap+24, 8))
	}, h5err.Corrupt, "/links/group_alias", "offset 1048576 is not inside the local heap"},

	{"two links of one name", "old.h5", false, func(t *testing.T, b []byte) int64 {
		snod := symbolNode(t, b, "/numbers")
		copy(b[snod+48:snod+56], b[snod+8:snod+16])
		return -1
	}, h5err.Corrupt, "/links/group_alias", "two links of the name"},

	{"a name with a slash", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, heap := symbolTable(t, b, "/numbers")
		data := int64(get(b, heap+24, 8))
		i := int64(bytes.Index(b[data:], []byte("i4le\x00")))
		b[data+i+1] = '/'
		return -1
	}, h5err.Corrupt, "/links/group_alias", `a link of the name "i/le", which no path can lead to`},

	{"free space of a local heap", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, heap := symbolTable(t, b, "/text")
		put(b, heap+16, get(b, heap+8, 8)-4, 8)
		return int64(get(b, heap+24, 8))
	}, h5err.Corrupt, "/text", "of a local heap of"},

	{"an object that is none", "old.h5", false, func(t *testing.T, b []byte) int64 {
		o, _ := header(t, b, "/numbers/i4le", 8)
		b[o.Address()] = 9
		return int64(o.Address())
	}, h5err.Corrupt, "/links/group_alias/i4le", "no object header here (version 9)"},

	{"more links than an object says", "old.h5", false, func(t *testing.T, b []byte) int64 {
		o, _ := header(t, b, "/numbers/u1", 8)
		put(b, int64(o.Address())+4, 1, 4)
		return -1
	}, h5err.Corrupt, "/links/alias", "2 hard links lead here, the object header says 1"},

	{"a symbol table of two groups", "old.h5", false, func(t *testing.T, b []byte) int64 {
		tree, heap := symbolTable(t, b, "/attributes")
		_, m := header(t, b, "/links/empty", 0x11)
		put(b, m.Offset, uint64(tree), 8)
		put(b, m.Offset+8, uint64(heap), 8)
		return tree
	}, h5err.Corrupt, "/links/empty", "this symbol table belongs to the objects at address"},

	{"type", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/i4le", 3)
		b[m.Offset] = 0x90
		return m.Offset + 8
	}, h5err.Corrupt, "/links/group_alias/i4le", "datatype version 9"},

	{"fill value of another size", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/layouts/skipped", 5)
		put(b, m.Offset+4, 3, 4)
		return m.Offset + 8
	}, h5err.Corrupt, "/layouts/skipped", "fill value of 3 bytes for elements of 4"},

	{"filter that nobody knows", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/layouts/deflate", 11)
		put(b, m.Offset+8, 4711, 2)
		return -1
	}, h5err.Unsupported, "/layouts/deflate", "filter 4711"},

	{"one of three filters that nobody knows", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/layouts/all", 11)
		i := int64(bytes.Index(m.Body, []byte("fletcher32")))
		put(b, m.Offset+i-8, 4712, 2)
		return -1
	}, h5err.Unsupported, "/layouts/all", "filter 4712"},

	{"attribute", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/attributes", 12)
		b[m.Offset] = 7
		return m.Offset + 8
	}, h5err.Corrupt, "/attributes", "attribute version 7"},

	{"heap object of an attribute", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/u1", 12)
		put(b, m.Offset+int64(len(m.Body))-4, 999, 4)
		return int64(get(m.Body, int64(len(m.Body))-12, 8))
	}, h5err.Corrupt, "/links/alias", `attribute "units": the global heap collection has no object 999`},

	{"global heap", "old.h5", true, func(t *testing.T, b []byte) int64 {
		at := int64(bytes.Index(b, []byte("GCOL")))
		put(b, at+8, uint64(len(b)), 8)
		return at
	}, h5err.Corrupt, "", "are not inside the file"},

	{"values of a chunk", "old.h5", true, func(t *testing.T, b []byte) int64 {
		f, err := openBytes(t, b)
		if err != nil {
			t.Fatal(err)
		}
		o, err := f.Lookup("/sequences/doubles_be")
		if err != nil {
			t.Fatal(err)
		}
		chunks, err := o.(*h5.Dataset).Chunks()
		if err != nil {
			t.Fatal(err)
		}
		put(b, chunks[1].Offset, 1<<20, 4) // the third sequence's length
		return -1
	}, h5err.Corrupt, "/sequences/doubles_be", "row 2: 1048576 items of 8 bytes in a heap object of"},

	{"region reference", "old.h5", true, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/types/region", 8)
		at := int64(get(m.Body, 2, 8))
		put(b, at+8, 77, 4)
		return int64(get(b, at, 8))
	}, h5err.Corrupt, "/types/region", "row 0: the global heap collection has no object 77"},

	{"the number of objects in a heap of links", "new.h5", false, func(t *testing.T, b []byte) int64 {
		return countOf(t, b, "/dense", 2)
	}, h5err.Corrupt, "/dense", "a fractal heap of 41 objects, 40 links are indexed"},

	{"the number of objects in a heap of attributes", "new.h5", false, func(t *testing.T, b []byte) int64 {
		return countOf(t, b, "/attributes", 0x15)
	}, h5err.Corrupt, "/attributes", "attributes are indexed"},

	{"the bytes of a heap", "new.h5", false, func(t *testing.T, b []byte) int64 {
		heap := int64(get(b, infoOf(t, b, "/dense", 2), 8))
		put(b, heap+14+5*8, 4, 8) // allocated
		resum(b, structure{heap, 146, ""})
		return heap
	}, h5err.Corrupt, "/dense", "bytes of direct blocks, its header says 4"},

	{"the hash of a name", "new.h5", false, func(t *testing.T, b []byte) int64 {
		tree := int64(get(b, infoOf(t, b, "/dense", 2)+8, 8))
		leaf := int64(get(b, tree+16, 8))
		n := int64(get(b, tree+24, 2))
		put(b, leaf+6+11*(n-1), 0xffffffff, 4)
		resum(b, structure{leaf, 10 + 11*n, ""})
		return tree
	}, h5err.Corrupt, "/dense", "is indexed by 0xffffffff, its hash is"},

	{"names by hash out of order", "new.h5", false, func(t *testing.T, b []byte) int64 {
		tree := int64(get(b, infoOf(t, b, "/dense", 2)+8, 8))
		leaf := int64(get(b, tree+16, 8))
		n := int64(get(b, tree+24, 2))
		one, two := bytes.Clone(b[leaf+6:leaf+17]), bytes.Clone(b[leaf+17:leaf+28])
		copy(b[leaf+6:], two)
		copy(b[leaf+17:], one)
		resum(b, structure{leaf, 10 + 11*n, ""})
		return tree
	}, h5err.Corrupt, "/dense", "the index of links by name is out of order"},

	{"links by creation order", "new.h5", false, func(t *testing.T, b []byte) int64 {
		tree := int64(get(b, infoOf(t, b, "/dense_tracked", 2)+16, 8))
		leaf := int64(get(b, tree+16, 8))
		n := int64(get(b, tree+24, 2))
		put(b, leaf+6+15*(n-1), 1<<40, 8)
		resum(b, structure{leaf, 10 + 15*n, ""})
		return tree
	}, h5err.Corrupt, "/dense_tracked", "of the links is indexed by creation order 1099511627776, it has 19"},

	{"one link too few by creation order", "new.h5", false, func(t *testing.T, b []byte) int64 {
		tree := int64(get(b, infoOf(t, b, "/dense_tracked", 2)+16, 8))
		leaf := int64(get(b, tree+16, 8))
		n := int64(get(b, tree+24, 2)) - 1
		put(b, tree+24, uint64(n), 2)
		put(b, tree+26, uint64(n), 8)
		resum(b, structure{tree, 38, ""})
		resum(b, structure{leaf, 10 + 15*n, ""})
		return tree
	}, h5err.Corrupt, "/dense_tracked", "20 links are indexed by name, 19 by creation order"},

	{"an address in a fixed array", "new.h5", false, func(t *testing.T, b []byte) int64 {
		s := find(t, b, "fixed array data block")
		put(b, s.off+14, uint64(len(b)-2), 8)
		resum(b, s)
		return int64(len(b) - 2)
	}, h5err.Corrupt, "/index/", "are not inside the file"},

	{"shared message", "shared.h5", false, func(t *testing.T, b []byte) int64 {
		at := int64(bytes.Index(b, []byte("SMTB")))
		n := get(b, at+4+12, 2)
		put(b, at+4+12, n-1, 2)
		resum(b, structure{at, 38, ""})
		return int64(get(b, at+4+14, 8))
	}, h5err.Corrupt, "", "checksum of the list of shared messages"},
}

// chunkTree finds a dataset's B-tree of chunks, which must be of one leaf.
func chunkTree(t *testing.T, b []byte, path string) (addr int64, rank int) {
	o, _ := header(t, b, path, 8)
	d := o.(*h5.Dataset)
	a, ok := inspector(t, b).ChunkIndex(d)
	if !ok {
		t.Fatalf("%s has no chunk index", path)
	}
	return int64(a), len(d.Space().Dims)
}

// chunkEntry is where a chunk's address stands in a dataset's B-tree.
func chunkEntry(t *testing.T, b []byte, path string, i int) int64 {
	addr, rank := chunkTree(t, b, path)
	if b[addr+5] != 0 {
		t.Fatalf("the B-tree of %s has several levels", path)
	}
	key := int64(8 + 8*(rank+1))
	return addr + 24 + int64(i)*(key+8) + key
}

// leafOf finds a leaf of a B-tree of two levels.
func leafOf(t *testing.T, b []byte, path string, i int) int64 {
	addr, rank := chunkTree(t, b, path)
	if b[addr+5] != 1 {
		t.Fatalf("the B-tree of %s has no two levels", path)
	}
	key := int64(8 + 8*(rank+1))
	return int64(get(b, addr+24+int64(i)*(key+8)+key, 8))
}

// symbolNode finds a group's first symbol table node.
func symbolNode(t *testing.T, b []byte, path string) int64 {
	tree, _ := symbolTable(t, b, path)
	for b[tree+5] > 0 {
		tree = int64(get(b, tree+32, 8))
	}
	return int64(get(b, tree+32, 8))
}

// infoOf is where the address of the heap stands in the message about an object's links or attributes.
func infoOf(t *testing.T, b []byte, path string, typ uint16) int64 {
	_, m := header(t, b, path, typ)
	at := m.Offset + 2
	if m.Body[1]&1 != 0 {
		at += map[uint16]int64{2: 8, 0x15: 2}[typ]
	}
	return at
}

// countOf adds an object to those that a heap says it has.
func countOf(t *testing.T, b []byte, path string, typ uint16) int64 {
	heap := int64(get(b, infoOf(t, b, path, typ), 8))
	at := heap + 14 + 7*8
	put(b, at, get(b, at, 8)+1, 8)
	resum(b, structure{heap, 146, ""})
	return heap
}

func TestDefects(t *testing.T) {
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			b := bytes.Clone(fixture(t, d.file))
			at := d.damage(t, b)
			for _, deep := range []bool{false, true} {
				if d.deep && !deep {
					continue
				}
				errs, _ := checkBytes(t, b, check.Options{Deep: deep})
				if !slices.ContainsFunc(errs, func(e *h5err.Error) bool {
					return e.Kind == d.kind && strings.HasPrefix(e.Object, d.object) && e.Offset == at && strings.Contains(e.Msg, d.text)
				}) {
					t.Errorf("deep %v: %s at %d: %q is not among", deep, d.object, at, d.text)
					for _, e := range errs {
						t.Errorf("    %v (%s, at %d)", e, e.Object, e.Offset)
					}
				}
			}
		})
	}
}

// TestAllAtOnce does several kinds of damage to one file: one does not hide the other.
func TestAllAtOnce(t *testing.T) {
	b := bytes.Clone(fixture(t, "old.h5"))
	var want []defect
	for _, d := range defects {
		switch d.name {
		case "left sibling", "names out of order", "type", "fill value of another size", "attribute", "filter that nobody knows", "chunk over metadata", "values of a chunk":
			d.damage(t, b)
			want = append(want, d)
		}
	}
	errs, _ := checkBytes(t, b, check.Options{Deep: true})
	for _, d := range want {
		if !slices.ContainsFunc(errs, func(e *h5err.Error) bool { return e.Kind == d.kind && strings.Contains(e.Msg, d.text) }) {
			t.Errorf("%s is not told of: %v", d.name, errs)
		}
	}
	told := map[string]bool{}
	for _, e := range errs {
		if told[e.Error()] {
			t.Errorf("told of twice: %v", e)
		}
		told[e.Error()] = true
	}
}

func TestNotes(t *testing.T) {
	run := func(name string, change func(b []byte) []byte) []string {
		b := change(bytes.Clone(fixture(t, name)))
		p := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, other := range []string{"vds_a.h5", "vds_b.h5"} { // but not vds_p0.h5
			if err := os.WriteFile(filepath.Join(filepath.Dir(p), other), fixture(t, other), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var notes []string
		errs, _ := run(t, p, check.Options{Note: func(n check.Note) { notes = append(notes, strings.TrimPrefix(n.String(), p+": ")) }})
		for _, e := range errs {
			t.Errorf("%s: %v", name, e)
		}
		return notes
	}
	same := func(b []byte) []byte { return b }
	for _, c := range []struct {
		name   string
		change func(b []byte) []byte
		want   []string
	}{
		{"old.h5", same, []string{
			"/links/dangling: soft link to /nowhere, which leads nowhere",
			"/links/loop: soft link to /links/loop, which leads nowhere",
			"/links/outside: external link to /inside/values in linked.h5, which leads nowhere",
			"/links/outside_dangling: external link to /x in missing.h5, which leads nowhere"}},
		{"vds.h5", same, []string{"/missing: the source data in vds_missing.h5 is absent: it reads as the fill value"}},
		{"linked.h5", func(b []byte) []byte { return append(b, "more"...) }, []string{"4 bytes behind the end that the superblock names"}},
		{"new.h5", func(b []byte) []byte {
			b[8], b[11] = 3, 5
			resum(b, structure{0, 48, ""})
			return b
		}, []string{"a writer has the file open, or did not close it", "/compact/outside: external link to /inside/values in linked.h5, which leads nowhere"}},
		{"userblock.h5", same, nil},
		{"linked.h5", func(b []byte) []byte {
			o, _ := header(t, b, "/inside/values", 8)
			put(b, int64(o.Address())+4, 3, 4)
			return b
		}, []string{"/inside/values: 1 hard links lead here, the object header says 3"}},
	} {
		if got := run(c.name, c.change); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestManyDefects has more that is broken than is remembered: it is told of all the same, and at once.
func TestManyDefects(t *testing.T) {
	b := bytes.Clone(fixture(t, "chunks_v1.h5.gz"))
	var at []int64
	for i := 0; ; {
		k := bytes.Index(b[i:], []byte("TREE\x01\x00"))
		if k < 0 {
			break
		}
		i += k
		at = append(at, int64(i))
		i += 4
	}
	for _, p := range at {
		n := int64(get(b, p+6, 2))
		key := int64(8 + 8*3)
		for i := range n {
			put(b, p+24+i*(key+8)+key, uint64(len(b))+uint64(i), 8)
		}
	}
	errs, _ := checkBytes(t, b, check.Options{})
	if len(at) == 0 || len(errs) < len(at) {
		t.Errorf("%d leaves, %d errors", len(at), len(errs))
	}
}

// TestLinear counts the bytes that are read and the structures that are met: four times as much in a file costs about
// four times as much.
func TestLinear(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(n int) []byte
	}{
		{"objects", manyObjects},
		{"chunks", manyChunks},
		{"references to one heap object", manyValues},
	} {
		cost := func(n int) float64 {
			b := c.make(n)
			r := &counting{b: b}
			f, err := r.open()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := check.File(t.Context(), f, check.Options{Deep: true, Workers: 1}, func(err error) { t.Errorf("%s: %v", c.name, err) }); err != nil {
				t.Fatal(err)
			}
			return float64(r.read)
		}
		one, four := cost(4000), cost(16000)
		if four > 6*one {
			t.Errorf("%s: %.0f bytes are read of four times as much, %.0f of one", c.name, four, one)
		}
	}
}

// counting is a file in memory that counts what is read of it.
type counting struct {
	b    []byte
	read int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.read += int64(len(p))
	return bytes.NewReader(c.b).ReadAt(p, off)
}

func (c *counting) open() (*h5.File, error) {
	src := source.FromReaderAt(c, int64(len(c.b)), "x.h5")
	f, err := h5.NewFile(src)
	if err != nil {
		src.Release()
	}
	return f, err
}

func le(v uint64, n int) []byte {
	b := make([]byte, 8)
	binary.LittleEndian.PutUint64(b, v)
	return b[:n]
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func sum(b []byte) []byte { return append(b, le(uint64(meta.Checksum(b)), 4)...) }

// hand makes files.
type hand struct{ b []byte }

func (w *hand) put(b []byte) uint64 {
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
	w.b = append(w.b, b...)
	return uint64(len(w.b) - len(b))
}

type message struct {
	typ  byte
	body []byte
}

func (w *hand) object(msgs ...message) uint64 {
	var b []byte
	for _, m := range msgs {
		b = append(b, cat([]byte{m.typ}, le(uint64(len(m.body)), 2), []byte{0}, m.body)...)
	}
	return w.put(sum(cat([]byte("OHDR\x02\x02"), le(uint64(len(b)), 4), b)))
}

func (w *hand) file(root uint64) []byte {
	copy(w.b, sum(cat([]byte("\x89HDF\r\n\x1a\n\x02\x08\x08\x00"), le(0, 8), le(meta.Undefined, 8), le(uint64(len(w.b)), 8), le(root, 8))))
	return w.b
}

func link(name string, addr uint64) message {
	return message{6, cat([]byte{1, 0, byte(len(name))}, []byte(name), le(addr, 8))}
}

var (
	integer = message{3, []byte{0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0}}
	text    = message{3, []byte{0x19, 1, 1, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0}}
)

func shape(n uint64) message { return message{1, cat([]byte{2, 1, 0, 1}, le(n, 8))} }

func contiguous(at, n uint64) message { return message{8, cat([]byte{3, 1}, le(at, 8), le(n, 8))} }

// manyObjects has n datasets in groups of a hundred.
func manyObjects(n int) []byte {
	w := &hand{b: make([]byte, 64)}
	var groups []message
	for i := 0; i < n; i += 100 {
		var links []message
		for k := range 100 {
			links = append(links, link(fmt.Sprintf("%03d", k), w.object(integer, shape(4), contiguous(w.put(make([]byte, 16)), 16))))
		}
		groups = append(groups, link(fmt.Sprintf("%06d", i), w.object(links...)))
	}
	return w.file(w.object(groups...))
}

// manyChunks has a dataset of n chunks, under a B-tree of leaves of a hundred.
func manyChunks(n int) []byte {
	w := &hand{b: make([]byte, 64)}
	var leaves []uint64
	key := func(i int, element uint64) []byte {
		return cat(le(16, 4), le(0, 4), le(uint64(4*i), 8), le(element, 8))
	}
	first := uint64(0)
	at := func(leaf int) uint64 { return first + uint64(leaf)*(24+100*32+24) }
	var nodes []byte
	data := w.put(make([]byte, 16*n))
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
	first = uint64(len(w.b))
	for i := 0; i < n; i += 100 {
		left, right := meta.Undefined, meta.Undefined
		if i > 0 {
			left = at(i/100 - 1)
		}
		if i+100 < n {
			right = at(i/100 + 1)
		}
		nodes = append(nodes, cat([]byte("TREE\x01\x00"), le(100, 2), le(left, 8), le(right, 8))...)
		for k := range 100 {
			nodes = append(nodes, cat(key(i+k, 0), le(data+uint64(16*(i+k)), 8))...)
		}
		nodes = append(nodes, key(i+100, 0)...)
		leaves = append(leaves, at(i/100))
	}
	w.put(nodes)
	root := cat([]byte("TREE\x01\x01"), le(uint64(len(leaves)), 2), le(meta.Undefined, 8), le(meta.Undefined, 8))
	for i, l := range leaves {
		root = append(root, cat(key(100*i, 0), le(l, 8))...)
	}
	tree := w.put(append(root, key(n, 4)...))
	d := w.object(integer, shape(uint64(4*n)), message{8, cat([]byte{3, 2, 2}, le(tree, 8), le(4, 4), le(4, 4))})
	return w.file(w.object(link("d", d)))
}

// manyValues has n strings that are one object of the heap, of the size of all references to it.
func manyValues(n int) []byte {
	w := &hand{b: make([]byte, 64)}
	heap := w.put(cat([]byte("GCOL\x01\x00\x00\x00"), le(uint64(16+16+16*n), 8), le(1, 2), le(1, 2), le(0, 4), le(uint64(16*n), 8), make([]byte, 16*n)))
	var values []byte
	for range n {
		values = append(values, cat(le(uint64(16*n), 4), le(heap, 8), le(1, 4))...)
	}
	at := w.put(values)
	return w.file(w.object(link("d", w.object(text, shape(uint64(n)), contiguous(at, uint64(16*n))))))
}

// TestFilterNobodyNeeds has a filter that nobody knows, which was applied to none of the chunks.
func TestFilterNobodyNeeds(t *testing.T) {
	const path = "/layouts/deflate"
	b := bytes.Clone(fixture(t, "old.h5"))
	o, m := header(t, b, path, 11)
	d := o.(*h5.Dataset)
	list, err := d.Chunks()
	if err != nil {
		t.Fatal(err)
	}
	put(b, m.Offset+8, 4711, 2)
	for needed := range 2 {
		for i := range list {
			mask := uint64(1)
			if needed == 1 && i == len(list)-1 {
				mask = 0
			}
			put(b, chunkEntry(t, b, path, i)-int64(8*(len(d.Dims())+1))-4, mask, 4)
		}
		errs, _ := checkBytes(t, b, check.Options{})
		if len(errs) != needed || needed == 1 && (errs[0].Kind != h5err.Unsupported || !strings.Contains(errs[0].Msg, "filter 4711")) {
			t.Errorf("needed by %d chunks: %v", needed, errs)
		}
	}
}
