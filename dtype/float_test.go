package dtype

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
)

// floatCase is a format of testdata/floats.json: values as little-endian bytes, and the doubles that they are.
type floatCase struct {
	Name   string
	Size   int
	Fields [5]int // sign, exponent at, bits, mantissa at, bits
	Bias   uint32
	Norm   uint8
	Arrow  string
	Exact  bool
	Bytes  string
	Want   string
}

func floatCases(t testing.TB) []floatCase {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "floats.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []floatCase
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 10 {
		t.Fatalf("%d formats", len(cases))
	}
	return cases
}

func (c *floatCase) typ(o h5.ByteOrder) *h5.Type {
	f := c.Fields
	return &h5.Type{Class: h5.ClassFloat, Size: c.Size, Order: o, Precision: 8 * c.Size, Float: &h5.FloatFields{
		Sign: f[0], ExpLoc: f[1], ExpSize: f[2], MantLoc: f[3], MantSize: f[4], Bias: c.Bias, Norm: c.Norm,
	}}
}

// inOrder returns little-endian elements in another byte order.
func inOrder(b []byte, size int, o h5.ByteOrder) []byte {
	b = slices.Clone(b)
	for e := b; len(e) >= size; e = e[size:] {
		switch o {
		case h5.BigEndian:
			slices.Reverse(e[:size])
		case h5.VAX: // words reversed, the bytes of each not
			slices.Reverse(e[:size])
			for w := e[:size]; len(w) >= 2; w = w[2:] {
				w[0], w[1] = w[1], w[0]
			}
		}
	}
	return b
}

// floats returns the values of an array of any float type.
func floats(t testing.TB, a arrow.Array) []float64 {
	t.Helper()
	var out []float64
	for i := range a.Len() {
		switch a := a.(type) {
		case *array.Float16:
			out = append(out, halfValue(a.Value(i).Uint16()))
		case *array.Float32:
			out = append(out, float64(a.Value(i)))
		case *array.Float64:
			out = append(out, a.Value(i))
		default:
			t.Fatalf("%v", a.DataType())
		}
	}
	return out
}

// halfValue returns the value of a half float. The conversion in arrow-go is wrong for subnormal numbers.
func halfValue(b uint16) float64 {
	m, e, sign := float64(b&0x3ff), int(b>>10&31), 1-2*float64(b>>15)
	switch {
	case e == 31 && m == 0:
		return math.Inf(int(sign))
	case e == 31:
		return math.NaN()
	case e == 0:
		return math.Copysign(math.Ldexp(m, -24), sign)
	}
	return sign * math.Ldexp(1024+m, e-25)
}

