package netcdf

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// Write writes a table as the variables of a group.
func (Layout) Write(ctx context.Context, o *frame.Output, t *frame.Table) ([]frame.Stored, error) {
	w := &writer{o: o, rows: uint64(t.Rows), scales: map[uint64]*write.Dataset{}, taken: map[string]bool{}}
	if err := w.start(t); err != nil {
		return nil, err
	}
	out := make([]frame.Stored, len(t.Columns))
	for i, c := range t.Columns {
		var err error
		if out[i], err = w.column(c, w.links[i]); err != nil {
			return nil, h5err.In(err, "", c.Field.Name)
		}
	}
	return out, t.Each(ctx, func(b arrow.RecordBatch, row0 int64) error {
		for i, v := range w.variables {
			p, err := v.bytes(b.Column(i), row0)
			if err == nil {
				err = w.datasets[i].Write(p)
			}
			if err != nil {
				return h5err.In(err, "", t.Columns[i].Field.Name)
			}
		}
		return nil
	})
}

// writer writes a group.
type writer struct {
	o         *frame.Output
	rows      uint64
	links     []string
	taken     map[string]bool // names in the group
	row       *write.Dataset
	scales    map[uint64]*write.Dataset // dimensions of the rows, by their lengths
	variables []*variable
	datasets  []*write.Dataset
}

// start makes the group and the dimension of the rows.
func (w *writer) start(t *frame.Table) error {
	root, err := w.o.File.Group("/")
	if err != nil {
		return err
	}
	root.TrackOrder(true, true) // which the library wants
	g, err := w.o.File.Group(w.o.Path)
	if err != nil {
		return err
	}
	g.TrackOrder(true, true)
	if err := w.o.Describe(g, w.ownOf(t.Metadata, false)); err != nil {
		return err
	}
	if err := text(root, "Conventions", "CF-1.11"); err != nil {
		return err
	}
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Field.Name
	}
	w.links = frame.Links(names)
	for _, n := range w.links {
		w.taken[n] = true
	}
	w.row, err = w.dimension("row", w.o.Spec(noValues(), w.rows))
	return err
}

// noValues is the type of the dataset of a dimension without a variable.
func noValues() *h5.Type {
	t := &h5.Type{Class: h5.ClassFloat, Size: 4, Order: h5.BigEndian, Precision: 32}
	t.Float = &h5.FloatFields{Sign: 31, ExpLoc: 23, ExpSize: 8, MantSize: 23, Bias: 127, Norm: 2}
	return t
}

// dimension makes a dimension without a variable.
func (w *writer) dimension(name string, s write.Spec) (*write.Dataset, error) {
	for w.taken[name] {
		name += "_"
	}
	w.taken[name] = true
	d, err := w.o.File.Dataset(path.Join(w.o.Path, name), s)
	if err != nil {
		return nil, err
	}
	d.TrackOrder(true, false)
	if err := d.Scale(fmt.Sprintf("This is a netCDF dimension but not a netCDF variable.%10d", s.Space.Dims[0])); err != nil {
		return nil, err
	}
	id := write.Attribute{Name: "_Netcdf4Dimid", Type: &h5.Type{Class: h5.ClassFixed, Size: 4, Order: h5.LittleEndian, Signed: true, Precision: 32},
		Space: write.Shape(), Data: binary.LittleEndian.AppendUint32(nil, uint32(len(w.scales)))}
	if w.row != nil {
		id.Data[0]++
	}
	return d, d.Attribute(id)
}

