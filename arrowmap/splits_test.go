package arrowmap_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// ranges are the rows of splits, as "A:B".
func ranges(splits []arrowmap.Split) []string {
	var out []string
	for _, s := range splits {
		out = append(out, fmt.Sprintf("%d:%d", s.From, s.To))
	}
	return out
}

func splitsOf(t *testing.T, tab *arrowmap.Table, opts ...arrowmap.SplitOption) []arrowmap.Split {
	t.Helper()
	splits, err := tab.Splits(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return splits
}

func sliced(t *testing.T, tab *arrowmap.Table, from, to int64) *arrowmap.Table {
	t.Helper()
	out, err := tab.Slice(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Splits of sample.h5, whose chunks have 8192 rows, end at borders of chunks.
func TestSplits(t *testing.T) {
	whole := table(t, open(t, "sample.h5"), "")
	mapped, err := whole.Select("fare", "zone")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tab  *arrowmap.Table
		opts []arrowmap.SplitOption
		want []string
	}{
		{whole, nil, []string{"0:50000"}},
		{whole, []arrowmap.SplitOption{arrowmap.WithSplitCount(1)}, []string{"0:50000"}},
		{whole, []arrowmap.SplitOption{arrowmap.WithSplitCount(4)}, []string{"0:16384", "16384:32768", "32768:49152", "49152:50000"}},
		{whole, []arrowmap.SplitOption{arrowmap.WithSplitCount(1000)},
			[]string{"0:8192", "8192:16384", "16384:24576", "24576:32768", "32768:40960", "40960:49152", "49152:50000"}},
		{whole, []arrowmap.SplitOption{arrowmap.WithSplitBytes(1 << 20)}, []string{"0:24576", "24576:49152", "49152:50000"}},
		{whole, []arrowmap.SplitOption{arrowmap.WithSplitBytes(1 << 20), arrowmap.WithSplitCount(2)}, []string{"0:32768", "32768:50000"}},
		{whole, []arrowmap.SplitOption{arrowmap.WithSplitBytes(1 << 20), arrowmap.WithSplitCount(100)},
			[]string{"0:24576", "24576:49152", "49152:50000"}},
		{sliced(t, whole, 100, 20100), []arrowmap.SplitOption{arrowmap.WithSplitCount(4)}, []string{"0:8092", "8092:16284", "16284:20000"}},
		{sliced(t, whole, 9000, 9000), []arrowmap.SplitOption{arrowmap.WithSplitCount(4)}, []string{"0:0"}},
		{mapped, []arrowmap.SplitOption{arrowmap.WithSplitCount(3)}, []string{"0:16704", "16704:33408", "33408:50000"}},
	} {
		splits := splitsOf(t, c.tab, c.opts...)
		if got := ranges(splits); !slices.Equal(got, c.want) {
			t.Errorf("splits %v, want %v", got, c.want)
		}
		row := c.tab.Footprint().Bytes
		for _, s := range splits {
			if s.Bytes != (s.To-s.From)*row || s.StoredBytes != 0 {
				t.Errorf("%d bytes, %d stored, rows of %d bytes", s.Bytes, s.StoredBytes, row)
			}
		}
	}
}

// The splits of a table of several files each lie in one of them.
func TestSplitsOfFiles(t *testing.T) {
	a, b := table(t, open(t, "sample.h5"), ""), table(t, open(t, "sample.h5"), "")
	name := h5test.Fixture(t, "sample.h5")
	inner, err := arrowmap.Concat(a, sliced(t, b, 40000, 50000))
	if err != nil {
		t.Fatal(err)
	}
	all, err := arrowmap.Concat(inner, sliced(t, a, 7, 7), a)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tab  *arrowmap.Table
		n    int
		want []string
		from []int64 // in the file
	}{
		{all, 1, []string{"0:50000", "50000:60000", "60000:110000"}, []int64{0, 40000, 0}},
		{all, 3, []string{"0:32768", "32768:50000", "50000:60000", "60000:92768", "92768:110000"}, []int64{0, 32768, 40000, 0, 32768}},
		{sliced(t, all, 49000, 60000), 1, []string{"0:1000", "1000:11000"}, []int64{49000, 40000}},
		{sliced(t, all, 50500, 60100), 1, []string{"0:9500", "9500:9600"}, []int64{40500, 0}},
		{sliced(t, all, 110000, 110000), 2, []string{"0:0"}, []int64{50000}},
	} {
		splits := splitsOf(t, c.tab, arrowmap.WithSplitCount(c.n))
		if got := ranges(splits); !slices.Equal(got, c.want) {
			t.Errorf("splits %v, want %v", got, c.want)
			continue
		}
		for i, s := range splits {
			if s.File != name || s.FileFrom != c.from[i] {
				t.Errorf("rows %d:%d are from row %d of %s, want %d", s.From, s.To, s.FileFrom, s.File, c.from[i])
			}
			if s.From == s.To {
				continue
			}
			one := concat(t, records(t, stream(t, sliced(t, c.tab, s.From, s.To))))
			same := concat(t, records(t, stream(t, sliced(t, a, s.FileFrom, s.FileFrom+s.To-s.From))))
			sameRecords(t, fmt.Sprint("split ", i), one, same)
		}
	}
}

// storedBytes are the bytes of chunks, or of values that are not chunked, of datasets.
func storedBytes(t *testing.T, f *arrowmap.File, paths ...string) int64 {
	t.Helper()
	n := int64(0)
	for _, p := range paths {
		o, err := f.H5().Lookup(p)
		if err != nil {
			t.Fatal(err)
		}
		d := o.(*h5.Dataset)
		chunks, err := d.Chunks()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			n += c.Size
		}
		if len(chunks) == 0 {
			row, err := d.RowBytes()
			if err != nil {
				t.Fatal(err)
			}
			n += row * d.Rows()
		}
	}
	return n
}

