// Package attributes has the attributes of HDF5 objects as metadata of Arrow fields and schemas.
package attributes

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/layout"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5"
)

// prefix is the prefix of the metadata keys of HDF5 attributes.
const prefix = dtype.MetaAttribute

// MaxBytes is the size in bytes from which an attribute is left out.
const MaxBytes = 64 << 10

// Add adds an object's attributes: text as it is, everything else as JSON. Attributes that
// are too large, not UTF-8, or unreadable are left out.
func Add(md map[string]string, o h5.Object) {
	attrs, err := o.Attributes()
	if err != nil {
		return
	}
	for _, a := range attrs {
		if slices.Contains(ownAttributes, a.Name) {
			continue
		}
		if s, ok := attr.ValueText(a, MaxBytes); ok && utf8.ValidString(a.Name) {
			md[prefix+a.Name] = s
			addType(md, a, s)
		}
	}
	addOwn(md, attrs)
}

// ownAttributes are the attributes that package tablewriter writes to say how Arrow's types and metadata are stored.
var ownAttributes = []string{
	stored.Attribute, dtype.MetadataAttribute, dtype.TypeAttribute, dtype.NullsAttribute, dtype.RowNullsAttribute,
	dtype.LabelsAttribute, dtype.OrderAttribute,
}

// addOwn adds the metadata that package tablewriter stored, under their own keys. Where they are attributes of their own as well,
// these have the values: other software may have changed them.
func addOwn(md map[string]string, attrs []*h5.Attribute) {
	at := slices.IndexFunc(attrs, func(a *h5.Attribute) bool { return a.Name == dtype.MetadataAttribute })
	if at < 0 {
		return
	}
	text, _ := attrs[at].Text()
	keys := map[string]string{}
	if json.Unmarshal([]byte(text), &keys) != nil {
		return
	}
	for k, v := range keys {
		own, visible := md[prefix+k]
		switch {
		case visible && !slices.Contains(layout.Reserved(), k):
			md[k] = own
			delete(md, prefix+k)
		case !strings.HasPrefix(k, prefix) || md[k] == "":
			md[k] = v
		}
	}
}

// addType adds an attribute's type where it does not follow from the value in the metadata.
func addType(md map[string]string, a *h5.Attribute, value string) {
	t := a.Type()
	if _, ok := a.Text(); ok {
		t = nil
	}
	name := attr.TypeName(t, value)
	old, some := md[dtype.MetaTypes]
	if name == "" && !some {
		return
	}
	types := map[string]string{}
	if some && json.Unmarshal([]byte(old), &types) != nil {
		return
	}
	if delete(types, a.Name); name != "" {
		types[a.Name] = name
	}
	if delete(md, dtype.MetaTypes); len(types) > 0 {
		b, _ := json.Marshal(types) // strings can't fail
		md[dtype.MetaTypes] = string(b)
	}
}

// Metadata returns metadata in the order of its keys.
func Metadata(md map[string]string) arrow.Metadata {
	keys := make([]string, 0, len(md))
	for k := range md {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	values := make([]string, len(keys))
	for i, k := range keys {
		values[i] = md[k]
	}
	return arrow.NewMetadata(keys, values)
}
