package rule

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// ByteOrder returns the byte order of a type in the terms of package nullbitmap.
func ByteOrder(t *h5.Type) nullbitmap.ByteOrder {
	if t.Order == h5.BigEndian {
		return nullbitmap.BigEndian
	}
	return nullbitmap.LittleEndian
}

// Signed reports whether values of a type are signed after the text of netCDF's _Unsigned: true makes integers unsigned, false signed,
// as xarray reads what DAP servers made of bytes that have a sign.
func Signed(t *h5.Type, unsigned string) bool {
	switch {
	case t.Class != h5.ClassFixed:
		return t.Signed
	case strings.EqualFold(unsigned, "true"):
		return false
	case strings.EqualFold(unsigned, "false"):
		return true
	}
	return t.Signed
}

// Float decodes a stored IEEE float of 4 or 8 bytes.
func Float(p []byte, t *h5.Type) float64 {
	o := t.Order.Binary()
	if t.Size == 4 {
		return float64(math.Float32frombits(o.Uint32(p)))
	}
	return math.Float64frombits(o.Uint64(p))
}

// Int decodes a stored integer of 1, 2, 4 or 8 bytes; unsigned ones of 8 bytes by their bits.
func Int(p []byte, t *h5.Type) int64 {
	var b [8]byte
	at := 0
	if t.Order == h5.BigEndian {
		at = 8 - t.Size
	}
	copy(b[at:at+t.Size], p)
	n := int64(t.Order.Binary().Uint64(b[:]))
	if t.Signed {
		n = n << (64 - 8*t.Size) >> (64 - 8*t.Size)
	}
	return n
}

// Values returns an attribute's values in the form of stored elements of a type; text that is a number counts as one.
// Values that the type can't hold are left out: netCDF ignores them too.
func Values(a *h5.Attribute, t *h5.Type) [][]byte {
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
	if ints, ok := wholes(a); ok && want.Class == h5.ClassFixed {
		for _, v := range ints {
			if holds(want, v) {
				out = append(out, nullbitmap.Stored(uint64(v), want.Size, ByteOrder(want)))
			}
		}
		return out
	}
	for _, f := range numbers(a) {
		switch {
		case want.Class == h5.ClassFloat && want.Size >= 4:
			out = append(out, nullbitmap.StoredFloat(f, want.Size, ByteOrder(want)))
		case want.Class == h5.ClassFixed && f == math.Trunc(f) && fitsInt(f, want):
			out = append(out, nullbitmap.Stored(uint64(int64(f)), want.Size, ByteOrder(want)))
		}
	}
	return out
}

// fitsInt reports whether an integer type holds a whole number of at most 2^53.
func fitsInt(f float64, t *h5.Type) bool {
	bits := min(8*t.Size, 53)
	if t.Signed {
		return f >= -math.Ldexp(1, bits-1) && f < math.Ldexp(1, bits-1)
	}
	return f >= 0 && f < math.Ldexp(1, bits)
}

// wholes returns the values of an attribute of integers, or of text that is one.
func wholes(a *h5.Attribute) (out []int64, ok bool) {
	texts, ok := a.Strings()
	if !ok {
		return a.Ints()
	}
	for _, s := range texts {
		v, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		if err != nil {
			return nil, false
		}
		out = append(out, v)
	}
	return out, len(out) > 0
}

// numbers returns the values of an attribute of numbers, or of text that is one.
func numbers(a *h5.Attribute) []float64 {
	if v, ok := a.Floats(); ok {
		return v
	}
	var out []float64
	texts, _ := a.Strings()
	for _, s := range texts {
		if v, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			out = append(out, v)
		}
	}
	return out
}

// holds reports whether an integer type of at most 8 bytes holds a number.
func holds(t *h5.Type, v int64) bool {
	bits := 8 * t.Size
	switch {
	case bits < 1 || bits > 64:
		return false
	case !t.Signed:
		return v >= 0 && (bits == 64 || v < 1<<bits)
	}
	return bits == 64 || v >= -1<<(bits-1) && v < 1<<(bits-1)
}
