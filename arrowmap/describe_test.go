package arrowmap_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

func openWide(tb testing.TB, data []byte) (*arrowmap.File, []*arrowmap.Table) {
	tb.Helper()
	f, err := arrowmap.NewFile(source.FromReaderAt(bytes.NewReader(data), int64(len(data)), "wide.h5"))
	if err != nil {
		tb.Fatal(err)
	}
	tables, err := f.Tables()
	if err != nil {
		tb.Fatal(err)
	}
	return f, tables
}

func TestDescribeWide(t *testing.T) {
	const columns = 700
	f, tables := openWide(t, h5test.Wide(columns))
	defer f.Close()
	if len(tables) != 1 || tables[0].Convention() != "vaex" || tables[0].Rows() != h5test.WideRows || len(tables[0].Columns()) != columns {
		t.Fatalf("%d tables", len(tables))
	}
	for i, c := range tables[0].Columns() {
		name := fmt.Sprintf("c%05d", i)
		if c.Err != nil || c.Name != name || c.Path != "/table/columns/"+name+"/data" || c.Type != arrow.PrimitiveTypes.Float64 ||
			c.HDF5Type != "f64le" || c.Storage != h5.StorageContiguous || c.Delivery != dtype.Decoded && c.Delivery != dtype.Mapped {
			t.Fatalf("column %d: %+v", i, c)
		}
	}
}

// BenchmarkDescribe opens a file of 10,000 columns and describes its table.
func BenchmarkDescribe(b *testing.B) {
	const columns = 10_000
	data := h5test.Wide(columns)
	b.ReportAllocs()
	for b.Loop() {
		f, tables := openWide(b, data)
		if len(tables) != 1 || len(tables[0].Columns()) != columns {
			b.Fatalf("%d tables", len(tables))
		}
		f.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/columns, "ns/column")
}
