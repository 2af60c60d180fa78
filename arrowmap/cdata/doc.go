// Package cdata hands tables to C: the Arrow C data interface and the C stream interface, which pyarrow, DuckDB, Polars,
// R and many more import without copying. It needs cgo; a build without it has an empty package here.
//
// ExportTable fills an ArrowArrayStream. Each call of its get_next gives one batch; columns that are decoded are decoded
// straight into C memory and not copied again.
//
// # Who reads the mapping
//
// A page of a mapping that can't be read any more (the file was cut short, a disk failed) is an error in Go, and the
// death of the process in C. Therefore C gets copies of what is mapped, made batch by batch where such a fault is an
// error, which the stream then reports. WithTrustedInput hands the mapped values themselves on, without a copy: for
// files that nobody writes to while they are used. Offsets of lists and text and the indices of dictionaries are copied
// and checked in any case, so that a file that is overwritten meanwhile can give other values, but no address outside
// the buffers.
//
// # Alignment
//
// Copies stand at multiples of 64 bytes. HDF5 puts data at any byte, which many consumers do not take: mapped values
// that are handed on as they are and stand at an address that is no multiple of their size are copied too, or kept, or
// refused (WithAlign).
//
// # Lifetime
//
// The consumer owns what was exported until it calls the release callback, of the stream and of each batch that it took
// from it, in any order, on any thread. Until then the memory and the mapping stay, also after Close of the file, and
// after the release of the stream for the batches that were taken from it. The last release unmaps the file. A stream
// that is never released keeps its file mapped, and its workers waiting.
//
// # Errors
//
// get_next returns EIO, and get_last_error the message: what, the file, the object, the byte.
package cdata
