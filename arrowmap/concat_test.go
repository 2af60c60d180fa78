package arrowmap_test

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// The rows of several files are those of the files, one after the other, whatever part of them is read.
func TestConcat(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	const rows = 50000
	a, b, c := open(t, "sample.h5"), open(t, "sample.h5", arrowmap.WithoutMapping()), open(t, "sample.h5")
	all, err := arrowmap.Concat(table(t, a, ""), table(t, b, ""), table(t, c, ""))
	if err != nil {
		t.Fatal(err)
	}
	if all.Rows() != 3*rows {
		t.Fatalf("%d rows", all.Rows())
	}
	for _, part := range [][2]int64{{0, 3 * rows}, {0, 10}, {rows - 3, rows + 4}, {rows, 2 * rows}, {40000, 110000}, {3*rows - 1, 3 * rows}, {777, 777}, {3 * rows, 3 * rows}} {
		sliced, err := all.Slice(part[0], part[1])
		if err != nil {
			t.Fatal(err)
		}
		sliced, err = sliced.Select("fare", "note", "tip", "meter")
		if err != nil {
			t.Fatal(err)
		}
		if n := sliced.Rows(); n != part[1]-part[0] {
			t.Errorf("%v: %d rows", part, n)
		}
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		r, err := sliced.Reader(t.Context(), arrowmap.WithAllocator(mem), arrowmap.WithBatchRows(999))
		if err != nil {
			t.Fatal(err)
		}
		want, err := table(t, a, "").Select("fare", "note", "tip", "meter")
		if err != nil {
			t.Fatal(err)
		}
		whole := concat(t, records(t, stream(t, want)))[0]
		at, nulls := part[0], int64(0)
		for r.Next() {
			rec := r.RecordBatch()
			first := at % rows
			same := whole.NewSlice(first, first+rec.NumRows())
			sameRecords(t, fmt.Sprint("rows from ", at), concat(t, []arrow.RecordBatch{rec}), concat(t, []arrow.RecordBatch{same}))
			nulls += int64(rec.Column(2).NullN())
			at += rec.NumRows()
		}
		if r.Err() != nil || at != part[1] || r.RowsRead() != part[1]-part[0] {
			t.Errorf("%v: until %d, %d rows, %v", part, at, r.RowsRead(), r.Err())
		}
		report := r.Report()
		if len(report) != 4 || report[2].Name != "tip" || report[2].NullCount != nulls {
			t.Errorf("%v: %+v, %d nulls", part, report, nulls)
		}
		r.Release()
		mem.AssertSize(t, 0)
	}
	r, err := all.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Next()
	r.Release() // in the middle of a file
}
