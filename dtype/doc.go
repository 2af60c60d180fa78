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
// # The way back
//
// Back makes a BackPlan for an Arrow field: the HDF5 type of the elements, the shape of a row, and the datasets that the
// column consists of, as vaex lays them out. BackPlan.Encode makes the bytes of each from an array, also from a slice
// that begins at any bit. BackPlan.Arrow and BackPlan.Read say what reading gives, and with which options; it is the
// field's own type, but for what BackPlan.Reason names.
//
//	integers, floats                    the same; in BackOptions.Width bytes where values are exact
//	bool                                the enumeration {FALSE, TRUE} on int8
//	timestamp, duration, date32         int64 with the attribute dtype='datetime64[ns]' and the like; NaT under nulls;
//	                                    inside other types opaque with the tag NUMPY:datetime64[ns]
//	utf8, large_utf8, views             data and indices with dtype='str'; cells of UTF-8, ISO 8859-1 or UTF-32; the heap
//	binary                              the same as bytes
//	fixed_size_binary                   opaque, with the tag of the field's metadata
//	dictionary                          an enumeration where its members are known, else groups indices and dictionary
//	fixed_size_list, tensors            more dimensions; array types inside other types
//	list, large_list                    variable-length sequences
//	struct                              compound
//
// Nulls of rows and of N-D items are a bitmap, a mask or a value of the data. Nulls deeper inside have no spelling in
// HDF5, but for times, which have NaT: they are errors that name the row. A null row of several items is a row of null
// items.
//
// Metadata of the field (the constants MetaAttribute, MetaEnum, ...), which reading wrote, choose the spelling and come
// back as attributes.
//
// # What is not promised
//
// The addresses of buffers that are handed on need no alignment. Bytes under a null are unspecified. Values of a
// mapped buffer that change while an array is built, or after, are not noticed.
package dtype
