package netcdf

import (
	"math"
	"math/big"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

func integer(size int, signed bool) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: size, Order: h5.LittleEndian, Signed: signed, Precision: 8 * size}
}

func float(size int) *h5.Type {
	return &h5.Type{Class: h5.ClassFloat, Size: size, Order: h5.LittleEndian}
}

// FuzzLimits compares the rule for limits in unpacked units with every packed value, unpacked.
func FuzzLimits(f *testing.F) {
	f.Add(0.1, 0.0, 0.0, 0.3, true, true)
	f.Add(-0.1, 5.0, -0.3, 10.0, false, true)
	f.Add(0.0, 1.0, 0.0, 0.5, true, false)
	f.Add(1e300, -1e300, -1e308, math.Inf(1), true, true)
	f.Add(1e-30, 1.0, 1.0, 1.0, false, true)
	f.Fuzz(func(t *testing.T, scale, offset, lo, hi float64, double, signed bool) {
		s := &scaling{scale: scale, offset: offset, scaled: true, shifted: offset != 0, double: double, t: float(8)}
		if !s.double {
			s.scale, s.offset = float64(float32(scale)), float64(float32(offset))
		}
		if !s.finite() || math.IsNaN(lo) || math.IsNaN(hi) {
			return
		}
		typ := integer(2, signed)
		l := limits{big.NewFloat(lo), big.NewFloat(hi), float(8)}
		nulls, err := l.nulls(typ, s)
		if err != nil || len(nulls) != 1 {
			t.Fatal(nulls, err)
		}
		d := domainOf(typ)
		for k := uint64(0); k <= d.last; k++ {
			x := d.unpacked(k, s)
			stored := nullbitmap.Stored(k, 2, nullbitmap.LittleEndian)
			if signed {
				stored = nullbitmap.Stored(uint64(d.signed(k)), 2, nullbitmap.LittleEndian)
			}
			null := nulls[0].Rule.IsNull(stored)
			far := x < lo-s.slack(lo) || x > hi+s.slack(hi)
			if near := x >= lo && x <= hi; null != far || near && null {
				t.Fatalf("%v is unpacked to %v, which is null: %v", d.number(k), x, null)
			}
		}
	})
}

// TestLimitsFloat bounds packed floats by unpacked limits.
func TestLimitsFloat(t *testing.T) {
	for _, size := range []int{4, 8} {
		s := &scaling{scale: -2, offset: 1, scaled: true, shifted: true, double: true, t: float(8)}
		l := limits{lo: big.NewFloat(-9), t: float(16)}.packed(float(size), s)
		if got, _ := l.hi.Float64(); got != 5 || l.lo != nil {
			t.Errorf("%d bytes: %v to %v", size, l.lo, l.hi)
		}
		d := domainOf(float(size))
		if d.float(0) != -d.float(d.last) || d.float(d.last/2) != 0 || d.float(d.last/2+1) != 0 || d.float(d.last/2+2) <= 0 {
			t.Errorf("%d bytes: from %v to %v", size, d.float(0), d.float(d.last))
		}
	}
}

// TestLimitsUnits tells limits of packed values from limits of unpacked ones.
func TestLimitsUnits(t *testing.T) {
	ten, far := big.NewFloat(10), big.NewFloat(40000)
	for _, c := range []struct {
		name           string
		packed, limits *h5.Type
		hi             number
		s              *scaling
		unpacked       bool
	}{
		{"the scaling's type, wider", integer(2, true), float(4), ten, &scaling{t: float(4)}, true},
		{"the scaling's type, of the packed width", integer(4, true), float(4), ten, &scaling{t: float(4)}, true},
		{"the scaling's type, which is the packed one", float(4), float(4), ten, &scaling{t: float(4)}, false},
		{"the packed type", integer(2, true), integer(2, true), ten, &scaling{t: float(4)}, false},
		{"another type", integer(2, true), float(8), ten, &scaling{t: float(4)}, false},
		{"another type, outside", integer(2, true), integer(4, true), far, &scaling{t: float(4)}, true},
		{"inside an unsigned type", integer(2, false), integer(4, true), far, &scaling{t: float(4)}, false},
		{"nothing is packed", integer(2, true), float(4), far, nil, false},
		{"text", integer(2, true), nil, ten, &scaling{}, false},
	} {
		if c.s != nil {
			c.s.scale, c.s.scaled, c.s.double = 0.5, true, true
		}
		nulls, err := limits{hi: c.hi, t: c.limits}.nulls(c.packed, c.s)
		if err != nil {
			t.Fatal(err)
		}
		stored := nullbitmap.Stored(15, c.packed.Size, nullbitmap.LittleEndian) // 7.5 unpacked
		if c.packed.Class == h5.ClassFloat {
			stored = nullbitmap.StoredFloat(15, c.packed.Size, nullbitmap.LittleEndian)
		}
		want := !c.unpacked
		if c.hi == far {
			stored, want = nullbitmap.Stored(math.MaxInt16, c.packed.Size, nullbitmap.LittleEndian), false
		}
		if got := nulls[0].Rule.IsNull(stored); got != want {
			t.Errorf("%s: null is %v", c.name, got)
		}
	}
}

func TestReferences(t *testing.T) {
	for s, want := range map[string]int64{
		"1970-01-01":                      0,
		"1970-1-1 0:0:1":                  1,
		"1970-01-01T00:00:02Z":            2,
		"1970-01-01 00:00:03 UTC":         3,
		"1970-01-01 15:00:06 0:00":        15*3600 + 6,
		"1970-01-01 15:00:06 1:30":        13*3600 + 1806,
		"1970-01-01 15:00:06 -6:00":       21*3600 + 6,
		"1970-01-01 15:00:06 +0130":       13*3600 + 1806,
		"1970-01-01 15:00:06.5 0:00":      15*3600 + 6,
		"1970-01-01 02:00":                7200,
		"1970-01-01 00:00:00 99:00":       -1,
		"1970-01-01 00:00:00 one":         -1,
		"1970-13-01":                      -1,
		"":                                -1,
		"1970-01-01 00:00:00 +00:00 more": -1,
	} {
		got, _, ok := parseReference(s, true)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

func FuzzReference(f *testing.F) {
	f.Add("1970-01-01 15:00:06 0:00")
	f.Add("-1-1-1T24:59:60.999999999999Z -18:59")
	f.Fuzz(func(t *testing.T, s string) {
		if _, nanos, ok := parseReference(s, true); ok && (nanos < 0 || nanos >= 1e9) {
			t.Errorf("%q: %d nanoseconds", s, nanos)
		}
	})
}
