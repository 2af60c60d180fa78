package check_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

var (
	objectRef = message{3, []byte{0x17, 0, 0, 0, 8, 0, 0, 0}}
	regionRef = message{3, []byte{0x17, 1, 0, 0, 12, 0, 0, 0}}
	newRef    = newRefOf(18)
	refLists  = message{3, cat([]byte{0x19, 0, 0, 0, 16, 0, 0, 0}, objectRef.body)}
	refPairs  = message{3, cat([]byte{0x36, 1, 0, 0, 12, 0, 0, 0}, []byte("to\x00"), []byte{0}, objectRef.body, []byte("n\x00"), []byte{8}, integer.body)}
)

// newRefOf is the type of references as HDF5 1.12 has them, of a size.
func newRefOf(size byte) message { return message{3, []byte{0x47, 0x12, 0, 0, size, 0, 0, 0}} }

func attribute(name string, typ message, n uint64, data []byte) message {
	space := shape(n).body
	return message{12, cat([]byte{3, 0}, le(uint64(len(name)+1), 2), le(uint64(len(typ.body)), 2), le(uint64(len(space)), 2), []byte{0},
		[]byte(name), []byte{0}, typ.body, space, data)}
}

func compact(data []byte) message {
	return message{8, cat([]byte{3, 0}, le(uint64(len(data)), 2), data)}
}

// globalHeap is a collection of objects, which are numbered from one on.
func globalHeap(objects ...[]byte) []byte {
	var b []byte
	for i, o := range objects {
		b = append(b, cat(le(uint64(i+1), 2), le(1, 2), le(0, 4), le(uint64(len(o)), 8), o, make([]byte, -len(o)&7))...)
	}
	size := max(len(b)+32, 4096)
	free := size - 16 - len(b)
	return cat([]byte("GCOL\x01\x00\x00\x00"), le(uint64(size), 8), b, le(0, 8), le(uint64(free), 8), make([]byte, free-16))
}

