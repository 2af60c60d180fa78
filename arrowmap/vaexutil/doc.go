// Package vaexutil reads single arrays as Arrow columns: datasets of an HDF5 file, and arrays in the bytes of any file. It
// is the counterpart of vaex.hdf5.utils: MapDataset of h5mmap, MapArray of mmap_array, and Values of the columns that these
// return.
//
// Use package arrowmap for tables. This package is for callers who know which bytes they want: a dataset with a mask that
// no convention knows, a column of a matrix in Fortran order, an array in a file that is not HDF5.
//
// # Lifetime
//
// Nothing is read before Values.Read. A mapped array that it returned holds the mapping of its file: it is valid until it is
// released, also after the file was closed.
package vaexutil
