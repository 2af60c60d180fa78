package write_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
	"github.com/h5arrow/h5arrow/h5/write/flat"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newTable makes a file with two growing datasets, a scale, and much else that must survive.
func newTable(t testing.TB, name string, opts ...write.Option) {
	t.Helper()
	w, err := os.Create(name)
	must(t, err)
	defer w.Close()
	f, err := write.Create(w, opts...)
	must(t, err)
	x, err := f.Dataset("/table/x", write.Spec{Type: fixed(4, true), Space: write.Growing(write.Unknown), ChunkDims: []uint64{10}, Filters: []h5.Filter{{ID: encode.Shuffle}, {ID: encode.Deflate}}})
	must(t, err)
	s, err := f.Dataset("/table/s", write.Spec{Type: varString(), Space: write.Growing(write.Unknown, 2), ChunkDims: []uint64{3, 2}})
	must(t, err)
	still, err := f.Dataset("/still", write.Spec{Type: fixed(1, false), Space: write.Shape(3)})
	must(t, err)
	must(t, still.Write([]byte{1, 2, 3}))
	must(t, x.Scale("row"))
	must(t, s.Attach(0, x))
	must(t, s.Attach(1, still))
	must(t, f.HardLink("/again", x))
	for i := range 20 {
		must(t, still.Attribute(write.Attribute{Name: fmt.Sprint("a", i), Type: varString(), Space: write.Shape(), Data: texts("v")}))
	}
	must(t, x.Attribute(write.Attribute{Name: "units", Type: varString(), Space: write.Shape(), Data: texts("m")}))
	must(t, f.Close())
}

func add(t testing.TB, name string, rows int) {
	t.Helper()
	w, err := os.OpenFile(name, os.O_RDWR, 0)
	must(t, err)
	defer w.Close()
	f, err := write.Append(w)
	must(t, err)
	defer f.Abandon()
	x, s := lookup(t, f, "/table/x"), lookup(t, f, "/table/s")
	for range rows {
		n := x.Rows()
		must(t, x.Write([]byte{byte(n), byte(n >> 8), 0, 0}))
		must(t, s.Write(texts(fmt.Sprint("s", n), strings.Repeat("t", int(n%9)))))
	}
	must(t, f.Close())
}

func lookup(t testing.TB, f *write.File, path string) *write.Dataset {
	t.Helper()
	o, err := f.Lookup(path)
	must(t, err)
	return o.(*write.Dataset)
}

// verifyTable checks a file that newTable made and rows were added to.
func verifyTable(t testing.TB, name string, rows int) {
	t.Helper()
	f, err := h5.Open(name)
	must(t, err)
	defer f.Close()
	_, err = check.File(context.Background(), f, check.Options{Deep: true}, func(err error) { t.Errorf("check: %v", err) })
	must(t, err)
	var want, text []byte
	for n := range rows {
		want = append(want, byte(n), byte(n>>8), 0, 0)
		text = append(text, texts(fmt.Sprint("s", n), strings.Repeat("t", n%9))...)
	}
	if got, _ := values(t, f, "/table/x"); !bytes.Equal(got, want) {
		t.Errorf("%d rows: %x, want %x", rows, got, want)
	}
	if got, _ := values(t, f, "/again"); !bytes.Equal(got, want) {
		t.Error("the second link leads elsewhere")
	}
	if got, _ := values(t, f, "/table/s"); !bytes.Equal(got, text) {
		t.Errorf("%d rows: %q, want %q", rows, got, text)
	}
	if got, d := values(t, f, "/still"); !bytes.Equal(got, []byte{1, 2, 3}) {
		t.Errorf("%x", got)
	} else if a, err := d.Attribute("a7"); err != nil || a == nil {
		t.Errorf("attribute a7: %v, %v", a, err)
	}
	_, s := values(t, f, "/table/s")
	_, x := values(t, f, "/table/x")
	list, err := s.Attribute("DIMENSION_LIST")
	must(t, err)
	if refs, ok := list.References(); !ok || len(refs) != 2 || refs[0][0] != x.Address() {
		t.Errorf("the dimension scale is at %x, not at %x", refs, x.Address())
	}
	back, err := x.Attribute("REFERENCE_LIST")
	must(t, err)
	if raw := back.Raw(); !bytes.HasPrefix(raw, []byte{byte(s.Address()), byte(s.Address() >> 8), byte(s.Address() >> 16)}) {
		t.Errorf("REFERENCE_LIST %x, the dataset is at %x", raw, s.Address())
	}
}

