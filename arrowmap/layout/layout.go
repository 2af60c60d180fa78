// Package layout chooses where the datasets of a column go in an HDF5 file, and the attributes by which readers
// recognize them. It is the counterpart of arrowmap/convention. Package encode makes the bytes; a layout only names what
// a Plan describes, and reads and writes nothing.
package layout

import (
	"slices"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/stored"
)

// Column is where the datasets of one column go. Paths are relative to the group of the column.
type Column struct {
	Groups     []string         // groups to create inside the column's own
	Attributes []attr.Attribute // of the column's group
	Datasets   []Dataset        // one for each of Plan.Datasets, in the same order

	// Dropped are the names of attributes in the field's metadata that can't be made again.
	Dropped []string
}

// Dataset is where one dataset goes.
type Dataset struct {
	Path       string
	Attributes []attr.Attribute
}

// reserved are the attributes that say how a column is stored. A layout writes them anew and never takes them from a
// field's metadata.
var reserved = []string{
	"dtype", "dlength", "type", "column_order", "column_index", "ordered", // vaex
	"DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS", "CLASS", "NAME", "_Netcdf4Dimid", "_Netcdf4Coordinates", // dimension scales
	"encoding-type", "encoding-version", // anndata
	dtype.ZoneAttribute, stored.Attribute, dtype.MetadataAttribute, dtype.TypeAttribute, dtype.NullsAttribute, dtype.RowNullsAttribute,
	dtype.LabelsAttribute, dtype.OrderAttribute,
	"alias", "fields", "size", "_FillValue",
}

// Reserved returns the names of attributes that say how a column or a table is stored, and that are not taken from metadata.
func Reserved() []string { return slices.Clone(reserved) }