func TestSplitStoredBytes(t *testing.T) {
	for _, c := range []struct {
		file    string
		columns []string
		data    []string // datasets, below /table/columns
		cut     bool     // chunks lie in two splits
	}{
		{"sample.h5", []string{"fare"}, []string{"fare/data"}, false},
		{"sample.h5", []string{"meter", "vendor"}, []string{"meter/data", "vendor/data"}, false},
		{"sample.h5", []string{"tip", "zone", "note"},
			[]string{"tip/data", "tip/mask", "zone/data", "zone/indices", "note/data", "note/indices", "note/null_bitmap"}, false},
		{"vaex_hand.h5", []string{"mask_chunked"}, []string{"mask_chunked/data", "mask_chunked/mask"}, true},
		{"vaex_hand.h5", []string{"bitmap_chunked"}, []string{"bitmap_chunked/data", "bitmap_chunked/null_bitmap"}, true},
	} {
		f := open(t, c.file)
		tab, err := table(t, f, "").Select(c.columns...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.data {
			c.data[i] = "/table/columns/" + c.data[i]
		}
		want := storedBytes(t, f, c.data...)
		if one := splitsOf(t, tab, arrowmap.WithStoredBytes()); len(one) != 1 || one[0].StoredBytes != want {
			t.Errorf("%s %v: %+v, the datasets have %d bytes", c.file, c.columns, one, want)
		}
		sum := int64(0)
		splits := splitsOf(t, tab, arrowmap.WithStoredBytes(), arrowmap.WithSplitCount(1000))
		for _, s := range splits {
			if s.StoredBytes <= 0 || len(splits) > 1 && s.StoredBytes >= want {
				t.Errorf("%s %v: %+v", c.file, c.columns, s)
			}
			sum += s.StoredBytes
		}
		// The offsets of text have one more than there are rows, and a row's share is rounded down.
		if slack := int64(16 * len(splits)); len(splits) < 4 || !c.cut && (sum < want-slack || sum > want+slack) || c.cut && sum < want {
			t.Errorf("%s %v: %d splits have %d bytes, the datasets %d", c.file, c.columns, len(splits), sum, want)
		}
	}
}

// Whatever the table, its splits follow one another, without gaps and the same each time, and one that is read gives its rows.
func TestSplitsEverywhere(t *testing.T) {
	tables := 0
	for _, path := range h5test.Fixtures(t) {
		f, err := arrowmap.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		all, err := f.Tables()
		if err != nil {
			t.Logf("%s: %v", path, err)
		}
		for _, tab := range all {
			splits, err := tab.Splits(arrowmap.WithSplitCount(5), arrowmap.WithStoredBytes())
			if _, e := tab.Slice(0, 0); e != nil {
				if err == nil {
					t.Errorf("%s %s: splits of a table that can't be read", path, tab.Path())
				}
				continue
			}
			if err != nil {
				t.Errorf("%s %s: %v", path, tab.Path(), err)
				continue
			}
			tables++
			at := int64(0)
			for _, s := range splits {
				if s.From != at || s.To < s.From || s.FileFrom != s.From || s.Bytes < s.To-s.From || s.StoredBytes < 0 {
					t.Errorf("%s %s: %+v after row %d", path, tab.Path(), s, at)
				}
				at = s.To
			}
			if at != tab.Rows() || len(splits) > 5 {
				t.Errorf("%s %s: %d splits of %d of %d rows", path, tab.Path(), len(splits), at, tab.Rows())
			}
			if again := splitsOf(t, tab, arrowmap.WithSplitCount(5), arrowmap.WithStoredBytes()); !slices.Equal(again, splits) {
				t.Errorf("%s %s: %+v, then %+v", path, tab.Path(), splits, again)
			}
		}
		f.Close()
	}
	if tables < 10 {
		t.Errorf("%d tables", tables)
	}
}

// What a row takes is what its arrays take, where that is exact.
func TestFootprint(t *testing.T) {
	f := open(t, "sample.h5")
	whole := table(t, f, "")
	if got, want := whole.Footprint(), (arrowmap.Footprint{Bytes: 51, Copied: 12, ChunkRows: 8192, ChunkBytes: 81920}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	fixed, err := whole.Select("pickup", "passengers", "meter")
	if err != nil {
		t.Fatal(err)
	}
	foot := fixed.Footprint()
	rec := concat(t, records(t, stream(t, fixed)))[0]
	bytes := int64(0)
	for _, c := range rec.Columns() {
		bytes += int64(c.DataType().(arrow.FixedWidthDataType).Bytes())
	}
	if want := (arrowmap.Footprint{Bytes: bytes, Exact: true, Copied: 8, ChunkRows: 8192, ChunkBytes: 65536}); foot != want {
		t.Errorf("%+v, want %+v", foot, want)
	}
}

func TestSplitErrors(t *testing.T) {
	tab := table(t, open(t, "sample.h5"), "")
	for _, o := range []arrowmap.SplitOption{arrowmap.WithSplitCount(-1), arrowmap.WithSplitCount(arrowmap.MaxSplits + 1), arrowmap.WithSplitBytes(-1)} {
		if _, err := tab.Splits(o); !h5err.Is(err, h5err.Argument) {
			t.Errorf("error %v", err)
		}
	}
	none, err := tab.Select()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Splits(); !h5err.Is(err, h5err.Argument) {
		t.Errorf("a table without columns: %v", err)
	}
}