// TestReferences has values that refer to a heap and are wrong, each after one that is right, in a dataset in a place of its
// own, in one in its header, in one of chunks and in an attribute.
func TestReferences(t *testing.T) {
	const (
		heap    = 64 // where it is
		outside = 1 << 20
	)
	collection := globalHeap(make([]byte, 12), make([]byte, 4), []byte("12345"))
	in := func(addr uint64, index uint64) []byte { return cat(le(addr, 8), le(index, 4)) }
	anew := func(kind, flags byte, bytes, addr, index uint64) []byte {
		return cat([]byte{kind, flags}, le(bytes, 4), in(addr, index))
	}
	at := func(addr, n uint64) []byte { return cat([]byte{2, 0, byte(n)}, le(addr, 8), make([]byte, 7)) }
	list := func(n, addr, index uint64) []byte { return cat(le(n, 4), in(addr, index)) }
	const missing = "16 bytes at address %#x are not inside the file of {size} bytes"
	for _, tt := range []badReference{
		{"region outside of the file", regionRef, in(heap, 1), in(outside, 1), h5err.NoOffset, fmt.Sprintf(missing, outside)},
		{"region in the middle of a heap", regionRef, in(heap, 1), in(heap+16, 1), heap + 16, `signature "GCOL" expected, found "\x01\x00\x01\x00"`},
		{"region in an object", regionRef, in(0, 0), in(heap, 4), heap, "the global heap collection has no object 4"},
		{"region in free space", regionRef, in(meta.Undefined, 0), in(heap, 0), heap, "the global heap collection has no object 0"},
		{"region without an address", regionRef, in(heap, 1), in(heap, 2), h5err.NoOffset, "a reference of 4 bytes in the heap, 8 expected"},

		{"kind", newRef, at(heap, 8), anew(5, 0, 12, heap, 1), h5err.NoOffset, "a reference of kind 5"},
		{"no kind", newRef, make([]byte, 18), anew(0, 0, 12, heap, 1), h5err.NoOffset, "a reference of kind 0"},
		{"size of an address", newRef, at(heap, 8), at(heap, 16), h5err.NoOffset, "a reference that holds an address of 16 bytes"},
		{"no room for an address", newRefOf(10), make([]byte, 10), []byte{2, 0, 8, 1, 1, 1, 1, 1, 1, 1}, h5err.NoOffset, "a reference that holds an address of 8 bytes"},
		{"no room for a place in the heap", newRefOf(17), make([]byte, 17), anew(3, 0, 12, heap, 1)[:17], h5err.NoOffset, "a reference of 17 bytes"},
		{"new region outside of the file", newRef, anew(3, 0, 12, heap, 1), anew(3, 0, 12, outside, 1), h5err.NoOffset, fmt.Sprintf(missing, outside)},
		{"new region in the middle of a heap", newRef, anew(3, 0, 12, 0, 1), anew(3, 0, 12, heap+16, 1), heap + 16, `signature "GCOL" expected, found "\x01\x00\x01\x00"`},
		{"attribute in an object", newRef, anew(4, 0, 12, heap, 1), anew(4, 0, 12, heap, 4), heap, "the global heap collection has no object 4"},
		{"attribute that is cut", newRef, anew(4, 0, 4, heap, 2), anew(4, 0, 13, heap, 1), h5err.NoOffset, "a reference of 12 bytes in the heap, 13 expected"},
		{"another file", newRef, anew(2, 1, 12, heap, 1), anew(2, 1, 12, heap, 9), heap, "the global heap collection has no object 9"},

		{"text outside of the file", text, list(5, heap, 3), list(5, outside, 3), h5err.NoOffset, fmt.Sprintf(missing, outside)},
		{"text at no address", text, list(5, 0, 0), list(5, meta.Undefined, 3), h5err.NoOffset, fmt.Sprintf(missing, meta.Undefined)},
		{"text that is cut", text, list(0, meta.Undefined, 0), list(6, heap, 3), h5err.NoOffset, "6 items of 1 bytes in a heap object of 5"},
		{"list outside of the file", refLists, list(1, heap, 1), list(1, outside, 1), h5err.NoOffset, fmt.Sprintf(missing, outside)},
		{"list that is cut", refLists, list(1, 0, 1), list(2, heap, 1), h5err.NoOffset, "2 items of 8 bytes in a heap object of 12"},
	} {
		tt.check(t, heap, collection)
	}
	w := &hand{b: make([]byte, heap)}
	errs, _ := checkBytes(t, w.file(w.object(link("d", w.object(newRefOf(2), shape(1), compact([]byte{2, 0}))))), check.Options{Deep: true})
	if len(errs) != 1 || errs[0].Kind != h5err.Corrupt || errs[0].Offset != h5err.NoOffset || errs[0].Msg != "row 0: a reference of 2 bytes" {
		t.Errorf("a reference without all of its head: %v", errs)
	}
}

// badReference is a value of a type that refers to a heap and is wrong, and one that is right.
type badReference struct {
	name       string
	typ        message
	right, bad []byte
	offset     int64
	msg        string // {size} is the file's
}

func (tt *badReference) check(t *testing.T, heap int, collection []byte) {
	for _, place := range []struct {
		where string
		msgs  func(w *hand, values []byte) []message
	}{
		{"row 1", func(w *hand, values []byte) []message {
			return []message{tt.typ, shape(2), contiguous(w.put(values), uint64(len(values)))}
		}},
		{"row 1", func(w *hand, values []byte) []message { return []message{tt.typ, shape(2), compact(values)} }},
		{"row 1", func(w *hand, values []byte) []message { // one chunk
			return []message{tt.typ, shape(2), {8, cat([]byte{4, 2, 0, 2, 1, 2, byte(len(values) / 2), 1}, le(w.put(values), 8))}}
		}},
		{`attribute "a"`, func(w *hand, values []byte) []message {
			return []message{integer, shape(2), contiguous(meta.Undefined, 0), attribute("a", tt.typ, 2, values)}
		}},
	} {
		for _, bad := range []bool{false, true} {
			values := cat(tt.right, tt.right)
			if bad {
				values = cat(tt.right, tt.bad)
			}
			w := &hand{b: make([]byte, heap)}
			w.put(collection)
			b := w.file(w.object(link("d", w.object(place.msgs(w, values)...))))
			errs, _ := checkBytes(t, b, check.Options{Deep: true})
			if !bad {
				if len(errs) > 0 {
					t.Errorf("%s, %s, which is right: %v", tt.name, place.where, errs)
				}
				continue
			}
			want := place.where + ": " + strings.ReplaceAll(tt.msg, "{size}", fmt.Sprint(len(b)))
			if len(errs) != 1 || errs[0].Kind != h5err.Corrupt || errs[0].Object != "/d" || errs[0].Offset != tt.offset || errs[0].Msg != want {
				t.Errorf("%s: %v, want %q at %d", tt.name, errs, want, tt.offset)
			}
		}
	}
}

