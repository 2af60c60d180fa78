// Package write makes HDF5 files in pure Go. It is the counterpart of package h5, whose plain data (h5.Type, h5.Space, h5.Filter)
// are its input.
//
// A File is described by paths: File.Group, File.Dataset, File.Commit and the links make objects, and missing groups on the way.
// The values of a dataset are appended in whole rows by Dataset.Write, as they arrive, to any number of datasets in turn. Chunks
// are encoded by several goroutines and written in the order in which they were filled, so the bytes of a file do not depend on
// the number of workers. Metadata is kept in memory and written by File.Close.
//
// # Values
//
// Values have the form that package dtype/encode makes: elements as they are stored, row-major. Elements that point to the heap
// are in flat form, one after the other: a variable string as its length in bytes (8 bytes, little-endian) and its bytes, a
// sequence as its number of elements (the same) and its elements, a compound as its members without padding, an array as its
// items; all else as stored. A reference to an object is its number, Object.ID, in 8 bytes, little-endian; 0 is a null reference.
// The writer puts the object's address in its place. A reference to a region is a number of bytes (8 bytes, little-endian; 0 for a null
// reference), and in these the object's number and the selection as it is stored. One of HDF5 1.12 has its kind and flags before
// the object's number, and then a region, the name of an attribute or nothing; one into another file has the address there.
//
// # Outputs
//
// Create writes to an io.WriterAt: everything once and in ascending order, except for space that was reserved for rows that come
// later, and the superblock, which is written last. Until then, the output is not an HDF5 file. CreateStream writes to an
// io.Writer, if all sizes are known before the first value. Append adds to a file in a way that leaves its old state readable
// until everything new is on disk. To write to a temporary file and to rename it is up to the caller.
//
// # Not promised
//
// That space is used again: what Append replaces stays in the file, unused. The writer stores neither times nor a name of itself:
// equal calls make equal bytes.
package write
