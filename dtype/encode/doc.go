// Package encode turns Arrow arrays into the bytes of HDF5 datasets, so that package dtype makes the same arrays again.
//
// New makes a Plan for an Arrow field: the datasets that a column consists of, each with its HDF5 type, its shape and
// what its elements mean, and the Arrow type that reading gives. Plan.Encode makes the bytes of each dataset from an
// array, also from a slice that starts at any bit. Nothing here knows paths or attribute names: a layout (package
// arrowmap/layout) chooses them for a Plan's datasets. No I/O is done.
//
//	Arrow                               HDF5
//	integers, floats                    the same; in Options.Width bytes where values are exact
//	bool                                the enumeration {FALSE, TRUE} on int8
//	timestamp, duration, date32         int64 with Dataset.DType "datetime64[ns]" and the like; NaT under nulls;
//	                                    inside other types opaque with the tag NUMPY:datetime64[ns]
//	utf8, large_utf8, views             bytes and offsets; cells of UTF-8, ISO 8859-1 or UTF-32; variable strings
//	binary                              the same as bytes
//	fixed_size_binary                   opaque, with the tag of the field's metadata
//	dictionary                          an enumeration where its members are known, else indices and labels
//	fixed_size_list, tensors            more dimensions; array types inside other types
//	list, large_list                    variable-length sequences
//	struct                              compound
//
// Decimals, unions, maps, intervals, run-end encoding, views of lists, and extensions other than
// arrow.fixed_shape_tensor have no counterpart in HDF5 and are refused by name.
//
// # Nulls
//
// Nulls of rows and of items of N-D rows are a bitmap, a mask or a value of the data. A null row of several items is
// stored as a row of null items. Nulls deeper inside can't be represented in HDF5, except for times, which have NaT:
// Encode returns an error that names the row. Bytes under a null are fills: NaN for floats, NaT for times, zeros
// otherwise.
//
// # Metadata
//
// Keys of the field's metadata that reading wrote (dtype.MetaNulls, dtype.MetaEnum, dtype.MetaOpaqueTag) choose how the
// column is stored unless Options do.
package encode
