package convention

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// netcdfNulls makes the rules by which values of a variable are missing, all on stored values: _FillValue,
// missing_value, the type's default fill where there is no _FillValue, and the valid range. t is the type after
// _Unsigned.
func netcdfNulls(d *h5.Dataset, t *h5.Type, strict bool) ([]Null, error) {
	if t.Class != h5.ClassFixed && t.Class != h5.ClassFloat && t.Class != h5.ClassEnum || t.Size > 8 || t.Size&(t.Size-1) != 0 {
		return nil, nil
	}
	var out []Null
	add := func(r nullbitmap.Rule, err error, words string) error {
		if err != nil {
			return h5err.Wrap(h5err.Unsupported, err, "%s", words)
		}
		out = append(out, Null{Kind: NullRule, Rule: r, Text: words})
		return nil
	}
	has := false
	for _, name := range []string{"_FillValue", "missing_value"} {
		a, err := d.Attribute(name)
		if err != nil {
			return nil, err
		}
		values := storedValues(a, t)
		if len(values) == 0 {
			continue
		}
		has = has || name == "_FillValue"
		if err := equalRule(t, values, name, add); err != nil {
			return nil, err
		}
	}
	if fill := defaultFill(t); !has && strict && fill != nil {
		if err := equalRule(t, [][]byte{fill}, "default fill", add); err != nil {
			return nil, err
		}
	}
	lo, hi, err := validRange(d)
	if err != nil || lo == nil && hi == nil {
		return out, err
	}
	r, ok, err := rangeRule(t, lo, hi)
	if !ok {
		return out, err
	}
	return out, add(r, err, "valid range")
}

// equalRule adds the rule that values equal to one of the stored ones are missing. Floats compare as numbers; NaN
// equals NaN.
func equalRule(t *h5.Type, values [][]byte, words string, add func(nullbitmap.Rule, error, string) error) error {
	words += "=" + strings.Join(spellings(t, values), ",")
	if t.Class != h5.ClassFloat || t.Size < 4 {
		r, err := nullbitmap.Equal(values...)
		return add(r, err, words)
	}
	var numbers []float64
	for _, v := range values {
		f := floatOf(v, t)
		if math.IsNaN(f) {
			r, err := nullbitmap.NaN(t.Size, byteOrder(t))
			if err := add(r, err, words); err != nil {
				return err
			}
			continue
		}
		numbers = append(numbers, f)
	}
	if len(numbers) == 0 {
		return nil
	}
	r, err := nullbitmap.EqualFloat(t.Size, byteOrder(t), numbers...)
	return add(r, err, words)
}

// spellings are stored numbers in words.
func spellings(t *h5.Type, values [][]byte) []string {
	var out []string
	for _, v := range values {
		switch b := append(make([]byte, 8-len(v)), v...); {
		case t.Class == h5.ClassFloat && t.Size >= 4:
			out = append(out, strconv.FormatFloat(floatOf(v, t), 'g', -1, 8*t.Size))
		case t.Class == h5.ClassFixed:
			if t.Order != h5.BigEndian {
				slices.Reverse(b[8-len(v):])
			}
			x := binary.BigEndian.Uint64(b)
			if shift := 64 - 8*len(v); t.Signed {
				out = append(out, strconv.FormatInt(int64(x<<shift)>>shift, 10))
			} else {
				out = append(out, strconv.FormatUint(x, 10))
			}
		default:
			out = append(out, hex.EncodeToString(v))
		}
	}
	return out
}

func byteOrder(t *h5.Type) nullbitmap.ByteOrder {
	if t.Order == h5.BigEndian {
		return nullbitmap.BigEndian
	}
	return nullbitmap.LittleEndian
}

// floatOf decodes a stored IEEE float of 4 or 8 bytes.
func floatOf(p []byte, t *h5.Type) float64 {
	o := t.Order.Binary()
	if t.Size == 4 {
		return float64(math.Float32frombits(o.Uint32(p)))
	}
	return math.Float64frombits(o.Uint64(p))
}

// storedValues returns an attribute's values in the form of stored elements of a type. Values that the type can't hold
// are left out: netCDF ignores them too.
func storedValues(a *h5.Attribute, t *h5.Type) [][]byte {
	if a == nil {
		return nil
	}
	at := a.Type()
	if at.Class == h5.ClassEnum {
		at = at.Base
	}
	want := t
	if t.Class == h5.ClassEnum {
		want = t.Base
	}
	var out [][]byte
	if at.Class == want.Class && at.Size == want.Size && (at.Class == h5.ClassFixed || at.Class == h5.ClassFloat) {
		for p := a.Raw(); len(p) >= at.Size; p = p[at.Size:] {
			v := slices.Clone(p[:at.Size])
			if at.Order != want.Order {
				slices.Reverse(v)
			}
			out = append(out, v)
		}
		return out
	}
	floats, ok := a.Floats()
	if !ok {
		return nil
	}
	for _, f := range floats {
		switch {
		case want.Class == h5.ClassFloat && want.Size >= 4:
			out = append(out, nullbitmap.StoredFloat(f, want.Size, byteOrder(want)))
		case want.Class == h5.ClassFixed && f == math.Trunc(f) && fitsInt(f, want):
			out = append(out, nullbitmap.Stored(uint64(int64(f)), want.Size, byteOrder(want)))
		}
	}
	return out
}