// TestLostReferences has references to objects that are not there. They are legal, and noted.
func TestLostReferences(t *testing.T) {
	const outside = 1 << 20
	for _, workers := range []int{1, 3} {
		w := &hand{b: make([]byte, 64)}
		at := func(addr uint64) []byte { return cat([]byte{2, 0, 8}, le(addr, 8), make([]byte, 7)) }
		linked := w.object(integer, shape(0), contiguous(meta.Undefined, 0))
		deleted := w.object(integer, shape(0), contiguous(meta.Undefined, 0))
		lists := w.put(globalHeap(cat(le(linked, 8), le(deleted, 8)), le(linked, 8)))
		values := w.put(cat(le(linked, 8), le(outside, 8)))
		root := []message{
			link("attribute", w.object(integer, shape(0), contiguous(meta.Undefined, 0),
				attribute("sound", objectRef, 2, cat(le(linked, 8), le(0, 8))),
				attribute("lost", objectRef, 2, cat(le(deleted, 8), le(deleted, 8))))),
			link("chunk", w.object(newRef, shape(4), message{8, cat([]byte{4, 2, 0, 2, 1, 4, 18, 1},
				le(w.put(cat(at(linked+4), at(deleted), at(outside), make([]byte, 18))), 8))})),
			link("compound", w.object(refPairs, shape(2), compact(cat(le(linked, 8), le(1, 4), le(linked+1, 8), le(2, 4))))),
			link("far", w.object(objectRef, shape(2), contiguous(values, 16))),
			link("lists", w.object(integer, shape(0), contiguous(meta.Undefined, 0),
				attribute("DIMENSION_LIST", refLists, 2, cat(le(2, 4), le(lists, 8), le(1, 4), le(1, 4), le(lists, 8), le(2, 4))))),
			link("sound", w.object(objectRef, shape(3), compact(cat(le(linked, 8), le(0, 8), le(meta.Undefined, 8))))),
			link("z", linked), // which is met last
		}
		b := w.file(w.object(root...))
		errs, notes := checkBytes(t, b, check.Options{Deep: true, Workers: workers})
		if len(errs) > 0 {
			t.Errorf("%v", errs)
		}
		one := func(path string, addr uint64) string {
			return fmt.Sprintf("x.h5: %s: a reference to an object at address %#x, to which no link leads", path, addr)
		}
		want := []string{
			one("/attribute", deleted),
			fmt.Sprintf("x.h5: /chunk: references to objects at 3 addresses to which no link leads, the first at %#x", linked+4),
			one("/compound", linked+1),
			one("/far", outside),
			one("/lists", deleted),
		}
		if !slices.Equal(notes, want) {
			t.Errorf("%q, want %q", notes, want)
		}
		// Without decoding, it is attributes that are looked up.
		if _, notes = checkBytes(t, b, check.Options{}); !slices.Equal(notes, []string{want[0], want[4]}) {
			t.Errorf("without decoding: %q", notes)
		}
	}
}

