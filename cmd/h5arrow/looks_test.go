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

// looks are files of twelve conventions, with a table of each and what is drawn of it.
var looks = []struct{ file, table, columns string }{
	{"testdata/sample.h5", "/table", "pickup,fare"}, // vaex
	{"amuse.h5", "/particles/0000000001", "mass"},
	{"anndata.h5ad", "/obs", "n"},
	{"arkouda.h5", "/", "kind"},
	{"gadget.h5", "/PartType1", "x,y"},
	{"loom.h5", "/col_attrs", "Age"},
	{"nexus.h5", "/entry/data", "two_theta"},
	{"openpmd.h5", "/data/100/particles/electrons", "position_x,position_y"},
	{"pytables_arrays.h5", "/t", "s"},
	{"tenx.h5", "/matrix/features", "feature_type"},
	{"hdf5storage.h5", "/frame", "one"},
	{"icesat.h5", "/gt1l/heights", "h_ph"}, // netcdf
}

// TestLooks compares what inspect, head, stats and plot show of these files, in lines of 80 and of 200 columns, with
// testdata/looks. No line is longer.
func TestLooks(t *testing.T) {
	root := h5test.Root(t)
	for _, l := range looks {
		name := strings.TrimSuffix(filepath.Base(l.file), filepath.Ext(l.file))
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join(root, "cmd", "h5arrow", "testdata", "looks", name+".txt")
			if !strings.Contains(l.file, "/") {
				t.Chdir(filepath.Join(root, "arrowmap", "convention", "detect", "testdata"))
			} else {
				t.Chdir(root)
			}
			var got strings.Builder
			for _, width := range []int{80, 200} {
				for _, args := range [][]string{{"inspect", l.file}, {"head", l.file, "--table", l.table, "-n", "3"}, {"stats", l.file, "--table", l.table},
					{"plot", l.file, "--table", l.table, "-c", l.columns}} {
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