// fitsInt tells whether an integer type holds a whole number of at most 2^53.
func fitsInt(f float64, t *h5.Type) bool {
	bits := min(8*t.Size, 53)
	if t.Signed {
		return f >= -math.Ldexp(1, bits-1) && f < math.Ldexp(1, bits-1)
	}
	return f >= 0 && f < math.Ldexp(1, bits)
}

// defaultFill is the netCDF library's fill value of a type, nil for types of one byte and those that have none.
func defaultFill(t *h5.Type) []byte {
	const float = 9.9692099683868690e+36
	switch {
	case t.Class == h5.ClassFloat && t.Size == 4:
		return nullbitmap.StoredFloat(float64(float32(float)), 4, byteOrder(t))
	case t.Class == h5.ClassFloat && t.Size == 8:
		return nullbitmap.StoredFloat(float, 8, byteOrder(t))
	case t.Class != h5.ClassFixed || t.Size == 1:
		return nil
	}
	var v uint64
	switch {
	case t.Signed && t.Size == 8:
		v = 1<<63 + 2
	case t.Signed:
		v = 1<<(8*t.Size-1) + 1
	case t.Size == 8:
		v = math.MaxUint64 - 1
	default:
		v = 1<<(8*t.Size) - 1
	}
	return nullbitmap.Stored(v, t.Size, byteOrder(t))
}

// validRange returns the attributes that bound valid values: the attribute, and the number of its value.
func validRange(d *h5.Dataset) (lo, hi *bound, err error) {
	a, err := d.Attribute("valid_range")
	if err != nil {
		return nil, nil, err
	}
	if a != nil {
		return &bound{a, 0}, &bound{a, 1}, nil
	}
	if a, err = d.Attribute("valid_min"); err != nil {
		return nil, nil, err
	}
	if a != nil {
		lo = &bound{a, 0}
	}
	if a, err = d.Attribute("valid_max"); err != nil {
		return nil, nil, err
	}
	if a != nil {
		hi = &bound{a, 0}
	}
	return lo, hi, nil
}

type bound struct {
	a *h5.Attribute
	i int
}

func (b *bound) float(missing float64) (float64, bool) {
	if b == nil {
		return missing, true
	}
	v, ok := b.a.Floats()
	if !ok || b.i >= len(v) {
		return 0, false
	}
	return v[b.i], true
}

// rangeRule is the rule that values outside the bounds are missing; ok is false for bounds that can't be compared.
func rangeRule(t *h5.Type, lo, hi *bound) (r nullbitmap.Rule, ok bool, err error) {
	if t.Class == h5.ClassFloat {
		a, ok1 := lo.float(math.Inf(-1))
		b, ok2 := hi.float(math.Inf(1))
		if !ok1 || !ok2 || t.Size < 4 {
			return r, false, nil
		}
		r, err = nullbitmap.OutsideFloat(t.Size, byteOrder(t), a, b)
		return r, true, err
	}
	if t.Class != h5.ClassFixed {
		return r, false, nil
	}
	if t.Signed {
		a, ok1 := lo.int(math.MinInt64, math.Ceil)
		b, ok2 := hi.int(math.MaxInt64, math.Floor)
		if !ok1 || !ok2 {
			return r, false, nil
		}
		r, err = nullbitmap.OutsideInt(t.Size, byteOrder(t), a, b)
		return r, true, err
	}
	a, ok1 := lo.uint(t, 0)
	b, ok2 := hi.uint(t, math.MaxUint64)
	if !ok1 || !ok2 {
		return r, false, nil
	}
	r, err = nullbitmap.OutsideUint(t.Size, byteOrder(t), a, b)
	return r, true, err
}

func (b *bound) int(missing int64, round func(float64) float64) (int64, bool) {
	if b == nil {
		return missing, true
	}
	if v, ok := b.a.Ints(); ok {
		if b.i >= len(v) {
			return 0, false
		}
		return v[b.i], true
	}
	f, ok := b.float(0)
	if f = round(f); !ok || math.IsNaN(f) || math.Abs(f) > 1<<62 {
		return 0, false
	}
	return int64(f), true
}

// uint reads a bound of unsigned values; a signed one of the same width is meant bit by bit, as _Unsigned says.
func (b *bound) uint(t *h5.Type, missing uint64) (uint64, bool) {
	if b == nil {
		return missing, true
	}
	v := storedValues(b.a, t)
	if b.i >= len(v) {
		return 0, false
	}
	u := uint64(0)
	for i, x := range v[b.i] {
		if t.Order == h5.BigEndian {
			u = u<<8 | uint64(x)
		} else {
			u |= uint64(x) << (8 * i)
		}
	}
	return u, true
}

