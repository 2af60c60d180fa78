package vaexutil_test

import (
	"context"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/vaexutil"
	"github.com/h5arrow/h5arrow/h5"
)

// column reads a dataset with sources of nulls.
func column(t *testing.T, f *arrowmap.File, path string, nulls ...vaexutil.NullSource) arrow.Array {
	t.Helper()
	v, err := vaexutil.MapDataset(f, dataset(t, f, path), nulls...)
	if err != nil {
		t.Fatal(err)
	}
	a, err := v.Read(context.Background(), 0, v.Len())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Release)
	return a
}

func dataset(t *testing.T, f *arrowmap.File, path string) *h5.Dataset {
	t.Helper()
	o, err := f.H5().Lookup(path)
	if err != nil {
		t.Fatal(err)
	}
	return o.(*h5.Dataset)
}
