package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// looks are files of as many conventions, most of them written by the software itself, with a table of each and what is drawn of
// it.
var looks = []struct{ convention, file, table, columns string }{
	{"vaex", "testdata/sample.h5", "/table", "pickup,fare"},
	{"pandas", "arrowmap/convention/pandas/testdata/pandas_table.h5.gz", "/all", "x,y"},
	{"pytables", "arrowmap/convention/pandas/testdata/pytables.h5.gz", "/little", "t32"},
	{"netcdf", "arrowmap/convention/netcdf/testdata/xarray.nc.gz", "/", "seconds"},
	{"anndata", "arrowmap/convention/biology/testdata/obs.h5ad.gz", "/obs", "cat"},
	{"matlab", "arrowmap/convention/matlab/testdata/objects.mat.gz", "/log", "kind"},
	{"nexus", "arrowmap/convention/physics/testdata/nxtomo.h5.gz", "/entry/data", "rotation_angle"},
	{"hdmf", "arrowmap/convention/detect/testdata/nwb.h5", "/acquisition/a", "timestamps,data"},
	{"astropy", "arrowmap/convention/astropy/testdata/tables.h5.gz", "/masks", "plain"},
	{"cooler", "arrowmap/convention/biology/testdata/cooler.cool.gz", "/bins", "weight"},
	{"loom", "arrowmap/convention/biology/testdata/loom.loom.gz", "/row_attrs", "n"},
	{"nix", "arrowmap/convention/biology/testdata/frames.h5.gz", "/data/b/data_frames/frame", "n"},
	{"lh5", "arrowmap/convention/lh5/testdata/table.lh5.gz", "/g/t", "e"},
	{"10x", "arrowmap/convention/detect/testdata/tenx.h5", "/matrix/features", "feature_type"},
	{"openpmd", "arrowmap/convention/physics/testdata/openpmd.h5.gz", "/data/5/particles/e", "position_x,position_y"},
	{"scipp", "arrowmap/convention/detect/testdata/scipp.h5", "/entries/elem_001_line", "line,line_variances"},
}

// TestLooks compares what inspect, head, stats and plot show of these files, in lines of 80 and of 200 columns, with
// testdata/looks. No line is longer.
func TestLooks(t *testing.T) {
	root := h5test.Root(t)
	for _, l := range looks {
		t.Run(l.convention, func(t *testing.T) {
			golden := filepath.Join(root, "cmd", "h5arrow", "testdata", "looks", l.convention+".txt")
			from := filepath.Join(root, filepath.FromSlash(l.file))
			if filepath.Ext(from) == ".gz" {
				from = unpacked(t, from)
			}
			name := filepath.Base(from)
			t.Chdir(filepath.Dir(from))
			var got strings.Builder
			for _, width := range []int{80, 200} {
				for _, args := range [][]string{{"inspect", name}, {"head", name, "--table", l.table, "-n", "3"}, {"stats", name, "--table", l.table},
					{"plot", name, "--table", l.table, "-c", l.columns}} {
					args = append(args, "--width", fmt.Sprint(width), "--quiet")
					r := command(t, args...)
					fmt.Fprintf(&got, "$ h5arrow %s\n%s%s", strings.Join(args, " "), r.out, r.err)
					for line := range strings.Lines(r.out) {
						if text.Width(strings.TrimSuffix(line, "\n")) > width {
							t.Errorf("%q: %d columns: %s", args, text.Width(line), line)
						}
					}
					got.WriteByte('\n')
				}
			}
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(readFile(t, golden)); got.String() != want {
				t.Errorf("%s differs (go test -run TestLooks -update rewrites it):\n%s", golden, got.String())
			}
		})
	}
}
