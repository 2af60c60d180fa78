package write_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/write"
	"github.com/h5arrow/h5arrow/h5/write/flat"
)

func le64(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

// newReference is a reference of HDF5 1.12 in flat form.
func newReference(kind, flags byte, id uint64, rest ...byte) []byte {
	return slices.Concat(le64(uint64(10+len(rest))), []byte{kind, flags}, le64(id), rest)
}

// referenceType is H5T_STD_REF.
func referenceType() *h5.Type {
	return &h5.Type{Class: h5.ClassReference, Ref: h5.RefObject2, Size: 18}
}

// hyperslab is the elements 1 and 2 of four as the library encodes them: the size of what follows, the rank, a selection of class
// hyperslabs, version 3, regular, with numbers of 2 bytes.
func hyperslab() []byte {
	return []byte{22, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1, 2, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 2, 0}
}

// writeReferences makes a file with references of all kinds, and a link of a user's own class.
func writeReferences(t *testing.T, name string) []byte {
	t.Helper()
	w, err := os.Create(name)
	must(t, err)
	defer w.Close()
	f, err := write.Create(w)
	must(t, err)
	x, err := f.Dataset("/g/x", write.Spec{Type: fixed(4, true), Space: write.Shape(4)})
	must(t, err)
	must(t, x.Attribute(write.Attribute{Name: "unit", Type: fixed(1, false), Space: write.Shape(), Data: []byte{7}}))
	must(t, f.UserLink("/own", 187, "whatever"))
	file := append([]byte{6, 0}, "far.h5"...)
	values := slices.Concat(
		newReference(h5.RefToObject, 0, x.ID()),
		newReference(h5.RefToRegion, 0, x.ID(), hyperslab()...),
		newReference(h5.RefToAttribute, 0, x.ID(), append([]byte{4, 0}, "unit"...)...),
		newReference(h5.RefToObject, h5.RefElsewhere, 800, file...),
		le64(0))
	refs, err := f.Dataset("/refs", write.Spec{Type: referenceType(), Space: write.Shape(5)})
	must(t, err)
	must(t, x.Write(make([]byte, 16)))
	must(t, refs.Write(values))
	must(t, f.Close())
	return values
}

// TestReferences writes references of HDF5 1.12, and has this package and the library read them.
func TestReferences(t *testing.T) {
	name := filepath.Join(t.TempDir(), "refs.h5")
	want := writeReferences(t, name)
	f, err := h5.Open(name)
	must(t, err)
	defer f.Close()
	o, err := f.Lookup("/refs")
	must(t, err)
	d := o.(*h5.Dataset)
	r, err := chunk.NewReader(d)
	must(t, err)
	defer r.Close()
	stored := make([]byte, 5*18)
	must(t, r.Read(t.Context(), 0, 5, stored))
	x, err := f.Lookup("/g/x")
	must(t, err)
	got, err := flat.NewFlattener(f, d.Type(), func(addr uint64) (uint64, error) {
		if addr == x.Address() {
			return binary.LittleEndian.Uint64(want[10:]), nil
		}
		return 0, nil
	}).Append(nil, stored)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, want %x: %v", got, want, err)
	}
	gone, err := flat.NewFlattener(f, d.Type(), func(uint64) (uint64, error) { return 0, nil }).Append(nil, stored)
	if err != nil || !bytes.Equal(gone, slices.Concat(make([]byte, 24), newReference(h5.RefToObject, h5.RefElsewhere, 800, append([]byte{6, 0}, "far.h5"...)...), le64(0))) {
		t.Errorf("an object that is gone: %x, %v", gone, err)
	}
	l, ok, err := f.Root().Link("own")
	if err != nil || !ok || l.Kind != h5.LinkUser || l.Class != 187 || l.Data != "whatever" {
		t.Errorf("%+v, %v", l, err)
	}
	py := h5test.Python(t, "h5py")
	if py == "" {
		t.Skip("no Python with h5py")
	}
	if out, err := exec.Command(py, "testdata/references.py", name).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestReferencesRefused(t *testing.T) {
	for what, b := range map[string][]byte{
		"short":       append(le64(3), 2, 0, 1),
		"no object":   newReference(h5.RefToObject, 0, 0),
		"no such":     newReference(h5.RefToRegion, 0, 99),
		"with a rest": newReference(h5.RefToObject, 0, 1, 5),
		"cut short":   newReference(h5.RefToRegion, 0, 1, 5)[:12],
	} {
		f, err := write.Create(&memory{})
		must(t, err)
		d, err := f.Dataset("/d", write.Spec{Type: referenceType(), Space: write.Shape(1)})
		must(t, err)
		err = d.Write(b)
		if err == nil { // the heap is written in the end
			err = f.Close()
		}
		if f.Abandon(); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f, err := write.Create(&memory{})
	must(t, err)
	defer f.Abandon()
	for class, data := range map[uint8]string{64: "", 2: "", 255: string(make([]byte, 1<<16))} {
		if err := f.UserLink("/l", class, data); !h5err.Is(err, h5err.Argument) {
			t.Errorf("class %d with %d bytes: %v", class, len(data), err)
		}
	}
}
