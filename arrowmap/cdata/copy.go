//go:build cgo

package cdata

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// copier copies arrays to memory that C may keep, unless they are there already.
type copier struct {
	*options
	from, to *array.Data // the dictionary that was copied last: batches share theirs
}

// forget drops the dictionary.
func (c *copier) forget() {
	if c.from != nil {
		c.from.Release()
		c.to.Release()
		c.from, c.to = nil, nil
	}
}

// batch returns a batch that C may keep.
func (c *copier) batch(rec arrow.RecordBatch) (out arrow.RecordBatch, err error) {
	columns := make([]arrow.Array, rec.NumCols())
	defer func() {
		for _, col := range columns {
			if col != nil {
				col.Release()
			}
		}
	}()
	err = source.Guard(func() error {
		for i := range columns {
			data, err := c.data(rec.Column(i).Data())
			if err != nil {
				return h5err.In(err, "", rec.ColumnName(i))
			}
			columns[i] = array.MakeFromData(data)
			data.Release()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return array.NewRecordBatch(rec.Schema(), columns, rec.NumRows()), nil
}

// role is what the bytes of a buffer mean.
type role uint8

const (
	values  role = iota
	offsets      // 32 or 64 bits each
	indices      // of a dictionary
)

// layout is the roles of a type's buffers and the width of their elements in bytes; bits and text have width 1.
func layout(t arrow.DataType) (roles []role, widths []int) {
	switch t := t.(type) {
	case arrow.ExtensionType:
		return layout(t.StorageType())
	case *arrow.DictionaryType:
		return []role{values, indices}, []int{1, t.IndexType.(arrow.FixedWidthDataType).Bytes()}
	case *arrow.ListType, *arrow.MapType:
		return []role{values, offsets}, []int{1, 4}
	case *arrow.LargeListType:
		return []role{values, offsets}, []int{1, 8}
	case *arrow.StringType, *arrow.BinaryType:
		return []role{values, offsets, values}, []int{1, 4, 1}
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		return []role{values, offsets, values}, []int{1, 8, 1}
	case *arrow.FixedSizeBinaryType, *arrow.BooleanType:
		return []role{values, values}, []int{1, 1}
	case arrow.FixedWidthDataType:
		return []role{values, values}, []int{1, min(8, t.Bytes())}
	}
	return []role{values}, []int{1} // nested types
}

func (c *copier) data(d arrow.ArrayData) (*array.Data, error) {
	roles, widths := layout(d.DataType())
	buffers := make([]*memory.Buffer, len(d.Buffers()))
	children := make([]arrow.ArrayData, len(d.Children()))
	var dictionary *array.Data
	defer func() {
		for _, b := range buffers {
			if b != nil {
				b.Release()
			}
		}
		for _, x := range children {
			if x != nil {
				x.Release()
			}
		}
	}()
	for i, b := range d.Buffers() {
		if b == nil {
			continue
		}
		r, w := values, 1
		if i < len(roles) {
			r, w = roles[i], widths[i]
		}
		safe, err := c.buffer(b, r, w)
		if err != nil {
			return nil, err
		}
		buffers[i] = safe
	}
	for i, x := range d.Children() {
		safe, err := c.data(x)
		if err != nil {
			return nil, err
		}
		children[i] = safe
	}
	if dict, ok := d.Dictionary().(*array.Data); ok && dict != nil {
		safe, err := c.dictionary(dict)
		if err != nil {
			return nil, err
		}
		dictionary = safe
	}
	if err := inside(d, roles, buffers, children, dictionary); err != nil {
		return nil, err
	}
	offset := d.Offset()
	if d.DataType().ID() == arrow.STRUCT && offset > 0 {
		return c.structs(d, buffers, children)
	}
	if dictionary != nil {
		return array.NewDataWithDictionary(d.DataType(), d.Len(), buffers, d.NullN(), offset, dictionary), nil
	}
	return array.NewData(d.DataType(), d.Len(), buffers, children, d.NullN(), offset), nil
}

// structs moves the offset of a struct into its children, because arrow-go applies it to them when it exports.
func (c *copier) structs(d arrow.ArrayData, buffers []*memory.Buffer, children []arrow.ArrayData) (*array.Data, error) {
	parts := make([]arrow.ArrayData, len(children))
	for i, x := range children {
		parts[i] = array.NewSliceData(x, int64(d.Offset()), int64(d.Offset()+d.Len()))
		defer parts[i].Release()
	}
	var valid *memory.Buffer
	if buffers[0] != nil {
		valid = memory.NewResizableBuffer(c.mem)
		defer valid.Release()
		valid.Resize((d.Len() + 7) / 8)
		clear(valid.Bytes())
		copyBits(valid.Bytes(), buffers[0].Bytes(), d.Offset(), d.Len())
	}
	return array.NewData(d.DataType(), d.Len(), []*memory.Buffer{valid}, parts, d.NullN(), 0), nil
}

// dictionary copies a dictionary once for all batches that share it.
func (c *copier) dictionary(d *array.Data) (*array.Data, error) {
	if c.from != d {
		safe, err := c.data(d)
		if err != nil {
			return nil, err
		}
		c.forget()
		d.Retain()
		c.from, c.to = d, safe
	}
	return c.to, nil
}

// buffer returns a buffer that C may keep.
func (c *copier) buffer(b *memory.Buffer, r role, width int) (*memory.Buffer, error) {
	p := b.Bytes()
	if len(p) == 0 || c.mem.owns(p) {
		b.Retain()
		return b, nil
	}
	if c.trusted && r == values && source.InMapping(p) {
		odd := address(p)%uintptr(width) != 0
		if odd && c.align == arrowmap.AlignRefuse {
			return nil, h5err.New(h5err.Unsupported, "values of %d bytes are not aligned", width).WithHint("copy them")
		}
		if !odd || c.align == arrowmap.AlignKeep {
			b.Retain()
			return b, nil
		}
	}
	out := memory.NewResizableBuffer(c.mem)
	out.Resize(len(p))
	copied := false
	defer func() {
		if !copied { // the bytes could not be read
			out.Release()
		}
	}()
	copy(out.Bytes(), p)
	copied = true
	return out, nil
}
