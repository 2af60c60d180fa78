package rows

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// batches returns a reader of batches of so many rows. Their one column counts the rows.
func batches(t testing.TB, mem memory.Allocator, name string, sizes ...int) array.RecordReader {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: name, Type: arrow.PrimitiveTypes.Int32, Nullable: true}}, nil)
	var list []arrow.RecordBatch
	row := int32(0)
	for _, n := range sizes {
		b := array.NewRecordBuilder(mem, schema)
		for range n {
			b.Field(0).(*array.Int32Builder).Append(row)
			row++
		}
		list = append(list, b.NewRecordBatch())
		b.Release()
	}
	r, err := array.NewRecordReader(schema, list)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range list {
		rec.Release()
	}
	return r
}

// contents returns the rows of each batch of a reader, a line each, and releases it.
func contents(t testing.TB, r array.RecordReader) (out []string) {
	t.Helper()
	defer r.Release()
	for r.Next() {
		rec := r.RecordBatch()
		var rows []string
		for i := range int(rec.NumRows()) {
			var row []string
			for _, c := range rec.Columns() {
				row = append(row, c.ValueStr(i))
			}
			rows = append(rows, strings.Join(row, " "))
		}
		out = append(out, strings.Join(rows, ","))
	}
	if r.Err() != nil {
		t.Error(r.Err())
	}
	return out
}

// checked returns an allocator that must be empty at the end of the test.
func checked(t *testing.T) memory.Allocator {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

func TestJoin(t *testing.T) {
	h5test.Leaks(t)
	for _, c := range []struct {
		sizes []int
		rows  int64
		want  string
	}{
		{nil, 2, ""}, {[]int{0, 0}, 2, ""}, {[]int{1, 1, 1}, 2, "0,1|2"}, {[]int{5}, 2, "0,1|2,3|4"}, {[]int{2, 2}, 2, "0,1|2,3"},
		{[]int{1, 0, 4, 1}, 3, "0,1,2|3,4,5"}, {[]int{1, 2, 3}, 0, "0,1,2,3,4,5"},
	} {
		if got := strings.Join(contents(t, Join(batches(t, checked(t), "n", c.sizes...), c.rows)), "|"); got != c.want {
			t.Errorf("%v to %d: %s, want %s", c.sizes, c.rows, got, c.want)
		}
	}
}

func TestWindow(t *testing.T) {
	for _, c := range []struct {
		from, n int64
		want    string
		seen    int64
	}{{0, 9, "0,1|2,3,4", 5}, {1, 2, "1|2", 5}, {2, 2, "2,3", 5}, {4, 9, "4", 5}, {5, 1, "", 5}, {9, 1, "", 5}, {0, 0, "", 0}, {0, 2, "0,1", 2}} {
		w := &Window{RecordReader: batches(t, checked(t), "n", 2, 3), From: c.from, N: c.n}
		if got := strings.Join(contents(t, w), "|"); got != c.want || w.Seen() != c.seen {
			t.Errorf("%d rows from %d on: %q of %d rows, want %q of %d", c.n, c.from, got, w.Seen(), c.want, c.seen)
		}
	}
}

func TestAddFilenames(t *testing.T) {
	files := []File{{"a", 2}, {"empty", 0}, {"b\x1b", 3}}
	for first, want := range []string{"0 a,1 a|2 b\\x1b", "0 a,1 b\\x1b|2 b\\x1b", "0 b\\x1b,1 b\\x1b|2 b\\x1b"} {
		r, err := AddFilenames(batches(t, checked(t), "n", 2, 1), files, int64(first))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(contents(t, r), "|"); got != want {
			t.Errorf("from row %d on: %s, want %s", first, got, want)
		}
	}
	if _, err := AddFilenames(batches(t, checked(t), Filename, 1), files, 0); !h5err.Is(err, h5err.Argument) {
		t.Errorf("%v", err)
	}
}

// failing fails when it is written to.
type failing struct{}

var errFull = errors.New("full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestPrint(t *testing.T) {
	const name = "n\x1b,"
	for want, print := range map[string]func(*strings.Builder, array.RecordReader) error{
		"n\\x1b,\n int32\n     0\n     1\n": func(w *strings.Builder, r array.RecordReader) error {
			return (&Grid{Columns: []int{0}}).Print(&text.Screen{W: w}, r)
		},
		"[{\"n\\u001b,\": 0},\n {\"n\\u001b,\": 1}]\n": func(w *strings.Builder, r array.RecordReader) error { return PrintJSON(w, r, []int{0}) },
		"\"n\x1b,\"\n0\n1\n":                           func(w *strings.Builder, r array.RecordReader) error { return PrintCSV(w, r) },
	} {
		var out strings.Builder
		r := batches(t, checked(t), name, 1, 1)
		if err := print(&out, r); err != nil || out.String() != want {
			t.Errorf("%q, %v, want %q", &out, err, want)
		}
		r.Release()
	}
	for i, print := range []func(array.RecordReader) error{
		func(r array.RecordReader) error {
			return (&Grid{Columns: []int{0}}).Print(&text.Screen{W: failing{}}, r)
		},
		func(r array.RecordReader) error { return PrintJSON(failing{}, r, []int{0}) },
		func(r array.RecordReader) error { return PrintCSV(failing{}, r) },
	} {
		r := batches(t, checked(t), fmt.Sprint(i), 1)
		if err := print(r); !errors.Is(err, errFull) {
			t.Errorf("printer %d: %v", i, err)
		}
		r.Release()
	}
}

// Last returns the last rows, whatever the batches they are in.
func TestLast(t *testing.T) {
	h5test.Leaks(t)
	for n, want := range map[int64]string{0: "", 1: "5", 3: "3 4 5", 5: "1 2 3 4 5", 6: "0 1 2 3 4 5", 100: "0 1 2 3 4 5"} {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		got := contents(t, Last(batches(t, mem, "n", 2, 3, 1), n))
		if s := strings.ReplaceAll(strings.Join(got, " "), ",", " "); s != want {
			t.Errorf("the last %d: %q, want %q", n, s, want)
		}
		mem.AssertSize(t, 0)
	}
}

// Rows and columns that are left out are counted and named.
func TestGridLeavesOut(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "first", Type: arrow.PrimitiveTypes.Int32}, {Name: "second", Type: arrow.PrimitiveTypes.Int32}, {Name: "third", Type: arrow.PrimitiveTypes.Int32}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range 3 {
		b.Field(i).(*array.Int32Builder).AppendValues([]int32{10, 20, 30}, nil)
	}
	rec := b.NewRecordBatch()
	rr, err := array.NewRecordReader(schema, []arrow.RecordBatch{rec, rec})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := (&Grid{Columns: []int{0, 1, 2}, Max: 2, All: "--rows"}).Print(&text.Screen{W: &out, Width: 80}, rr); err != nil {
		t.Fatal(err)
	}
	want := "first  second  third\nint32   int32  int32\n   10      10     10\n   20      20     20\n… 4 more rows of 6 (--rows prints all)\n"
	if out.String() != want {
		t.Errorf("%q, want %q", &out, want)
	}
	rr, _ = array.NewRecordReader(schema, []arrow.RecordBatch{rec})
	out.Reset()
	if err := (&Grid{Columns: []int{0, 1, 2}}).Print(&text.Screen{W: &out, Width: 14}, rr); err != nil {
		t.Fatal(err)
	}
	if want := "first  second\nint32   int32\n   10      10\n   20      20\n   30      30\n… 1 more colu…\n"; out.String() != want {
		t.Errorf("%q, want %q", &out, want)
	}
}