// netcdfScale makes the unpacking by scale_factor and add_offset, nil where there is none. kind is the Arrow type of
// the numbers that come out.
func netcdfScale(d *h5.Dataset, t *h5.Type) (kind arrow.DataType, out *Derived, err error) {
	kind = numberType(t)
	scale, wide1, err := factor(d, "scale_factor", 1)
	if err != nil {
		return nil, nil, err
	}
	offset, wide2, err := factor(d, "add_offset", 0)
	if err != nil || wide1 == 0 && wide2 == 0 {
		return kind, nil, err
	}
	out = &Derived{Reason: "unpacked by scale_factor and add_offset"}
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
		return 0, 0, h5err.New(h5err.Corrupt, "the attribute %s is no number", name)
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

type float interface{ float32 | float64 }

// unpack computes value*scale+offset, each step rounded to F.
func unpack[F float](in arrow.Array, mem memory.Allocator, t arrow.DataType, scale, offset F, scaled, shifted bool) (arrow.Array, error) {
	buf, out := floats[F](in.Len(), mem)
	defer buf.Release()
	if err := numbers(in, out); err != nil {
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
	return withValues(in, t, buf), nil
}

// floats allocates n values.
func floats[F float](n int, mem memory.Allocator) (*memory.Buffer, []F) {
	var f F
	buf := memory.NewResizableBuffer(mem)
	if any(f) == any(float32(0)) {
		buf.Resize(4 * n)
		return buf, any(arrow.Float32Traits.CastFromBytes(buf.Bytes())).([]F)
	}
	buf.Resize(8 * n)
	return buf, any(arrow.Float64Traits.CastFromBytes(buf.Bytes())).([]F)
}

// numbers converts any array of numbers.
func numbers[F float](in arrow.Array, out []F) error {
	switch a := in.(type) {
	case *array.Int8:
		convert(out, a.Int8Values())
	case *array.Uint8:
		convert(out, a.Uint8Values())
	case *array.Int16:
		convert(out, a.Int16Values())
	case *array.Uint16:
		convert(out, a.Uint16Values())
	case *array.Int32:
		convert(out, a.Int32Values())
	case *array.Uint32:
		convert(out, a.Uint32Values())
	case *array.Int64:
		convert(out, a.Int64Values())
	case *array.Uint64:
		convert(out, a.Uint64Values())
	case *array.Float32:
		convert(out, a.Float32Values())
	case *array.Float64:
		convert(out, a.Float64Values())
	default:
		return h5err.New(h5err.Unsupported, "numbers of type %s", in.DataType())
	}
	return nil
}

func convert[F float, T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 | float64](out []F, in []T) {
	for i, v := range in {
		out[i] = F(v)
	}
}

// withValues makes an array of new values, with the validity of another.
func withValues(in arrow.Array, t arrow.DataType, values *memory.Buffer) arrow.Array {
	d := in.Data()
	var valid *memory.Buffer
	if in.NullN() > 0 {
		valid = d.Buffers()[0]
	}
	offset := 0
	if valid != nil && d.Offset() != 0 {
		valid = movedBits(valid, d.Offset(), d.Len())
		defer valid.Release()
	}
	data := array.NewData(t, d.Len(), []*memory.Buffer{valid, values}, nil, in.NullN(), offset)
	defer data.Release()
	return array.MakeFromData(data)
}

// movedBits copies bits to begin at 0.
func movedBits(b *memory.Buffer, off, n int) *memory.Buffer {
	out := memory.NewResizableBuffer(memory.DefaultAllocator)
	out.Resize((n + 7) / 8)
	p := out.Bytes()
	clear(p)
	nullbitmap.Copy(p, 0, b.Bytes(), off, n)
	return out
}

// overItems applies a computation to the items of rows of several.
func overItems(d *Derived, dims []uint64) *Derived {
	inner := *d
	out := inner
	out.Type = inner.Type
	for _, n := range slices.Backward(dims) {
		out.Type = arrow.FixedSizeListOf(int32(n), out.Type)
	}
	out.Compute = func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
		return itemwise(in, out.Type, func(items arrow.Array) (arrow.Array, error) { return inner.Compute(items, row0, mem) })
	}
	return &out
}

// itemwise rebuilds nested lists of fixed size around what fn makes of their items.
func itemwise(in arrow.Array, t arrow.DataType, fn func(arrow.Array) (arrow.Array, error)) (arrow.Array, error) {
	l, ok := in.(*array.FixedSizeList)
	lt, ok2 := t.(*arrow.FixedSizeListType)
	if !ok || !ok2 {
		return fn(in)
	}
	items, err := itemwise(l.ListValues(), lt.Elem(), fn)
	if err != nil {
		return nil, err
	}
	defer items.Release()
	d := l.Data()
	data := array.NewData(t, d.Len(), []*memory.Buffer{d.Buffers()[0]}, []arrow.ArrayData{items.Data()}, l.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data), nil
}
