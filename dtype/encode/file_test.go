//go:build libhdf5 && cgo

package encode_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/vaexutil"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/libhdf5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// store writes a column to /table/columns/x of a new file.
func store(t *testing.T, w *written) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "column.h5")
	f, err := libhdf5.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	attributes := func(path string, attrs []attr.Attribute) {
		for _, a := range attrs {
			space := libhdf5.Shape(a.Dims...)
			try(f.Attribute(path, libhdf5.Attribute{Name: a.Name, Type: a.Type, Space: &space, Data: a.Data}))
		}
	}
	const column = "/table/columns/x"
	for _, g := range []string{"/table", "/table/columns", column} {
		try(f.Group(g))
	}
	for _, g := range w.column.Groups {
		try(f.Group(column + "/" + g))
	}
	try(f.StringAttribute("/table", "type", "table"))
	attributes(column, w.column.Attributes)
	for i, d := range w.column.Datasets {
		if w.find(d.Path) < 0 {
			continue
		}
		dims := append([]uint64{w.contents[i].Rows}, w.plan.Datasets[i].Dims...)
		try(f.Write(column+"/"+d.Path, libhdf5.Spec{Type: w.plan.Datasets[i].Type, Space: libhdf5.Shape(dims...)}, w.contents[i].Bytes))
		attributes(column+"/"+d.Path, d.Attributes)
	}
	try(f.Close())
	return name
}

// sentinel returns the rule of a column whose nulls are values of the data, where reading needs one.
func sentinel(t *testing.T, w *written) (rule nullbitmap.Rule, ok bool) {
	for _, a := range w.column.Datasets[0].Attributes {
		if a.Name == "_FillValue" {
			r, err := nullbitmap.Equal(a.Data)
			if err != nil {
				t.Fatal(err)
			}
			return r, true
		}
	}
	return rule, false
}

// read reads all of a column.
func read(t *testing.T, f *arrowmap.File, w *written) arrow.Array {
	t.Helper()
	if rule, ok := sentinel(t, w); ok {
		o, err := f.H5().Lookup("/table/columns/x/data")
		if err != nil {
			t.Fatal(err)
		}
		v, err := vaexutil.MapDataset(f, o.(*h5.Dataset), vaexutil.NullSource{Kind: convention.NullRule, Rule: rule})
		if err != nil {
			t.Fatal(err)
		}
		a, err := v.Read(context.Background(), 0, v.Len())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	tab, err := f.Table("/table")
	if err != nil {
		t.Fatal(err)
	}
	r, err := tab.Reader(context.Background(), arrowmap.WithBatchRows(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatalf("no rows: %v", r.Err())
	}
	a := r.RecordBatch().Column(0)
	a.Retain()
	return a
}

// TestFile writes every kind of column by the C library, and reads it again by the convention for vaex's files.
func TestFile(t *testing.T) {
	for _, c := range testCases() {
		a := dtest.ArrayOf(t, c.typ, c.rows)
		p, err := encode.New(arrow.Field{Name: "x", Type: c.typ, Metadata: arrow.MetadataFrom(c.md)}, c.opt)
		if err != nil {
			t.Fatal(err)
		}
		want := a
		if c.want != "" {
			want = dtest.ArrayOf(t, p.Arrow, c.want)
		}
		n := int64(a.Len())
		for _, r := range [][2]int64{{0, n}, {1, n}, {min(2, n), min(2, n)}} {
			t.Run(c.name+"/"+c.typ.String(), func(t *testing.T) {
				throughFile(t, write(t, p, c.md, array.NewSlice(a, r[0], r[1])), array.NewSlice(want, r[0], r[1]))
			})
		}
	}
}

func throughFile(t *testing.T, w *written, want arrow.Array) {
	f, err := arrowmap.Open(store(t, w), arrowmap.WithTypes(w.plan.Read))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want.Len() == 0 {
		tab, err := f.Table("/table")
		if err != nil {
			t.Fatal(err)
		}
		if tab.Rows() != 0 || !arrow.TypeEqual(tab.Schema().Field(0).Type, w.plan.Arrow) {
			t.Errorf("%d rows, %v", tab.Rows(), tab.Schema())
		}
		return
	}
	got := read(t, f, w)
	defer got.Release()
	if !arrow.TypeEqual(got.DataType(), w.plan.Arrow) {
		t.Errorf("%v was read, %v was promised", got.DataType(), w.plan.Arrow)
	}
	if dtest.Rows(got) != dtest.Rows(want) {
		t.Errorf("got %s\nwant %s", dtest.Rows(got), dtest.Rows(want))
	}
}
