package arrowmap_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/dtype"
)

// meter counts what is allocated through it.
type meter struct {
	memory.Allocator
	total atomic.Int64
}

func (m *meter) Allocate(n int) []byte {
	m.total.Add(int64(n))
	return m.Allocator.Allocate(n)
}

func (m *meter) Reallocate(n int, b []byte) []byte {
	m.total.Add(int64(max(0, n-len(b))))
	return m.Allocator.Reallocate(n, b)
}

// TestReportCountsCopies shows that the bytes that the report says were copied are all that was allocated, that a column
// that is mapped copied nothing but its nulls, and that null counts are those of the arrays.
func TestReportCountsCopies(t *testing.T) {
	read := 0
	files := []string{"sample.h5", "testdata/defects.h5", "testdata/defects_v1.h5", "testdata/defects_userblock.h5"}
	for _, name := range files {
		for _, how := range []string{"mapped", "read"} {
			var f *arrowmap.File
			if name == "sample.h5" {
				opts := []arrowmap.Option{arrowmap.WithoutMapping()}
				if how == "mapped" {
					opts = nil
				}
				f = open(t, name, opts...)
			} else {
				f = tabletest.OpenHow(t, name, how)
			}
			tables, err := f.Tables()
			if err != nil {
				t.Fatal(err)
			}
			for _, tab := range tables {
				t.Run(name+" "+how+" "+tab.Path(), func(t *testing.T) {
					if meterTable(t, tab) {
						read++
					}
				})
			}
		}
	}
	if read != 30 {
		t.Errorf("%d tables were read, want 30", read)
	}
}

// meterTable reads a table and compares its report. It returns false if the table can't be read: some are broken on purpose.
func meterTable(t *testing.T, tab *arrowmap.Table) bool {
	checked := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer checked.AssertSize(t, 0)
	mem := &meter{Allocator: checked}
	r, err := tab.Reader(context.Background(), arrowmap.WithAllocator(mem), arrowmap.WithBatchRows(1<<20))
	if err != nil {
		return false
	}
	defer r.Release()
	nulls := make([]int64, len(tab.Columns()))
	for r.Next() {
		for i, c := range r.RecordBatch().Columns() {
			nulls[i] += int64(c.NullN())
		}
	}
	if r.Err() != nil {
		return false
	}
	sum := int64(0)
	report := r.Report()
	for i, c := range report {
		sum += c.CopiedBytes
		col := tab.Columns()[i]
		how, why := col.Delivery, col.Reason
		if c.NullCount > 0 && how == dtype.Mapped && c.Type.ID() == arrow.DICTIONARY { // known only when it was read
			how, why = dtype.Converted, "the values under nulls become 0"
		}
		if c.Name != col.Name || !arrow.TypeEqual(c.Type, col.Type) || c.Delivery != how || c.Reason != why {
			t.Errorf("the report says %+v of %s %v %v %s", c, col.Name, col.Type, col.Delivery, col.Reason)
		}
		if (c.Delivery == dtype.Mapped) != (c.Reason == "") {
			t.Errorf("%s: %s, because %q", c.Name, c.Delivery, c.Reason)
		}
		if c.NullCount != nulls[i] {
			t.Errorf("%s: %d nulls, the report says %d", c.Name, nulls[i], c.NullCount)
		}
		if maxCopied := (r.RowsRead()+7)/8 + 1024; c.Delivery == dtype.Mapped && col.Nulls == nil && c.CopiedBytes > maxCopied {
			t.Errorf("%s: mapped, and %d bytes were copied", c.Name, c.CopiedBytes)
		}
	}
	if got := mem.total.Load(); sum != got {
		t.Errorf("the report counts %d bytes, the allocator %d", sum, got)
	}
	return true
}
