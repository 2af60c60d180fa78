package attr

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/h5"
)

// ValueText returns the value of an attribute as metadata have it: a text as it is, others as JSON of what Value returns. ok is false
// where there is none, or it has more than limit bytes.
func ValueText(a *h5.Attribute, limit int) (text string, ok bool) {
	if len(a.Raw()) > limit {
		return "", false
	}
	if s, ok := a.Text(); ok && a.Space().Class != h5.SpaceNull {
		return s, len(s) <= limit && utf8.ValidString(s)
	}
	v, ok := Value(a)
	if !ok {
		return "", false
	}
	b, err := json.Marshal(v)
	return string(b), err == nil && len(b) <= limit
}

// Value returns the value of an attribute as encoding/json takes it: texts and numbers, alone or in a flat list, floats
// that are not finite as text; nil for a null dataspace; values of other types as an object of the type's name and the bytes.
// ok is false for text that is not UTF-8, or can't be read.
func Value(a *h5.Attribute) (any, bool) {
	if a.Space().Class == h5.SpaceNull {
		return nil, true
	}
	if v, ok := a.Strings(); ok {
		for _, s := range v {
			if !utf8.ValidString(s) {
				return nil, false
			}
		}
		return shaped(v, a.Space()), true
	}
	if v, ok := a.Ints(); ok {
		return shaped(v, a.Space()), true
	}
	if v, ok := a.Floats(); ok {
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = x
			if math.IsNaN(x) || math.IsInf(x, 0) {
				out[i] = strconv.FormatFloat(x, 'g', -1, 64)
			}
		}
		return shaped(out, a.Space()), true
	}
	return map[string]string{"hdf5_type": a.Type().String(), "base64": base64.StdEncoding.EncodeToString(a.Raw())}, true
}

// shaped returns a scalar for a scalar dataspace, else the flat list.
func shaped[T any](v []T, s *h5.Space) any {
	if s.Class == h5.SpaceScalar && len(v) == 1 {
		return v[0]
	}
	return v
}
