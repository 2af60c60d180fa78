package layout

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/encode"
)

// Vaex returns where a column goes in files of vaex, below TABLE/columns/NAME: data, with indices for text, and mask or
// null_bitmap; for dictionary columns the same in the groups indices and dictionary. The attribute dtype of the data
// says what their HDF5 type does not; a sentinel for nulls, which vaex does not have, is the attribute _FillValue.
// Attributes of the column's group come from the metadata of the field that p was made for.
//
// Source: vaex-core 4.19, vaex/hdf5/writer.py.
func Vaex(p *encode.Plan, md arrow.Metadata) Column {
	var c Column
	if t, ok := p.Arrow.(*arrow.DictionaryType); ok && p.Datasets[0].Part == encode.PartIndices {
		c.Groups = []string{"indices", "dictionary"}
		c.Attributes = append(c.Attributes, attr.Text("type", "dictionary_encoded"))
		if t.Ordered {
			c.Attributes = append(c.Attributes, attr.Bool("ordered", true))
		}
	}
	for i := range p.Datasets {
		d := &p.Datasets[i]
		c.Datasets = append(c.Datasets, Dataset{Path: vaexGroups[d.Part] + vaexNames[d.Role], Attributes: vaexAttributes(d)})
	}
	attrs, dropped := attr.FromMetadata(md, reserved)
	c.Attributes, c.Dropped = append(c.Attributes, attrs...), dropped
	return c
}

var vaexGroups = [...]string{encode.PartIndices: "indices/", encode.PartLabels: "dictionary/"}

var vaexNames = [...]string{
	encode.RoleData: "data", encode.RoleOffsets: "indices", encode.RoleMask: "mask", encode.RoleBitmap: "null_bitmap",
}

func vaexAttributes(d *encode.Dataset) (attrs []attr.Attribute) {
	if d.DType != "" {
		attrs = append(attrs, attr.Text("dtype", d.DType))
	}
	if d.DType == "utf32" {
		attrs = append(attrs, attr.Int("dlength", int64(d.Dims[len(d.Dims)-1])))
	}
	if d.Zone != "" {
		attrs = append(attrs, attr.Text(dtype.ZoneAttribute, d.Zone))
	}
	if d.Sentinel != nil {
		attrs = append(attrs, attr.Attribute{Name: "_FillValue", Type: d.Type, Data: d.Sentinel})
	}
	return attrs
}
