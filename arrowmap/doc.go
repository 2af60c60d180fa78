// Package arrowmap reads the tables of HDF5 files as Arrow record batches.
//
// A File finds the tables of an HDF5 file by the conventions of package convention. A Table has Columns, and a Reader
// returns its rows as record batches. Values that the file stores as Arrow wants them are not copied: their buffers lie in
// a mapping of the file. Everything else is decoded by several goroutines, each chunk once, straight into its Arrow
// buffer where shapes allow it.
//
// # Lifetime
//
// Arrays are reference-counted, as everywhere in arrow-go. A mapped array holds the mapping: it stays valid after the
// Reader, the Table and the File are closed, until it is released.
//
// # What is not promised
//
// Bytes of a file that is overwritten while it is mapped change in the arrays. A file that is cut short while it is
// mapped gives an error as long as this package reads it; a caller who reads a mapped array of such a file gets a fault
// from the operating system, which source.Guard can turn into an error.
package arrowmap
