// Package tabletest helps tests of tables: files opened in each way, values as text, and copies of files with some bytes changed.
package tabletest

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/source"
)

// OpenHow opens a file mapped, by plain reads ("read"), or through an io.ReaderAt as a remote file would be. It is closed when
// the test ends.
func OpenHow(t testing.TB, name, how string) *arrowmap.File {
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

// Value returns a value of an array as text: labels of dictionaries, "null" for a null.
func Value(a arrow.Array, i int) string {
	if d, ok := a.(*array.Dictionary); ok && d.IsValid(i) {
		return d.Dictionary().ValueStr(d.GetValueIndex(i))
	}
	if a.IsNull(i) {
		return "null"
	}
	return a.ValueStr(i)
}

// Values returns the values of an array, with spaces between them.
func Values(a arrow.Array) string {
	values := make([]string, a.Len())
	for i := range values {
		values[i] = Value(a, i)
	}
	return strings.Join(values, " ")
}

// First returns the values of a table's first column, " | " between them. They are read in batches of so many rows; 0 leaves that
// to the reader.
func First(t testing.TB, table *arrowmap.Table, batch int64) string {
	t.Helper()
	r, err := table.Reader(t.Context(), arrowmap.WithBatchRows(batch), arrowmap.WithWorkers(2))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var values []string
	for r.Next() {
		col := r.RecordBatch().Column(0)
		if d, ok := col.(*array.Dictionary); ok && d.Dictionary().NullN() > 0 {
			t.Errorf("%s: a null among the labels", table.Path())
		}
		for i := range col.Len() {
			values = append(values, Value(col, i))
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return strings.Join(values, " | ")
}
