package astropy

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// times describes the columns of classes Time and TimeDelta, each of which is two doubles whose sum is a number of days.
// They are found under the name of their first member.
func (m *members) times(about *value) map[string]convention.Column {
	out := map[string]convention.Column{}
	all := about.get("meta", "__serialized_columns__")
	if all == nil {
		return out
	}
	for _, f := range all.fields {
		class := f.of.string("__class__")
		span := class == "astropy.time.core.TimeDelta"
		if class != "astropy.time.core.Time" && !span {
			continue
		}
		jd1, jd2 := m.half(f.of.get("jd1")), m.half(f.of.get("jd2"))
		if jd1 == "" || jd2 == "" || jd1 == jd2 || m.part[jd1] || m.part[jd2] {
			continue
		}
		c := convention.Column{Name: f.name, Metadata: map[string]string{"class": class}}
		for _, k := range []string{"scale", "format"} {
			if s := f.of.string(k); s != "" {
				c.Metadata[k] = s
			}
		}
		c.Values = m.time(jd1, jd2, span, f.of.string("scale"))
		m.part[jd1], m.part[jd2] = true, true
		out[jd1] = c
	}
	return out
}

// half returns the member that is half of a time, by itself or with a mask, "" for none.
func (m *members) half(v *value) string {
	if v == nil {
		return ""
	}
	if data := v.get("data"); data != nil {
		v = data
	}
	name := m.name(v)
	if name == "" {
		return ""
	}
	t := m.d.Type().Members[m.at[name]].Type
	if t.Class == h5.ClassArray {
		t = t.Base
	}
	if t.Class != h5.ClassFloat || t.Size != 8 {
		return ""
	}
	return name
}

func (m *members) time(jd1, jd2 string, span bool, scale string) convention.Values {
	t := arrow.DataType(&arrow.TimestampType{Unit: arrow.Nanosecond})
	of := times{jumps: scale == "utc", span: span}
	reason := "days as two doubles to nanoseconds, scale " + scale
	if span {
		t, reason = arrow.FixedWidthTypes.Duration_ns, "days as two doubles to nanoseconds"
	}
	of.typ = t
	if a := m.d.Type().Members[m.at[jd1]].Type; a.Class == h5.ClassArray {
		for i := len(a.Dims) - 1; i >= 0; i-- {
			t = arrow.FixedSizeListOf(int32(min(a.Dims[i], math.MaxInt32)), t)
		}
	}
	halves := &convention.Struct{Data: m.d, Fields: []convention.Column{{Name: "jd1", Values: m.plain(jd1)}, {Name: "jd2", Values: m.plain(jd2)}}}
	return &convention.Derived{Of: halves, Type: t, Reason: reason, Compute: of.compute}
}

// times computes nanoseconds.
type times struct {
	typ   arrow.DataType
	jumps bool // days are longer or shorter where UTC jumps
	span  bool
}

func (c times) compute(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	s, ok := in.(*array.Struct)
	if !ok || s.NumField() != 2 {
		return nil, h5err.New(h5err.Unsupported, "times of %s", in.DataType())
	}
	return c.array(s.Field(0), s.Field(1), row0, mem)
}

