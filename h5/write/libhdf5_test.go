//go:build libhdf5 && cgo

package write_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5test/oracle"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

func TestMain(m *testing.M) { os.Exit(oracle.Main(m)) }

// The C library reads the values and attributes of random files, except where a filter is not its own.
func TestLibhdf5(t *testing.T) {
	o := oracle.Start(t)
	for version := write.V110; version <= write.Earliest; version++ {
		for seed := range uint64(40) {
			name := filepath.Join(t.TempDir(), "tree.h5")
			tree := newTree(seed, version, false)
			tree.withoutReferences()
			writeTo(t, name, func(w *os.File) (*write.File, error) { return write.Create(w, tree.options(seed)...) }, tree)
			for _, n := range tree.objects {
				compare(t, o, name, n)
			}
			if t.Failed() {
				t.Fatalf("version %v, seed %d", version, seed)
			}
		}
	}
}

// compare compares what the library reads of an object with the plan.
func compare(t *testing.T, o *oracle.Oracle, file string, n *node) {
	t.Helper()
	attrs, err := o.Attributes(file, n.path)
	if err != nil || len(attrs) != len(n.attrs) {
		t.Fatalf("%s: %d attributes, want %d: %v", n.path, len(attrs), len(n.attrs), err)
	}
	byName := map[string][]byte{}
	for _, a := range attrs {
		byName[a.Name] = a.Data
	}
	for _, a := range n.attrs {
		if got := byName[a.Name]; !bytes.Equal(got, a.Data) {
			t.Errorf("%s: attribute %s of type %v:\n%x, want\n%x", n.path, a.Name, a.Type, got, a.Data)
		}
	}
	if n.kind != "dataset" || byPlugin(n.spec.Filters) {
		return
	}
	info, err := o.Dataset(file, n.path)
	if err != nil {
		t.Fatalf("%s: %v", n.path, err)
	}
	if !sameSpace(info.Space, &n.spec.Space) && n.spec.Space.Max != nil {
		t.Errorf("%s: shape %v, want %v", n.path, info.Space, n.spec.Space)
	}
	read := o.Read
	if pointing(n.typ) {
		read = o.ReadFlat
	}
	got, err := read(file, n.path, 0, info.Rows())
	want := bytes.Clone(n.data)
	for !pointing(n.typ) && n.spec.Fill != nil && len(want) < len(got) {
		want = append(want, n.spec.Fill...)
	}
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: values of type %v, shape %v, differ: %v\n%x, want\n%x", n.path, n.typ, n.spec.Space.Dims, err, got, want)
	}
}

// byPlugin reports whether there are filters that are not the library's.
func byPlugin(filters []h5.Filter) bool {
	for _, f := range filters {
		if f.ID > encode.ScaleOffset {
			return true
		}
	}
	return false
}

// withoutReferences makes integers of all references.
func (t *tree) withoutReferences() {
	for _, n := range t.objects {
		numbers(n.typ)
		for _, a := range n.attrs {
			numbers(a.Type)
		}
	}
}

func numbers(t *h5.Type) {
	if t == nil {
		return
	}
	if t.Class == h5.ClassReference {
		*t = *fixed(8, false)
	}
	numbers(t.Base)
	for _, m := range t.Members {
		numbers(m.Type)
	}
}

// The C library finds the chunks of every index, in all structures that its indexes of many chunks have: pages of arrays, blocks of
// blocks, trees of several levels, with addresses and with sizes and masks too.
func TestLibhdf5Indexes(t *testing.T) {
	const n = 140_000 // chunks of one row; an extensible array has pages from 131,068 on
	count := uint64(n)
	if testing.Short() {
		count = 5000
	}
	o := oracle.Start(t)
	unlimited := []uint64{h5.Unlimited, h5.Unlimited}
	for _, c := range []struct {
		index  h5.ChunkIndex
		max    []uint64
		chunk  uint64 // rows
		rows   uint64
		filter bool
	}{
		{index: h5.IndexSingle, chunk: 1000, rows: 1000},
		{index: h5.IndexSingle, chunk: 1000, rows: 1000, filter: true},
		{index: h5.IndexImplicit, chunk: 1, rows: 5000},
		{index: h5.IndexFixedArray, chunk: 1, rows: 1000},
		{index: h5.IndexFixedArray, chunk: 1, rows: 5000},
		{index: h5.IndexFixedArray, chunk: 3, rows: 10_001, filter: true},
		{index: h5.IndexExtensibleArray, max: []uint64{h5.Unlimited, 2}, chunk: 1, rows: 3},
		{index: h5.IndexExtensibleArray, max: []uint64{h5.Unlimited, 2}, chunk: 1, rows: count},
		{index: h5.IndexExtensibleArray, max: []uint64{h5.Unlimited, 2}, chunk: 3, rows: 10_001, filter: true},
		{index: h5.IndexBTree2, max: unlimited, chunk: 1, rows: 7},
		{index: h5.IndexBTree2, max: unlimited, chunk: 1, rows: count},
		{index: h5.IndexBTree2, max: unlimited, chunk: 3, rows: 10_001, filter: true},
	} {
		spec := write.Spec{Type: fixed(4, true), Space: h5.Space{Class: h5.SpaceSimple, Dims: []uint64{c.rows, 2}, Max: c.max}, ChunkDims: []uint64{c.chunk, 2}, Index: c.index}
		if c.filter {
			spec.Filters = []h5.Filter{{ID: encode.Shuffle}, {ID: encode.Deflate}}
		}
		values := make([]byte, 0, c.rows*8)
		for i := range c.rows * 2 {
			values = binary.LittleEndian.AppendUint32(values, uint32(i*2654435761>>3))
		}
		name := written.File(t, filepath.Join(t.TempDir(), "index.h5"), func(f *write.File) error {
			d, err := f.Dataset("/x", spec)
			if err != nil {
				return err
			}
			return d.Write(values)
		})
		f, err := h5.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := f.Lookup("/x")
		if err != nil {
			t.Fatal(err)
		}
		if l, err := d.(*h5.Dataset).Layout(); err != nil || l.Index != c.index {
			t.Errorf("%+v: %+v, %v", c, l, err)
		}
		f.Close()
		if got, err := o.Read(name, "/x", 0, int64(c.rows)); err != nil || !bytes.Equal(got, values) {
			t.Errorf("%+v: the library reads other values, %v", c, err)
		}
	}
}
