package format

import (
	"slices"
	"strings"
	"testing"
)

// TestTable holds that each row of the table is complete, and that names and suffixes lead to it.
func TestTable(t *testing.T) {
	var names []string
	for _, f := range formats {
		if len(f.Names) == 0 || f.title == "" || f.write == nil || !slices.Contains(f.codecs, f.codec) {
			t.Errorf("%+v", f)
		}
		for _, n := range f.Names {
			if slices.Contains(names, n) {
				t.Errorf("two formats are called %s", n)
			}
			names = append(names, n)
			if got, err := Named(n); got != f || err != nil {
				t.Errorf("%s: %v, %v", n, got, err)
			}
			for _, file := range []string{"x." + n, "X." + strings.ToUpper(n), "." + n} {
				if got, err := Of(file, false); got != f || err != nil {
					t.Errorf("%s: %v, %v", file, got, err)
				}
				if IsReadable(file) != f.read {
					t.Errorf("%s is readable: %v", file, !f.read)
				}
			}
		}
		for _, codec := range append(Codecs(), "") {
			e, err := f.Encoder(codec)
			if ok := codec == "" || slices.Contains(f.codecs, codec); (err == nil) != ok {
				t.Errorf("%s for a %s: %v", codec, f.title, err)
			} else if ok && (e.codec == "" || codec != "" && e.codec != codec) {
				t.Errorf("%q for a %s: %q", codec, f.title, e.codec)
			}
		}
	}
	if !slices.Equal(names, Names()) {
		t.Errorf("%v", Names())
	}
	for _, file := range []string{"x", "arrow", "x.txt", "x.arrow.gz", ""} {
		if f, err := Of(file, false); err == nil {
			t.Errorf("%q: %s", file, f.title)
		}
		if f, err := Of(file, true); f != Stream || err != nil {
			t.Errorf("special %q: %v, %v", file, f, err)
		}
	}
	if f, err := Named("csv"); err == nil {
		t.Errorf("csv: %s", f.title)
	}
}

func TestTexts(t *testing.T) {
	for got, want := range map[string]string{
		Suffixes("or"):  ".arrow, .feather, .arrows or .parquet",
		Readable("and"): ".arrow, .feather and .arrows",
		CodecHelp():     "compression codec; .parquet also has snappy and uses zstd by default",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	help := Help()
	for _, n := range Names() {
		if !strings.Contains(help, "."+n) {
			t.Errorf("the help does not name .%s:\n%s", n, help)
		}
	}
}

// Batches are larger where there are many columns, and never larger than what the reader may have in flight.
func TestParquetBatch(t *testing.T) {
	for _, c := range []struct {
		memory  int64
		columns int
		want    int64
	}{{64 << 20, 3, 1 << 20}, {64 << 20, 1000, 4000 << 10}, {64 << 20, 10_000, 8 << 20}, {1 << 20, 10_000, 512 << 10}, {4 << 30, 3, 8 << 20}, {4 << 30, 10_000, 8 << 20}} {
		if got := parquetBatch(c.memory, c.columns); got != c.want {
			t.Errorf("%d bytes of memory, %d columns: %d bytes, want %d", c.memory, c.columns, got, c.want)
		}
	}
}