// TestHeapsOverlap has a heap collection for each of many values, each inside the one before: not all of them are read.
func TestHeapsOverlap(t *testing.T) {
	const (
		n     = 90
		step  = 16 + 16 + 8 + 16 // a collection's head, an object, the head of what is free
		size  = 256 << 10
		first = 64
	)
	w := &hand{b: make([]byte, first+size)}
	var values []byte
	for i := range uint64(n) {
		at, free := first+step*i, size-step*i-40
		copy(w.b[at:], cat([]byte("GCOL\x01\x00\x00\x00"), le(size-step*i, 8), le(1, 2), le(1, 2), le(0, 4), le(8, 8), le(0, 8), le(0, 8), le(free, 8)))
		values = append(values, cat(le(at, 8), le(1, 4))...)
	}
	b := w.file(w.object(link("d", w.object(regionRef, shape(n), contiguous(w.put(values), uint64(len(values)))))))
	errs, _ := checkBytes(t, b, check.Options{Deep: true})
	errs = slices.DeleteFunc(errs, func(e *h5err.Error) bool { return !strings.HasPrefix(e.Msg, "row") }) // the overlap is reported, too
	read, sum := 0, 0
	for ; sum <= 4*len(b)+16<<20; read++ { // what names and attributes may have, too
		sum += size - step*read
	}
	if len(errs) != n-read {
		t.Fatalf("%d errors, want %d", len(errs), n-read)
	}
	for i, e := range errs {
		if want := fmt.Sprintf("row %d: global heap collections overlap: they are larger than the file", read+i); e.Msg != want || e.Offset != int64(first+step*(read+i)) {
			t.Errorf("%v, want %q", e, want)
		}
	}
}

