package metadata

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"path"
	"regexp"
	"strconv"
	"sync"

	"github.com/h5arrow/h5arrow/h5"
)

// number matches the texts of types of numbers that numpy has, too.
var number = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([iuf])(8|16|32|64)(le|be|)$`) })

// maxNesting bounds how deep compounds may be in each other.
const maxNesting = 16

// dtypeOf returns a type as numpy writes it: a text, or a list of names and types for a compound.
func dtypeOf(t *h5.Type, depth int) (any, error) {
	switch {
	case depth > maxNesting:
	case t.Class == h5.ClassFixed || t.Class == h5.ClassFloat:
		if m := number().FindStringSubmatch(t.String()); m != nil && (m[1] != "f" || m[2] != "8") {
			bits, _ := strconv.Atoi(m[2]) // one of four
			order := map[string]string{"": "|", "le": "<", "be": ">"}[m[3]]
			return order + m[1] + strconv.Itoa(bits/8), nil
		}
	case t.Class == h5.ClassEnum:
		if t.Size == 1 && len(t.Names) == 2 && t.Names[0] == "FALSE" && t.Names[1] == "TRUE" && string(t.Values) == "\x00\x01" {
			return "|b1", nil
		}
		return dtypeOf(t.Base, depth+1)
	case t.Class == h5.ClassString:
		return fmt.Sprintf("|S%d", t.Size), nil
	case part(t) != nil:
		if s, err := dtypeOf(part(t), depth+1); err == nil && (t.Size == 8 || t.Size == 16) {
			return fmt.Sprintf("%cc%d", s.(string)[0], t.Size), nil
		}
	case t.Class == h5.ClassCompound:
		return compound(t, depth)
	}
	return nil, refuse("the type %.100s", t)
}

// part returns the type of the real part of a complex number, nil for other types.
func part(t *h5.Type) *h5.Type {
	p := t.Base
	if t.IsComplex() {
		p = t.Members[0].Type
	} else if t.Class != h5.ClassComplex {
		return nil
	}
	if p.Class != h5.ClassFloat {
		return nil
	}
	return p
}

// compound returns the list of a compound whose members fill it.
func compound(t *h5.Type, depth int) (any, error) {
	var out [][2]any
	end := 0
	for _, m := range t.Members {
		s, err := dtypeOf(m.Type, depth+1)
		if err != nil {
			return nil, err
		}
		if m.Offset != end {
			return nil, refuse("compounds with gaps")
		}
		end += m.Type.Size
		out = append(out, [2]any{m.Name, s})
	}
	if end != t.Size {
		return nil, refuse("compounds with gaps")
	}
	return out, nil
}

// codecs returns numcodecs' configurations of filters.
func codecs(filters []h5.Filter) ([]map[string]any, error) {
	var out []map[string]any
	for _, f := range filters {
		value := func(i int) uint32 {
			if i < len(f.Values) {
				return f.Values[i]
			}
			return 0
		}
		switch f.ID {
		case 1:
			out = append(out, map[string]any{"id": "zlib", "level": value(0)})
		case 2:
			out = append(out, map[string]any{"id": "shuffle", "elementsize": value(0)})
		case 3:
			out = append(out, map[string]any{"id": "fletcher32"})
		case 307:
			out = append(out, map[string]any{"id": "bz2", "level": max(value(0), 1)})
		case 32001:
			out = append(out, map[string]any{"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}) // each frame says how it is encoded
		case 32015:
			out = append(out, map[string]any{"id": "zstd", "level": value(0)})
		default:
			return nil, refuse("the filter %d", f.ID)
		}
	}
	return out, nil
}

// fill returns the fill value of an array, nil where none is needed: to xarray, values that are equal to it are missing.
func fill(d *h5.Dataset, l *h5.Layout, chunks []h5.Chunk, z *zarray) (any, error) {
	if a, err := d.Attribute("_FillValue"); err == nil && a != nil && a.Type().String() == d.Type().String() && len(a.Raw()) == d.Type().Size {
		return value(a.Type(), a.Raw()), nil
	}
	total := uint64(1)
	for i, n := range z.Shape {
		if n == 0 {
			return nil, nil
		}
		total *= (n-1)/z.Chunks[i] + 1
	}
	if l.Storage == h5.StorageCompact || uint64(len(chunks)) == total {
		return nil, nil
	}
	b, err := d.Fill()
	if err != nil || len(bytes.Trim(b, "\x00")) == 0 {
		return nil, err
	}
	return value(d.Type(), b), nil
}

// value returns a value as Zarr 2 writes it in JSON.
func value(t *h5.Type, b []byte) any {
	if t.Class == h5.ClassEnum {
		if s, _ := dtypeOf(t, 0); s == "|b1" {
			return b[0] != 0
		}
		t = t.Base
	}
	switch {
	case t.Class == h5.ClassFixed && t.Size <= 8:
		u := bits(t, b)
		if t.Signed {
			return int64(u<<(64-8*t.Size)) >> (64 - 8*t.Size)
		}
		return u
	case t.Class == h5.ClassFloat && t.Size >= 4:
		return float(t, b)
	case part(t) != nil:
		p := part(t)
		return []any{float(p, b), float(p, b[p.Size:])}
	case t.Class == h5.ClassFloat: // of 16 bits
		return half(uint16(bits(t, b)))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func bits(t *h5.Type, b []byte) (u uint64) {
	for i := range t.Size {
		if t.Order == h5.BigEndian {
			u = u<<8 | uint64(b[i])
		} else {
			u |= uint64(b[i]) << (8 * i)
		}
	}
	return u
}

// float returns a number, or the text that Zarr has for one that JSON lacks.
func float(t *h5.Type, b []byte) any {
	if t.Size == 4 {
		return finite(float64(math.Float32frombits(uint32(bits(t, b)))))
	}
	return finite(math.Float64frombits(bits(t, b)))
}

// half is float for 16 bits.
func half(u uint16) any {
	sign, exp, mant := 1-2*float64(u>>15), int(u>>10&31), float64(u&1023)
	switch exp {
	case 0:
		return finite(sign * math.Ldexp(mant, -24))
	case 31:
		if mant != 0 {
			return "NaN"
		}
		return finite(sign * math.Inf(1))
	}
	return finite(sign * math.Ldexp(1024+mant, exp-25))
}

func finite(x float64) any {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	}
	return x
}

// dimensions returns the names of a dataset's dimensions.
func (k *references) dimensions(d *h5.Dataset) []string {
	out := make([]string, len(d.Dims()))
	a, err := d.Attribute("DIMENSION_LIST")
	if err == nil && a != nil {
		lists, _ := a.References() // none if they can't be read
		for i, list := range lists {
			if i < len(out) && len(list) > 0 && k.names[list[0]] != "" {
				out[i] = path.Base(k.names[list[0]])
			}
		}
	}
	if class, err := d.Attribute("CLASS"); err == nil && class != nil && len(out) > 0 {
		if s, _ := class.Text(); s == "DIMENSION_SCALE" && out[0] == "" {
			out[0] = path.Base(d.Path())
		}
	}
	seen := map[uint64]int{}
	for i, n := range d.Dims() {
		if out[i] == "" {
			out[i] = k.phonyName(path.Dir(d.Path()), phony{n, seen[n]})
			seen[n]++
		}
	}
	return out
}

// phony is a dimension without a name: its size, and how many of that size a dataset has before it.
type phony struct {
	size   uint64
	before int
}

// phonyName returns the name of a dimension in a group that has no other name.
func (k *references) phonyName(group string, p phony) string {
	if k.phony == nil {
		k.phony = map[string]map[phony]string{}
	}
	if k.phony[group] == nil {
		k.phony[group] = map[phony]string{}
	}
	if k.phony[group][p] == "" {
		k.phony[group][p] = "phony_dim_" + strconv.Itoa(len(k.phony[group]))
	}
	return k.phony[group][p]
}
