package node

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/buffer"
	"github.com/h5arrow/h5arrow/arrowmap/internal/nonnull"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Plain is the elements of a dataset or one of their members.
type Plain struct {
	Info
	p      *Planner
	ds     Dataset
	plan   *dtype.Plan
	offset int   // of the member
	stride int   // bytes of an element, 0 for whole elements
	all    int64 // rows of the dataset where they are one row of the column, else 0
	nulls  []nullSource
	probed *nonnull.Key // of values that are mapped but for a look at each of them, nil for others
}

// Limits on shapes, which come from the file.
const (
	maxElements = 1 << 60
	maxRow      = math.MaxInt32 // bytes
)

func (p *Planner) plain(v *convention.Plain) (*Plain, error) {
	d := v.Data
	if err := p.readable(d); err != nil {
		return nil, err
	}
	n := &Plain{p: p, ds: Dataset{d, v.Squeeze, v.Order}}
	n.Rows = d.Rows()
	dims := v.ItemDims()
	if v.Order != nil {
		n.Rows = v.Order.Cells()
	}
	if v.Squeeze {
		dims, n.Rows = squeezed(d)
	}
	if v.OneRow {
		dims, n.all = d.Dims(), n.Rows
	}
	src, err := n.source(v, dims)
	if err != nil {
		return nil, err
	}
	types := p.Types
	if v.Latin1 && types.Strings == dtype.StringsUTF8 {
		types.Strings = dtype.StringsLatin1
	}
	if n.plan, err = p.plans.plan(src, types); err != nil {
		return nil, h5err.About(err, d)
	}
	n.Type = n.plan.Arrow
	if v.Zone != "" {
		ts, ok := n.Type.(*arrow.TimestampType)
		if !ok {
			return nil, fail(d, h5err.Corrupt, "time zone %s of values that are not times: %s", v.Zone, n.Type)
		}
		n.Type = &arrow.TimestampType{Unit: ts.Unit, TimeZone: v.Zone}
	}
	rows, err := n.plan.ArrowRows(uint64(n.Rows))
	if err != nil {
		return nil, h5err.About(err, d)
	}
	if n.Rows = int64(rows); v.OneRow {
		n.Rows = 1
	}
	if n.nulls, err = p.nullSources(v.Nulls, d, n.Rows, n.plan.Items, v.DType == "utf32" || n.stride > 0); err != nil {
		return nil, err
	}
	if err = checkRules(n.nulls, n.plan.RowBytes/int(n.plan.Items), d); err != nil {
		return nil, err
	}
	n.describe()
	return n, nil
}

// source returns what the plan is made from for rows of a shape, and sets where in an element the values are.
func (n *Plain) source(v *convention.Plain, dims []uint64) (dtype.Source, error) {
	d := v.Data
	src := dtype.Source{Type: d.Type(), Dims: dims, DType: v.DType, Units: v.Units, HasDLength: v.HasDLength, DLength: v.DLength, Bitfield8AsBool: v.Bools, UnixTimes: v.Times, WholeText: v.WholeText}
	rowBytes, ok := bytesOf(dims, d.Type())
	if !ok {
		return src, fail(d, h5err.Limit, "a row of %v elements of %d bytes", dims, d.Type().Size)
	}
	if v.Member != convention.Whole {
		one := !slices.ContainsFunc(dims, func(n uint64) bool { return n != 1 }) // element in a row
		if d.Type().Class != h5.ClassCompound || v.Member >= len(d.Type().Members) || !one {
			return src, fail(d, h5err.Corrupt, "no member %d", v.Member)
		}
		m := &d.Type().Members[v.Member]
		src.Dims, dims = nil, nil
		src.Type, n.offset, n.stride = m.Type, m.Offset, d.Type().Size
		if v.Item != convention.Whole && m.Type.Class == h5.ClassArray {
			src.Type, dims = m.Type.Base, m.Type.Dims
		}
	}
	if v.Item != convention.Whole {
		items, ok := bytesOf(dims, src.Type)
		at := int64(v.Item) * int64(src.Type.Size)
		if !ok || v.Item < 0 || at >= items {
			return src, fail(d, h5err.Corrupt, "no item %d in rows of shape %v", v.Item, dims)
		}
		n.offset += int(at)
		n.stride, src.Dims = int(rowBytes), nil
	}
	if v.As != nil {
		was, ok := bytesOf(src.Dims, src.Type)
		src.Type, src.Dims = v.As, v.RowDims
		if is, ok2 := bytesOf(src.Dims, src.Type); !ok || !ok2 || is != was {
			return src, fail(d, h5err.Corrupt, "rows of %d bytes read as rows of %d", was, is)
		}
	}
	return src, nil
}

// squeezed is a dataset's row shape and number of rows without its leading dimensions of 1.
func squeezed(d *h5.Dataset) (dims []uint64, rows int64) {
	dims = d.Dims()
	for len(dims) > 1 && dims[0] == 1 {
		dims = dims[1:]
	}
	if len(dims) == 0 {
		return nil, d.Rows()
	}
	return dims[1:], int64(dims[0])
}

// bytesOf is the size of items of a shape; ok is false for more than a row may have.
func bytesOf(dims []uint64, t *h5.Type) (n int64, ok bool) {
	n = int64(t.Size)
	for _, d := range dims {
		if d > maxRow {
			return 0, false
		}
		if n *= int64(d); n > maxRow {
			return 0, false
		}
	}
	return n, true
}

