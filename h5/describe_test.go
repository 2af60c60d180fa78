package h5_test

import (
	"bytes"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// describe opens a file of h5test.Wide and describes each dataset. It returns how many rows and attributes they have.
func describe(data []byte, each func(f *h5.File, fn func(d *h5.Dataset) error) error) (rows, attributes int, err error) {
	f, err := h5.NewFile(source.FromReaderAt(bytes.NewReader(data), int64(len(data)), "wide.h5"))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	err = each(f, func(d *h5.Dataset) error {
		if _, err := d.Layout(); err != nil {
			return err
		}
		if _, err := d.Filters(); err != nil {
			return err
		}
		attrs, err := d.Attributes()
		rows, attributes = rows+int(d.Rows()), attributes+len(attrs)
		return err
	})
	return rows, attributes, err
}

func byWalk(f *h5.File, fn func(d *h5.Dataset) error) error {
	return f.Walk(func(o h5.Object) error {
		if d, ok := o.(*h5.Dataset); ok {
			return fn(d)
		}
		return nil
	})
}

func byPath(f *h5.File, fn func(d *h5.Dataset) error) error {
	o, err := f.Lookup("/table/columns")
	if err != nil {
		return err
	}
	links, err := o.(*h5.Group).Links()
	if err != nil {
		return err
	}
	for _, l := range links {
		d, err := o.(*h5.Group).Open(l.Name + "/data")
		if err != nil {
			return err
		}
		if err := fn(d.(*h5.Dataset)); err != nil {
			return err
		}
	}
	return nil
}

var ways = []struct {
	name string
	each func(f *h5.File, fn func(d *h5.Dataset) error) error
}{{"walk", byWalk}, {"path", byPath}}

func TestDescribeWide(t *testing.T) {
	for _, columns := range []int{1, 8, 9, 700, 5000} {
		data := h5test.Wide(columns)
		for _, w := range ways {
			rows, attributes, err := describe(data, w.each)
			if rows != columns*h5test.WideRows || attributes != 0 || err != nil {
				t.Errorf("%d columns by %s: %d rows, %d attributes, %v", columns, w.name, rows, attributes, err)
			}
		}
	}
}

// TestDescribeAllocations bounds the allocations for each column, a group and a dataset.
func TestDescribeAllocations(t *testing.T) {
	const columns, enough = 1000, 20
	data := h5test.Wide(columns)
	for _, w := range ways {
		n := testing.AllocsPerRun(3, func() {
			if _, _, err := describe(data, w.each); err != nil {
				t.Fatal(err)
			}
		})
		if n > columns*enough {
			t.Errorf("by %s: %.1f allocations for each column, %d are enough", w.name, n/columns, enough)
		}
	}
}

// BenchmarkDescribe opens a file of 10,000 datasets and describes each: its shape, layout, filters and attributes.
func BenchmarkDescribe(b *testing.B) {
	const columns = 10_000
	data := h5test.Wide(columns)
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if rows, _, err := describe(data, w.each); err != nil || rows != columns*h5test.WideRows {
					b.Fatal(rows, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/columns, "ns/dataset")
		})
	}
}
