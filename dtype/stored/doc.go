// Package stored converts arrays of Arrow types that HDF5 lacks to types that it has, and back.
//
//	Arrow                                             stored as
//	decimal32, decimal64, others of up to 18 digits   the unscaled integer, of 32 or 64 bits
//	other decimals                                    text, such as "-1.50"
//	run-end encoded                                   its values, one for each row
//	list views                                        lists
//	extensions, except arrow.fixed_shape_tensor       their storage
//
// This applies inside lists, structs and dictionaries too. Types that package dtype/encode stores and that are read as others, such as
// times of day, have no conversion here, but Restore makes them from what is read.
//
// # The attribute
//
// Which type a column had is said by the attribute ARROW:schema: an Arrow IPC message with a schema of one field, in base64, as Parquet
// files have it for all columns. Field and Parse write and read it.
package stored

// Attribute is the HDF5 attribute with the Arrow type of a column that is stored as another type.
const Attribute = "ARROW:schema"
