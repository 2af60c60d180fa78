// Package dtype turns HDF5 types into Arrow types, and elements as HDF5 stores them into Arrow arrays.
//
// New makes a Plan for a type and the shape of a row: the Arrow type, how the bytes get there (Delivery), and why it
// takes a copy where it does. Plan.Build makes an array of some rows. It does no I/O: bytes, null bitmaps, heap objects
// and the paths of references are handed in.
//
// Bytes that are an Arrow buffer already are handed on: when Raw.Owner is set, the array holds a reference to that
// buffer, and is valid until it is released, whatever becomes of the file. Everything else is allocated from Env.Alloc.
//
// # Nulls
//
// A value is null where Raw.Valid says so, and where its type does: NaT, null references, NaN under Options.NaNAsNull.
// Null counts are exact, bits behind the last are zero, and an array without nulls has no validity buffer. A value
// under a null is never the cause of an error. Nulls of a compound or of an array element are repeated in its children.
//
// # The other direction
//
// Package encode makes the bytes of HDF5 datasets from Arrow arrays. It uses the metadata of fields that New and package
// arrowmap write: the constants MetaEnum, MetaOpaqueTag and the like. Package attr makes HDF5 attributes of them again.
//
// # What is not promised
//
// The addresses of buffers that are handed on need no alignment. Bytes under a null are unspecified. Values of a
// mapped buffer that change while an array is built, or after, are not noticed.
package dtype
