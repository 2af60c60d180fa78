package vaexutil_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/vaexutil"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/source"
)

// values prints an array.
func values(a arrow.Array) string {
	var b strings.Builder
	for i := range a.Len() {
		if i > 0 {
			b.WriteByte(' ')
		}
		if a.IsNull(i) {
			b.WriteString("null")
		} else {
			b.WriteString(a.ValueStr(i))
		}
	}
	return b.String()
}

// openHow opens a file mapped, by plain reads, or through an io.ReaderAt as a remote file would be.
func openHow(t *testing.T, name, how string) *arrowmap.File {
	t.Helper()
	var f *arrowmap.File
	var err error
	switch how {
	case "mapped":
		f, err = arrowmap.Open(name)
	case "read":
		f, err = arrowmap.Open(name, arrowmap.WithoutMapping())
	default:
		data, e := os.ReadFile(name)
		if e != nil {
			t.Fatal(e)
		}
		f, err = arrowmap.NewFile(source.FromReaderAt(bytes.NewReader(data), int64(len(data)), name))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

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
