package netcdf

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// scaleOf returns the unpacking by scale_factor and add_offset, nil where there is none. kind is the Arrow type of
// the numbers that come out.
func scaleOf(d *h5.Dataset, t *h5.Type) (kind arrow.DataType, out *convention.Derived, err error) {
	kind = numberType(t)
	scale, wide1, err := factor(d, "scale_factor", 1)
	if err != nil {
		return nil, nil, err
	}
	offset, wide2, err := factor(d, "add_offset", 0)
	if err != nil || wide1 == 0 && wide2 == 0 {
		return kind, nil, err
	}
	out = &convention.Derived{Reason: "unpacked by scale_factor and add_offset"}
	if wide := max(wide1, wide2); wide == 8 || t.Class == h5.ClassFloat && t.Size == 8 {
		out.Type = arrow.PrimitiveTypes.Float64
		out.Compute = func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) {
			return unpack(in, mem, out.Type, scale, offset, wide1 > 0, wide2 > 0)
		}
	} else {
		out.Type = arrow.PrimitiveTypes.Float32
		out.Compute = func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) {
			return unpack(in, mem, out.Type, float32(scale), float32(offset), wide1 > 0, wide2 > 0)
		}
	}
	return out.Type, out, nil
}

// factor reads a number attribute; width is 4 for a 32-bit float, 8 for any other number, 0 where there is none.
func factor(d *h5.Dataset, name string, missing float64) (v float64, width int, err error) {
	a, err := d.Attribute(name)
	if err != nil || a == nil {
		return missing, 0, err
	}
	f, ok := a.Floats()
	if !ok || len(f) != 1 {
		return 0, 0, h5err.New(h5err.Corrupt, "the attribute %s is not a number", name)
	}
	if a.Type().Class == h5.ClassFloat && a.Type().Size == 4 {
		return f[0], 4, nil
	}
	return f[0], 8, nil
}

func numberType(t *h5.Type) arrow.DataType {
	if t.Class == h5.ClassFloat {
		return map[int]arrow.DataType{4: arrow.PrimitiveTypes.Float32, 8: arrow.PrimitiveTypes.Float64}[t.Size]
	}
	signed := map[int]arrow.DataType{1: arrow.PrimitiveTypes.Int8, 2: arrow.PrimitiveTypes.Int16, 4: arrow.PrimitiveTypes.Int32, 8: arrow.PrimitiveTypes.Int64}
	unsigned := map[int]arrow.DataType{1: arrow.PrimitiveTypes.Uint8, 2: arrow.PrimitiveTypes.Uint16, 4: arrow.PrimitiveTypes.Uint32, 8: arrow.PrimitiveTypes.Uint64}
	if t.Signed {
		return signed[t.Size]
	}
	return unsigned[t.Size]
}

// unpack computes value*scale+offset, each step rounded to F.
func unpack[F arrays.Float](in arrow.Array, mem memory.Allocator, t arrow.DataType, scale, offset F, scaled, shifted bool) (arrow.Array, error) {
	buf, out := arrays.NewFloats[F](in.Len(), mem)
	defer buf.Release()
	if err := arrays.Floats(in, out); err != nil {
		return nil, err
	}
	if scaled {
		for i := range out {
			out[i] *= scale
		}
	}
	if shifted {
		for i := range out {
			out[i] += offset
		}
	}
	return arrays.WithValues(in, t, buf), nil
}

// overItems applies a computation to the items of rows that have several.
func overItems(d *convention.Derived, dims []uint64) *convention.Derived {
	inner := *d
	out := inner
	out.Type = inner.Type
	for _, n := range slices.Backward(dims) {
		out.Type = arrow.FixedSizeListOf(int32(n), out.Type)
	}
	out.Compute = func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
		return arrays.Itemwise(in, out.Type, func(items arrow.Array) (arrow.Array, error) { return inner.Compute(items, row0, mem) })
	}
	return &out
}
