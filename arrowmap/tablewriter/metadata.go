package tablewriter

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/layout"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/write"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// derived are the keys of metadata that reading makes anew of what is in the file.
var derived = []string{dtype.MetaTypes, dtype.MetaNulls, dtype.MetaDType, dtype.MetaNarrowed}

// extensionKeys are the keys by which Arrow names the extension that a field's type is the storage of.
const (
	extensionName = "ARROW:extension:name"
	extensionData = "ARROW:extension:metadata"
)

// maxPlain is the size in bytes of text that is stored as an attribute of its own.
const maxPlain = 16 << 10

// describe makes attributes of metadata. What can't be stored is added to dropped.
func describe(o write.Object, md arrow.Metadata, dropped *[]string) error {
	reserved := layout.Reserved()
	attrs, lost := attr.FromMetadata(md, reserved)
	other := map[string]string{}
	for i, k := range md.Keys() {
		v := md.Values()[i]
		name, isAttribute := strings.CutPrefix(k, dtype.MetaAttribute)
		switch {
		case isAttribute && !slices.Contains(reserved, name) && !slices.Contains(lost, name) || slices.Contains(derived, k):
			continue
		case !utf8.ValidString(k) || !utf8.ValidString(v):
			*dropped = append(*dropped, k)
			continue
		}
		other[k] = v
	}
	for _, k := range sortedKeys(other) {
		taken := strings.HasPrefix(k, dtype.MetaAttribute) || slices.Contains(reserved, k) || slices.ContainsFunc(attrs, func(a attr.Attribute) bool { return a.Name == k })
		if v := other[k]; !taken && k != "" && len(k)+len(v) <= maxPlain && strings.IndexByte(k+v, 0) < 0 {
			attrs = append(attrs, attr.Text(k, v))
		}
	}
	if len(other) > 0 {
		text, err := jsonText(other)
		if err != nil {
			return err
		}
		attrs = append(attrs, attr.Text(dtype.MetadataAttribute, text))
	}
	return attributes(o, attrs)
}

// lostKeys returns the keys of metadata that neither reading makes anew nor a layout has said in its own way.
func lostKeys(keys []string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return slices.Contains(derived, k) || k == "pandas" || k == "h5arrow.index" })
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// fieldMetadata returns the metadata of a field with that of its extension.
func fieldMetadata(f arrow.Field) arrow.Metadata {
	e, ok := f.Type.(arrow.ExtensionType)
	if !ok {
		return f.Metadata
	}
	md := f.Metadata.ToMap()
	if md == nil {
		md = map[string]string{}
	}
	md[extensionName], md[extensionData] = e.ExtensionName(), e.Serialize()
	return arrow.MetadataFrom(md)
}

// sentinel returns the value that means null for a type, as stored, nil for NaN and NaT; ok is false for types that have none.
func sentinel(t arrow.DataType) (value []byte, ok bool) {
	switch {
	case t.ID() == arrow.BOOL || !plainValues(t):
		return nil, false
	case arrow.IsSignedInteger(t.ID()):
		w := t.(arrow.FixedWidthDataType).Bytes()
		return nullbitmap.Stored(1<<(8*w-1), w, nullbitmap.LittleEndian), true
	case arrow.IsUnsignedInteger(t.ID()):
		w := t.(arrow.FixedWidthDataType).Bytes()
		return nullbitmap.Stored(1<<64-1, w, nullbitmap.LittleEndian), true
	}
	return nil, true
}

// innermost returns the type of the items of lists of one length.
func innermost(t arrow.DataType) arrow.DataType {
	for l, ok := t.(*arrow.FixedSizeListType); ok; l, ok = t.(*arrow.FixedSizeListType) {
		t = l.Elem()
	}
	return t
}

// sentinels has nulls of a type be values, if it has one to spare.
func sentinels(o *encode.Options, t arrow.DataType) {
	if s, ok := sentinel(t); ok {
		o.Nulls, o.Sentinel = encode.NullsSentinel, s
	}
}

// sentinelAttributes note that nulls are values. NaT needs no note.
func sentinelAttributes(p *encode.Plan) []attr.Attribute {
	if p.Datasets[0].Sentinel != nil || p.Datasets[0].Type.Class == h5.ClassFloat {
		return []attr.Attribute{attr.Text(dtype.NullsAttribute, "sentinel")}
	}
	return nil
}