func TestFloatFormats(t *testing.T) {
	for _, c := range floatCases(t) {
		raw, err := hex.DecodeString(c.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(c.Want)
		for _, o := range []h5.ByteOrder{h5.LittleEndian, h5.BigEndian, h5.VAX} {
			if o == h5.VAX && c.Size%2 != 0 {
				continue
			}
			p := plan(t, Source{Type: c.typ(o)}, Options{})
			if got := p.Arrow.String(); got != c.Arrow {
				t.Errorf("%s: %s, want %s", c.Name, got, c.Arrow)
			}
			if p.Delivery != Converted || (p.Metadata["h5arrow.narrowed"] == "") != c.Exact {
				t.Errorf("%s: %v, %v", c.Name, p.Delivery, p.Metadata)
			}
			a, err := p.Build(Raw{Bytes: inOrder(raw, c.Size, o), Rows: len(want)}, testEnv(t))
			if err != nil {
				t.Fatal(err)
			}
			bad := 0
			for i, x := range floats(t, a) {
				w, err := strconv.ParseUint(want[i], 16, 64)
				if err != nil {
					t.Fatal(err)
				}
				if got := math.Float64bits(x); got != w && !(math.IsNaN(x) && math.IsNaN(math.Float64frombits(w))) {
					if bad++; bad < 5 {
						t.Errorf("%s, order %d: %x is %x, want %x", c.Name, o, raw[i*c.Size:(i+1)*c.Size], got, w)
					}
				}
			}
			a.Release()
		}
	}
}

// FP6 and FP4 have neither infinity nor NaN: the largest exponent is of numbers. The expected values are those of the tables in
// the OCP Microscaling Formats specification.
func TestSmallFloats(t *testing.T) {
	for _, c := range []struct {
		name  string
		typ   h5.FloatFields
		below []float64 // the values without sign, in the order of their bits
	}{
		{"E2M3", h5.FloatFields{Sign: 5, ExpLoc: 3, ExpSize: 2, MantSize: 3, Bias: 1, Norm: types.NormImplied},
			[]float64{0, .125, .25, .375, .5, .625, .75, .875, 1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875,
				2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5}},
		{"E3M2", h5.FloatFields{Sign: 5, ExpLoc: 2, ExpSize: 3, MantSize: 2, Bias: 3, Norm: types.NormImplied},
			[]float64{0, .0625, .125, .1875, .25, .3125, .375, .4375, .5, .625, .75, .875, 1, 1.25, 1.5, 1.75,
				2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28}},
		{"E2M1", h5.FloatFields{Sign: 3, ExpLoc: 1, ExpSize: 2, MantSize: 1, Bias: 1, Norm: types.NormImplied},
			[]float64{0, .5, 1, 1.5, 2, 3, 4, 6}},
	} {
		n := len(c.below)
		p := plan(t, Source{Type: &h5.Type{Class: h5.ClassFloat, Size: 1, Order: h5.LittleEndian, Precision: c.typ.Sign + 1, Float: &c.typ}}, Options{})
		if p.Arrow.ID() != arrow.FLOAT16 {
			t.Errorf("%s: %v", c.name, p.Arrow)
		}
		raw := make([]byte, 2*n)
		for i := range raw {
			raw[i] = byte(i)
		}
		a, err := p.Build(Raw{Bytes: raw, Rows: 2 * n}, testEnv(t))
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range floats(t, a) {
			if want := c.below[i%n]; math.Abs(x) != want || math.Signbit(x) != (i >= n) {
				t.Errorf("%s: %02x is %v", c.name, i, x)
			}
		}
		a.Release()
	}
}

// NaN is null in formats that are converted, too.
func TestFloatFormatsNaNAsNull(t *testing.T) {
	for _, c := range floatCases(t) {
		raw, _ := hex.DecodeString(c.Bytes)
		p := plan(t, Source{Type: c.typ(h5.LittleEndian)}, Options{NaNAsNull: true})
		a, err := p.Build(Raw{Bytes: raw, Rows: len(raw) / c.Size}, testEnv(t))
		if err != nil {
			t.Fatal(err)
		}
		dtest.Validate(t, a)
		for i, x := range floats(t, a) {
			if a.IsNull(i) != math.IsNaN(x) {
				t.Errorf("%s: %v is null: %v", c.Name, x, a.IsNull(i))
			}
		}
		a.Release()
	}
}

// Doubles and singles read as formats of their own come out as they are.
func TestFloatRoundTrip(t *testing.T) {
	for _, f := range types.Formats {
		format := floatFormat{FloatFields: f.Fields, size: f.Width, order: h5.LittleEndian}
		if target, exact := format.target(); target.Width != f.Width || !exact {
			t.Errorf("%v is held by %v", f.Arrow, target.Arrow)
		}
		b := make([]byte, 8)
		step := uint64(7)
		if f.Width > 2 {
			step = 0x9E3779B97F4A7C15 >> (66 - 8*f.Width)
		}
		var x uint64
		for range 1 << 14 {
			binary.LittleEndian.PutUint64(b, x)
			v := format.get(b[:f.Width])
			if got := types.FloatBits(f.Width, v); got != x&(1<<(8*f.Width-1)<<1-1) && v == v {
				t.Fatalf("%v: %x became %x", f.Arrow, x, got)
			}
			x += step
		}
	}
}