// array computes times of numbers, or of lists of them.
func (c times) array(jd1, jd2 arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	a, ok := jd1.(*array.Float64)
	b, ok2 := jd2.(*array.Float64)
	if ok && ok2 {
		return c.numbers(a, b, row0, mem)
	}
	la, ok := jd1.(*array.FixedSizeList)
	lb, ok2 := jd2.(*array.FixedSizeList)
	if !ok || !ok2 || !arrow.TypeEqual(la.DataType(), lb.DataType()) {
		return nil, h5err.New(h5err.Unsupported, "times of %s and %s", jd1.DataType(), jd2.DataType())
	}
	size := la.DataType().(*arrow.FixedSizeListType).Len()
	items := func(l *array.FixedSizeList) arrow.Array {
		lo := int64(l.Data().Offset()) * int64(size)
		return array.NewSlice(l.ListValues(), lo, lo+int64(l.Len())*int64(size))
	}
	ia, ib := items(la), items(lb)
	defer ia.Release()
	defer ib.Release()
	out, err := c.array(ia, ib, row0, mem)
	if err != nil {
		return nil, err
	}
	defer out.Release()
	data := array.NewData(arrow.FixedSizeListOf(size, out.DataType()), la.Len(), []*memory.Buffer{nil}, []arrow.ArrayData{out.Data()}, 0, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

func (c times) numbers(jd1, jd2 *array.Float64, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	b := array.NewInt64Builder(mem)
	defer b.Release()
	b.Reserve(jd1.Len())
	for i := range jd1.Len() {
		x, y := jd1.Value(i), jd2.Value(i)
		if jd1.IsNull(i) || jd2.IsNull(i) || math.IsNaN(x) || math.IsNaN(y) {
			b.AppendNull()
			continue
		}
		ns, ok := c.nanoseconds(x, y)
		if !ok {
			return nil, h5err.New(h5err.Unsupported, "row %d or one of the %d after it: %g days do not fit in 64 bits of nanoseconds", row0, jd1.Len(), x)
		}
		b.Append(ns)
	}
	arr := b.NewArray()
	defer arr.Release()
	d := arr.Data()
	data := array.NewData(c.typ, d.Len(), d.Buffers(), nil, d.NullN(), 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// Days, of which Julian ones start at noon.
const (
	day      = 86400e9 // nanoseconds
	epoch    = 2440588 // the day of 1970-01-01, which starts at 2440587.5
	farthest = 106751  // days that fit in 64 bits of nanoseconds
)

// nanoseconds returns the nanoseconds of jd1+jd2 days, since 1970 for times. Whole days are counted in integers, so that
// nothing but the last nanosecond is rounded. A time within a leap second is that much after the day's end.
func (c times) nanoseconds(jd1, jd2 float64) (ns int64, ok bool) {
	if !c.span {
		jd1 -= epoch - 0.5
	}
	if !(math.Abs(jd1) <= 1e9) || !(math.Abs(jd2) <= 1e9) {
		return 0, false
	}
	whole := math.Floor(jd1)
	whole2 := math.Floor(jd2)
	rest := (jd1 - whole) + (jd2 - whole2) // less than 2
	if jd2 < 0 && jd2 > -1 {
		whole2, rest = 0, (jd1-whole)+jd2 // exact where the sum of a half and 1+jd2 is not
	}
	days := int64(whole) + int64(whole2)
	for ; rest < 0; rest++ {
		days--
	}
	for ; rest >= 1; rest-- {
		days++
	}
	length := int64(day)
	if c.jumps {
		length += jumps[days]
	}
	if days < -farthest || days >= farthest {
		return 0, false
	}
	return days*day + int64(math.Round(rest*float64(length))), true
}

// jumps are the days of UTC, since 1970, that are longer than others, and by how many nanoseconds: the steps in TAI-UTC
// that the IERS has announced, of less than a second until 1972.
//
// https://hpiers.obspm.fr/iers/bul/bulc/Leap_Second.dat and TimeSteps.history beside it
var jumps = map[int64]int64{
	-3654: 943482000, -3288: 5e6, -3076: -5e7, -2254: 1e8, -2102: 1e8, -1949: 1e8, -1827: 1e8, -1768: 1e8, -1646: 1e8, -1584: 1e8, -701: -1e8, 729: 107758000,
	911: 1e9, 1095: 1e9, 1460: 1e9, 1825: 1e9, 2190: 1e9, 2556: 1e9, 2921: 1e9, 3286: 1e9, 3651: 1e9, 4198: 1e9, 4563: 1e9, 4928: 1e9,
	5659: 1e9, 6573: 1e9, 7304: 1e9, 7669: 1e9, 8216: 1e9, 8581: 1e9, 8946: 1e9, 9495: 1e9, 10042: 1e9, 10591: 1e9, 13148: 1e9,
	14244: 1e9, 15521: 1e9, 16616: 1e9, 17166: 1e9,
}
