package arrowmap_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// indexed opens a copy of a file with its index.
func indexed(t testing.TB, name string) (*arrowmap.File, []byte) {
	t.Helper()
	f, err := arrowmap.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	b, err := f.BuildIndex(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.UseIndex(b); err != nil {
		t.Fatal(err)
	}
	return f, b
}

// An index loses no row, and skips some.
func TestIndexLosesNothing(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	name := h5test.Fixture(t, "sample.h5")
	f, b := indexed(t, name)
	again, err := f.BuildIndex(context.Background(), arrowmap.WithWorkers(3), arrowmap.WithBatchRows(1001))
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("the index depends on how it is made: %v", err)
	}
	plain, err := arrowmap.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	table, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	same, err := plain.Table("")
	if err != nil {
		t.Fatal(err)
	}
	joined, err := arrowmap.Concat(same, table, table)
	if err != nil {
		t.Fatal(err)
	}
	skipped, turn := 0, 0
	for _, c := range table.Columns() {
		if c.Err != nil || !predicate.Ordered(c.Type) {
			continue
		}
		for _, value := range constants(t, same, c.Name) {
			for op := predicate.Equal; op <= predicate.IsNotNull; op++ {
				cond := predicate.Condition{Column: c.Name, Op: op, Values: []predicate.Value{predicate.Text(value)}}
				if op >= predicate.IsNull {
					cond.Values = nil
				}
				if turn++; turn%3 > 0 {
					continue
				}
				if _, err := predicate.New(c.Type, op, cond.Values...); err != nil {
					continue
				}
				hold := holding(t, same, []predicate.Condition{cond})
				skipped += check(t, table, cond, hold)
				if op == predicate.Less {
					check(t, joined, cond, holding(t, joined, []predicate.Condition{cond}))
				}
				part, err := table.Slice(8190, 20001)
				if err != nil {
					t.Fatal(err)
				}
				var in []int
				for _, k := range hold {
					if k >= 8190 && k < 20001 {
						in = append(in, k-8190)
					}
				}
				check(t, part, cond, in)
			}
		}
	}
	if skipped == 0 {
		t.Error("nothing was skipped")
	}
}

// constants returns some values of a column.
func constants(t testing.TB, table *arrowmap.Table, name string) (out []string) {
	t.Helper()
	one, err := table.Select(name)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := lines(t, one)
	for _, i := range []int{8192} {
		out = append(out, strings.TrimSuffix(all[i], "Z"))
	}
	slices.Sort(all)
	return append(out, strings.TrimSuffix(all[0], "Z"), strings.TrimSuffix(all[len(all)-1], "Z"))
}

// check fails the test unless rows for which a condition holds are possible; it returns how many rows are not.
func check(t testing.TB, table *arrowmap.Table, c predicate.Condition, hold []int) (skipped int) {
	t.Helper()
	at := slices.IndexFunc(table.Columns(), func(x *arrowmap.Column) bool { return x.Name == c.Column })
	test, err := predicate.New(table.Columns()[at].Type, c.Op, c.Values...)
	if err != nil {
		t.Fatal(err)
	}
	ranges, err := table.Possible(context.Background(), arrowmap.ColumnTest{Column: at, Test: test})
	if err != nil {
		t.Fatal(err)
	}
	skipped = int(table.Rows())
	for _, r := range ranges {
		skipped -= int(r.To - r.From)
	}
	for _, k := range hold {
		for len(ranges) > 0 && ranges[0].To <= int64(k) {
			ranges = ranges[1:]
		}
		if len(ranges) == 0 || ranges[0].From > int64(k) {
			t.Fatalf("%s %s %v: row %d is skipped", c.Column, c.Op, c.Values, k)
		}
	}
	return skipped
}

// An index that is not of the file as it is, or is read, is not used.
func TestIndexMustFit(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.h5")
	content, err := os.ReadFile(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(content)
	_, b := indexed(t, name)
	use := func(b []byte, want string, opts ...arrowmap.Option) {
		t.Helper()
		f, err := arrowmap.Open(name, opts...)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.UseIndex(b); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	use(b, "")
	use(b, "options", arrowmap.WithTypes(dtype.Options{NaNAsNull: true}))
	use(append([]byte{}, b[:len(b)-1]...), "checksum")
	use(nil, "not an index")
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(name, later, later); err != nil {
		t.Fatal(err)
	}
	use(b, "time of modification")
	write(append(content, 0))
	use(b, "size")
}

// A column whose chunks lie elsewhere than the index says is not skipped by it.
func TestIndexComparesChunks(t *testing.T) {
	dir := t.TempDir()
	stamp := time.Unix(1_700_000_000, 0)
	open := func(name string) *arrowmap.File {
		content, err := os.ReadFile(h5test.Fixture(t, "sample.h5"))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, stamp, stamp); err != nil {
			t.Fatal(err)
		}
		f, err := arrowmap.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	f := open("a.h5")
	b, err := f.BuildIndex(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	table, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	first := table.Columns()[0].Name
	never := predicate.Condition{Column: first, Op: predicate.IsNull}
	if err := f.UseIndex(b); err != nil {
		t.Fatal(err)
	}
	if check(t, table, never, nil) == 0 {
		t.Fatal("nothing is skipped")
	}
	moved := arrowmap.WithOtherPlaces(b)
	if err := f.UseIndex(moved); err != nil {
		t.Fatal(err)
	}
	if check(t, table, never, nil) != 0 {
		t.Error("an index of other chunks is used")
	}
}
