package write

import (
	"encoding/binary"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// scales are a dataset's dimension scales, and what it is a scale of.
type scales struct {
	isScale bool
	name    string
	of      []scaleUse   // dimensions that this scale is attached to
	dims    [][]*Dataset // scales of each dimension
}

// scaleUse is a dimension of a dataset.
type scaleUse struct {
	d   *Dataset
	dim int
}

// Scale makes the dataset a dimension scale (HDF5 Dimension Scale Specification) of a name, which may be empty.
func (d *Dataset) Scale(name string) error {
	if err := d.f.changeable(d.path); err != nil {
		return err
	}
	if strings.ContainsRune(name, 0) || len(name) > 1<<15 {
		return h5err.In(h5err.New(h5err.Argument, "a name of %d bytes for a dimension scale", len(name)), "", d.path)
	}
	d.scales.isScale, d.scales.name = true, name
	if err := d.Attribute(fixedText("CLASS", "DIMENSION_SCALE")); err != nil || name == "" {
		return err
	}
	return d.Attribute(fixedText("NAME", name))
}

// fixedText is a scalar attribute of a fixed string, as the library's dimension scales have them.
func fixedText(name, text string) Attribute {
	t := &h5.Type{Class: h5.ClassString, Size: len(text) + 1}
	return Attribute{Name: name, Type: t, Space: Shape(), Data: append([]byte(text), 0)}
}

// Attach attaches a dimension scale to a dimension. Close writes DIMENSION_LIST and REFERENCE_LIST.
func (d *Dataset) Attach(dim int, scale *Dataset) error {
	if err := d.f.changeable(d.path); err != nil {
		return err
	}
	if dim < 0 || dim >= len(d.spec.Space.Dims) || scale == nil || scale.f != d.f || scale == d {
		return h5err.In(h5err.New(h5err.Argument, "a dimension scale for dimension %d of %d", dim, len(d.spec.Space.Dims)), "", d.path)
	}
	if !scale.scales.isScale {
		if err := scale.Scale(""); err != nil {
			return err
		}
	}
	if d.scales.dims == nil {
		d.scales.dims = make([][]*Dataset, len(d.spec.Space.Dims))
	}
	d.scales.dims[dim] = append(d.scales.dims[dim], scale)
	scale.scales.of = append(scale.scales.of, scaleUse{d, dim})
	return nil
}

// objectReference is the type of references to objects.
func objectReference() *h5.Type {
	return &h5.Type{Class: h5.ClassReference, Size: 8, Ref: h5.RefObject1}
}

// scaleAttributes makes the attributes that link datasets and dimension scales.
func (d *Dataset) scaleAttributes() error {
	s := &d.scales
	if s.dims != nil {
		var data []byte
		for _, list := range s.dims {
			data = binary.LittleEndian.AppendUint64(data, uint64(len(list)))
			for _, scale := range list {
				data = binary.LittleEndian.AppendUint64(data, scale.id)
			}
		}
		t := &h5.Type{Class: h5.ClassVLen, Size: 16, Base: objectReference()}
		err := d.Attribute(Attribute{Name: "DIMENSION_LIST", Type: t, Space: Shape(uint64(len(s.dims))), Data: data})
		if err != nil {
			return err
		}
	}
	if len(s.of) == 0 {
		return nil
	}
	index := &h5.Type{Class: h5.ClassFixed, Size: 4, Order: h5.LittleEndian, Signed: true, Precision: 32}
	t := &h5.Type{Class: h5.ClassCompound, Size: 16, Members: []h5.Member{{Name: "dataset", Type: objectReference()},
		{Name: "dimension", Offset: 8, Type: index}}}
	var data []byte
	for _, u := range s.of {
		data = binary.LittleEndian.AppendUint64(data, u.d.id)
		data = binary.LittleEndian.AppendUint64(data, uint64(u.dim))
	}
	return d.Attribute(Attribute{Name: "REFERENCE_LIST", Type: t, Space: Shape(uint64(len(s.of))), Data: data})
}
