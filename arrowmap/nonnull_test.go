package arrowmap_test

import (
	"context"
	"encoding/binary"
	"math"
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// timesFile writes instants, some of which are NaT, and as many numbers, in pairs.
func timesFile(t *testing.T, rows int, nat ...int) string {
	times := make([]byte, 8*rows)
	for i := range rows {
		binary.LittleEndian.PutUint64(times[8*i:], uint64(i))
	}
	for _, i := range nat {
		binary.LittleEndian.PutUint64(times[8*i:], 1<<63)
	}
	long := &h5.Type{Class: h5.ClassFixed, Size: 8, Order: h5.LittleEndian, Precision: 64, Signed: true}
	unit := write.Attribute{Name: "dtype", Type: &h5.Type{Class: h5.ClassString, Size: 15}, Space: write.Shape(), Data: []byte("datetime64[ns]\x00")}
	return written.File(t, filepath.Join(t.TempDir(), "times.h5"), func(f *write.File) error {
		for path, dims := range map[string][]uint64{"/t/times": {uint64(rows)}, "/pairs": {uint64(rows / 2), 2}} {
			d, err := f.Dataset(path, write.Spec{Type: long, Space: h5.Space{Class: h5.SpaceSimple, Dims: dims}})
			if err != nil {
				return err
			}
			if err := d.Attribute(unit); err != nil {
				return err
			}
			if err := d.Write(times); err != nil {
				return err
			}
		}
		return nil
	})
}

// nullsOf reads a column, and returns its nulls.
func nullsOf(t *testing.T, table *arrowmap.Table, opts ...arrowmap.ReadOption) int64 {
	t.Helper()
	r, err := table.Reader(context.Background(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return r.Report()[0].NullCount
}

func datasets(t *testing.T, f *arrowmap.File, paths ...string) *arrowmap.Table {
	t.Helper()
	table, err := f.Datasets(paths...)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestNullsAreLookedForOnce reads mapped times twice: the rows that had no NaT are not looked at again, the others are.
func TestNullsAreLookedForOnce(t *testing.T) {
	const rows = 200_000
	f, err := arrowmap.Open(timesFile(t, rows, 150_001, rows-1))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	times := datasets(t, f, "/t/times")
	if nullsOf(t, times); arrowmap.Remembers(f) != nil {
		t.Fatal("a file that was written just now is remembered")
	}
	arrowmap.Remember(f)
	column := times.Columns()[0]
	if column.Delivery != dtype.Mapped {
		t.Skipf("files are not mapped here: %s", column.Reason)
	}
	for range 2 {
		if n := nullsOf(t, times, arrowmap.WithBatchRows(50_000)); n != 2 {
			t.Errorf("%d nulls", n)
		}
		for a, want := range map[int64]bool{0: true, 50_000: true, 100_000: true, 150_000: false} {
			if got, _ := arrowmap.Known(f, column, a, a+50_000); got != want {
				t.Errorf("rows from %d on: known is %v", a, got)
			}
		}
	}
	if known, _ := arrowmap.Known(f, column, 0, 150_000); !known {
		t.Error("batches are remembered apart")
	}
	if n := nullsOf(t, datasets(t, f, "/pairs"), arrowmap.WithBatchRows(30_000)); n != 2 {
		t.Errorf("%d nulls in pairs", n)
	}
	if known, _ := arrowmap.Known(f, datasets(t, f, "/pairs").Columns()[0], 0, 60_000); !known {
		t.Error("pairs are not remembered")
	}
	arrowmap.Claim(f, column, 0, rows)
	if n := nullsOf(t, times); n != 0 {
		t.Errorf("what is known is looked at: %d nulls", n)
	}
}

// TestIndexKnowsNulls reads with an index: rows of zones without nulls are not looked at, and the nulls of the others are found.
func TestIndexKnowsNulls(t *testing.T) {
	const rows, zone = 200_000, 1 << 16
	name := timesFile(t, rows, zone+7)
	f, _ := indexed(t, name)
	table, err := f.Table("/t")
	if err != nil {
		t.Fatal(err)
	}
	if table, err = table.Select("times"); err != nil {
		t.Fatal(err)
	}
	column := table.Columns()[0]
	if column.Delivery != dtype.Mapped {
		t.Skipf("files are not mapped here: %s", column.Reason)
	}
	arrowmap.Remember(f)
	for _, batch := range []int64{0, 10_000, zone, math.MaxInt32} {
		if n := nullsOf(t, table, arrowmap.WithBatchRows(batch)); n != 1 {
			t.Errorf("%d nulls in batches of %d", n, batch)
		}
	}
	for k, want := range []bool{true, false, true, true} {
		if _, got := arrowmap.Known(f, column, int64(k)*zone, min(rows, int64(k+1)*zone)); got != want {
			t.Errorf("zone %d: known is %v", k, got)
		}
	}
	if read, _ := arrowmap.Known(f, column, 2*zone, 3*zone); read {
		t.Error("rows that the index knows were looked at")
	}
}

// TestNullCache opens a file twice: what is remembered is the same, if its age allows that.
func TestNullCache(t *testing.T) {
	cache := arrowmap.NewNullCache(10)
	open := func(name string) (any, bool) {
		f, err := arrowmap.Open(h5test.Fixture(t, name), arrowmap.WithNullCache(cache))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, ok := f.H5().Source().Identity()
		return arrowmap.Remembers(f), ok
	}
	one, ok := open("sample.h5")
	if again, both := open("sample.h5"); ok == both && again != one || (one != nil) != ok {
		t.Errorf("%v and %v, identified: %v", one, again, ok)
	}
	if other, both := open("vaex.h5"); ok && both && other == one {
		t.Error("files share what is remembered")
	}
}
