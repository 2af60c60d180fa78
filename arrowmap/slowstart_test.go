package arrowmap

import (
	"context"
	"slices"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// A slow start gives the same rows, in batches that are small at first.
func TestSlowStart(t *testing.T) {
	f, err := Open(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	whole, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []int64{0, 1, 8191, 20000} {
		table, err := whole.Slice(from, -1)
		if err != nil {
			t.Fatal(err)
		}
		read := func(opts ...ReadOption) (rows []string, sizes []int64) {
			r, err := table.Reader(context.Background(), opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Release()
			for r.Next() {
				rec := r.RecordBatch()
				sizes = append(sizes, rec.NumRows())
				for i := range int(rec.NumRows()) {
					rows = append(rows, rec.Column(0).ValueStr(i)+" "+rec.Column(8).ValueStr(i))
				}
			}
			if r.Err() != nil {
				t.Fatal(r.Err())
			}
			return rows, sizes
		}
		want, _ := read()
		got, sizes := read(WithSlowStart())
		if !slices.Equal(got, want) {
			t.Errorf("from %d: other rows than without a slow start", from)
		}
		const chunk = 8192 // rows of the sample's chunks, more than the first batch should have: batches are whole chunks
		if sizes[0] > chunk || sizes[1] > 2*chunk || len(sizes) < 3 {
			t.Errorf("from %d: batches of %v rows", from, sizes)
		}
	}
}
