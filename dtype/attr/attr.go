// Package attr makes HDF5 attributes of the metadata of Arrow fields, where package arrowmap puts them on reading.
package attr

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Attribute is an HDF5 attribute to be written.
type Attribute struct {
	Name string
	Type *h5.Type
	Dims []uint64 // extents of the dataspace; none: scalar
	Data []byte   // the elements as stored; a variable string as 8 bytes of length, little-endian, and its bytes
}

// Text returns an attribute of text as h5py writes str: a scalar variable string in UTF-8.
func Text(name, text string) Attribute {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return Attribute{Name: name, Type: varString(), Data: append(b, text...)}
}

// Int returns a scalar attribute of 64 bits.
func Int(name string, x int64) Attribute {
	return Attribute{Name: name, Type: types.Int(8, true, h5.LittleEndian), Data: binary.LittleEndian.AppendUint64(nil, uint64(x))}
}

// Bool returns a scalar attribute as h5py writes bool: the enumeration {FALSE, TRUE}.
func Bool(name string, x bool) Attribute {
	return Attribute{Name: name, Type: types.Bool(), Data: []byte{byte(types.One(x))}}
}

func varString() *h5.Type {
	return &h5.Type{Class: h5.ClassVLen, Size: 16, VarString: true, CharSet: h5.UTF8}
}

// FromMetadata returns the attributes in a field's metadata, under keys with the prefix dtype.MetaAttribute, in the order
// of their names. Names in skip are left out. dropped has the names of attributes that can't be written again: those of
// types that the metadata do not describe, with NULs in their names or text, and second ones of a name.
func FromMetadata(md arrow.Metadata, skip []string) (attrs []Attribute, dropped []string) {
	text, _ := md.GetValue(dtype.MetaTypes)
	named := map[string]string{}
	if json.Unmarshal([]byte(text), &named) != nil {
		named = nil
	}
	keys := md.Keys()
	order := make([]int, 0, len(keys))
	for i, k := range keys {
		if name, ok := strings.CutPrefix(k, dtype.MetaAttribute); ok && name != "" && !slices.Contains(skip, name) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int { return strings.Compare(keys[i], keys[j]) })
	for _, i := range order {
		name := strings.TrimPrefix(keys[i], dtype.MetaAttribute)
		a, ok := valueOf(name, md.Values()[i], named[name])
		if !ok || strings.IndexByte(name, 0) >= 0 || slices.ContainsFunc(attrs, func(a Attribute) bool { return a.Name == name }) {
			dropped = append(dropped, name)
			continue
		}
		attrs = append(attrs, a)
	}
	return attrs, dropped
}

// TypeText is what dtype.MetaTypes says of text that reads like JSON.
const TypeText = "text"

// TypeName returns what dtype.MetaTypes must say of an attribute whose value in metadata is text, so that FromMetadata
// makes it again; "" when the value says it all. t is the attribute's type, nil for text.
func TypeName(t *h5.Type, text string) string {
	a, ok := valueOf("", text, "")
	switch {
	case t == nil && (!ok || !a.Type.VarString || len(a.Dims) > 0):
		return TypeText
	case t == nil:
		return ""
	case ok && a.Type.String() == t.String():
		return ""
	}
	name := t.String()
	if again, ok := valueOf("", text, name); !ok || again.Type.String() != name {
		return ""
	}
	return name
}

// valueOf makes an attribute of its value in metadata. typ is its type where MetaTypes names it.
func valueOf(name, text, typ string) (Attribute, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if typ == TypeText || d.Decode(&v) != nil || d.More() {
		return Text(name, text), strings.IndexByte(text, 0) < 0
	}
	switch v := v.(type) {
	case json.Number:
		t, data, ok := numbersOf([]any{v}, typ)
		return Attribute{Name: name, Type: t, Data: data}, ok
	case []any:
		a := Attribute{Name: name, Dims: []uint64{uint64(len(v))}}
		if texts, ok := textsOf(v); ok {
			a.Type, a.Data = varString(), texts
			return a, true
		}
		var ok bool
		a.Type, a.Data, ok = numbersOf(v, typ)
		return a, ok
	case map[string]any:
		return Attribute{}, false // bytes of a type that is not known by its name
	case nil:
		return Attribute{}, false // a null dataspace
	}
	return Text(name, text), strings.IndexByte(text, 0) < 0 // "true" and the like
}

// textsOf makes variable strings of a list of nothing else.
func textsOf(list []any) (data []byte, ok bool) {
	for _, v := range list {
		s, isText := v.(string)
		if !isText || strings.IndexByte(s, 0) >= 0 {
			return nil, false
		}
		if _, err := strconv.ParseFloat(s, 64); err == nil && (s == "NaN" || strings.HasSuffix(s, "Inf")) {
			return nil, false
		}
		data = binary.LittleEndian.AppendUint64(data, uint64(len(s)))
		data = append(data, s...)
	}
	return data, len(list) > 0
}

// numbersOf makes numbers of a list: of the type that is named, else int64 where all are integers, else double.
func numbersOf(list []any, typ string) (*h5.Type, []byte, bool) {
	texts := make([]string, len(list))
	whole := true
	for i, v := range list {
		switch v := v.(type) {
		case json.Number:
			texts[i] = v.String()
			whole = whole && !strings.ContainsAny(texts[i], ".eE")
		case string: // NaN, +Inf, -Inf
			texts[i], whole = v, false
		default:
			return nil, nil, false
		}
	}
	t := types.Int(8, true, h5.LittleEndian)
	if !whole {
		t = types.Float(8, h5.LittleEndian)
	}
	if typ != "" {
		if t = numberType(typ); t == nil {
			return nil, nil, false
		}
	}
	order := nullbitmap.LittleEndian
	if t.Order == h5.BigEndian {
		order = nullbitmap.BigEndian
	}
	var data []byte
	for _, s := range texts {
		var b []byte
		var err error
		switch {
		case t.Class == h5.ClassFloat:
			var x float64
			x, err = strconv.ParseFloat(s, 64)
			b = nullbitmap.StoredFloat(x, t.Size, order)
		case t.Signed:
			var x int64
			x, err = strconv.ParseInt(s, 10, 8*t.Size)
			b = nullbitmap.Stored(uint64(x), t.Size, order)
		default:
			var x uint64
			x, err = strconv.ParseUint(s, 10, 8*t.Size)
			b = nullbitmap.Stored(x, t.Size, order)
		}
		if err != nil {
			return nil, nil, false
		}
		data = append(data, b...)
	}
	return t, data, true
}

// numberType returns the type of that name, as returned by h5.Type.String, among the integers and floats that Arrow has too.
func numberType(name string) *h5.Type {
	for _, o := range []h5.ByteOrder{h5.LittleEndian, h5.BigEndian} {
		for _, w := range []int{1, 2, 4, 8} {
			for _, signed := range []bool{true, false} {
				t := types.Int(w, signed, h5.LittleEndian)
				if w > 1 {
					t.Order = o
				}
				if t.String() == name {
					return t
				}
			}
			if t := types.Float(w, o); t != nil && t.String() == name {
				return t
			}
		}
	}
	return nil
}
