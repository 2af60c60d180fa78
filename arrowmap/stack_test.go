package arrowmap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

func openStack(t *testing.T) *arrowmap.File {
	t.Helper()
	f, err := arrowmap.Open("convention/detect/testdata/stack.h5")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The rows of a stack are those of its groups, whatever part of them is read, in batches of any size.
func TestStack(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	f, err := arrowmap.Open("convention/detect/testdata/stack.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := f.Stack("/data/demo_*")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"demo_0 0", "demo_0 1", "demo_2 0.5", "demo_2 1.5", "demo_2 2.5", "demo_3 0.75", "demo_4 1"}
	if all.Rows() != 7 || all.Groups() != 5 || all.Path() != "/data/demo_*" || all.Convention() != "group" {
		t.Errorf("%d rows of %d groups, %s of %s", all.Rows(), all.Groups(), all.Path(), all.Convention())
	}
	for a := int64(0); a <= 7; a++ {
		for b := a; b <= 7; b++ {
			for _, batch := range []int64{0, 1, 2, 5} {
				part, err := all.Select(arrowmap.KeyColumn, "rewards")
				if err != nil {
					t.Fatal(err)
				}
				if part, err = part.Slice(a, b); err != nil {
					t.Fatal(err)
				}
				mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
				r, err := part.Reader(t.Context(), arrowmap.WithBatchRows(batch), arrowmap.WithAllocator(mem))
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				batches := 0
				for r.Next() {
					rec := r.RecordBatch()
					batches++
					for i := range int(rec.NumRows()) {
						got = append(got, rec.Column(0).ValueStr(i)+" "+rec.Column(1).ValueStr(i))
					}
				}
				if r.Err() != nil || strings.Join(got, ",") != strings.Join(want[a:b], ",") || batch == 0 && batches > 1 {
					t.Errorf("rows %d to %d by %d: %v in %d batches, %v", a, b, batch, got, batches, r.Err())
				}
				r.Release()
				mem.AssertSize(t, 0)
			}
		}
	}
	r, err := all.Reader(t.Context(), arrowmap.WithBatchRows(1))
	if err != nil {
		t.Fatal(err)
	}
	r.Next()
	r.Release() // in the middle
}

// Splits cover a stack, and their bytes are those of the groups.
func TestStackSplits(t *testing.T) {
	all, err := openStack(t).Table("/data/demo_*")
	if err != nil {
		t.Fatal(err)
	}
	splits, err := all.Splits(arrowmap.WithStoredBytes())
	if err != nil || len(splits) != 1 || splits[0].From != 0 || splits[0].To != 7 || splits[0].StoredBytes != 7*16 {
		t.Errorf("%+v, %v", splits, err)
	}
}

// Patterns choose groups, and what is not a table, or another one, is refused.
func TestStackPatterns(t *testing.T) {
	f := openStack(t)
	for pattern, want := range map[string]string{
		"/data/demo_[23]":   "[demo_2 demo_2 demo_2 demo_3]",
		"data/*4/":          "[demo_4]",
		"/*/demo_3":         "[data]",
		"/d*/demo_[34]/obs": "[data/demo_3 data/demo_4]",
		"/three/x?":         "[x0 x1 x2]",
		"/read_*/Raw":       "[read_a read_a read_b read_b read_c read_c read_d read_d]",
	} {
		table, err := f.Stack(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		key, err := table.Select(arrowmap.KeyColumn)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, rec := range records(t, stream(t, key)) {
			for i := range int(rec.NumRows()) {
				got = append(got, rec.Column(0).ValueStr(i))
			}
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s", pattern, got, want)
		}
	}
	for pattern, want := range map[string]string{
		"/data/demo_0": "a pattern without a wildcard",
		"/data/[":      "the pattern is malformed",
		"/data/x*":     "no group matches",
		"/data/*/gone": "no group matches",
		"/*/demo_0/*":  "not a table",
		"/three/x*/v":  "not a table",
		"/*/*":         "columns, not ",
		"/[dt]*/*[03]": "columns",
	} {
		if _, err := f.Stack(pattern); !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pattern, err, want)
		}
	}
}

// The table of a group is reachable by its path, and as a part of the stack.
func TestStackGroup(t *testing.T) {
	f := openStack(t)
	own, err := f.Table("/data/demo_2")
	if err != nil || own.Rows() != 3 || len(own.Columns()) != 2 {
		t.Errorf("%v, %v", own, err)
	}
	all, err := f.Table("/data/demo_*")
	if err != nil {
		t.Fatal(err)
	}
	g := all.Group("/data/demo_2")
	if g == nil || g.Rows() != 3 || g.Path() != "/data/demo_2" || len(g.Columns()) != len(all.Columns()) {
		t.Errorf("%+v", g)
	}
	if all.Group("/data/demo_9") != nil || own.Group("/data/demo_2") != nil || own.Groups() != 0 {
		t.Error("a group that does not exist")
	}
	tables, err := f.Tables()
	if err != nil {
		t.Fatal(err)
	}
	stacked := 0
	for _, t := range tables {
		if t.Stacked() {
			stacked++
		}
	}
	if stacked != 14 {
		t.Errorf("%d of %d tables are parts of stacks", stacked, len(tables))
	}
	if _, err := f.Table(""); !h5err.Is(err, h5err.Argument) {
		t.Errorf("several tables: %v", err)
	}
}