func values(t testing.TB, f *h5.File, path string) ([]byte, *h5.Dataset) {
	t.Helper()
	o, err := f.Lookup(path)
	must(t, err)
	d := o.(*h5.Dataset)
	r, err := chunk.NewReader(d)
	must(t, err)
	defer r.Close()
	stored := make([]byte, r.Rows()*r.RowBytes())
	must(t, r.Read(context.Background(), 0, r.Rows(), stored))
	got, err := flat.NewFlattener(f, d.Type(), nil).Append(nil, stored)
	must(t, err)
	return got, d
}

func TestAppend(t *testing.T) {
	for i, opts := range [][]write.Option{
		{write.WithVersion(write.V110)}, {write.WithVersion(write.V18)}, {write.WithUserBlock(1024, []byte("hi"))}, {write.WithPageSize(4096)}, {write.WithCreationOrder()},
	} {
		name := filepath.Join(t.TempDir(), "table.h5")
		newTable(t, name, opts...)
		rows := 0
		verifyTable(t, name, rows)
		for _, n := range []int{1, 2, 10, 7, 0, 25} {
			add(t, name, n)
			rows += n
			if verifyTable(t, name, rows); t.Failed() {
				t.Fatalf("options %d, %d rows", i, rows)
			}
		}
	}
}

// The file grows linearly, and each step adds objects and attributes, too.
func TestAppendOften(t *testing.T) {
	name := filepath.Join(t.TempDir(), "table.h5")
	newTable(t, name)
	size := func() int64 {
		info, err := os.Stat(name)
		must(t, err)
		return info.Size()
	}
	var sizes []int64
	for range 3 {
		for range 50 {
			add(t, name, 1)
		}
		sizes = append(sizes, size())
	}
	verifyTable(t, name, 150)
	if first, last := sizes[1]-sizes[0], sizes[2]-sizes[1]; last > first*3/2 {
		t.Errorf("50 steps add %d bytes, then %d", first, last)
	}
}

// Objects and attributes are added to a file, and to objects that it has.
func TestAppendObjects(t *testing.T) {
	name := filepath.Join(t.TempDir(), "table.h5")
	newTable(t, name)
	w, err := os.OpenFile(name, os.O_RDWR, 0)
	must(t, err)
	f, err := write.Append(w)
	must(t, err)
	d, err := f.Dataset("/table/new/y", write.Spec{Type: fixed(2, false), Space: write.Shape(2)})
	must(t, err)
	must(t, d.Write([]byte{1, 0, 2, 0}))
	for _, p := range []string{"/still", "/table/x", "/table"} {
		o, err := f.Lookup(p)
		must(t, err)
		must(t, o.Attribute(write.Attribute{Name: "units", Type: varString(), Space: write.Shape(), Data: texts("km")}))
	}
	must(t, f.Close())
	w.Close()
	verifyTable(t, name, 0)
	r, err := h5.Open(name)
	must(t, err)
	defer r.Close()
	if got, _ := values(t, r, "/table/new/y"); !bytes.Equal(got, []byte{1, 0, 2, 0}) {
		t.Errorf("%x", got)
	}
	for _, p := range []string{"/still", "/table/x", "/table"} {
		o, err := r.Lookup(p)
		must(t, err)
		a, err := o.Attribute("units")
		must(t, err)
		if s, ok := a.Text(); !ok || s != "km" {
			t.Errorf("%s: %q", p, s)
		}
	}
}

// Whatever is on disk when the process dies, the file has its old state until the superblock is replaced: everything that was
// written before is past the old end.
func TestAppendDies(t *testing.T) {
	name := filepath.Join(t.TempDir(), "table.h5")
	newTable(t, name)
	add(t, name, 12)
	before, err := os.ReadFile(name)
	must(t, err)
	w, err := os.OpenFile(name, os.O_RDWR, 0)
	must(t, err)
	f, err := write.Append(w)
	must(t, err)
	must(t, lookup(t, f, "/table/x").Write(make([]byte, 4*10*600)))
	now, err := os.ReadFile(name)
	must(t, err)
	if !bytes.HasPrefix(now, before) || len(now) == len(before) {
		t.Errorf("%d bytes, before %d: rows go past the end", len(now), len(before))
	}
	verifyTable(t, name, 12)
	f.Abandon()
	w.Close()
	if now, err = os.ReadFile(name); err != nil || !bytes.Equal(now, before) {
		t.Errorf("%d bytes, before %d, %v", len(now), len(before), err)
	}
	// The new state without its superblock is the old state.
	add(t, name, 30)
	after, err := os.ReadFile(name)
	must(t, err)
	copy(after, before[:48])
	must(t, os.WriteFile(name, after, 0o600))
	verifyTable(t, name, 12)
	add(t, name, 3)
	verifyTable(t, name, 15)
}

