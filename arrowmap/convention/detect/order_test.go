package detect_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// order lists the pairs of conventions that claim the same objects, and that must therefore be tried in this order. A
// convention that no row names may be tried anywhere before the general ones. Each row has an object that both claim.
var order = []struct{ before, after, why, file, path string }{
	{"hdfeos", "netcdf", "an augmented grid has dimension scales, but MissingValue and the fields' groups are known to HDF-EOS only",
		"order.h5", "/HDFEOS/GRIDS/Daily"},
	{"nexus", "netcdf", "NXdata may have dimension scales, but says by signal and axes what is to be seen, and in which order",
		"order.h5", "/entry/data"},
	{"10x", "rhdf5", "the genes of a matrix are its table", "tenx_r.h5.gz", "/named/genes"},
	{"rhdf5", "netcdf", "scales of HDF5Array are names, on the axes of R, and NA is R's", "hdf5array.h5.gz", "/"},
	{"rhdf5", "group", "vectors of several lengths are tables of their own", "rhdf5.h5.gz", "/frame"},
	{"octave", "group", "dimensions are reversed, and those of what is empty are not values", "octave.h5.gz", "/na"},
	{"plain", "group", "masks and labels are not columns", "plain.h5", "/plain"},
	{"vaex-v1", "group", "column_order says in which order", "order.h5", "/data"},
	{"pandas", "group", "the arrays of the fixed format are of one length, but are an index and blocks of columns", "pandas_fixed.h5.gz", "/series"},
	{"pytables", "compound", "bitfields are booleans, and times are times", "pytables.h5.gz", "/little"},
	{"astropy", "compound", "a member may be the mask of another one", "astropy.h5", "/t"},
	{"anndata", "compound", "codes have their labels elsewhere", "anndata_old.h5ad", "/obs"},
	{"anndata", "group", "categories and masks are groups, and the index comes first", "anndata.h5ad", "/obs"},
	{"matlab", "group", "dimensions are reversed", "cells.mat", "/people"},
	{"hdf5storage", "group", "characters of text are integers", "hdf5storage.h5", "/frame"},
	{"hickle", "group", "a mask is not a column", "dumps_hickle.hkl.gz", `/data/"m"`},
	{"10x", "group", "a barcode's counts are a list", "tenx.h5", "/matrix"},
	{"anndata", "sparse", "the encoding says what the matrix is", "anndata_old.h5ad", "/X"},
	{"10x", "sparse", "a row is a barcode, and the features are a table", "tenx.h5", "/matrix"},
	{"sparse", "group", "offsets are one more than there are rows, and not a column", "sparse.h5", "/matrix"},
	{"loom", "group", "what has another length than the matrix is broken", "loom.h5", "/row_attrs"},
	{"alabaster", "group", "columns are named by numbers, and their names are in a dataset of their own", "missing.h5", "/data_frame"},
	{"hdmf", "group", "a column and its index have other lengths than the table", "hdmf.h5", "/units"},
	{"snirf", "group", "labels of columns are not a column, and what a probe has as many of does not belong together", "run.snirf.gz", "/nirs/stim4"},
	{"arkouda", "group", "bytes and offsets of text are not columns", "arkouda.h5", "/s"},
	{"gadget", "group", "coordinates are a column each", "gadget.h5", "/PartType1"},
	{"amuse", "group", "the attributes are in a group of their own", "amuse.h5", "/particles/0000000001"},
	{"gwosc", "group", "the bits of a mask are columns", "gwosc.h5", "/quality/simple"},
	{"openpmd", "group", "a record is a group of components", "openpmd.h5", "/data/100/particles/electrons"},
	{"scipp", "group", "variables are columns of their array, and units are in an attribute", "scipp.h5", "/entries/elem_003_alone"},
	{"hdfeos", "group", "the fields are in groups", "order.h5", "/HDFEOS/GRIDS/Daily"},
	{"nexus", "group", "the signal says which length counts", "nexus.h5", "/entry/data"},
	{"netcdf", "group", "fills, valid ranges and packing", "icesat.h5", "/gt1l/heights"},
}

// fixture opens one of the fixtures of this package or of package pandas.
func fixture(t *testing.T, name string) *h5.File {
	t.Helper()
	b := contents(t, name)
	f, err := h5.NewFile(source.FromReaderAt(bytes.NewReader(b), int64(len(b)), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// claims returns the conventions that make tables of an object, or say that it is not a table, in the order in which
// they are tried.
func claims(o h5.Object) (names []string) {
	for _, c := range detect.All() {
		if tables, err := c.Detect(o); err == nil && len(tables) > 0 || h5err.Is(err, h5err.Argument) {
			names = append(names, c.Name)
		}
	}
	return names
}

// TestOrder tries the object of each row: both conventions claim it, and the right one gets it.
func TestOrder(t *testing.T) {
	all := detect.All()
	at := func(name string) int {
		return slices.IndexFunc(all, func(c detect.Convention) bool { return c.Name == name })
	}
	for _, row := range order {
		if b, a := at(row.before), at(row.after); b < 0 || a < 0 || b >= a {
			t.Errorf("%s is tried at %d, %s at %d: %s", row.before, b, row.after, a, row.why)
		}
		o, err := fixture(t, row.file).Lookup(row.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := claims(o); !slices.Contains(got, row.before) || !slices.Contains(got, row.after) {
			t.Errorf("%s: %s: claimed by %q, want %s and %s among them", row.file, row.path, got, row.before, row.after)
		}
		tables, err := detect.Detect(o, "")
		if err != nil {
			t.Errorf("%s: %s: %v", row.file, row.path, err)
		}
		for _, table := range tables {
			if table.Convention != row.before {
				t.Errorf("%s: %s: is of %s, want %s: %s", row.file, row.path, table.Convention, row.before, row.why)
			}
		}
	}
}

// TestOrderIsWhole looks for pairs that claim the same object, and that order does not list, in all fixtures.
func TestOrderIsWhole(t *testing.T) {
	listed := map[[2]string]bool{}
	for _, row := range order {
		listed[[2]string{row.before, row.after}] = true
	}
	names := []string{"pandas_fixed.h5.gz", "pandas_table.h5.gz", "pandas_bad.h5.gz", "pytables.h5.gz"}
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		seen := map[uint64]bool{}
		var walk func(o h5.Object)
		walk = func(o h5.Object) {
			if seen[o.Address()] {
				return
			}
			seen[o.Address()] = true
			found := claims(o)
			for i, before := range found {
				for _, after := range found[i+1:] {
					if !listed[[2]string{before, after}] {
						t.Errorf("%s: %s: claimed by %s and %s: the test's table must say which one is to win, and why", name, o.Path(), before, after)
					}
				}
			}
			g, ok := o.(*h5.Group)
			if !ok {
				return
			}
			links, err := g.Links()
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range links {
				if o, err := g.OpenLink(l); err == nil {
					walk(o)
				}
			}
		}
		walk(fixture(t, name).Root())
	}
}
