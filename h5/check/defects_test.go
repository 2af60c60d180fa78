package check_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
)

// defect is a way to damage a file, and what is to be reported. The objects of old.h5 under /numbers are found under
// /links/group_alias, which a walk reaches first.
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

// symbolTable finds an old group's B-tree and heap.
func symbolTable(t *testing.T, b []byte, path string) (tree, heap int64) {
	_, m := header(t, b, path, 0x11)
	return int64(get(m.Body, tableTree, 8)), int64(get(m.Body, tableHeap, 8))
}

// Offsets in structures of files with addresses and lengths of 8 bytes.
const (
	superblockEnd     = 40 // of versions 0 and 1
	superblockVersion = 8
	superblockFlags   = 11 // of versions 2 and 3
	superblockSize    = 48 // bytes of those
	headerLinks       = 4  // in an object header of version 1

	tableTree     = 0 // in a symbol table message
	tableHeap     = 8
	layoutAddress = 2 // in a layout message of version 3, of contiguous storage
	fillSize      = 4 // in a fill value message
	filterID      = 8 // of the first filter, in a pipeline message of version 1
	filterName    = 8 // from a filter's ID
	infoHeap      = 2 // in a link or attribute info message without a largest creation order

	nodeType    = 4 // in a B-tree node of version 1
	nodeLevel   = 5
	nodeCount   = 6
	nodeLeft    = 8
	nodeRight   = 16
	nodeEntries = 24
	chunkRow    = -24 // from a chunk's address, in two dimensions
	chunkColumn = -16
	symbols     = 8 // in a symbol table node
	symbolSize  = 40
	localSize   = 8 // in a local heap
	localFree   = 16
	localData   = 24

	treeRoot    = 16 // in a B-tree header of version 2
	treeInRoot  = 24
	treeRecords = 26
	treeHead    = 38 // bytes of it
	leafRecords = 6
	leafRest    = 10 // bytes of a leaf besides its records
	nameRecord  = 11 // bytes of a record of a link by its name
	orderRecord = 15 // and by its creation order

	collectionSize   = 8 // in a global heap collection
	fractalAllocated = 14 + 5*8
	fractalManaged   = 14 + 7*8
	fractalHead      = 146    // bytes of a fractal heap's header without filters
	arrayElements    = 14     // in a fixed array's data block
	sharedCount      = 4 + 12 // of the first index, in a shared message table
	sharedAddress    = 4 + 14 // of that
	sharedTable      = 38     // bytes of a table of one index
)

// swap exchanges the bytes of two records.
func swap(a, b []byte) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}