// Rows fill up a chunk without filters where it lies, past the end of the old state: a crash changes nothing of that.
func TestAppendInPlace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "table.h5")
	w, err := os.Create(name)
	must(t, err)
	f, err := write.Create(w)
	must(t, err)
	for _, p := range []string{"/x", "/wide"} {
		dims := map[string][]uint64{"/x": {100}, "/wide": {10, 3}}[p]
		_, err := f.Dataset(p, write.Spec{Type: fixed(1, false), Space: write.Growing(append([]uint64{write.Unknown}, dims[1:]...)...), ChunkDims: dims})
		must(t, err)
	}
	must(t, f.Close())
	w.Close()
	var x, wide []byte
	var before []byte
	for i := range 40 {
		w, err := os.OpenFile(name, os.O_RDWR, 0)
		must(t, err)
		f, err := write.Append(w)
		must(t, err)
		rows := bytes.Repeat([]byte{byte(i + 1)}, 1+i%7)
		must(t, lookup(t, f, "/x").Write(rows))
		must(t, lookup(t, f, "/wide").Write(append(append(rows, rows...), rows...)))
		if i%5 == 4 { // the values are on disk, and the process dies
			now, err := os.ReadFile(name)
			must(t, err)
			must(t, os.WriteFile(name+".dead", now, 0o600))
			sameValues(t, name+".dead", x, wide)
		}
		must(t, f.Close())
		w.Close()
		x, wide = append(x, rows...), append(append(append(wide, rows...), rows...), rows...)
		sameValues(t, name, x, wide)
		if before, err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if chunks := len(x)/100 + 1 + len(wide)/30 + 1; len(before) > chunks*128+40*2000 {
		t.Errorf("%d bytes for %d chunks", len(before), chunks)
	}
}

func sameValues(t *testing.T, name string, x, wide []byte) {
	t.Helper()
	f, err := h5.Open(name)
	must(t, err)
	defer f.Close()
	_, err = check.File(context.Background(), f, check.Options{Deep: true}, func(err error) { t.Errorf("check: %v", err) })
	must(t, err)
	if got, _ := values(t, f, "/x"); !bytes.Equal(got, x) {
		t.Errorf("%x, want %x", got, x)
	}
	if got, _ := values(t, f, "/wide"); !bytes.Equal(got, wide) {
		t.Errorf("%x, want %x", got, wide)
	}
}

func TestAppendRefuses(t *testing.T) {
	name := filepath.Join(t.TempDir(), "old.h5")
	newTable(t, name, write.WithVersion(write.Earliest))
	w, err := os.OpenFile(name, os.O_RDWR, 0)
	must(t, err)
	defer w.Close()
	if _, err := write.Append(w); !h5err.Is(err, h5err.Unsupported) {
		t.Errorf("superblock 0: %v", err)
	}
	name = filepath.Join(t.TempDir(), "new.h5")
	newTable(t, name)
	w2, err := os.OpenFile(name, os.O_RDWR, 0)
	must(t, err)
	defer w2.Close()
	f, err := write.Append(w2)
	must(t, err)
	defer f.Abandon()
	if err := lookup(t, f, "/still").Write([]byte{4}); !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), "can't grow") {
		t.Errorf("contiguous: %v", err)
	}
}

// Truncate takes rows back, within a chunk, at its start, and all of them; others take their place.
func TestTruncate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "table.h5")
	newTable(t, name)
	add(t, name, 25)
	for _, keep := range []uint64{24, 20, 10, 3, 0} {
		w, err := os.OpenFile(name, os.O_RDWR, 0)
		must(t, err)
		f, err := write.Append(w)
		must(t, err)
		for _, p := range []string{"/table/x", "/table/s"} {
			d := lookup(t, f, p)
			must(t, d.Truncate(keep))
			if d.Rows() != keep || !h5err.Is(d.Truncate(keep), h5err.Argument) {
				t.Errorf("%d rows, not %d, or they can be removed twice", d.Rows(), keep)
			}
		}
		if err := lookup(t, f, "/still").Truncate(4); !h5err.Is(err, h5err.Argument) {
			t.Errorf("rows that there are not: %v", err)
		}
		must(t, f.Close())
		w.Close()
		add(t, name, int(keep)%4)
		verifyTable(t, name, int(keep+keep%4))
		add(t, name, 25-int(keep+keep%4))
	}
}
