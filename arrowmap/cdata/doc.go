// Package cdata exports tables to C: through the Arrow C data interface and the C stream interface, which pyarrow, DuckDB,
// Polars, R and many more import without copying. It needs cgo; without cgo the package is empty.
//
// ExportTable fills an ArrowArrayStream. Each call of its get_next returns one batch; columns that have to be decoded are
// decoded straight into C memory and not copied again.
//
// # Who reads the mapping
//
// A page of a mapping that can no longer be read (the file was cut short, a disk failed) is an error in Go, but ends the
// process in C. Therefore C gets copies of what is mapped. They are made batch by batch in Go, and the stream reports the
// fault as an error. WithTrustedInput passes the mapped values themselves to C, without a copy, for files that nobody
// writes to while they are used. Offsets of lists and text and the indices of dictionaries are always copied and checked:
// a file that is overwritten meanwhile can change values, but can't make C read outside the buffers.
//
// # Alignment
//
// Copies are aligned to 64 bytes. HDF5 puts data at any byte, which many consumers do not accept. Mapped values that are
// passed to C without a copy and are not aligned to their width are copied, kept or refused as WithAlign says.
//
// # Lifetime
//
// The consumer owns what was exported until it calls the release callback of the stream and of each batch that it took
// from the stream, in any order, on any thread. Until then the memory and the mapping stay valid, also after the file was
// closed; batches stay valid after the release of their stream. The last release unmaps the file. A stream that is never
// released keeps its file mapped and its goroutines waiting.
//
// # Errors
//
// get_next returns EIO, and get_last_error the message with the file, the object and the byte.
package cdata
