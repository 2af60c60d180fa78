package tablewriter_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// random makes arrays of any type.
type random struct {
	*rand.Rand
	nulls float64 // probability of a null
	inner float64 // probability of a null inside other values
	small bool    // numbers and times are near 0
}

// array returns n values of a type.
func (r *random) array(t arrow.DataType, n int) arrow.Array {
	if d, ok := t.(*arrow.DictionaryType); ok {
		return r.dictionary(d, n)
	}
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	for range n {
		r.append(b)
	}
	return b.NewArray()
}

func (r *random) dictionary(t *arrow.DictionaryType, n int) arrow.Array {
	k := r.IntN(6)
	labels := (&random{Rand: r.Rand, nulls: 0.2, small: r.small}).array(t.ValueType, k)
	defer labels.Release()
	b := array.NewBuilder(memory.DefaultAllocator, t.IndexType)
	defer b.Release()
	for range n {
		if k == 0 || r.Float64() < r.nulls {
			b.AppendNull()
			continue
		}
		if err := b.AppendValueFromString(fmt.Sprint(r.IntN(k))); err != nil {
			panic(err)
		}
	}
	indices := b.NewArray()
	defer indices.Release()
	return array.NewDictionaryArray(t, indices, labels)
}

func (r *random) text() string {
	return []string{"", "a", "ümläut", "日本", "with space", "0123456789abcdef"}[r.IntN(6)]
}

// append appends a value to a builder.
func (r *random) append(b array.Builder) { r.value(b, r.nulls) }

func (r *random) part(b array.Builder) { r.value(b, r.inner) }

func (r *random) value(b array.Builder, nulls float64) {
	if r.Float64() < nulls || b.Type().ID() == arrow.NULL {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.StructBuilder:
		b.Append(true)
		for i := range b.NumField() {
			r.part(b.FieldBuilder(i))
		}
	case *array.FixedSizeListBuilder:
		b.Append(true)
		for range b.Type().(*arrow.FixedSizeListType).Len() {
			r.part(b.ValueBuilder())
		}
	case array.VarLenListLikeBuilder: // with views and without
		n := r.IntN(4)
		b.AppendWithSize(true, n)
		for range n {
			r.part(b.ValueBuilder())
		}
	case *array.RunEndEncodedBuilder:
		b.Append(uint64(1 + r.IntN(3)))
		r.append(b.ValueBuilder())
	default:
		r.scalar(b)
	}
}

func (r *random) scalar(b array.Builder) {
	bits := int64(r.Uint64()) >> r.IntN(60)
	if r.small {
		bits %= 1e6
	}
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(bits&1 == 0)
	case *array.Int8Builder:
		b.Append(max(int8(bits), -127))
	case *array.Int16Builder:
		b.Append(max(int16(bits), -32767))
	case *array.Int32Builder:
		b.Append(max(int32(bits), -1<<31+1))
	case *array.Int64Builder:
		b.Append(bits >> 1)
	case *array.Uint8Builder:
		b.Append(min(uint8(bits), 254))
	case *array.Uint16Builder:
		b.Append(min(uint16(bits), 65534))
	case *array.Uint32Builder:
		b.Append(uint32(bits) >> 1)
	case *array.Uint64Builder:
		b.Append(uint64(bits) >> 1)
	case *array.Float16Builder:
		b.Append(float16.New(float32(r.IntN(100)) / 4))
	case *array.Float32Builder:
		b.Append(float32(bits))
	case *array.Float64Builder:
		b.Append(float64(bits) / 3)
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(bits % 1e15))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(bits % 1e15))
	case *array.Date32Builder:
		b.Append(arrow.Date32(bits % 1e5))
	case *array.Date64Builder:
		b.Append(arrow.Date64(bits % 1e5 * 86400000))
	case *array.Time32Builder:
		b.Append(arrow.Time32(r.IntN(86400)))
	case *array.Time64Builder:
		b.Append(arrow.Time64(r.Int64N(86400_000_000)))
	case *array.FixedSizeBinaryBuilder:
		v := make([]byte, b.Type().(*arrow.FixedSizeBinaryType).ByteWidth)
		for i := range v {
			v[i] = byte(r.Uint32())
		}
		b.Append(v)
	case *array.BinaryDictionaryBuilder:
		if err := b.AppendString(r.text()); err != nil {
			panic(err)
		}
	case interface{ Append(string) }:
		b.Append(r.text())
	case interface{ Append([]byte) }:
		b.Append([]byte(r.text() + "\xff")[:1]) // marshaling shows arrays that have no bytes at all as nulls
	default:
		d, ok := b.Type().(arrow.DecimalType)
		if !ok || b.AppendValueFromString(fmt.Sprintf("%de%d", bits%1e5, -d.GetScale())) != nil {
			panic(fmt.Sprintf("no values of %s", b.Type()))
		}
	}
}

// shown returns the values of an array as JSON.
func shown(t *testing.T, arrays ...arrow.Array) (out []string) {
	t.Helper()
	for _, a := range arrays {
		for i := range a.Len() {
			v := a.GetOneForMarshal(i)
			if d, ok := a.(*array.Dictionary); ok && d.IsValid(i) { // a label may be null
				v = d.Dictionary().GetOneForMarshal(d.GetValueIndex(i))
			}
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(b))
		}
	}
	return out
}

// fromJSON returns an array of JSON's values.
func fromJSON(t *testing.T, typ arrow.DataType, rows string) arrow.Array {
	t.Helper()
	if d, ok := typ.(*arrow.Decimal128Type); ok && d.Precision < 38 { // whose parser keeps to the precision
		wide := fromJSON(t, &arrow.Decimal128Type{Precision: 38}, rows)
		data := array.NewData(d, wide.Len(), wide.Data().Buffers(), nil, wide.NullN(), 0)
		return array.NewDecimal128Data(data)
	}
	a, _, err := array.FromJSON(memory.DefaultAllocator, typ, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return a
}
