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

// HDF5 attributes of tables and columns that package arrowmap/tablewriter writes, beside those of their layouts.
const (
	MetadataAttribute = "h5arrow.metadata"  // JSON object: metadata of Arrow, by their own keys
	TypeAttribute     = "h5arrow.type"      // the Arrow type in words, where stored.Attribute has it
	NullsAttribute    = "h5arrow.nulls"     // what the column's nulls are: "mask:NAME", "bitmap:NAME", "sentinel", "all"
	RowNullsAttribute = "h5arrow.row_nulls" // those of whole rows of several items: "bitmap:NAME"
	LabelsAttribute   = "h5arrow.labels"    // name of the dataset of the labels that the values are indices of
	OrderAttribute    = "h5arrow.columns"   // JSON list: the columns' order, where names have commas; the links of a plain table
)
