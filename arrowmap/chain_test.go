package arrowmap_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// spans reads numbers, of at most so many batches, and returns a line for each batch, and one for the error: where the batch starts and ends.
func spans(t *testing.T, tab *arrowmap.Table, maxBatches int, opts ...arrowmap.ReadOption) []string {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	r, err := tab.Reader(t.Context(), append(opts, arrowmap.WithAllocator(mem))...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var out []string
	for len(out) < maxBatches && r.Next() {
		values := r.RecordBatch().Column(0).(*array.Int64).Int64Values()
		for i, v := range values {
			if v != values[0]+int64(i) {
				t.Fatalf("%d follows %d", v, values[0]+int64(i)-1)
			}
		}
		out = append(out, fmt.Sprint(values[0], " to ", values[len(values)-1]))
	}
	if r.Err() != nil {
		out = append(out, r.Err().Error())
	}
	return out
}

// Batches of several files are those of each file, whatever is read ahead; an error comes after the rows before it.
func TestChain(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	const broken = 7 // all before it can be read
	var files, each []*arrowmap.Table
	for i, rows := range []int{5000, 40, 20000, 200000, 1, 9000, 300, 30000, 500, 7} {
		name := numbered(t, rows, 4096, h5.Filter{ID: 1, Values: []uint32{1}})
		if i == broken {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for at := 0; at >= 0 && at < len(b)-2; at++ { // the headers of all streams
				if b[at] == 0x78 && bytes.IndexByte([]byte{0x01, 0x5e, 0x9c, 0xda}, b[at+1]) >= 0 {
					b[at+2] |= 6 // a type of blocks that there is not
				}
			}
			if err := os.WriteFile(name, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		f, err := arrowmap.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		tab := table(t, f, "")
		files, each = append(files, tab), append(each, tab)
	}
	all, err := arrowmap.Concat(files...)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 2, 8} {
		for what, opts := range map[string][]arrowmap.ReadOption{
			"":              nil,
			"little memory": {arrowmap.WithMaxMemory(6 << 20)},
			"more memory":   {arrowmap.WithMaxMemory(20 << 20)},
			"short batches": {arrowmap.WithBatchRows(777)},
			"slow start":    {arrowmap.WithSlowStart()},
			"ranges":        {arrowmap.WithRanges([]arrowmap.Range{{From: 4990, To: 5010}, {From: 6000, To: 6001}, {From: 224000, To: 226000}})},
		} {
			opts = append([]arrowmap.ReadOption{arrowmap.WithWorkers(workers)}, opts...)
			got := spans(t, all, 1<<20, opts...)
			want := []string{"4990 to 4999", "0 to 9", "960 to 960", "198960 to 199999", "0 to 0", "0 to 958"}
			if what != "ranges" {
				want = nil
				for i, one := range each[:broken+1] {
					own := slices.Clone(opts)
					if one.Rows() < 100000 {
						own = append(own, arrowmap.WithWorkers(1))
					}
					lines := spans(t, one, 1<<20, own...)
					if failed := strings.Contains(lines[len(lines)-1], "deflate"); failed != (i == broken) {
						t.Fatalf("file %d: %s", i, lines)
					}
					want = append(want, lines...)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d workers, %s: %q, want %q", workers, what, got, want)
			}
			for maxBatches := range 4 { // and no more
				if some := spans(t, all, maxBatches, opts...); !slices.Equal(some, got[:maxBatches]) {
					t.Errorf("%d workers, %s: %q, want %q", workers, what, some, got[:maxBatches])
				}
			}
		}
	}
}
