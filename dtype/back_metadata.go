package dtype

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Keys of the metadata of Arrow fields that say what a type does not. Back understands them.
const (
	MetaAttribute = "hdf5.attr."         // and a name: an HDF5 attribute, text as it is, everything else as JSON
	MetaTypes     = "h5arrow.attr_types" // JSON object: the types of those attributes that their JSON does not tell
	MetaNulls     = "h5arrow.nulls"      // where nulls came from: "mask:PATH", "bitmap:PATH", "_FillValue=-999", other words
	MetaEnum      = "h5arrow.enum"       // JSON object: the members of an enumeration and their values, in the file's order
	MetaOpaqueTag = "h5arrow.opaque_tag" // the tag of opaque bytes
	MetaDType     = "h5arrow.dtype"      // the attribute dtype that gave the values their meaning
	MetaNarrowed  = "h5arrow.narrowed"   // the type of floats that were rounded to double
)

// ZoneAttribute is the HDF5 attribute that tells the time zone of timestamps.
const ZoneAttribute = "h5arrow.timezone"

// TypeText is what MetaTypes says of text that reads like JSON.
const TypeText = "text"

// textAttribute is an attribute of text, as h5py writes str: a scalar variable string.
func textAttribute(name, text string) Attribute {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return Attribute{Name: name, Type: &h5.Type{Class: h5.ClassVLen, Size: 16, VarString: true, CharSet: h5.UTF8}, Data: append(b, text...)}
}

// layoutAttributes are those that say how a column is stored. They are written anew and never taken from metadata.
var layoutAttributes = []string{"dtype", "dlength", "type", "column_order", "column_index", "ordered", ZoneAttribute,
	"DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS", "CLASS", "NAME", "_Netcdf4Dimid", "_Netcdf4Coordinates", "encoding-type", "encoding-version"}

// columnAttributes makes the attributes of a column's group: those in p.Column, and those of its field's metadata.
func columnAttributes(md arrow.Metadata, p *BackPlan) (attrs []Attribute, dropped []string) {
	attrs = p.Column
	text, _ := md.GetValue(MetaTypes)
	types := map[string]string{}
	if json.Unmarshal([]byte(text), &types) != nil {
		types = nil
	}
	keys := md.Keys()
	order := make([]int, 0, len(keys))
	for i, k := range keys {
		if name, ok := strings.CutPrefix(k, MetaAttribute); ok && name != "" && !slices.Contains(layoutAttributes, name) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int { return strings.Compare(keys[i], keys[j]) })
	for _, i := range order {
		name := strings.TrimPrefix(keys[i], MetaAttribute)
		a, ok := attributeOf(name, md.Values()[i], types[name])
		if !ok || strings.IndexByte(name, 0) >= 0 || slices.ContainsFunc(attrs, func(a Attribute) bool { return a.Name == name }) {
			dropped = append(dropped, name)
			continue
		}
		attrs = append(attrs, a)
	}
	return attrs, dropped
}

// attributeOf makes an attribute of its value in metadata. typ is its type where MetaTypes names it.
func attributeOf(name, text, typ string) (Attribute, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if typ == TypeText || d.Decode(&v) != nil || d.More() {
		return textAttribute(name, text), strings.IndexByte(text, 0) < 0
	}
	switch v := v.(type) {
	case json.Number:
		t, data, ok := numbersOf([]any{v}, typ)
		return Attribute{Name: name, Type: t, Data: data}, ok
	case []any:
		a := Attribute{Name: name, Dims: []uint64{uint64(len(v))}}
		if texts, ok := textsOf(v); ok {
			a.Type, a.Data = textAttribute("", "").Type, texts
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
	return textAttribute(name, text), strings.IndexByte(text, 0) < 0 // "true" and the like
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
	t := intOf(8, true)
	if !whole {
		t = floatType(8, h5.LittleEndian)
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

// numberType returns the type of that name, as h5.Type.String spells it, of the integers and floats that Arrow has too.
func numberType(name string) *h5.Type {
	for _, o := range []h5.ByteOrder{h5.LittleEndian, h5.BigEndian} {
		for _, w := range []int{1, 2, 4, 8} {
			for _, signed := range []bool{true, false} {
				t := intOf(w, signed)
				if w > 1 {
					t.Order = o
				}
				if t.String() == name {
					return t
				}
			}
			if t := floatType(w, o); t != nil && t.String() == name {
				return t
			}
		}
	}
	return nil
}

// AttributeTypeName returns what MetaTypes has to say of an attribute whose value in metadata is text, so that Back makes
// it again; "" when the value says it all. t is its type, nil for one of text.
func AttributeTypeName(t *h5.Type, text string) string {
	a, ok := attributeOf("", text, "")
	switch {
	case t == nil && (!ok || !a.Type.VarString || len(a.Dims) > 0):
		return TypeText
	case t == nil:
		return ""
	case ok && a.Type.String() == t.String():
		return ""
	}
	name := t.String()
	if again, ok := attributeOf("", text, name); !ok || again.Type.String() != name {
		return ""
	}
	return name
}
