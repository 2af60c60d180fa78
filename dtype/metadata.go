package dtype

// Keys of the metadata of Arrow fields that say what an Arrow type does not. Plan.Metadata has those that New writes;
// package arrowmap adds the others.
const (
	MetaAttribute = "hdf5.attr."         // and a name: an HDF5 attribute, text as it is, everything else as JSON
	MetaTypes     = "h5arrow.attr_types" // JSON object: the types of attributes that do not follow from their JSON
	MetaNulls     = "h5arrow.nulls"      // where nulls came from: "mask:PATH", "bitmap:PATH", "_FillValue=-999", other text
	MetaEnum      = "h5arrow.enum"       // JSON object: the members of an enumeration and their values, in the file's order
	MetaOpaqueTag = "h5arrow.opaque_tag" // the tag of opaque bytes
	MetaDType     = "h5arrow.dtype"      // the attribute dtype that gave the values their meaning
	MetaNarrowed  = "h5arrow.narrowed"   // the type of floats that were rounded to double
)

// ZoneAttribute is the HDF5 attribute with the time zone of timestamps.
const ZoneAttribute = "h5arrow.timezone"
