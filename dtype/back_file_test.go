//go:build libhdf5 && cgo

package dtype_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/libhdf5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// store writes a column as vaex lays it out: /table/columns/x.
func store(t *testing.T, p *dtype.BackPlan, parts dtype.Parts) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "column.h5")
	w, err := libhdf5.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	attributes := func(path string, attrs []dtype.Attribute) {
		for _, a := range attrs {
			space := libhdf5.Shape(a.Dims...)
			try(w.Attribute(path, libhdf5.Attribute{Name: a.Name, Type: a.Type, Space: &space, Data: a.Data}))
		}
	}
	const column = "/table/columns/x"
	for _, g := range []string{"/table", "/table/columns", column} {
		try(w.Group(g))
	}
	if p.Layout[0].Path != "data" {
		try(w.Group(column + "/indices"))
		try(w.Group(column + "/dictionary"))
	}
	try(w.StringAttribute("/table", "type", "table"))
	attributes(column, p.Column)
	for _, part := range p.Layout {
		e := parts.Find(part.Path)
		if e == nil {
			continue
		}
		dims := append([]uint64{e.Rows}, part.Dims...)
		try(w.Write(column+"/"+part.Path, libhdf5.Spec{Type: part.Type, Space: libhdf5.Shape(dims...)}, e.Bytes))
		attributes(column+"/"+part.Path, part.Attributes)
	}
	try(w.Close())
	return name
}

// sentinel returns the rule of a column whose nulls are values of the data, where reading needs one.
func sentinel(t *testing.T, p *dtype.BackPlan) (rule nullbitmap.Rule, ok bool) {
	for _, a := range p.Attributes {
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
func read(t *testing.T, f *arrowmap.File, p *dtype.BackPlan) arrow.Array {
	t.Helper()
	if rule, ok := sentinel(t, p); ok {
		o, err := f.H5().Lookup("/table/columns/x/data")
		if err != nil {
			t.Fatal(err)
		}
		v, err := f.MapDataset(o.(*h5.Dataset), arrowmap.NullSource{Kind: convention.NullRule, Rule: rule})
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

// TestBackInFile writes every kind of column by the C library, and reads it again by the conventions for vaex's files.
func TestBackInFile(t *testing.T) {
	dtype.EachBackCase(t, func(t *testing.T, p *dtype.BackPlan, in, want arrow.Array) {
		parts, err := p.Encode(in)
		if err != nil {
			t.Fatal(err)
		}
		f, err := arrowmap.Open(store(t, p, parts), arrowmap.WithTypes(p.Read))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if in.Len() == 0 {
			tab, err := f.Table("/table")
			if err != nil {
				t.Fatal(err)
			}
			if tab.Rows() != 0 || !arrow.TypeEqual(tab.Schema().Field(0).Type, p.Arrow) {
				t.Errorf("%d rows, %v", tab.Rows(), tab.Schema())
			}
			return
		}
		got := read(t, f, p)
		defer got.Release()
		if !arrow.TypeEqual(got.DataType(), p.Arrow) {
			t.Errorf("%v was read, %v was promised", got.DataType(), p.Arrow)
		}
		if dtype.Shown(got) != dtype.Shown(want) {
			t.Errorf("got %s\nwant %s", dtype.Shown(got), dtype.Shown(want))
		}
	})
}
