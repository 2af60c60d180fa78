// Package frame keeps the rows of a table in a temporary file while it looks at them. Layouts that need to know all values before
// they write the first one use it: which columns have nulls, how long text is, which values are not in use.
package frame

import (
	"bytes"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/write"
)

// Column is what is known of a column when all rows have been seen.
type Column struct {
	Field  arrow.Field    // as the caller has it
	Type   arrow.DataType // of the arrays that Table.Each passes: without views; of dictionaries, that of their indices
	Labels arrow.Array    // of a dictionary; nil for other columns

	Nulls     int64    // of rows
	ItemNulls int64    // of the items of lists of one length, without those of rows that are null
	Longest   int      // bytes of the longest text
	NUL       bool     // text has NULs
	Marks     [][]byte // values that were looked for: elements in little-endian order, or text
	Taken     []bool   // which of Marks is a value
}

// Ordered reports whether the labels of a dictionary are in order.
func (c *Column) Ordered() bool {
	d, ok := c.Field.Type.(*arrow.DictionaryType)
	return ok && d.Ordered
}

// Free returns the first of Marks that is not a value, nil if all are.
func (c *Column) Free() []byte {
	for i, m := range c.Marks {
		if !c.Taken[i] {
			return m
		}
	}
	return nil
}

// Look takes notice of more values of a column.
func (c *Column) Look(a arrow.Array) {
	if len(c.Taken) < len(c.Marks) {
		c.Taken = make([]bool, len(c.Marks))
	}
	c.Nulls += int64(a.NullN())
	c.values(a)
}

func (c *Column) values(a arrow.Array) {
	switch a := a.(type) {
	case *array.FixedSizeList:
		n := int(a.DataType().(*arrow.FixedSizeListType).Len())
		from := a.Data().Offset() * n
		items := array.NewSlice(a.ListValues(), int64(from), int64(from+a.Len()*n))
		defer items.Release()
		for i := range a.Len() * n {
			if items.IsNull(i) && a.IsValid(i/n) {
				c.ItemNulls++
			}
		}
		c.values(items)
	case array.StringLike:
		for i := range a.Len() {
			if a.IsValid(i) {
				c.text(a.Value(i))
			}
		}
	default:
		c.numbers(a)
	}
}

func (c *Column) text(s string) {
	c.Longest = max(c.Longest, len(s))
	if !c.NUL {
		c.NUL = bytes.IndexByte([]byte(s), 0) >= 0
	}
	for k, m := range c.Marks {
		if !c.Taken[k] && s == string(m) {
			c.Taken[k] = true
		}
	}
}

// numbers looks for marks among elements of fixed width.
func (c *Column) numbers(a arrow.Array) {
	t, ok := a.DataType().(arrow.FixedWidthDataType)
	if !ok || t.BitWidth()%8 != 0 || len(c.Marks) == 0 || a.Data().Buffers()[1] == nil {
		return
	}
	w := t.Bytes()
	p := a.Data().Buffers()[1].Bytes()[a.Data().Offset()*w:]
	for k, m := range c.Marks {
		if len(m) != w || c.Taken[k] {
			continue
		}
		native := Native(m)
		for i := range a.Len() {
			if bytes.Equal(p[i*w:(i+1)*w], native) && a.IsValid(i) {
				c.Taken[k] = true
				break
			}
		}
	}
}

// Stored says how a column was stored.
type Stored struct {
	Path    string
	Storage h5.Storage
	Aligned bool
	Nulls   string // "mask", "sentinel"; "" if there are none
}

// Output is where a layout writes a table.
type Output struct {
	File *write.File
	Path string // of the table's group

	ChunkRows int64 // 0: contiguous, or what the layout chooses
	Filters   func(elementSize int) []h5.Filter

	// Describe makes attributes of metadata.
	Describe func(o write.Object, md arrow.Metadata) error
	Lost     func(keys ...string) // reports keys of metadata that have no place
}

// Spec describes a dataset of rows of a type and a shape.
func (o *Output) Spec(t *h5.Type, rows uint64, dims ...uint64) write.Spec {
	s := write.Spec{Type: t, Space: write.Shape(append([]uint64{rows}, dims...)...)}
	if o.ChunkRows == 0 {
		return s
	}
	s.Space = write.Growing(append([]uint64{rows}, dims...)...)
	s.ChunkDims = append([]uint64{max(1, min(rows, uint64(o.ChunkRows)))}, dims...)
	if o.Filters != nil {
		s.Filters = o.Filters(t.Size)
	}
	return s
}

// Own returns metadata without the keys for which meant, which is given names of attributes, is true. Those that are not attributes of HDF5 are
// lost: other software would take them for its own.
func (o *Output) Own(md arrow.Metadata, meant func(name string) bool) arrow.Metadata {
	out := map[string]string{}
	for i, k := range md.Keys() {
		name, isAttribute := strings.CutPrefix(k, dtype.MetaAttribute)
		switch {
		case !meant(name):
			out[k] = md.Values()[i]
		case !isAttribute:
			o.Lost(k)
		}
	}
	return arrow.MetadataFrom(out)
}

// Place returns how a column in a dataset at a path was stored.
func (o *Output) Place(path, nulls string) Stored {
	s := Stored{Path: path, Storage: h5.StorageContiguous, Aligned: true, Nulls: nulls}
	if o.ChunkRows > 0 {
		s.Storage, s.Aligned = h5.StorageChunked, o.Filters == nil
	}
	return s
}
