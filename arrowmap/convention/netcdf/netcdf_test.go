package netcdf_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// contents returns a file of testdata, unpacked.
func contents(t testing.TB, name string) []byte {
	t.Helper()
	return h5test.Unpacked(t, filepath.Join("testdata", name+".gz"))
}

func open(t testing.TB, name string, opts ...arrowmap.Option) *arrowmap.File {
	t.Helper()
	p := contents(t, name)
	f, err := arrowmap.NewFile(source.FromReaderAt(bytes.NewReader(p), int64(len(p)), name), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// expected are the tables that tables.txt says are in a file, by the file's name.
func expected(t *testing.T) map[string]string {
	t.Helper()
	p, err := os.ReadFile(filepath.Join("testdata", "tables.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, part := range strings.Split("\n"+string(p), "\n== ")[1:] {
		name, tables, _ := strings.Cut(part, "\n")
		out[name] = strings.TrimSpace(tables)
	}
	return out
}

func TestFixtures(t *testing.T) {
	found, err := filepath.Glob(filepath.Join("testdata", "*.gz"))
	if err != nil {
		t.Fatal(err)
	}
	tables := expected(t)
	for _, path := range found {
		name := strings.TrimSuffix(filepath.Base(path), ".gz")
		t.Run(name, func(t *testing.T) {
			h5test.Leaks(t)
			f := open(t, name)
			list, err := f.Tables()
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, table := range list {
				dump(t, &b, table)
			}
			if got := strings.TrimSpace(b.String()); got != tables[name] {
				t.Errorf("tables are\n%s\nwant\n%s", got, tables[name])
			}
		})
	}
	if len(found) != len(tables) || len(found) == 0 {
		t.Errorf("%d files, tables of %d", len(found), len(tables))
	}
}

// dump writes a table, read at once and read by single rows: both must give the same.
func dump(t *testing.T, b *strings.Builder, table *arrowmap.Table) {
	fmt.Fprintf(b, "%s %d\n", table.Path(), table.Rows())
	for _, c := range table.Columns() {
		if c.Err != nil {
			fmt.Fprintf(b, "  %s: %s\n", c.Name, h5err.KindOf(c.Err))
			continue
		}
		one, err := table.Select(c.Name)
		if err != nil {
			t.Fatal(err)
		}
		whole, single := tabletest.First(t, one, 0), tabletest.First(t, one, 1)
		if whole != single {
			t.Errorf("%s: %s: all rows are %s, row by row %s", table.Path(), c.Name, whole, single)
		}
		typ := strings.NewReplacer(", nullable", "", " nullable", "", "item: ", "", "fixed_size_list", "fsl").Replace(c.Type.String())
		fmt.Fprintf(b, "  %s: %s %s\n", c.Name, typ, whole)
		for _, n := range c.Notes {
			fmt.Fprintf(b, "    %s\n", n)
		}
	}
}

// TestDatasets reads durations and booleans of xarray as single datasets, to which no convention applies.
func TestDatasets(t *testing.T) {
	for name, want := range map[string]string{
		"span":      "duration[s] 3600s | null | 129600s",
		"flag":      "bool true | false | true",
		"fractions": "duration[s] 1800s | 5400s | 7201s",
		"narrow":    "duration[ms] 86400000ms | 172800000ms | 259200000ms",
		"grid":      `fixed_size_list<item: duration[ns], nullable>[2] ["0ns","86400000000000ns"] | ["172800000000000ns","259200000000000ns"] | ["345600000000000ns","432000000000000ns"]`,
	} {
		table, err := open(t, "xarray.nc").Datasets("/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got := table.Columns()[0].Type.String() + " " + tabletest.First(t, table, 0); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if units, _ := table.Schema().Field(0).Metadata.GetValue(dtype.MetaAttribute + "units"); name == "span" && units != "seconds" {
			t.Errorf("the units of the durations are said to be %s", units)
		}
	}
}

// TestTextAsBytes reads text with fills, and rows that are missing, as bytes.
func TestTextAsBytes(t *testing.T) {
	for _, c := range []struct{ file, table, column, want string }{
		{"text.nc", "/n", "c", "YWJj | null | YSpj | YWJjZGU="},
		{"text.nc", "/n", "s", "eA== | null |  | Z3LDtsOfZQ=="},
		{"lengths.nc", "/t", "s", "b25seQ== |  |  | "},
	} {
		table, err := open(t, c.file, arrowmap.WithTypes(dtype.Options{Strings: dtype.StringsBinary})).Table(c.table)
		if err != nil {
			t.Fatal(err)
		}
		if table, err = table.Select(c.column); err != nil {
			t.Fatal(err)
		}
		if got := tabletest.First(t, table, 0); got != c.want {
			t.Errorf("%s: %s, want %s", c.column, got, c.want)
		}
	}
}

// TestDamage reads the files with some of their bytes changed. Errors are fine as long as they are of our type.
func TestDamage(t *testing.T) {
	for name := range expected(t) {
		tabletest.Damage(t, name, contents(t, name))
	}
}
