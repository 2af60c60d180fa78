package arrowmap

import (
	"maps"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/attributes"
	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Column describes one column of a table: what it is in the file, what it becomes, and how. It is shared and not to be
// written to.
type Column struct {
	Name       string
	Path       string         // of the dataset that holds its values, or the first of several
	Type       arrow.DataType // nil where Err says why there is none
	HDF5Type   string
	Shape      []uint64 // of the dataset
	Null       bool     // its dataspace is null: it has no shape
	Storage    h5.Storage
	Filters    []h5.Filter
	Delivery   dtype.Delivery
	Reason     string // why it is not mapped, "" when it is
	Nulls      *Nulls // nil: it has no nulls but those of its type
	Err        error  // why it can't be read
	Metadata   map[string]string
	Notes      []string // what of its description was passed over because it makes no sense
	definition *convention.Column
	node       node.Node
}

// Nulls says where a column's nulls come from.
type Nulls struct {
	Source   string // mask, bitmap, or a rule in words
	Path     string // of its dataset
	Delivery dtype.Delivery
}

// Field is the column's Arrow field; its metadata carry the attributes of the objects that make the column.
func (c *Column) Field() arrow.Field {
	md := map[string]string{}
	for _, o := range c.definition.Objects {
		attributes.Add(md, o)
	}
	maps.Copy(md, c.Metadata)
	return arrow.Field{Name: c.Name, Type: c.Type, Nullable: true, Metadata: attributes.Metadata(md)}
}

// Objects are the groups and datasets that make the column, for their attributes. The slice is shared and not to be written to.
func (c *Column) Objects() []h5.Object { return c.definition.Objects }

// MayBeNull reports whether any of the column's values can be null. It looks at the description only: a column with a mask
// may have no nulls.
func (c *Column) MayBeNull() bool { return c.node == nil || !c.node.Describe().Pure }

// column plans a column. What is wrong with it is in Err.
func (f *File) column(c *Column, def *convention.Column) {
	*c = Column{Name: def.Name, Err: def.Err, Notes: def.Notes, definition: def}
	if def.Values == nil {
		return
	}
	if c.Err = f.stored(c, def); c.Err != nil {
		c.node = nil
		return
	}
	in := c.node.Describe()
	c.Type, c.Delivery, c.Reason, c.Err = in.Type, in.Delivery, in.Reason, in.Err
	c.Metadata = maps.Clone(in.Metadata)
	if n := in.Nulls; n != nil {
		c.Nulls = &Nulls{n.Source, n.Path, n.Delivery}
		if n.Words != "" {
			c.note(dtype.MetaNulls, n.Words)
		}
	}
	for k, v := range def.Metadata {
		c.note(k, v)
	}
}

// stored plans a column, and says how the dataset that is reported for it is stored.
func (f *File) stored(c *Column, def *convention.Column) (err error) {
	d := def.Values.Main()
	if d == nil { // a rule makes the values
		if len(def.Objects) > 0 {
			c.Path = def.Objects[len(def.Objects)-1].Path()
		}
		c.node, err = f.nodes.New(def.Values)
		return err
	}
	c.Path = d.Path()
	c.HDF5Type = f.nodes.TypeName(d.Type())
	c.Shape, c.Null = d.Dims(), d.Space().Class == h5.SpaceNull
	l, err := d.Layout()
	if err == nil {
		c.Storage = l.Storage
		c.Filters, err = d.Filters()
	}
	if err == nil {
		c.node, err = f.nodes.New(def.Values)
	}
	return h5err.About(err, d)
}

// growable reports whether the dataset that is reported for a column can be lengthened.
func (c *Column) growable() bool {
	d := c.definition.Values.Main()
	return d != nil && d.Space().Growable()
}

// rows is the number of rows of a column that can be read.
func (c *Column) rows() int64 { return c.node.Describe().Rows }

// note adds to the metadata of the column's field.
func (c *Column) note(key, value string) {
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	c.Metadata[key] = value
}
