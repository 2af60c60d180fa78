package netcdf

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/grid"
)

// attributes are what the attributes of a variable say of its values. One that can't be what the CF conventions say it is
// gets passed over, with a note.
type attributes struct {
	d      *h5.Dataset
	bounds *h5.Dataset // the variable of whose cells d has the boundaries, nil for none
	order  *grid.Order // rows are cells in this order; nil: they are d's
	notes  []string
}

// passOver notes that an attribute is not used.
func (a *attributes) passOver(name, format string, args ...any) {
	a.notes = append(a.notes, fmt.Sprintf("the attribute %s is passed over: ", name)+fmt.Sprintf(format, args...))
}

// inherited returns the text of an attribute, of the variable that d bounds where d has none itself (CF conventions, 7.1).
func (a *attributes) inherited(name string) string {
	if s := object.Text(a.d, name); s != "" || a.bounds == nil {
		return s
	}
	return object.Text(a.bounds, name)
}

// number is the value of an attribute. All numbers of HDF5 of up to 64 bits are exact.
type number = *big.Float

// numbers reads an attribute of count numbers; text that is a number counts as one. t is the attribute's type, nil for
// text. There are none where there is no such attribute, or where it is passed over.
func (a *attributes) numbers(name string, count int) (out []number, t *h5.Type, err error) {
	at, err := a.d.Attribute(name)
	if err != nil || at == nil {
		return nil, nil, err
	}
	if texts, ok := at.Strings(); ok {
		if out, ok = parse(texts); !ok {
			a.passOver(name, "%q is not a number", cut(strings.Join(texts, " ")))
			return nil, nil, nil
		}
	} else if out, ok = numbersOf(at); !ok {
		a.passOver(name, "%s is not a number", at.Type())
		return nil, nil, nil
	} else {
		t = at.Type()
	}
	if len(out) != count {
		a.passOver(name, "%d numbers are expected, not %d", count, len(out))
		return nil, nil, nil
	}
	for _, x := range out {
		if x == nil {
			a.passOver(name, "NaN")
			return nil, nil, nil
		}
	}
	return out, t, nil
}

// numbersOf returns the numbers of an attribute, nil for NaN.
func numbersOf(at *h5.Attribute) (out []number, ok bool) {
	if v, ok := at.Ints(); ok {
		for _, x := range v {
			out = append(out, new(big.Float).SetInt64(x))
		}
		return out, true
	}
	t := at.Type()
	if t.Class == h5.ClassFixed && t.Size == 8 { // beyond int64
		for p := at.Raw(); len(p) >= 8; p = p[8:] {
			out = append(out, new(big.Float).SetUint64(t.Order.Binary().Uint64(p)))
		}
		return out, true
	}
	v, ok := at.Floats()
	for _, f := range v {
		if math.IsNaN(f) {
			out = append(out, nil)
		} else {
			out = append(out, big.NewFloat(f))
		}
	}
	return out, ok
}

// parse reads numbers in text, with commas or spaces between them. ok is false for other text, and for none.
func parse(texts []string) (out []number, ok bool) {
	for _, s := range strings.Fields(strings.ReplaceAll(strings.Join(texts, " "), ",", " ")) {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(f) {
			return nil, false
		}
		out = append(out, exact(s, f))
	}
	return out, len(out) > 0
}

// exact returns a number as written, or f where it is not an integer of 64 bits.
func exact(s string, f float64) number {
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return new(big.Float).SetInt64(v)
	}
	if v, err := strconv.ParseUint(s, 10, 64); err == nil {
		return new(big.Float).SetUint64(v)
	}
	return big.NewFloat(f)
}

// cut shortens text for a note.
func cut(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

// rank orders the types of numbers by what they can hold, 0 for other types.
func rank(t *h5.Type) int {
	switch {
	case t == nil:
	case t.Class == h5.ClassFloat:
		return 100 + t.Size
	case t.Class == h5.ClassFixed && t.Signed:
		return 2 * t.Size
	case t.Class == h5.ClassFixed:
		return 2*t.Size + 1
	}
	return 0
}
