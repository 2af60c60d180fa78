package arrowmap_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// at returns where the values of a contiguous dataset start in the file.
func at(t *testing.T, f *arrowmap.File, name string) int64 {
	t.Helper()
	o, err := f.H5().Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	l, err := o.(*h5.Dataset).Layout()
	if err != nil || l.Storage != h5.StorageContiguous {
		t.Fatal(l.Storage, err)
	}
	return l.Offset
}

// Mapped text that was found to be UTF-8 is not checked again, unless the file has changed: that is an error, whatever was read.
// Rows that were not read are checked, and offsets always.
func TestTextCheckedOnce(t *testing.T) {
	b, err := os.ReadFile(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sample.h5")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := arrowmap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !f.H5().Source().Mapped() {
		t.Skip("nothing is mapped on this system")
	}
	tab, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	read := func(from, to int64, want h5err.Kind) {
		t.Helper()
		part, err := tab.Select("zone")
		if err == nil {
			part, err = part.Slice(from, to)
		}
		if err != nil {
			t.Fatal(err)
		}
		r, err := part.Reader(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		for r.Next() {
		}
		if err := r.Err(); (err == nil) != (want == 0) || err != nil && !h5err.Is(err, want) {
			t.Errorf("rows [%d,%d): %v, want %v", from, to, err, want)
		}
	}
	change := func(name string, b byte, back bool) {
		t.Helper()
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if _, err := w.WriteAt([]byte{b}, at(t, f, name)); err != nil {
			t.Fatal(err)
		}
		when := before.ModTime()
		if !back {
			when = when.Add(time.Hour)
		}
		if err := os.Chtimes(path, time.Time{}, when); err != nil {
			t.Fatal(err)
		}
	}
	read(0, 1000, 0)
	change("/table/columns/zone/data", 0xFF, true) // nobody can know that it changed
	read(0, 1000, 0)
	read(0, 1, 0)
	read(0, 1001, h5err.Corrupt)
	change("/table/columns/zone/indices", 0xFF, true) // the first offset is past the second
	read(0, 1, h5err.Corrupt)
	read(1, 1000, 0)
	change("/table/columns/zone/data", 0xFF, false)
	read(1, 1000, h5err.IO)
}
