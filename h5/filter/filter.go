// Package filter undoes HDF5's chunk filters: one small file per codec, and the pipeline that chains them.
//
// A [Pipeline] is compiled once from a dataset's filter message and may be shared by any number of goroutines. What
// changes while decoding (scratch memory, codec tables) is in a [State], one per worker, which keeps it from chunk to
// chunk, so that decoding allocates nothing in the steady state.
//
// Encoded bytes are never trusted. Whatever they contain, nothing larger than the caller's buffer and a small overhead is
// written or allocated, and a chunk that does not decode to the size that the caller expects is corrupt.
//
// # Not promised
//
// That src may be mapped memory: with the build tags libdeflate and libzstd, C code reads it, and if the mapped file is cut short meanwhile,
// the process ends. This package does not encode.
package filter

// Spec is one entry of a filter pipeline message (HDF5 File Format Specification, IV.A.2.l).
type Spec struct {
	ID       uint16   // registered filter number
	Name     string   // the name stored in the file, may be empty
	Optional bool     // flag bit 0: the writer was allowed to skip it
	Values   []uint32 // client data
}