// describe fills in the Info of a planned node.
func (n *Plain) describe() {
	n.RowBytes = int64(n.plan.RowBytes)
	if n.plan.Variable {
		n.RowBytes = max(n.RowBytes, 32)
	}
	n.Slow = n.plan.Variable || n.plan.Refs
	n.Metadata = n.plan.Metadata
	how, why := n.plan.Delivery, n.plan.Reason
	if n.stride > 0 && (how == dtype.Mapped || how == dtype.Swapped) {
		how, why = dtype.Gathered, "a part of each row"
	} else if how == dtype.Mapped && !n.ds.inOrder() {
		how, why = dtype.Gathered, "cells in another order than they are stored"
	}
	n.deliver(deliver(n.ds.Dataset, how, why))
	if n.Delivery == dtype.Mapped && n.misaligned() {
		switch n.p.Align {
		case AlignCopy:
			n.deliver(dtype.Realigned, misaligned)
		case AlignRefuse:
			n.deliver(dtype.Refused, misaligned)
			n.Err = h5err.About(h5err.New(h5err.Unsupported, "%s", n.Reason).WithOption("arrowmap.WithAlign", "keep or copy them"), n.ds)
		}
	}
	if n.Delivery == dtype.Mapped && n.plan.Probes() && len(n.nulls) == 0 && n.perRow() == 1 && n.ds.plain() && n.ds.File() == n.p.File {
		n.probed = &nonnull.Key{Address: n.ds.Address(), Type: n.plan.Arrow.String()}
	}
	n.Nulls = describeNulls(n.nulls)
	n.Pure = n.Nulls == nil && !MakesNulls(n.plan, n.p.Types)
}

// misaligned reports whether the values are contiguous and their first one is not aligned.
func (n *Plain) misaligned() bool {
	l, err := n.ds.Layout()
	return err == nil && l.Storage == h5.StorageContiguous && l.Offset%int64(Alignment(n.plan.Arrow)) != 0
}

// perRow is the number of rows of the dataset that make one of the column.
func (n *Plain) perRow() int64 { return max(1, n.plan.SourceRows, n.all) }

// Wants implements Node.
func (n *Plain) Wants(a, b int64, want Want) {
	var swap func([]byte) bool
	if n.stride == 0 {
		swap = n.swapper()
	}
	want(n.ds, a*n.perRow(), b*n.perRow(), swap)
	wantNulls(n.nulls, a, b, n.plan.Items, want)
}

// swapper returns what may swap values before they are built, nil for nothing.
func (n *Plain) swapper() func([]byte) bool {
	byRule := func(s nullSource) bool { return s.Kind == convention.NullRule } // on stored bytes
	if !n.plan.SwapInPlace(nil) || slices.ContainsFunc(n.nulls, byRule) {
		return nil
	}
	return n.plan.SwapInPlace
}

// Fits implements Node.
func (n *Plain) Fits(x *Part, a, b int64) int64 {
	return int64(n.plan.FitsBytes(n.raw(x, a, b), x.env(n.p, n.ds.Dataset), x.TextBytes))
}

// raw describes rows [a,b) to the plan.
func (n *Plain) raw(x *Part, a, b int64) dtype.Raw {
	if g := x.Gathered[n]; g != nil {
		at := int(a-g.lo) * g.width
		return dtype.Raw{Bytes: g.buf.Bytes()[at : at+int(b-a)*g.width], Rows: int(b - a), Row0: a, Owner: g.buf, OwnerOffset: at, Mutable: true, Swapped: g.swap != nil}
	}
	p := x.pieceOf(n.ds, a*n.perRow(), b*n.perRow())
	return dtype.Raw{
		Bytes: p.Bytes[min(n.offset, len(p.Bytes)):], Stride: n.stride, Rows: int(b - a), Row0: a,
		Owner: p.Owner, OwnerOffset: p.Offset + n.offset, Mutable: p.Mutable && n.stride == 0, Swapped: p.Swapped, Nulls: 0,
	}
}

// Build implements Node.
func (n *Plain) Build(x *Part, a, b int64) (arrow.Array, error) {
	raw := n.raw(x, a, b)
	v, err := x.validity(n.nulls, a, b, n.plan.Items, raw)
	if err != nil {
		return nil, err
	}
	defer v.release()
	raw.Valid, raw.Nulls, raw.ValidBuf = v.bits, v.nulls, v.buf
	if n.p.Align != AlignKeep && raw.Owner != nil && !raw.Mutable && !buffer.Aligned(raw.Bytes, Alignment(n.plan.Arrow)) {
		buf := memory.NewResizableBuffer(x.Alloc)
		defer buf.Release()
		buf.Resize(len(raw.Bytes))
		copy(buf.Bytes(), raw.Bytes)
		raw.Bytes, raw.Owner, raw.OwnerOffset = buf.Bytes(), buf, 0
	}
	raw.NoNulls = n.nonNull(a, b)
	arr, err := n.plan.Build(raw, x.env(n.p, n.ds.Dataset))
	if err != nil {
		return nil, h5err.About(err, n.ds)
	}
	if n.probed != nil && !raw.NoNulls && !n.p.File.Source().Following() && withoutNulls(arr) {
		n.p.NonNull.Add(*n.probed, a, b)
	}
	return retyped(arr, n.Type), nil
}

// nonNull reports whether rows [a,b) are known to have no nulls.
func (n *Plain) nonNull(a, b int64) bool {
	return n.probed != nil && !n.p.File.Source().Following() && (n.p.NonNull.Has(*n.probed, a, b) || n.p.Indexed.Has(*n.probed, a, b))
}

// withoutNulls reports whether neither an array nor its items have nulls.
func withoutNulls(arr arrow.Array) bool {
	d := arr.Data()
	for len(d.Children()) > 0 {
		if d.NullN() != 0 {
			return false
		}
		d = d.Children()[0]
	}
	return d.NullN() == 0
}

// Probed returns what rows of the column without nulls are remembered by, nil where that saves nothing.
func (n *Plain) Probed() *nonnull.Key { return n.probed }
