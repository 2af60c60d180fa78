// Package dtype maps HDF5 types to Arrow types, and makes Arrow arrays from elements as HDF5 stores them.
//
// New returns a Plan for a type and the shape of a row: the Arrow type, how bytes become its buffers (Delivery), and the
// reason for a copy where one is needed. Plan.Build makes an array of a number of rows. It does no I/O: the caller
// provides the bytes, null bitmaps, heap objects and the paths of references.
//
// Bytes that already are an Arrow buffer are not copied: when Raw.Owner is set, the array holds a reference to that
// buffer and is valid until it is released, also after the file is closed. All other buffers come from Env.Alloc.
//
// # Nulls
//
// A value is null where Raw.Valid has a 0 bit, and by its own value for NaT, null references, and NaN under
// Options.NaNAsNull. Null counts are exact, bits after the last value are zero, and an array without nulls has no
// validity buffer. Values under a null never cause an error. Nulls of a compound or of an array element are repeated in
// its children.
//
// # The other direction
//
// Package encode makes the bytes of HDF5 datasets from Arrow arrays. It uses the metadata of fields that New and package
// arrowmap write: the constants MetaEnum, MetaOpaqueTag and the like. Package attr makes HDF5 attributes of them again.
//
// # What is not promised
//
// Buffers that are not copied may have any alignment. Bytes under a null are unspecified. Changes to mapped bytes while
// an array is built, or later, are not detected.
package dtype