// column makes the variable of a column.
func (w *writer) column(c *frame.Column, link string) (frame.Stored, error) {
	v, err := variableOf(c)
	if err != nil {
		return frame.Stored{}, err
	}
	var scales []*write.Dataset
	for _, n := range v.dims {
		if w.scales[n] == nil {
			if w.scales[n], err = w.dimension(fmt.Sprintf("item%d", n), write.Spec{Type: noValues(), Space: write.Shape(n)}); err != nil {
				return frame.Stored{}, err
			}
		}
		scales = append(scales, w.scales[n])
	}
	spec := w.o.Spec(v.typ, w.rows, v.dims...)
	if v.members != nil {
		if spec.Named, err = w.enumeration(link, v.typ); err != nil {
			return frame.Stored{}, err
		}
	}
	if !v.isText {
		spec.Fill = v.fill
	}
	d, err := w.o.File.Dataset(path.Join(w.o.Path, link), spec)
	if err != nil {
		return frame.Stored{}, err
	}
	d.TrackOrder(true, false)
	w.variables, w.datasets = append(w.variables, v), append(w.datasets, d)
	if err := w.o.Describe(d, w.ownOf(c.Field.Metadata, hasUnits(v))); err != nil {
		return frame.Stored{}, err
	}
	if err := v.describe(d, c.Field.Name, link); err != nil {
		return frame.Stored{}, err
	}
	if err := d.Attach(0, w.row); err != nil {
		return frame.Stored{}, err
	}
	for i, s := range scales {
		if err := d.Attach(i+1, s); err != nil {
			return frame.Stored{}, err
		}
	}
	nulls := ""
	if c.Nulls+c.ItemNulls > 0 {
		nulls = "sentinel"
	}
	return w.o.Place(d.Path(), nulls), nil
}

// enumeration makes the type of an enumeration, which has a name in netCDF.
func (w *writer) enumeration(link string, t *h5.Type) (*write.NamedType, error) {
	name := link + "_t"
	for w.taken[name] {
		name += "_"
	}
	w.taken[name] = true
	return w.o.File.Commit(path.Join(w.o.Path, name), t)
}

// describe adds the attributes of a variable.
func (v *variable) describe(d *write.Dataset, name, link string) error {
	if link != name {
		v.notes = append(v.notes, note{"long_name", name})
	}
	for _, n := range v.notes {
		var err error
		switch x := n.value.(type) {
		case string:
			err = text(d, n.name, x)
		case float64:
			t := &h5.Type{Class: h5.ClassFloat, Size: 8, Order: h5.LittleEndian, Precision: 64,
				Float: &h5.FloatFields{Sign: 63, ExpLoc: 52, ExpSize: 11, MantSize: 52, Bias: 1023, Norm: 2}}
			err = d.Attribute(write.Attribute{Name: n.name, Type: t, Space: write.Shape(1), Data: binary.LittleEndian.AppendUint64(nil, math.Float64bits(x))})
		case flags:
			err = d.Attribute(write.Attribute{Name: n.name, Type: x.typ, Space: write.Shape(uint64(len(x.values) / x.typ.Size)), Data: x.values})
		}
		if err != nil {
			return err
		}
	}
	if v.fill == nil {
		return nil
	}
	fill := write.Attribute{Name: "_FillValue", Type: v.typ, Space: write.Shape(1), Data: v.fill}
	if v.isText {
		fill.Data = append(binary.LittleEndian.AppendUint64(nil, uint64(len(v.fill))), v.fill...)
	}
	return d.Attribute(fill)
}

// text adds an attribute of characters, as the library writes text.
func text(o write.Object, name, s string) error {
	t := &h5.Type{Class: h5.ClassString, Size: len(s), CharSet: h5.UTF8}
	return o.Attribute(write.Attribute{Name: name, Type: t, Space: write.Shape(), Data: []byte(s)})
}

// meanings are the attributes that say how values are stored. They are not taken from metadata: what is stored here is unpacked.
var meanings = []string{"scale_factor", "add_offset", "missing_value", "valid_min", "valid_max", "valid_range", "_Unsigned", "flag_values", "flag_meanings",
	"_Encoding", "Conventions", "_NCProperties"}

// ownOf returns metadata without what says how values are stored; without units, where the values have their own or those of times.
func (w *writer) ownOf(md arrow.Metadata, units bool) arrow.Metadata {
	for _, k := range []string{"units", dtype.MetaAttribute + "units"} {
		text, _ := md.GetValue(k)
		units = units || strings.Contains(text, " since ")
	}
	return w.o.Own(md, func(name string) bool {
		return slices.Contains(meanings, name) || units && (name == "units" || name == "calendar")
	})
}

func hasUnits(v *variable) bool {
	return slices.ContainsFunc(v.notes, func(n note) bool { return n.name == "units" })
}
