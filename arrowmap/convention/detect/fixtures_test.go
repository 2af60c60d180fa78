package detect_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

func TestFiles(t *testing.T) {
	found, err := os.ReadDir("testdata") // the first file opens the runtime's poller too
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		if name := e.Name(); files[name] == "" && !slices.Contains([]string{".py", ".R", ".m", ".mjs"}, filepath.Ext(name)) {
			t.Errorf("%s is in testdata, but no tables of it are expected", name)
		}
	}
	for name, want := range files {
		if newer, ok := strings.CutPrefix(want, "as "); ok {
			want = files[newer]
		}
		t.Run(name, func(t *testing.T) {
			h5test.Leaks(t)
			f, err := arrowmap.Open(local(t, name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			tables, err := f.Tables()
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, table := range tables {
				b.WriteString(dump(t, table))
				again, err := f.Table(table.Path())
				if err != nil {
					t.Errorf("%s is listed, but can't be asked for: %v", table.Path(), err)
				} else if a, b := again.Schema().String(), table.Schema().String(); a != b {
					t.Errorf("%s is\n%s\nwhen listed, and\n%s\nwhen asked for", table.Path(), b, a)
				}
			}
			got := strings.TrimSpace(strings.ReplaceAll(b.String(), "\x00", `\0`))
			if got != strings.TrimSpace(want) {
				t.Errorf("tables are\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// dump writes a table, read at once and read by single rows: both must give the same.
func dump(t *testing.T, table *arrowmap.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %d\n", table.Convention(), table.Path(), table.Rows())
	for _, c := range table.Columns() {
		if c.Err != nil {
			fmt.Fprintf(&b, "  %s: %s\n", c.Name, h5err.KindOf(c.Err))
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
		fmt.Fprintf(&b, "  %s: %s %s\n", c.Name, typeName(c.Type), whole)
	}
	return b.String()
}

// typeName leaves out what every type has.
func typeName(t arrow.DataType) string {
	return strings.NewReplacer(", nullable", "", " nullable", "", "item: ", "", "fixed_size_list", "fsl", "dictionary<values=", "dict<", "indices=", "").Replace(t.String())
}

// TestMetadata looks for what is said about tables and columns beside their values.
func TestMetadata(t *testing.T) {
	for _, c := range []struct{ file, table, column, key, want string }{
		{"gadget.h5", "/PartType1", "", "hdf5.attr.Redshift", "0.5"},
		{"gadget.h5", "/PartType1", "y", "hdf5.attr.unit", "kpc"},
		{"amuse.h5", "/particles/0000000001", "mass", "hdf5.attr.units", "MSun"},
		{"gwosc.h5", "/strain", "Strain", "hdf5.attr.Xspacing", "0.000244140625"},
		{"gwosc.h5", "/quality/simple", "CBC_CAT1", "description", "passes cbc"},
		{"openpmd.h5", "/data/100/particles/electrons", "position_x", "hdf5.attr.unitSI", "0.000001"},
		{"openpmd.h5", "/data/100/particles/electrons", "position_x", "hdf5.attr.unitDimension", "[1,0,0,0,0,0,0]"},
		{"astropy.h5", "/t", "flux", "unit", "Jy"},
		{"astropy.h5", "/t", "flux", "description", "of it, all"},
		{"astropy.h5", "/t", "v", "unit", "m / s"},
		{"anndata_old.h5ad", "/obs", "", "h5arrow.index", "index"},
		{"nwb.h5", "/acquisition/drate", "timestamps", "starting_time", "0.5"},
		{"nwb_old.h5", "/acquisition/drate", "timestamps", "rate", "2"},
		{"scipp.h5", "/entries/elem_001_line", "line", "unit", "m/s^2"},
		{"scipp.h5", "/entries/elem_001_line", "v", "unit", "dimensionless"},
		{"scipp_old.h5", "/entries/elem_000_image", "y", "unit", "mm"},
		{"scipp_old.h5", "/entries/elem_003_alone", "alone", "unit", "ns"},
		{"missing.h5", "/data_frame", "", "h5arrow.index", "row_names"},
	} {
		f, err := arrowmap.Open(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		table, err := f.Table(c.table)
		if err != nil {
			t.Fatal(err)
		}
		md := table.Schema().Metadata()
		if c.column != "" {
			fields, _ := table.Schema().FieldsByName(c.column)
			if len(fields) != 1 {
				t.Fatalf("%s: %d columns %s", c.file, len(fields), c.column)
			}
			md = fields[0].Metadata
		}
		if got, _ := md.GetValue(c.key); got != c.want {
			t.Errorf("%s: %s %s: %s is %q, want %q", c.file, c.table, c.column, c.key, got, c.want)
		}
		f.Close()
	}
}

// TestLeftOut asks for the datasets that are in no table because of their length.
func TestLeftOut(t *testing.T) {
	f, err := arrowmap.Open("testdata/lengths.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for path, want := range map[string]string{
		"/aux":        "fld (7 rows), call (1 row), index_version (1 row)",
		"/aux/rows=3": "",
		"/detector":   "size (2 rows)",
		"/labels":     "",
		"/traj":       "topology (1 row)",
	} {
		table, err := f.Table(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := table.LeftOut(); got != want {
			t.Errorf("%s: %q are left out, want %q", path, got, want)
		}
		if want != "" && !strings.HasSuffix(table.Reason(), "; left out: "+want) {
			t.Errorf("%s: %q", path, table.Reason())
		}
	}
	for path, want := range map[string]string{
		"/single": "the datasets of this group have several lengths (m: 1, v: 2): it is not a table",
		"/unlike": "the datasets of this group have several lengths (a: 2, b: 1): it is not a table",
	} {
		if _, err := f.Table(path); !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestForced chooses a convention by name: what it does not know is not a table.
func TestForced(t *testing.T) {
	for _, c := range []struct {
		file, convention string
		want             int
	}{
		{"gadget.h5", "gadget", 1}, {"gadget.h5", "group", 1}, {"gadget.h5", "nexus", 0},
		{"tenx.h5", "10x", 2}, {"loom.h5", "loom", 4}, {"cells.mat", "matlab", 7}, {"hdf5storage.h5", "hdf5storage", 6}, {"astropy.h5", "compound", 1},
		{"arkouda.h5", "arkouda", 1}, {"hdfeos.h5", "hdfeos", 3}, {"hdmf.h5", "hdmf", 2}, {"missing.h5", "alabaster", 1},
	} {
		f, err := arrowmap.Open(filepath.Join("testdata", c.file), arrowmap.WithConvention(c.convention))
		if err != nil {
			t.Fatal(err)
		}
		tables, _ := f.Tables()
		if len(tables) != c.want {
			t.Errorf("%s by %s: %d tables, want %d", c.file, c.convention, len(tables), c.want)
		}
		f.Close()
	}
}
