// Package detect finds the tables of an HDF5 file. Conventions are tried from the most specific to the most general, and
// each says why it claimed an object.
package detect

import (
	"sync"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/arkouda"
	"github.com/h5arrow/h5arrow/arrowmap/convention/astropy"
	"github.com/h5arrow/h5arrow/arrowmap/convention/biology"
	"github.com/h5arrow/h5arrow/arrowmap/convention/hdf5storage"
	"github.com/h5arrow/h5arrow/arrowmap/convention/hdfeos"
	"github.com/h5arrow/h5arrow/arrowmap/convention/hickle"
	"github.com/h5arrow/h5arrow/arrowmap/convention/lh5"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab"
	"github.com/h5arrow/h5arrow/arrowmap/convention/netcdf"
	"github.com/h5arrow/h5arrow/arrowmap/convention/octave"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pandas"
	"github.com/h5arrow/h5arrow/arrowmap/convention/physics"
	"github.com/h5arrow/h5arrow/arrowmap/convention/plain"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pytables"
	"github.com/h5arrow/h5arrow/arrowmap/convention/rhdf5"
	"github.com/h5arrow/h5arrow/arrowmap/convention/scipp"
	"github.com/h5arrow/h5arrow/arrowmap/convention/snirf"
	"github.com/h5arrow/h5arrow/arrowmap/convention/sparse"
	"github.com/h5arrow/h5arrow/arrowmap/convention/vaex"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Convention recognizes one kind of table.
type Convention struct {
	Name        string
	Description string

	// Detect returns the tables that the convention makes of an object, none where it does not claim it. An error is
	// about an object that is of this convention, and is broken or not a table; Inner of tables returned with it says
	// what belongs to the object.
	Detect func(o h5.Object) ([]*convention.Table, error)

	// Part, when not nil, reports whether an object belongs to another one, such as an index to a table. Neither it nor
	// what is below it is looked at.
	Part func(o h5.Object) bool
}

// All returns the conventions in the order in which they are tried. A new one gets a line here, before the general ones
// compound and group; TestOrder says which of the others must come after it, and why.
// The caller must not change the list.
func All() []Convention {
	list.once.Do(func() { list.all = conventions() })
	return list.all
}

// list is made once: it is needed for each object of a file. (As an initial value it would refer to itself: conventions ask
// whether objects are parts.)
var list struct {
	once sync.Once
	all  []Convention
}

func conventions() []Convention {
	return []Convention{
		{Name: "vaex", Description: "groups that vaex writes: a group `columns` with a group per column (data, mask, null_bitmap, indices)", Detect: vaex.Detect},
		{Name: "vaex-v1", Description: "older vaex files: datasets in a group with the attribute column_order", Detect: vaex.DetectV1},
		{Name: "plain", Description: "plain tables of h5arrow: a dataset for each column, with masks and labels beside it", Detect: plain.Detect},
		{Name: "pandas", Description: "frames and series of pandas' HDFStore, in its table and its fixed format", Detect: pandas.Detect},
		{Name: "pytables", Description: "tables of PyTables: booleans, times, enumerations, nested columns", Detect: pytables.Detect, Part: pytables.Part},
		{Name: "astropy", Description: "tables of astropy: a compound dataset beside its __table_column_meta__, with masked columns and units", Detect: astropy.Detect, Part: astropy.Part},
		{Name: "anndata", Description: "elements of AnnData files: data frames with categories and masks, sparse matrices", Detect: biology.DetectAnnData},
		{Name: "matlab", Description: "MATLAB 7.3: tables, timetables, strings, times and categories; structs, arrays of structs, cells, text, and variables of one height, with their dimensions reversed", Detect: matlab.Detect, Part: matlab.Part},
		{Name: "hdf5storage", Description: "hdf5storage for Python: values with the attribute Python.Type, text in code points", Detect: hdf5storage.Detect},
		{Name: "hickle", Description: "hickle for Python: masked arrays; the table of types is a part", Detect: hickle.Detect, Part: hickle.Part},
		{Name: "octave", Description: "Octave's save -hdf5: variables of one height, structs, arrays of structs, cells, text, ranges, sparse matrices", Detect: octave.Detect},
		{Name: "10x", Description: "10x Genomics: a barcode's counts as a list, and the table of features", Detect: biology.Detect10x},
		{Name: "biom", Description: "BIOM: a table for each axis, of ids, counts as a list, and metadata", Detect: biology.DetectBIOM},
		{Name: "cooler", Description: "cooler files: chromosomes, bins and pixels, with the chromosome as a dictionary", Detect: biology.DetectCooler},
		{Name: "loom", Description: "Loom: attributes of rows and columns, the matrix and its layers by rows", Detect: biology.DetectLoom},
		{Name: "alabaster", Description: "data frames of Bioconductor's alabaster: factors, missing-value-placeholder", Detect: biology.DetectAlabaster},
		{Name: "hdmf", Description: "dynamic tables of HDMF and NWB: ragged columns by their index, the order of colnames", Detect: biology.DetectHDMF},
		{Name: "nix", Description: "NIX of nixio: data arrays with their polynomials and axes, data frames, tags", Detect: biology.DetectNIX},
		{Name: "snirf", Description: "SNIRF: recordings with their times, channels, the events of each condition, sources and detectors", Detect: snirf.Detect},
		{Name: "arkouda", Description: "Arkouda: arrays, strings, segmented arrays, categoricals of one length", Detect: arkouda.Detect},
		{Name: "lh5", Description: "LH5 of LEGEND: tables with ragged columns by their ends, booleans, and tables within tables", Detect: lh5.Detect},
		{Name: "gadget", Description: "Gadget, SWIFT: particles by type, positions and velocities as x, y, z and vx, vy, vz", Detect: physics.DetectGadget},
		{Name: "amuse", Description: "AMUSE: sets of particles with their keys", Detect: physics.DetectAMUSE},
		{Name: "gwosc", Description: "LIGO and GWOSC: strain, and a boolean column for each bit of data quality", Detect: physics.DetectGWOSC},
		{Name: "nexus", Description: "NeXus: data with its axes, logs, events and their pulses", Detect: physics.DetectNeXus},
		{Name: "h5md", Description: "H5MD: values that depend on time, with their steps and times, also where these are increments", Detect: physics.DetectH5MD},
		{Name: "openpmd", Description: "openPMD: particle species, with a column for each component of a record", Detect: physics.DetectOpenPMD},
		{Name: "scipp", Description: "scipp: data arrays with their variances, coordinates and masks", Detect: scipp.Detect},
		{Name: "hdfeos", Description: "HDF-EOS5: the fields of swaths, grids and zonal averages by their first dimension", Detect: hdfeos.Detect},
		{Name: "rhdf5", Description: "R's rhdf5 and HDF5Array: vectors, lists and data frames, with NA; names of dimensions are parts", Detect: rhdf5.Detect, Part: rhdf5.Part},
		{Name: "netcdf", Description: "netCDF-4 and CF: variables that share their leading dimension, fills, packing, times", Detect: netcdf.Detect},
		{Name: "sparse", Description: "compressed sparse matrices: data, indices and indptr as a list for each row, with names beside it", Detect: sparse.Detect},
		{Name: "compound", Description: "a one-dimensional dataset of a compound type: its members are the columns", Detect: compound},
		{Name: "group", Description: "a group whose datasets have one length, or lengths that two or more of them share", Detect: group},
	}
}

// flat is not among All: it makes other tables of what netcdf claims, for those who ask for them.
var flat = Convention{Name: "flat", Description: "variables of netCDF-4 with a row for each cell, their coordinates as columns", Detect: netcdf.DetectFlat}

// Flat is the name of the convention that makes a row of each cell of netCDF variables. It is not among All.
const Flat = "flat"

// Find returns the convention of that name, an Argument error where there is none.
func Find(name string) (Convention, error) {
	if name == Flat {
		return flat, nil
	}
	for _, c := range All() {
		if c.Name == name {
			return c, nil
		}
	}
	var names []string
	for _, c := range All() {
		names = append(names, c.Name)
	}
	err := h5err.New(h5err.Argument, "no convention %q", name).WithOption("arrowmap.Conventions", "list them")
	if near := h5err.Closest(name, names); near != "" {
		return Convention{}, err.WithHint("did you mean %s?", near)
	}
	return Convention{}, err
}
