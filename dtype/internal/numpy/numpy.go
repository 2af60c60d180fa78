// Package numpy reads the names that numpy gives its types.
package numpy

import (
	"strconv"
	"strings"
)

// kinds are numpy's names of fixed-width types: the kind as in its array interface, and the bytes.
var kinds = map[string]struct {
	kind byte
	size int
}{
	"bool": {'b', 1}, "bool_": {'b', 1}, "bool8": {'b', 1}, "?": {'b', 1},
	"int8": {'i', 1}, "int16": {'i', 2}, "int32": {'i', 4}, "int64": {'i', 8},
	"uint8": {'u', 1}, "uint16": {'u', 2}, "uint32": {'u', 4}, "uint64": {'u', 8},
	"float16": {'f', 2}, "float32": {'f', 4}, "float64": {'f', 8},
	"complex64": {'c', 8}, "complex128": {'c', 16},
	"b": {'i', 1}, "h": {'i', 2}, "i": {'i', 4}, "l": {'i', 8}, "q": {'i', 8}, "p": {'i', 8},
	"B": {'u', 1}, "H": {'u', 2}, "I": {'u', 4}, "L": {'u', 8}, "Q": {'u', 8}, "P": {'u', 8},
	"e": {'f', 2}, "f": {'f', 4}, "d": {'f', 8}, "F": {'c', 8}, "D": {'c', 16},
	"byte": {'i', 1}, "short": {'i', 2}, "intc": {'i', 4}, "int": {'i', 8}, "int_": {'i', 8}, "intp": {'i', 8}, "long": {'i', 8}, "longlong": {'i', 8},
	"ubyte": {'u', 1}, "ushort": {'u', 2}, "uintc": {'u', 4}, "uint": {'u', 8}, "uintp": {'u', 8}, "ulong": {'u', 8}, "ulonglong": {'u', 8},
	"half": {'f', 2}, "single": {'f', 4}, "double": {'f', 8}, "float": {'f', 8}, "csingle": {'c', 8}, "cdouble": {'c', 16}, "complex": {'c', 16},
}

// sizes are the widths of each kind in names of a kind and a number, such as 'f8'.
var sizes = map[byte]string{'b': "1", 'i': "1 2 4 8", 'u': "1 2 4 8", 'f': "2 4 8", 'c': "8 16"}

// Parse reads the name of a numpy type of numbers, strings or bytes. order is '<', '>' or 0. For kinds S, U and V
// size is in bytes.
func Parse(s string) (kind byte, size int, order byte, ok bool) {
	if s == "" {
		return 0, 0, 0, false
	}
	if strings.IndexByte("<>=|", s[0]) >= 0 {
		if s[0] == '<' || s[0] == '>' {
			order = s[0]
		}
		s = s[1:]
	}
	if k, found := kinds[s]; found {
		return k.kind, k.size, order, true
	}
	if len(s) < 2 {
		return 0, 0, 0, false
	}
	size, err := strconv.Atoi(s[1:])
	if err != nil || size < 1 || size > 1<<30 {
		return 0, 0, 0, false
	}
	switch kind = s[0]; kind {
	case 'S', 'a':
		return 'S', size, order, true
	case 'V':
		return 'V', size, order, true
	case 'U':
		return 'U', 4 * size, order, true
	}
	for _, w := range strings.Fields(sizes[kind]) {
		if w == s[1:] {
			return kind, size, order, true
		}
	}
	return 0, 0, 0, false
}

// Instant is a numpy datetime64 or timedelta64 type.
type Instant struct {
	Delta bool   // timedelta64
	Unit  string // "" when there is none
	Order byte   // '<', '>', or 0 without one
}

// ParseInstant reads numpy's names of datetime64 and timedelta64: 'datetime64[ns]', 'M8[ns]', '<M8[ns]'. ok is false for
// all others.
func ParseInstant(s string) (t Instant, ok bool) {
	if s != "" && strings.IndexByte("<>=|", s[0]) >= 0 {
		if s[0] == '<' || s[0] == '>' {
			t.Order = s[0]
		}
		s = s[1:]
	}
	for _, p := range [...]struct {
		name  string
		delta bool
	}{{"datetime64", false}, {"timedelta64", true}, {"M8", false}, {"m8", true}} {
		rest, found := strings.CutPrefix(s, p.name)
		if !found {
			continue
		}
		t.Delta = p.delta
		if rest == "" {
			return t, true
		}
		if rest[0] != '[' || rest[len(rest)-1] != ']' {
			return t, false
		}
		t.Unit = strings.TrimPrefix(rest[1:len(rest)-1], "1")
		return t, true
	}
	return t, false
}

// Tag reads the tag of an opaque type that h5py wrote for a datetime64 or timedelta64.
func Tag(tag string) (Instant, bool) {
	name, ok := strings.CutPrefix(tag, TagPrefix)
	if !ok {
		return Instant{}, false
	}
	return ParseInstant(name)
}

// TagPrefix is the prefix of tags of opaque types that h5py writes for numpy types that HDF5 lacks. The name of the
// numpy type follows.
const TagPrefix = "NUMPY:"
