package arrowmap_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// manyGroups writes a file of n groups with one to three rows and an attribute.
func manyGroups(t *testing.T, n int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "many.h5")
	i32 := &h5.Type{Class: h5.ClassFixed, Size: 4, Order: h5.LittleEndian, Signed: true, Precision: 32}
	number := make([]byte, 4)
	return written.File(t, name, func(f *write.File) error {
		for i := range n {
			binary.LittleEndian.PutUint32(number, uint32(i))
			p := fmt.Sprintf("/data/read_%06d", i)
			g, err := f.Group(p)
			if err == nil {
				err = g.Attribute(write.Attribute{Name: "id", Type: i32, Space: h5.Space{Class: h5.SpaceScalar}, Data: number})
			}
			if err != nil {
				return err
			}
			rows := uint64(1 + i%3)
			d, err := f.Dataset(p+"/x", write.Spec{Type: i32, Space: write.Shape(rows), Storage: h5.StorageCompact})
			if err == nil {
				err = d.Write([]byte(strings.Repeat(string(number), int(rows))))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A stack keeps a few bytes of each of its groups, and has the rows of all, in batches that are joined of many.
func TestStackOfMany(t *testing.T) {
	n := 20000
	if testing.Short() {
		n = 3000
	}
	f, err := arrowmap.Open(manyGroups(t, n))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := f.Stack("/data/read_*")
	if err != nil {
		t.Fatal(err)
	}
	rows := int64(0)
	r, err := all.Reader(t.Context(), arrowmap.WithBatchRows(int64(n)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	group, left := -1, 0
	for r.Next() {
		rec := r.RecordBatch()
		key, id, x := rec.Column(0).(*array.String), rec.Column(1).(*array.Int64), rec.Column(2).(*array.Int32)
		for i := range int(rec.NumRows()) {
			if left == 0 {
				group++
				left = 1 + group%3
			}
			left--
			if want := fmt.Sprintf("read_%06d", group); key.Value(i) != want || id.Value(i) != int64(group) || x.Value(i) != int32(group) {
				t.Fatalf("row %d: %s %d %d, want group %d", rows+int64(i), key.Value(i), id.Value(i), x.Value(i), group)
			}
		}
		rows += rec.NumRows()
	}
	if r.Err() != nil || group != n-1 || left != 0 || rows != all.Rows() || all.Groups() != n {
		t.Errorf("%d rows of %d, up to group %d of %d, %v", rows, all.Rows(), group, all.Groups(), r.Err())
	}
	with := live()
	runtime.KeepAlive(all)
	runtime.KeepAlive(r)
	r.Release()
	r, all = nil, nil
	if kept := (with - live()) / int64(n); kept > 60 { // the key, the end of the rows, and a share of the first group's table
		t.Errorf("a stack keeps %d bytes of each group", kept)
	}
}

// Attributes of several types are a column that has the values of all. Links that are not hard do not belong to a stack, and
// circles end.
func TestStackOdd(t *testing.T) {
	f, err := arrowmap.Open("convention/detect/testdata/stack_odd.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for pattern, want := range map[string]string{ // key, flag, list, number, word, x
		"/data/[ea]*1*":       "e_1 false 1 1 1 10",
		"/data/[ea]*[n1]":     "again false 1 1 1 10; e_1 false 1 1 1 10",
		"/data/c*/e_[12]":     "circle/e_1 false 1 1 1 10; circle/e_2 true (null) 2.5 2 20; circle/e_2 true (null) 2.5 2 21",
		"/data/e_[134]":       "e_1 false 1 1 1 10; e_3 false (null) 3 three 30; e_3 false (null) 3 three 31; e_3 false (null) 3 three 32; e_4 7 (null) 4.5 2.5 40; e_4 7 (null) 4.5 2.5 41; e_4 7 (null) 4.5 2.5 42; e_4 7 (null) 4.5 2.5 43",
		"/data/circle/c*/e_1": "circle false 1 1 1 10",
	} {
		table, err := f.Stack(pattern)
		if err == nil {
			table, err = table.Select("key", "flag", "list", "number", "word", "x")
		}
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if got := strings.Join(rowsOf(t, table), "; "); got != want {
			t.Errorf("%s: %s\nwant %s", pattern, got, want)
		}
	}
	for pattern, want := range map[string]string{
		"/data/[sl]*":             "no group matches", // soft links
		"/data/f*":                "no group matches", // an external one
		"/data/c*":                "not a table",
		"/*/e_[19]":               "column marks differs", // the same words for other numbers
		"/*/*/*/*/*/*/*/*/*/e_0/": "no group matches",
	} {
		if _, err := f.Stack(pattern); pattern[1] == '*' && pattern[3] == '*' {
			if err != nil && !h5err.Is(err, h5err.Argument) {
				t.Errorf("%s: %v", pattern, err)
			}
		} else if !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pattern, err, want)
		}
	}
}

// rowsOf returns the values of each row, with blanks between them.
func rowsOf(t *testing.T, table *arrowmap.Table) (out []string) {
	t.Helper()
	for _, rec := range records(t, stream(t, table)) {
		for i := range int(rec.NumRows()) {
			var row []string
			for _, c := range rec.Columns() {
				row = append(row, c.ValueStr(i))
			}
			out = append(out, strings.Join(row, " "))
		}
	}
	return out
}

// A search for groups in circles ends at a limit.
func TestStackCircles(t *testing.T) {
	f, err := arrowmap.Open("convention/detect/testdata/stack_odd.h5", arrowmap.WithLimits(h5.Limits{Links: 50}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Stack("/*/*/*/*/*/*/*/*/*/*/none"); !h5err.Is(err, h5err.Limit) || !strings.Contains(err.Error(), "more than 50 groups to look at") {
		t.Error(err)
	}
}

// What another group than the first one has to say of itself is a note of the stack.
func TestStackNotes(t *testing.T) {
	f, err := arrowmap.Open("convention/detect/testdata/stack_notes.nc")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := f.Table("/month_*")
	if err != nil {
		t.Fatal(err)
	}
	notes := all.Notes()
	if len(notes) != 1 || !strings.HasPrefix(notes[0], "/month_2: column t: ") || !strings.Contains(notes[0], "valid_range") {
		t.Errorf("%q", notes)
	}
	want := "month_0 0,month_0 0.5,month_1 1,month_1 1.5,month_2 2,month_2 2.5,month_3 3,month_3 3.5"
	if got := strings.Join(rowsOf(t, all), ","); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
