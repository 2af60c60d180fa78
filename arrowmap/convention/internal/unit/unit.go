// Package unit reads the units of scipp: a multiplier of powers of base units.
package unit

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// Unit is a multiplier of powers of base units.
type Unit struct {
	text       string // as older versions write it; nothing else is known then
	multiplier float64
	powers     []power
}

type power struct {
	name string
	of   int64
}

// maxPowers bounds the base units of a unit; scipp has 14.
const maxPowers = 64

// Read reads the attribute unit of a variable's values: text, or a compound of __version__, multiplier and, unless the
// unit has no dimension, powers. ok is false where there is none, and for units of another form.
func Read(d *h5.Dataset) (u Unit, ok bool) {
	if u.text = object.Text(d, "unit"); u.text != "" {
		return u, true
	}
	a, err := d.Attribute("unit")
	if err != nil || a == nil || a.Type().Class != h5.ClassCompound || len(a.Raw()) < a.Type().Size {
		return u, false
	}
	for _, m := range a.Type().Members {
		p, known := element(a.Raw(), m)
		switch {
		case !known:
			return u, false
		case m.Name == "multiplier" && m.Type.Class == h5.ClassFloat && m.Type.Size == 8:
			u.multiplier, ok = math.Float64frombits(m.Type.Order.Binary().Uint64(p)), true
		case m.Name == "powers" && m.Type.Class == h5.ClassCompound && len(m.Type.Members) <= maxPowers:
			for _, base := range m.Type.Members {
				b, known := element(p, base)
				if !known || base.Type.Class != h5.ClassFixed || base.Type.Size != 8 {
					return u, false
				}
				u.powers = append(u.powers, power{base.Name, int64(base.Type.Order.Binary().Uint64(b))})
			}
		}
	}
	return u, ok
}

// element returns the bytes of a member, ok false where it is outside of the whole.
func element(p []byte, m h5.Member) (b []byte, ok bool) {
	if m.Type == nil || m.Offset < 0 || m.Type.Size < 1 || m.Offset > len(p) || m.Type.Size > len(p)-m.Offset {
		return nil, false
	}
	return p[m.Offset : m.Offset+m.Type.Size], true
}

// prefix returns the SI prefix of a multiplier, "" for 1; ok is false for other numbers.
func prefix(multiplier float64) (p string, ok bool) {
	switch multiplier {
	case 1:
		return "", true
	case 1e-3:
		return "m", true
	case 1e-6:
		return "u", true
	case 1e-9:
		return "n", true
	case 1e-12:
		return "p", true
	case 1e3:
		return "k", true
	case 1e6:
		return "M", true
	}
	return "", false
}

// String writes a unit as text, such as "m/s^2", "ns", "3600*s" and "dimensionless".
func (u Unit) String() string {
	if u.text != "" {
		return u.text
	}
	if len(u.powers) == 1 && u.powers[0].of == 1 && u.powers[0].name != "kg" {
		if p, ok := prefix(u.multiplier); ok {
			return p + u.powers[0].name
		}
	}
	var above, below []string
	if u.multiplier != 1 {
		above = append(above, strconv.FormatFloat(u.multiplier, 'g', -1, 64))
	}
	for _, p := range u.powers {
		switch {
		case p.of == 1:
			above = append(above, p.name)
		case p.of > 1:
			above = append(above, fmt.Sprintf("%s^%d", p.name, p.of))
		case p.of == -1:
			below = append(below, p.name)
		case p.of < -1:
			below = append(below, fmt.Sprintf("%s^%d", p.name, -p.of))
		}
	}
	switch {
	case len(above) == 0 && len(below) == 0:
		return "dimensionless"
	case len(above) == 0:
		above = []string{"1"}
	}
	return strings.Join(append([]string{strings.Join(above, "*")}, below...), "/")
}

// Instants returns numpy's name for times in a unit, such as "datetime64[ns]", "" where it has none.
func (u Unit) Instants() string {
	name := u.text
	if name == "" {
		if len(u.powers) != 1 || u.powers[0] != (power{"s", 1}) {
			return ""
		}
		name = map[float64]string{60: "m", 3600: "h", 86400: "D"}[u.multiplier]
		if p, ok := prefix(u.multiplier); ok {
			name = p + "s"
		}
	}
	switch name {
	case "min":
		name = "m"
	case "µs":
		name = "us"
	case "day", "d":
		name = "D"
	case "s", "ms", "us", "ns", "m", "h", "D":
	default:
		return ""
	}
	return "datetime64[" + name + "]"
}