// TestSymbolsOverlap has symbol table nodes that start inside one another: they have many times the links that fit the file.
func TestSymbolsOverlap(t *testing.T) {
	const (
		nodes = 60
		each  = 7000 // entries of a node
		name  = 8    // bytes
	)
	w := &hand{b: make([]byte, 64)}
	names := make([]byte, name) // the first one is empty
	var entries []byte
	for i := range uint64(each + nodes) {
		entries = append(entries, cat(le(name*(i+1), 8), le(meta.Undefined, 8), le(2, 4), le(0, 4), le(name, 4), make([]byte, 12))...) // soft links
		names = append(names, fmt.Sprintf("%07d\x00", i)...)
	}
	first := w.put(cat(make([]byte, 8), entries))
	tree := cat([]byte("TREE\x00\x00"), le(nodes, 2), le(meta.Undefined, 8), le(meta.Undefined, 8), le(0, 8))
	for i := range uint64(nodes) {
		copy(w.b[first+40*i:], cat([]byte("SNOD\x01\x00"), le(each, 2))) // in what soft links do not use
		tree = append(tree, cat(le(first+40*i, 8), le(uint64(len(names)-name), 8))...)
	}
	heap := w.put(cat([]byte("HEAP\x00\x00\x00\x00"), le(uint64(len(names)), 8), le(1, 8), le(w.put(names), 8)))
	c := &counting{b: w.file(w.object(message{0x11, cat(le(w.put(tree), 8), le(heap, 8))}))}
	f, err := c.open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := int64(first)
	if _, err := check.File(t.Context(), f, check.Options{}, func(err error) {
		at += 40
		var e *h5err.Error
		if !errors.As(err, &e) || e.Kind != h5err.Corrupt || e.Offset != at || e.Msg != "the symbol table nodes of a group overlap: they are larger than the file" {
			t.Errorf("%v, not at %d", err, at)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if at != int64(first)+40*(nodes-1) {
		t.Errorf("the last error is at %d", at)
	}
	if c.read > 8*int64(len(c.b)) {
		t.Errorf("%d bytes are read of %d", c.read, len(c.b))
	}
}

// TestNodesOverlap has nodes of a group's B-tree that start inside one another: few of them are read.
func TestNodesOverlap(t *testing.T) {
	const (
		nodes = 40
		each  = 20_000 // entries of a node
		step  = 32     // bytes from one node to the next
	)
	w := &hand{b: make([]byte, 64)}
	first := w.put(make([]byte, step*nodes+16*each))
	tree := cat([]byte("TREE\x00\x01"), le(nodes, 2), le(meta.Undefined, 8), le(meta.Undefined, 8), le(0, 8))
	for i := range uint64(nodes) {
		copy(w.b[first+step*i:], cat([]byte("TREE\x00\x00"), le(each, 2)))
		tree = append(tree, cat(le(first+step*i, 8), le(0, 8))...)
	}
	heap := w.put(cat([]byte("HEAP\x00\x00\x00\x00"), le(8, 8), le(1, 8), le(w.put(make([]byte, 8)), 8)))
	c := &counting{b: w.file(w.object(message{0x11, cat(le(w.put(tree), 8), le(heap, 8))}))}
	f, err := c.open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	overlap := 0
	if _, err := check.File(t.Context(), f, check.Options{}, func(err error) {
		if strings.Contains(err.Error(), "the nodes of a B-tree overlap") {
			overlap++
		}
	}); err != nil {
		t.Fatal(err)
	}
	if overlap != nodes-1 {
		t.Errorf("%d of %d nodes are said to overlap", overlap, nodes)
	}
	if c.read > 8*int64(len(c.b)) {
		t.Errorf("%d bytes are read of %d", c.read, len(c.b))
	}
}

// TestObjectsOfOneHeapObject has a group of many links, and an object of many attributes, which all are one huge object of a
// fractal heap.
func TestObjectsOfOneHeapObject(t *testing.T) {
	const (
		n    = 300
		size = 1 << 20
	)
	undefined := le(meta.Undefined, 8)
	for _, tt := range []struct {
		name    string
		info    byte // type of the message that names heap and index
		typ     byte // of the index
		message []byte
		id      uint64 // bytes
		record  func(hash, id []byte) []byte
		text    []string
	}{
		{"links", 2, 5, cat([]byte{1, 8, 1, 1}, []byte("x"), le(1, 2), []byte("y")), 7,
			func(hash, id []byte) []byte { return cat(hash, id) },
			[]string{"the links in a fractal heap are larger than the file", "a fractal heap of 1 objects, 300 links are indexed",
				"the links of a group are larger than the file", `two links of the name "x"`}},
		{"attributes", 0x15, 8, attribute("x", integer, 1, make([]byte, 4)).body, 8,
			func(hash, id []byte) []byte { return cat(id, []byte{0}, le(0, 4), hash) },
			[]string{"the attributes in a fractal heap are larger than the file", "a fractal heap of 1 objects, 300 attributes are indexed",
				"the attributes of an object are larger than the file", "the attributes of an object are larger than the file", `two attributes of the name "x"`}},
	} {
		w := &hand{b: make([]byte, 64)}
		huge := w.put(cat(tt.message, make([]byte, size-len(tt.message))))
		tree := func(typ byte, records []byte, n uint64) uint64 {
			leaf := w.put(sum(cat([]byte("BTLF\x00"), []byte{typ}, records)))
			return w.put(sum(cat([]byte("BTHD\x00"), []byte{typ}, le(uint64(10+len(records)), 4), le(uint64(len(records))/n, 2), le(0, 2), []byte{100, 40},
				le(leaf, 8), le(n, 2), le(n, 8))))
		}
		numbers := tree(1, cat(le(huge, 8), le(size, 8), le(1, 8)), 1)
		heap := w.put(sum(cat([]byte("FRHP\x00"), le(tt.id, 2), le(0, 2), []byte{0}, le(4096, 4), le(0, 8), le(numbers, 8), le(0, 8), undefined, make([]byte, 4*8),
			le(size, 8), le(1, 8), make([]byte, 2*8), le(4, 2), le(4096, 8), le(4096, 8), le(32, 2), le(1, 2), undefined, le(0, 2))))
		var records []byte
		for range n {
			records = append(records, tt.record(le(uint64(meta.Checksum([]byte("x"))), 4), cat([]byte{0x10}, le(1, int(tt.id-1))))...)
		}
		index := tree(tt.typ, records, n)
		c := &counting{b: w.file(w.object(message{tt.info, cat([]byte{0, 0}, le(heap, 8), le(index, 8))}))}
		f, err := c.open()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if _, err := check.File(t.Context(), f, check.Options{}, func(err error) {
			var e *h5err.Error
			if !errors.As(err, &e) || e.Kind != h5err.Corrupt {
				t.Error(err)
			}
			got = append(got, e.Msg)
		}); err != nil {
			t.Error(err)
		}
		f.Close()
		if !slices.Equal(got, tt.text) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.text)
		}
		if c.read > 120*size {
			t.Errorf("%s: %d bytes are read of %d", tt.name, c.read, len(c.b))
		}
	}
}
