package heap

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
)

// TestVerify reads all of the heaps that libhdf5 wrote.
func TestVerify(t *testing.T) {
	seen := map[string]int{}
	for _, name := range indextest.Names(t, "links_", "attrs_dense", "group_old", "sizes_") {
		f := indextest.Load(t, name)
		for _, addr := range f.All("FRHP", nil) {
			seen["FRHP"]++
			h, err := OpenFractal(f.R, addr)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Verify(); err != nil {
				t.Errorf("%s: heap at %d: %v", name, addr, err)
			}
		}
		for _, addr := range f.All("HEAP", nil) {
			seen["HEAP"]++
			h, err := OpenLocal(f.R, addr)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Verify(); err != nil {
				t.Errorf("%s: local heap at %d: %v", name, addr, err)
			}
		}
		for _, addr := range f.All("FSHD", nil) {
			seen["FSHD"]++
			if err := ReadFreeSpace(f.R, addr, nil); err != nil {
				t.Errorf("%s: free space at %d: %v", name, addr, err)
			}
		}
	}
	if want := map[string]int{"FRHP": 6, "HEAP": 125, "FSHD": 6}; !maps.Equal(seen, want) {
		t.Errorf("structures: %v, want %v", seen, want)
	}
}

// TestVerifyBroken spoils some structures of one kind below a heap. Each is reported, at its place.
func TestVerifyBroken(t *testing.T) {
	for _, name := range []string{"links_dense", "attrs_dense"} {
		for sig, ok := range map[string]func(p []byte) bool{
			"FHDB": nil, "FSSE": nil, "FSHD": nil,
			"BTHD": func(p []byte) bool { return p[5] <= btree.TypeHugeDirectFilt },
		} {
			f := indextest.Load(t, name)
			want := map[int64]bool{}
			for i, at := range f.All(sig, ok) {
				if i%2 == 0 {
					f.Data[at+8] ^= 1
					want[int64(at)] = true
				}
			}
			if len(want) == 0 && sig != "BTHD" {
				t.Fatalf("%s has no %s", name, sig)
			}
			found := map[int64]bool{}
			f.R.OnDefect = func(err error) {
				var e *h5err.Error
				if errors.As(err, &e) {
					found[e.Offset] = true
				}
			}
			for _, addr := range f.All("FRHP", nil) {
				h, err := OpenFractal(f.R, addr)
				if err != nil {
					t.Fatal(err)
				}
				if err := h.Verify(); err != nil {
					f.R.OnDefect(err)
				}
			}
			if !maps.Equal(found, want) {
				t.Errorf("%s: %s is broken at %v, found are %v", name, sig, want, found)
			}
		}
	}
}

func TestVerifyLocal(t *testing.T) {
	heap := func(head uint64, data ...uint64) *Local {
		b := []byte("HEAP\x00\x00\x00\x00")
		put := func(v uint64) {
			for i := range 8 {
				b = append(b, byte(v>>(8*i)))
			}
		}
		put(uint64(8 * len(data)))
		put(head)
		put(32)
		for _, v := range data {
			put(v)
		}
		h, err := OpenLocal(indextest.Reader(b, 8, 8), 0)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for _, c := range []struct {
		h    *Local
		text string
	}{
		{heap(1, 0, 0), ""},
		{heap(^uint64(0), 0, 0), ""},
		{heap(8, 0, 1, 16), ""},
		{heap(8, 0, 32, 16, 0, 1, 24, 0), ""},
		{heap(8, 0, 1, 24), "24 bytes of free space at 8 of a local heap of 24 bytes"},
		{heap(8, 0, 1, 8), "8 bytes of free space"},
		{heap(16, 0, 1, 16), "free space at 16 of a local heap of 24 bytes"},
		{heap(1<<60, 0, 1, 16), "free space at 1152921504606846976"},
		{heap(8, 0, 8, 16), "more free space in a local heap than its 24 bytes"},
	} {
		err := c.h.Verify()
		if c.text == "" && err != nil || c.text != "" && (!h5err.Is(err, h5err.Corrupt) || !strings.Contains(fmt.Sprint(err), c.text)) {
			t.Errorf("%v, want %q", err, c.text)
		}
	}
}
