package pandas

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pandas/label"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// attribute reads an attribute as PyTables does: text, a number, or what a pickle holds. It is nil for none, and for a
// pickled None.
func attribute(o h5.Object, name string) (any, error) { return readAttribute(o, name, pickle.Decode) }

// looseAttribute is attribute, but what is not understood of a pickle is kept as a call that is not made.
func looseAttribute(o h5.Object, name string) (any, error) {
	return readAttribute(o, name, pickle.DecodeLoose)
}

func readAttribute(o h5.Object, name string, decode func([]byte) (any, error)) (any, error) {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return nil, err
	}
	if p, ok := pickleOf(a); ok {
		v, err := decode(p)
		if err == nil {
			return v, nil
		}
		if !h5err.Is(err, h5err.Corrupt) {
			e := h5err.Wrap(h5err.KindOf(err), err, "the attribute %s", name)
			return nil, h5err.About(e.WithHint("nothing in a file is executed"), o)
		}
	}
	if s, ok := a.Text(); ok {
		return s, nil
	}
	if n, ok := a.Int(); ok {
		return n, nil
	}
	if f, ok := a.Floats(); ok && len(f) == 1 {
		return f[0], nil
	}
	return nil, nil
}

// pickleOf returns the bytes of an attribute that may be a pickle: PyTables writes text as UTF-8, pickles as ASCII, and
// pickles end in a full stop.
func pickleOf(a *h5.Attribute) ([]byte, bool) {
	t := a.Type()
	if t.Class != h5.ClassString || t.CharSet != h5.ASCII || len(a.Raw()) != t.Size {
		return nil, false
	}
	p := []byte(strings.TrimRight(string(a.Raw()), "\x00"))
	return p, len(p) > 1 && p[len(p)-1] == '.'
}

// attributeText reads an attribute that must be text; "" for none.
func attributeText(o h5.Object, name string) (string, error) {
	v, err := attribute(o, name)
	if err != nil || v == nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok {
		return "", object.Corrupt(o, "the attribute %s is a %s, not text", name, pickle.Kind(v))
	}
	return s, nil
}

// attributeList reads an attribute that must be a list or a tuple; nil for none.
func attributeList(o h5.Object, name string) ([]any, error) {
	v, err := attribute(o, name)
	return listOf(o, name, v, err)
}

// attributeLabels reads an attribute that must be a list of labels; nil for none.
func attributeLabels(o h5.Object, name string) ([]any, error) {
	v, err := looseAttribute(o, name)
	return listOf(o, name, v, err)
}

func listOf(o h5.Object, name string, v any, err error) ([]any, error) {
	if err == nil {
		err = notPlain(o, name, v)
	}
	if err != nil || v == nil {
		return nil, err
	}
	items, ok := itemsOf(v)
	if !ok {
		return nil, object.Corrupt(o, "the attribute %s is a %s, not a list", name, pickle.Kind(v))
	}
	return items, nil
}

// notPlain is the error for an attribute that is a call, not a value.
func notPlain(o h5.Object, name string, v any) error {
	switch v.(type) {
	case *pickle.Call, pickle.Global:
		e := h5err.New(h5err.Unsupported, "the attribute %s: a pickle that is not plain data: it asks for %q", name, pickle.Kind(v))
		return h5err.About(e.WithHint("nothing in a file is executed"), o)
	}
	return nil
}

func itemsOf(v any) ([]any, bool) {
	switch v := v.(type) {
	case *pickle.List:
		return v.Items, true
	case pickle.Tuple:
		return v, true
	}
	return nil, false
}

// levelType returns the type of the labels of a level. Labels of several types are read back as text, and so are those
// of types that pyarrow can't make of text.
func levelType(labels []any) fieldType {
	var t label.Type
	for i, l := range labels {
		k := label.TypeOf(l)
		if i == 0 {
			t = k
		}
		if k != t {
			t = label.Type{Kind: "other"}
			break
		}
	}
	switch t.Kind {
	case "":
		if len(labels) > 0 {
			break
		}
		return fieldType{logical: "empty", numpy: "object"}
	case "str":
		return fieldType{"unicode", "object", map[string]any{"encoding": "UTF-8"}}
	case "int":
		return fieldType{logical: "int64", numpy: "int64"}
	case "float":
		return fieldType{logical: "float64", numpy: "float64"}
	case "span":
		return fieldType{logical: "timedelta64[" + t.Unit + "]", numpy: "timedelta64[" + t.Unit + "]"}
	case "time":
		name := "datetime64[" + t.Unit + "]"
		if t.Zone != "" {
			return fieldType{logical: "datetimetz", numpy: name, more: map[string]any{"timezone": t.Zone}}
		}
		return fieldType{logical: name, numpy: name}
	}
	return fieldType{logical: "mixed", numpy: "object"}
}

// labelLevels describes the levels of labels: one, or as many as the tuples have. known is what is known of them.
func labelLevels(labels []any, known []labelLevel, multi bool) []labelLevel {
	levels := 1
	if multi && len(labels) > 0 {
		if first, ok := labels[0].(pickle.Tuple); ok {
			levels = len(first)
		}
	}
	out := make([]labelLevel, levels)
	for k := range out {
		part := labels
		if levels > 1 {
			part = make([]any, 0, len(labels))
			for _, l := range labels {
				if t, ok := l.(pickle.Tuple); ok && k < len(t) {
					part = append(part, t[k])
				}
			}
		}
		out[k].typ = levelType(part)
		if k >= len(known) {
			continue
		}
		if label.Kind(known[k].name) != "" {
			out[k].name = known[k].name
		}
		if t := &out[k].typ; known[k].typ.numpy != "" && (t.numpy == "int64" || t.numpy == "float64") { // of another width
			t.logical, t.numpy = known[k].typ.numpy, known[k].typ.numpy
		}
	}
	return out
}
