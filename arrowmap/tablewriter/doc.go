// Package tablewriter writes record batches as a table in an HDF5 file. It is the counterpart of package arrowmap, which reads the
// same batches again: all types, nulls and metadata, whatever the batches were cut like.
//
// Write adds a table to a write.File, which the caller makes and closes; a file may have several tables. Rows are written as
// they arrive. If their number is known (Options.Rows), the values of fixed width go to their final place at once; what has an
// unknown size, as text does, is kept in temporary files until the end. Memory does not depend on the number of rows, apart from
// the labels of dictionaries and the values of variable length of a chunked dataset.
//
// Append adds rows to a table that Write has made in chunks.
//
// # Layouts
//
// Vaex stores a column as a group of datasets: data, indices for text, and null_bitmap or mask. Columns of types that vaex lacks
// are in the group "arrow" beside "columns", where vaex does not look, in the same form: lists as indices and a group items,
// structs as a group fields. Everything but booleans, dates and times of day is mapped when it is read.
//
// Plain stores a column as one dataset, with text and lists in the heap, for software that knows nothing of tables.
//
// Pandas, NetCDF and AnnData are what those programs write. They keep all rows in a temporary file before the first one is written, and
// give equal values back, in the types that they have; other types are an error of kind Unsupported.
//
// # Types
//
// Types that HDF5 lacks are stored as package dtype/stored says, with its attribute on the column. Maps, unions and intervals are
// an error of kind Unsupported.
//
// # Metadata
//
// Metadata of the schema and of fields become attributes of the table's and of the columns' objects. Those that were attributes of an
// HDF5 file before (hdf5.attr.NAME) become attributes of that name again. The attribute h5arrow.metadata lists all others as a
// JSON object, so that reading gives them under their own keys; those with values of text are attributes of their own, too, unless
// their names have a meaning in the layout.
package tablewriter