var defects = []defect{
	{"the end is in front of a structure", "old.h5", false, func(t *testing.T, b []byte) int64 {
		last := structure{}
		for _, s := range structures(t, b) {
			if s.off > last.off && s.what != "chunk" {
				last = s
			}
		}
		put(b, superblockEnd, uint64(last.off+1), 8)
		return last.off
	}, h5err.Corrupt, "", "where the file ends according to its superblock"},

	{"raw data over the superblock", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/i4le", 8)
		put(b, m.Offset+layoutAddress, 16, 8)
		return 16
	}, h5err.Corrupt, "/links/group_alias/i4le", "40 bytes of raw data overlap 96 bytes of superblock at byte 0"},

	{"raw data over those of another dataset", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/i4le", 8)
		_, other := header(t, b, "/numbers/u4le", 8)
		at := int64(get(other.Body, layoutAddress, 8)) + 4
		put(b, m.Offset+layoutAddress, uint64(at), 8)
		return at
	}, h5err.Corrupt, "/links/group_alias/i4le", "40 bytes of raw data overlap 40 bytes of raw data of /links/group_alias/u4le"},

	{"two datasets of one place", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/i4le", 8)
		_, other := header(t, b, "/numbers/u4le", 8)
		at := int64(get(other.Body, layoutAddress, 8))
		put(b, m.Offset+layoutAddress, uint64(at), 8)
		return at
	}, h5err.Corrupt, "/links/group_alias/u4le", "40 bytes of raw data overlap 40 bytes of raw data of /links/group_alias/i4le"},

	{"raw data outside", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/i4le", 8)
		put(b, m.Offset+layoutAddress, uint64(len(b)-10), 8)
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
		put(b, at+chunkColumn, 1, 8)
		return int64(get(b, at, 8))
	}, h5err.Corrupt, "/layouts/chunked", "a chunk at [0 1], chunks have the shape [7 2]"},

	{"chunks out of order", "old.h5", false, func(t *testing.T, b []byte) int64 {
		at := chunkEntry(t, b, "/layouts/chunked", 1)
		put(b, at+chunkRow, 700, 8)
		addr, _ := chunkTree(t, b, "/layouts/chunked")
		return addr
	}, h5err.Corrupt, "/layouts/chunked", "of a B-tree are out of order"},

	{"left sibling", "old.h5", false, func(t *testing.T, b []byte) int64 {
		leaf := leafOf(t, b, "/layouts/many", 1)
		put(b, leaf+nodeLeft, 4242, 8)
		return leaf
	}, h5err.Corrupt, "/layouts/many", "a node of a B-tree names one at address 0x1092 to its left"},

	{"right sibling", "old.h5", false, func(t *testing.T, b []byte) int64 {
		leaf := leafOf(t, b, "/layouts/many", 0)
		put(b, leaf+nodeRight, 4242, 8)
		return leaf
	}, h5err.Corrupt, "/layouts/many", "a node of a B-tree names one at address 0x1092 to its right"},

	{"a leaf of another type", "old.h5", false, func(t *testing.T, b []byte) int64 {
		leaf := leafOf(t, b, "/layouts/many", 1)
		b[leaf+nodeType] = 0
		return leaf
	}, h5err.Corrupt, "/layouts/many", "B-tree node of type 0, 1 expected"},

	{"names out of order", "old.h5", false, func(t *testing.T, b []byte) int64 {
		snod := symbolNode(t, b, "/numbers")
		one, two := b[snod+symbols:][:symbolSize], b[snod+symbols+symbolSize:][:symbolSize]
		swap(one, two)
		return snod
	}, h5err.Corrupt, "/links/group_alias", "in a symbol table"},

	{"name outside of the heap", "old.h5", false, func(t *testing.T, b []byte) int64 {
		snod := symbolNode(t, b, "/numbers")
		put(b, snod+symbols, 1<<20, 8)
		_, heap := symbolTable(t, b, "/numbers")
		return int64(get(b, heap+localData, 8))
	}, h5err.Corrupt, "/links/group_alias", "offset 1048576 is not inside the local heap"},

	{"two links of one name", "old.h5", false, func(t *testing.T, b []byte) int64 {
		snod := symbolNode(t, b, "/numbers")
		copy(b[snod+symbols+symbolSize:][:8], b[snod+symbols:])
		return -1
	}, h5err.Corrupt, "/links/group_alias", "two links of the name"},

	{"a name with a slash", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, heap := symbolTable(t, b, "/numbers")
		data := int64(get(b, heap+localData, 8))
		i := int64(bytes.Index(b[data:], []byte("i4le\x00")))
		b[data+i+1] = '/'
		return -1
	}, h5err.Corrupt, "/links/group_alias", `a link of the name "i/le", which no path can lead to`},

	{"free space of a local heap", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, heap := symbolTable(t, b, "/text")
		put(b, heap+localFree, get(b, heap+localSize, 8)-4, 8)
		return int64(get(b, heap+localData, 8))
	}, h5err.Corrupt, "/text", "of a local heap of"},

	{"not an object", "old.h5", false, func(t *testing.T, b []byte) int64 {
		o, _ := header(t, b, "/numbers/i4le", 8)
		b[o.Address()] = 9
		return int64(o.Address())
	}, h5err.Corrupt, "/links/group_alias/i4le", "not an object header (version 9)"},

	{"more links than an object says", "old.h5", false, func(t *testing.T, b []byte) int64 {
		o, _ := header(t, b, "/numbers/u1", 8)
		put(b, int64(o.Address())+headerLinks, 1, 4)
		return -1
	}, h5err.Corrupt, "/links/alias", "2 hard links lead here, the object header says 1"},

	{"a symbol table of two groups", "old.h5", false, func(t *testing.T, b []byte) int64 {
		tree, heap := symbolTable(t, b, "/attributes")
		_, m := header(t, b, "/links/empty", 0x11)
		put(b, m.Offset+tableTree, uint64(tree), 8)
		put(b, m.Offset+tableHeap, uint64(heap), 8)
		return tree
	}, h5err.Corrupt, "/links/empty", "this symbol table belongs to the objects at address"},

	{"type", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/i4le", 3)
		b[m.Offset] = 0x90
		return m.Offset + 8
	}, h5err.Corrupt, "/links/group_alias/i4le", "datatype version 9"},

	{"fill value of another size", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/layouts/skipped", 5)
		put(b, m.Offset+fillSize, 3, 4)
		return m.Offset + 8
	}, h5err.Corrupt, "/layouts/skipped", "fill value of 3 bytes for elements of 4"},

	{"filter that nobody knows", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/layouts/deflate", 11)
		put(b, m.Offset+filterID, 4711, 2)
		return -1
	}, h5err.Unsupported, "/layouts/deflate", "filter 4711"},

	{"one of three filters that nobody knows", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/layouts/all", 11)
		i := int64(bytes.Index(m.Body, []byte("fletcher32")))
		put(b, m.Offset+i-filterName, 4712, 2)
		return -1
	}, h5err.Unsupported, "/layouts/all", "filter 4712"},

	{"attribute", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/attributes", 12)
		b[m.Offset] = 7
		return m.Offset + 8
	}, h5err.Corrupt, "/attributes", "attribute version 7"},

	{"heap object of an attribute", "old.h5", false, func(t *testing.T, b []byte) int64 {
		_, m := header(t, b, "/numbers/u1", 12)
		put(b, m.Offset+int64(len(m.Body))-4, 999, 4) // the reference ends the message: address, index
		return int64(get(m.Body, int64(len(m.Body))-12, 8))
	}, h5err.Corrupt, "/links/alias", `attribute "units": the global heap collection has no object 999`},

	{"global heap", "old.h5", true, func(t *testing.T, b []byte) int64 {
		at := int64(bytes.Index(b, []byte("GCOL")))
		put(b, at+collectionSize, uint64(len(b)), 8)
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
		at := int64(get(m.Body, layoutAddress, 8))
		put(b, at+8, 77, 4) // the index in the heap, after the address
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
		put(b, heap+fractalAllocated, 4, 8)
		resum(b, structure{heap, fractalHead, ""})
		return heap
	}, h5err.Corrupt, "/dense", "bytes of direct blocks, its header says 4"},

	{"the hash of a name", "new.h5", false, func(t *testing.T, b []byte) int64 {
		tree := int64(get(b, infoOf(t, b, "/dense", 2)+8, 8))
		leaf := int64(get(b, tree+treeRoot, 8))
		n := int64(get(b, tree+treeInRoot, 2))
		put(b, leaf+leafRecords+nameRecord*(n-1), 0xffffffff, 4)
		resum(b, structure{leaf, leafRest + nameRecord*n, ""})
		return tree
	}, h5err.Corrupt, "/dense", "is indexed by 0xffffffff, its hash is"},

	{"names by hash out of order", "new.h5", false, func(t *testing.T, b []byte) int64 {
		tree := int64(get(b, infoOf(t, b, "/dense", 2)+8, 8))
		leaf := int64(get(b, tree+treeRoot, 8))
		n := int64(get(b, tree+treeInRoot, 2))
		swap(b[leaf+leafRecords:][:nameRecord], b[leaf+leafRecords+nameRecord:][:nameRecord])
		resum(b, structure{leaf, leafRest + nameRecord*n, ""})
		return tree
	}, h5err.Corrupt, "/dense", "the index of links by name is out of order"},

	{"links by creation order", "new.h5", false, func(t *testing.T, b []byte) int64 {
		tree := int64(get(b, infoOf(t, b, "/dense_tracked", 2)+16, 8))
		leaf := int64(get(b, tree+treeRoot, 8))
		n := int64(get(b, tree+treeInRoot, 2))
		put(b, leaf+leafRecords+orderRecord*(n-1), 1<<40, 8)
		resum(b, structure{leaf, leafRest + orderRecord*n, ""})
		return tree
	}, h5err.Corrupt, "/dense_tracked", "of the links is indexed by creation order 1099511627776, it has 19"},

	{"one link too few by creation order", "new.h5", false, func(t *testing.T, b []byte) int64 {
		tree := int64(get(b, infoOf(t, b, "/dense_tracked", 2)+16, 8))
		leaf := int64(get(b, tree+treeRoot, 8))
		n := int64(get(b, tree+treeInRoot, 2)) - 1
		put(b, tree+treeInRoot, uint64(n), 2)
		put(b, tree+treeRecords, uint64(n), 8)
		resum(b, structure{tree, treeHead, ""})
		resum(b, structure{leaf, leafRest + orderRecord*n, ""})
		return tree
	}, h5err.Corrupt, "/dense_tracked", "20 links are indexed by name, 19 by creation order"},

	{"an address in a fixed array", "new.h5", false, func(t *testing.T, b []byte) int64 {
		s := find(t, b, "fixed array data block")
		put(b, s.off+arrayElements, uint64(len(b)-2), 8)
		resum(b, s)
		return int64(len(b) - 2)
	}, h5err.Corrupt, "/index/", "are not inside the file"},

	{"shared message", "shared.h5", false, func(t *testing.T, b []byte) int64 {
		at := int64(bytes.Index(b, []byte("SMTB")))
		n := get(b, at+sharedCount, 2)
		put(b, at+sharedCount, n-1, 2)
		resum(b, structure{at, sharedTable, ""})
		return int64(get(b, at+sharedAddress, 8))
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

// chunkEntry returns the place of a chunk's address in a dataset's B-tree.
func chunkEntry(t *testing.T, b []byte, path string, i int) int64 {
	addr, rank := chunkTree(t, b, path)
	if b[addr+nodeLevel] != 0 {
		t.Fatalf("the B-tree of %s has several levels", path)
	}
	key := int64(8 + 8*(rank+1))
	return addr + nodeEntries + int64(i)*(key+8) + key
}

// leafOf finds a leaf of a B-tree of two levels.
func leafOf(t *testing.T, b []byte, path string, i int) int64 {
	addr, rank := chunkTree(t, b, path)
	if b[addr+nodeLevel] != 1 {
		t.Fatalf("the B-tree of %s has no two levels", path)
	}
	key := int64(8 + 8*(rank+1))
	return int64(get(b, addr+nodeEntries+int64(i)*(key+8)+key, 8))
}

// symbolNode finds a group's first symbol table node.
func symbolNode(t *testing.T, b []byte, path string) int64 {
	tree, _ := symbolTable(t, b, path)
	for b[tree+nodeLevel] > 0 {
		tree = int64(get(b, tree+nodeEntries+8, 8))
	}
	return int64(get(b, tree+nodeEntries+8, 8))
}

// infoOf returns the place of the heap's address in the message about an object's links or attributes.
func infoOf(t *testing.T, b []byte, path string, typ uint16) int64 {
	_, m := header(t, b, path, typ)
	at := m.Offset + infoHeap
	if m.Body[1]&1 != 0 {
		at += map[uint16]int64{2: 8, 0x15: 2}[typ]
	}
	return at
}

// countOf adds an object to those that a heap says it has.
func countOf(t *testing.T, b []byte, path string, typ uint16) int64 {
	heap := int64(get(b, infoOf(t, b, path, typ), 8))
	at := heap + fractalManaged
	put(b, at, get(b, at, 8)+1, 8)
	resum(b, structure{heap, fractalHead, ""})
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
			t.Errorf("%s is not reported: %v", d.name, errs)
		}
	}
	reported := map[string]bool{}
	for _, e := range errs {
		if reported[e.Error()] {
			t.Errorf("reported twice: %v", e)
		}
		reported[e.Error()] = true
	}
}
