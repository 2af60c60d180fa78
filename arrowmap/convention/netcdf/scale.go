package netcdf

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/h5"
)

// scaling is the unpacking of values by scale_factor and add_offset.
type scaling struct {
	scale, offset   float64
	scaled, shifted bool     // there is a scale_factor, an add_offset
	t               *h5.Type // the wider of the attributes' types, nil for text
	double          bool     // it is computed in 64 bits
}

// scalingOf reads scale_factor and add_offset, nil where there is neither. Where one makes no sense, neither is used.
func (a *attributes) scalingOf(t *h5.Type) (*scaling, error) {
	s := &scaling{scale: 1, double: t.Class == h5.ClassFloat && t.Size == 8}
	noted := len(a.notes)
	for _, f := range []struct {
		name  string
		value *float64
		has   *bool
	}{{"scale_factor", &s.scale, &s.scaled}, {"add_offset", &s.offset, &s.shifted}} {
		v, at, err := a.numbers(f.name, 1)
		if err != nil {
			return nil, err
		}
		if len(v) == 0 {
			continue
		}
		*f.value, _ = v[0].Float64()
		*f.has = true
		s.double = s.double || at == nil || at.Class != h5.ClassFloat || at.Size != 4
		if rank(at) > rank(s.t) {
			s.t = at
		}
	}
	if len(a.notes) > noted && (s.scaled || s.shifted) {
		a.notes = append(a.notes, "nothing is unpacked")
		return nil, nil
	}
	if !s.scaled && !s.shifted {
		return nil, nil
	}
	return s, nil
}

// finite reports whether values can be unpacked to other numbers than NaN and infinities.
func (s *scaling) finite() bool {
	return !math.IsNaN(s.scale) && !math.IsInf(s.scale, 0) && !math.IsNaN(s.offset) && !math.IsInf(s.offset, 0)
}

// arrow is the type of the unpacked values.
func (s *scaling) arrow() arrow.DataType {
	if s.double {
		return arrow.PrimitiveTypes.Float64
	}
	return arrow.PrimitiveTypes.Float32
}

// derived describes the unpacked values.
func (s *scaling) derived() *convention.Derived {
	out := &convention.Derived{Reason: "unpacked by scale_factor and add_offset", Type: s.arrow()}
	out.Compute = func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) {
		if s.double {
			return unpack[float64](in, mem, s)
		}
		return unpack[float32](in, mem, s)
	}
	return out
}

// unpack computes value*scale+offset, each step rounded to F.
func unpack[F arrays.Float](in arrow.Array, mem memory.Allocator, s *scaling) (arrow.Array, error) {
	buf, out := arrays.NewFloats[F](in.Len(), mem)
	defer buf.Release()
	if err := arrays.Floats(in, out); err != nil {
		return nil, err
	}
	if s.scaled {
		scale := F(s.scale)
		for i := range out {
			out[i] *= scale
		}
	}
	if s.shifted {
		offset := F(s.offset)
		for i := range out {
			out[i] += offset
		}
	}
	return arrays.WithValues(in, s.arrow(), buf), nil
}

// unpackOne is unpack for one value.
func unpackOne[T int64 | uint64 | float64](s *scaling, v T) float64 {
	if s.double {
		x := float64(v)
		if s.scaled {
			x *= s.scale
		}
		if s.shifted {
			x += s.offset
		}
		return x
	}
	x := float32(v)
	if s.scaled {
		x *= float32(s.scale)
	}
	if s.shifted {
		x += float32(s.offset)
	}
	return float64(x)
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

// overItems applies a computation to the items of rows that have several. Shapes that rows can't have are refused later.
func overItems(d *convention.Derived, dims []uint64) *convention.Derived {
	inner := *d
	out := inner
	each := int64(1) // items of a row
	for _, n := range dims {
		if n == 0 || n > math.MaxInt32 || each > math.MaxInt64/int64(n) {
			return d
		}
		each *= int64(n)
	}
	if inner.Type != nil {
		out.Type, _ = arrays.Nested(inner.Type, dims)
	}
	out.Compute = func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
		t := out.Type
		if t == nil {
			t = in.DataType()
		}
		return arrays.Itemwise(in, t, func(items arrow.Array) (arrow.Array, error) { return inner.Compute(items, row0*each, mem) })
	}
	return &out
}
