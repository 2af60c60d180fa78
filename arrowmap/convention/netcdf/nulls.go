package netcdf

import (
	"bytes"
	"math"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// nulls returns the rules by which values of a variable are missing, all on stored values: _FillValue, missing_value, the
// default fill of the type where there is no _FillValue, NaT of times, and what is outside the valid range. t is the type
// after _Unsigned is applied, s the unpacking. With strict, the default fill counts in any case, else only where the
// dataset has it as its fill value: versions of the library that leave no other trace in files stored it there.
func (a *attributes) nulls(t *h5.Type, s *scaling, strict bool) ([]convention.Null, error) {
	if t.Class != h5.ClassFixed && t.Class != h5.ClassFloat && t.Class != h5.ClassEnum || t.Size > 8 || t.Size&(t.Size-1) != 0 {
		return nil, nil
	}
	out, has, err := a.fills(t)
	if err != nil {
		return nil, err
	}
	equal := func(value []byte, words string) error {
		nulls, err := rule.Equal(t, [][]byte{value}, words)
		out = append(out, nulls...)
		return err
	}
	if fill := defaultFill(t); !has && fill != nil && (strict || a.hasFill(fill)) {
		if err := equal(fill, "default fill"); err != nil {
			return nil, err
		}
	}
	if a.isTime() && t.Class == h5.ClassFixed && t.Signed && t.Size == 8 {
		if err := equal(nullbitmap.Stored(1<<63, 8, rule.ByteOrder(t)), "NaT"); err != nil {
			return nil, err
		}
	}
	l, err := a.limitsOf(t)
	if err != nil {
		return nil, err
	}
	valid, err := l.nulls(t, s)
	return append(out, valid...), err
}

// fills returns the rules of _FillValue and missing_value, and whether there is a _FillValue.
func (a *attributes) fills(t *h5.Type) (out []convention.Null, has bool, err error) {
	for _, name := range []string{"_FillValue", "missing_value"} {
		at, err := a.d.Attribute(name)
		if err != nil {
			return nil, false, err
		}
		if at == nil {
			continue
		}
		values := rule.Values(at, t)
		if len(values) == 0 {
			a.passOver(name, "it has no value of %s", t)
			continue
		}
		has = has || name == "_FillValue"
		nulls, err := rule.Equal(t, values, name)
		if err != nil {
			return nil, false, err
		}
		out = append(out, nulls...)
	}
	return out, has, nil
}

// hasFill reports whether the dataset's fill value is defined and these bytes.
func (a *attributes) hasFill(fill []byte) bool {
	p, err := a.d.Fill()
	return err == nil && a.d.HasFill() && bytes.Equal(p, fill)
}

// defaultFill is the netCDF library's fill value of a type, nil for those that have none. Types of one byte have none for
// the library's own readers: ncdump shows 255 and -127, which are values of pictures and flags.
func defaultFill(t *h5.Type) []byte {
	const float = 9.9692099683868690e+36
	switch {
	case t.Class == h5.ClassFloat && t.Size == 4:
		return nullbitmap.StoredFloat(float64(float32(float)), 4, rule.ByteOrder(t))
	case t.Class == h5.ClassFloat && t.Size == 8:
		return nullbitmap.StoredFloat(float, 8, rule.ByteOrder(t))
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
	return nullbitmap.Stored(v, t.Size, rule.ByteOrder(t))
}
