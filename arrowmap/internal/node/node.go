// Package node makes the arrays of columns. There is a type for each kind of values that package convention describes,
// with its checks, what it needs of the file, and how arrays are built from that.
//
// Nodes do not read: they name the rows of datasets that they want, and package pass provides them, mapped or decoded.
package node

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/nonnull"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Node makes the arrays of one column, batch by batch. What it returns does not depend on what was built before.
type Node interface {
	Describe() *Info
	Wants(a, b int64, want Want)                    // names the rows of datasets that rows [a,b) need
	Fits(x *Part, a, b int64) int64                 // how many rows from a on fit in one array
	Build(x *Part, a, b int64) (arrow.Array, error) // the caller releases the array
}

// Info is what is known about a column before anything is read. It is shared and not to be written to.
type Info struct {
	Type     arrow.DataType
	Rows     int64
	RowBytes int64 // estimated bytes of Arrow memory of a row
	Slow     bool  // a row costs much more than its bytes

	Delivery dtype.Delivery
	Reason   string // why it is not mapped, "" when it is
	Nulls    *Nulls
	Metadata map[string]string // for the field
	Pure     bool              // no value can be null
	Err      error             // why the column is refused
}

// Describe returns i.
func (i *Info) Describe() *Info { return i }

// deliver sets delivery and reason.
func (i *Info) deliver(how dtype.Delivery, why string) { i.Delivery, i.Reason = how, why }

// Nulls says where a column's nulls come from.
type Nulls struct {
	Source   string // mask, bitmap, or a rule in words
	Path     string // of its dataset
	Delivery dtype.Delivery
	Words    string // for the field's metadata
}

// Align is what to do with mapped values that are not aligned to their width.
type Align uint8

// The policies.
const (
	AlignKeep Align = iota
	AlignCopy
	AlignRefuse
)

// Planner makes the nodes of one file's columns. It may be used by several goroutines.
type Planner struct {
	File    *h5.File
	Types   dtype.Options
	Align   Align
	Plugins bool // datasets with filters that are not built in can be read

	// NonNull has the rows that were found to have no nulls; nil remembers none. Indexed has those that an index knows.
	NonNull, Indexed *nonnull.Rows

	plans plans
	paths paths
}

// New makes the node that a description asks for. Descriptions that contradict their datasets are Corrupt.
func (p *Planner) New(v convention.Values) (Node, error) {
	switch v := v.(type) {
	case *convention.Plain:
		return p.plain(v)
	case *convention.Strings:
		return p.strings(v)
	case *convention.Dictionary:
		return p.dictionary(v)
	case *convention.List:
		return p.list(v)
	case *convention.Cells:
		return p.cells(v)
	case *convention.Transposed:
		return p.transposed(v)
	case *convention.Empty:
		return newEmpty(v), nil
	case *convention.Derived:
		return p.derived(v)
	case *convention.Computed:
		return p.computed(v)
	case *convention.Generated:
		return newGenerated(v), nil
	case *convention.Struct:
		return p.fields(v)
	case *convention.Padded:
		return p.padded(v)
	case *convention.Grouped:
		return p.grouped(v)
	case *convention.Taken:
		return p.taken(v)
	case *convention.Spread:
		return p.spread(v)
	case *convention.Masked:
		return p.masked(v)
	}
	return nil, h5err.New(h5err.Unsupported, "a column of kind %T", v)
}

// TypeName is the type's String.
func (p *Planner) TypeName(t *h5.Type) string { return p.plans.typeName(t) }

// readable refuses datasets that are known to be unreadable before anything is read.
func (p *Planner) readable(d *h5.Dataset) error {
	l, err := d.Layout()
	if err != nil {
		return err
	}
	if _, err := d.Bytes(); err != nil {
		return err
	}
	if l.Storage == h5.StorageChunked {
		err := chunk.Decodable(d)
		if h5err.Is(err, h5err.Unsupported) && p.Plugins {
			err = pluginType(d.Type())
		}
		return h5err.About(err, d)
	}
	return nil
}

// pluginType refuses types whose elements point to a heap: their bytes mean nothing outside the library that read them.
func pluginType(t *h5.Type) error {
	switch t.Class {
	case h5.ClassVLen, h5.ClassReference:
		return h5err.New(h5err.Unsupported, "elements of %s through a filter plugin", t)
	case h5.ClassArray:
		return pluginType(t.Base)
	case h5.ClassCompound:
		for _, m := range t.Members {
			if err := pluginType(m.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

// fail returns an error about an object.
func fail(o h5err.Located, k h5err.Kind, format string, args ...any) error {
	return h5err.About(h5err.New(k, format, args...), o)
}

// retyped returns an array under a type of the same layout. It takes over arr.
func retyped(arr arrow.Array, t arrow.DataType) arrow.Array {
	if arr.DataType() == t || arrow.TypeEqual(arr.DataType(), t) {
		return arr
	}
	defer arr.Release()
	d := arr.Data()
	data := array.NewData(t, d.Len(), d.Buffers(), d.Children(), d.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}
