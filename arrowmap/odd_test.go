package arrowmap_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// counted is the line of show for a column of n rows, of which row i is i times step, each written items times.
func counted(name, typ string, n int, step float64, items int) string {
	out := []string{name, typ}
	for i := range n {
		s := strconv.FormatFloat(float64(i)*step, 'g', -1, 64)
		if items > 1 {
			s = "[" + strings.Repeat(s+",", items-1) + s + "]"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// TestOdd shows the values of files that are unusual below the level of conventions.
func TestOdd(t *testing.T) {
	number := func(n int) string { return counted("", "", n, 1, 1)[1:] }
	var images []string
	for i := range 32 {
		s := strconv.Itoa(i)
		images = append(images, "[["+s+","+s+"],["+s+","+s+"]]")
	}
	const five = "a int32 0 1 2 3 4\nb float64 0 0.5 1 1.5 2\ns utf8 s0 s1 s2 s3 s4\nv fixed_size_list<int16>[2] [0,1] [2,3] [4,5] [6,7] [8,9]"
	for _, c := range []struct {
		file, table string
		datasets    []string
		want        string
	}{
		{"swmr_dead.h5", "", nil, counted("t", "int64", 280, 1, 1) + "\n" + counted("x", "float64", 280, 1, 1)},
		{"swmr_dead.h5", "", []string{"/t"}, counted("t", "int64", 350, 1, 1)},
		{"swmr_dead.h5", "", []string{"/t", "/x"}, counted("t", "int64", 280, 1, 1) + "\n" + counted("x", "float64", 280, 1, 1)},
		{"swmr_block.h5", "", nil, "image fixed_size_list<fixed_size_list<int32>[2]>[2] " + strings.Join(images, " ") +
			"\nname utf8" + number(32) + "\nseq int32" + number(32) + "\ny int32" + number(32)},
		{"rows_left.h5", "", nil, counted("a", "float64", 250, 1, 1) + "\n" + counted("b", "fixed_size_list<int16>[3]", 250, 1, 3) + "\n" + counted("c", "int32", 250, 1, 1)},
		{"element_size.h5", "", nil, counted("a", "float64", 250, .5, 1) + "\n" + counted("b", "int32", 250, 1, 1)},
		{"column.h5", "/t", nil, five},
		{"column.h5", "/c", nil, five},
		{"column.h5", "/o", nil, "a int32 3\nb float64 1.5\ns utf8 s3\nv fixed_size_list<int16>[2] [6,7]"},
		{"column.h5", "/e", nil, ""},
		{"column.h5", "/é", nil, "n utf8 é \nk int64 1 2"},
		{"fp.h5", "", []string{"/f4e2m1"}, "f4e2m1 float16 0 0.5 1 1.5 2 3 4 6 -0 -0.5 -1 -1.5 -2 -3 -4 -6"},
	} {
		for _, how := range []string{"mapped", "read", "io.ReaderAt"} {
			f := tabletest.OpenHow(t, "testdata/"+c.file, how)
			if got := show(f, c.table, c.datasets...); got != c.want {
				t.Errorf("%s %s %v, %s:\ngot  %s\nwant %s", c.file, c.table, c.datasets, how, got, c.want)
			}
		}
	}
}

func TestShortestNote(t *testing.T) {
	f := tabletest.OpenHow(t, "testdata/swmr_dead.h5", "mapped")
	table, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	notes := table.Notes()
	if len(notes) != 1 || !strings.Contains(notes[0], "280 rows") || !strings.Contains(notes[0], "70 more of t") {
		t.Errorf("notes %q", notes)
	}
	one, err := table.Select("t") // the rows of a table do not depend on what is chosen of it
	if err != nil || one.Rows() != 280 {
		t.Errorf("t alone has %d rows, %v", one.Rows(), err)
	}
	f = tabletest.OpenHow(t, "testdata/swmr_block.h5", "mapped")
	if table, err = f.Table(""); err != nil {
		t.Fatal(err)
	}
	if notes = table.Notes(); len(notes) != 2 || !strings.Contains(notes[0], "left out: [calib (3 rows)]") {
		t.Errorf("notes %q", notes)
	}
}

// A file that its writer has open may grow while it is read, but not shrink.
func TestGrowingFile(t *testing.T) {
	whole, err := os.ReadFile("testdata/swmr_dead.h5")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "live.h5")
	for cut := range 8 {
		if err := os.WriteFile(name, whole[:len(whole)-cut*300], 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := arrowmap.Open(name)
		if err != nil {
			t.Fatalf("without %d bytes: %v", cut*300, err)
		}
		w, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteAt(whole, 0); err != nil {
			t.Fatal(err)
		}
		if got, want := show(f, ""), counted("t", "int64", 280, 1, 1); !strings.HasPrefix(got, want) {
			t.Errorf("without %d bytes at first: %s", cut*300, got)
		}
		if err := f.H5().Source().Changed(t.Context()); err != nil {
			t.Errorf("growth: %v", err)
		}
		if err := w.Truncate(int64(len(whole) - 1)); err != nil {
			t.Fatal(err)
		}
		if err := f.H5().Source().Changed(t.Context()); !h5err.Is(err, h5err.IO) || !strings.Contains(err.Error(), "cut short") {
			t.Errorf("a file that became shorter: %v", err)
		}
		w.Close()
		f.Close()
	}
}

// opener opens one table after the other, and the last again and again.
func opener(tables ...func() (*arrowmap.Table, func() error, error)) arrowmap.Opener {
	n := 0
	return func() (*arrowmap.Table, func() error, error) {
		open := tables[min(n, len(tables)-1)]
		n++
		return open()
	}
}

func part(name string, rows int64) func() (*arrowmap.Table, func() error, error) {
	return func() (*arrowmap.Table, func() error, error) {
		f, err := arrowmap.Open("testdata/" + name)
		if err != nil {
			return nil, nil, err
		}
		t, err := f.Table("")
		if err == nil {
			t, err = t.Slice(0, rows)
		}
		return t, f.Close, err
	}
}

func TestFollow(t *testing.T) {
	broken := func() (*arrowmap.Table, func() error, error) {
		return nil, nil, h5err.New(h5err.Corrupt, "half written")
	}
	lost := func() (*arrowmap.Table, func() error, error) { return nil, nil, errors.New("lost") }
	for _, c := range []struct {
		name string
		open arrowmap.Opener
		idle time.Duration
		rows int64
		err  string
	}{
		{"a file that is closed", opener(part("rows_left.h5", -1)), 0, 250, ""},
		{"rows are appended", opener(part("swmr_dead.h5", 0), part("swmr_dead.h5", 70), part("swmr_dead.h5", 70), broken, part("swmr_dead.h5", -1)), 300 * time.Millisecond, 280, ""},
		{"rows vanish", opener(part("swmr_dead.h5", 70), part("swmr_dead.h5", 60)), 0, 70, "the table has 60 rows, it had 70"},
		{"another schema", opener(part("swmr_dead.h5", 70), part("swmr_block.h5", -1)), 0, 70, "4 columns, not 2"},
		{"the file is lost", opener(part("swmr_dead.h5", 70), lost), 0, 70, "lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := arrowmap.Follow(context.Background(), c.open, c.idle)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Release()
			n := int64(0)
			for r.Next() {
				col := r.RecordBatch().Column(0)
				for i := range col.Len() {
					if want := strconv.FormatInt(n, 10); col.ValueStr(i) != want {
						t.Fatalf("row %s is %s", want, col.ValueStr(i))
					}
					n++
				}
			}
			if n != c.rows || r.RowsRead() != n {
				t.Errorf("%d rows", n)
			}
			if err := r.Err(); (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if len(r.Report()) != int(r.Schema().NumFields()) {
				t.Error("a report for each column is expected")
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	r, err := arrowmap.Follow(ctx, part("swmr_dead.h5", -1), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
	}
	if !errors.Is(r.Err(), context.Canceled) {
		t.Errorf("a writer that never ends: %v", r.Err())
	}
}

func names(s *arrow.Schema) string {
	var out []string
	for _, f := range s.Fields() {
		out = append(out, f.Name)
	}
	return strings.Join(out, " ")
}

// SkipUnsupported passes over what descriptions show, SkipBroken over what values show.
func TestSkip(t *testing.T) {
	b, err := os.ReadFile("testdata/rows_left.h5")
	if err != nil {
		t.Fatal(err)
	}
	o, err := tabletest.OpenHow(t, "testdata/rows_left.h5", "mapped").H5().Lookup("/b")
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := o.(*h5.Dataset).Chunks()
	if err != nil {
		t.Fatal(err)
	}
	b[chunks[1].Offset] ^= 0xff
	name := filepath.Join(t.TempDir(), "broken.h5")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := tabletest.OpenHow(t, name, "mapped").Table("")
	if err != nil {
		t.Fatal(err)
	}
	left, skipped := table.SkipUnsupported()
	if len(skipped) != 0 {
		t.Errorf("descriptions are sound: %v", skipped)
	}
	left, skipped, err = left.SkipBroken(t.Context())
	if err != nil || len(skipped) != 1 || !strings.Contains(skipped[0].Error(), "/b: ") || names(left.Schema()) != "a c" {
		t.Errorf("left are %s; %v, %v", names(left.Schema()), skipped, err)
	}
}
