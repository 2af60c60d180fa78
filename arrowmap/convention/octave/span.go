package octave

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	cols "github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
)

// span is a range of Octave: base, base+step, ... up to limit, n numbers.
type span struct {
	base, limit, step float64
	n                 int64
	typ               *h5.Type // of base
}

// spanOf reads a range, of which base, limit, increment and the number of elements are stored.
func spanOf(d *h5.Dataset) (s span, err error) {
	t := d.Type()
	part := map[string]float64{}
	if n, ok := d.Space().Elements(); t.Class != h5.ClassCompound || !ok || n != 1 || t.Size > 1<<10 {
		return s, object.Corrupt(d, "a range of %s of shape %v", t, d.Dims())
	}
	b, err := object.Contents(d)
	if err != nil {
		return s, err
	}
	for _, m := range t.Members {
		if m.Type.Class == h5.ClassFloat && (m.Type.Size == 8 || m.Type.Size == 4) && m.Type.Order != h5.VAX && m.Offset >= 0 && m.Offset <= len(b)-m.Type.Size {
			if part[m.Name] = rule.Float(b[m.Offset:], m.Type); m.Name == "base" {
				s.typ = m.Type
			}
		}
	}
	var ok [3]bool
	s.base, ok[0] = part["base"]
	s.limit, ok[1] = part["limit"]
	s.step, ok[2] = part["increment"]
	if ok != [3]bool{true, true, true} {
		return s, object.Corrupt(d, "a range of %s: base, limit and increment are expected", t)
	}
	s.n = rangeLength(s.base, s.limit, s.step)
	a, err := d.Attribute("OCTAVE_RANGE_NELEM")
	if err != nil {
		return s, err
	}
	if a != nil {
		if s.n, ok[0] = a.Int(); !ok[0] {
			s.n = -1
		}
	}
	if s.n < 0 || s.n > d.File().Limits().Elements {
		return s, object.Corrupt(d, "a range of %d elements", s.n)
	}
	return s, nil
}

// at returns element i. The last one does not pass the limit, where rounding would.
func (s span) at(i int64) float64 {
	x := s.base + float64(i)*s.step
	if i == s.n-1 && (s.step > 0 && x > s.limit || s.step < 0 && x < s.limit) {
		return s.limit
	}
	return x
}

// rangeOf describes a range as so many rows.
func rangeOf(d *h5.Dataset) (convention.Values, int64, error) {
	s, err := spanOf(d)
	if err != nil {
		return nil, 0, err
	}
	return cols.ByRow(d, s.n, arrow.PrimitiveTypes.Float64, "base + row*increment", array.NewFloat64Builder,
		func(b *array.Float64Builder, row int64) { b.UnsafeAppend(s.at(row)) }), s.n, nil
}

// rangeLength is the number of elements of a range that does not say it, as old versions of Octave write it; -1 for none
// that makes sense.
func rangeLength(base, limit, step float64) int64 {
	steps := (limit - base) / step
	switch n := math.Floor(steps*(1+3*0x1p-52)) + 1; {
	case steps < 0:
		return 0
	case !(n < 1<<53): // or NaN
		return -1
	default:
		return int64(n)
	}
}

// maxSpans bounds the numbers that ranges in cells make, which are in memory at once.
const maxSpans = 1 << 24

// withSpans puts ranges in the place of empty lists of doubles: those of the rows that have one.
func withSpans(of convention.Values, spans map[int]span, rows int) convention.Values {
	t := arrow.ListOf(arrow.PrimitiveTypes.Float64)
	return &convention.Computed{Data: of.Main(), Rows: int64(rows), Type: t, Reason: "ranges as lists",
		Block: convention.Alone(func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
			stored := in[0].(*array.List)
			values := stored.ListValues().(*array.Float64)
			b := array.NewListBuilder(mem, arrow.PrimitiveTypes.Float64)
			defer b.Release()
			to := b.ValueBuilder().(*array.Float64Builder)
			for i := range stored.Len() {
				if s, ok := spans[i]; ok {
					b.Append(true)
					for k := range s.n {
						to.Append(s.at(k))
					}
					continue
				}
				if stored.IsNull(i) {
					b.AppendNull()
					continue
				}
				b.Append(true)
				lo, hi := stored.ValueOffsets(i)
				for k := lo; k < hi; k++ {
					if values.IsNull(int(k)) {
						to.AppendNull()
					} else {
						to.Append(values.Value(int(k)))
					}
				}
			}
			return b.NewArray(), nil
		}, of)}
}
