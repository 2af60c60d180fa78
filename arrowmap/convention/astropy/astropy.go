// Package astropy recognizes the tables that astropy writes with their metadata.
package astropy

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// metaSuffix is the end of the name of the dataset in which astropy describes the columns of the table beside it, in lines of YAML.
const metaSuffix = ".__table_column_meta__"

// Part reports whether an object is such a description of a table.
func Part(o h5.Object) bool { return strings.HasSuffix(o.Path(), metaSuffix) }

// Detect recognizes the tables that astropy writes with their metadata: a compound dataset, and lines of YAML beside
// it, which say how columns were taken apart. The mask of a column says where it is missing, and the two numbers of a time
// are one timestamp. Other columns that astropy makes of several, such as coordinates, are given as they are stored.
func Detect(o h5.Object) ([]*convention.Table, error) {
	d, ok := o.(*h5.Dataset)
	if !ok || !object.IsTable(d) {
		return nil, nil
	}
	up, err := d.File().Lookup(object.Parent(d.Path()))
	g, ok := up.(*h5.Group)
	if err != nil || !ok || !object.Has(g, object.Base(d.Path())+metaSuffix) {
		return nil, nil
	}
	lines, err := object.Required(g, object.Base(d.Path())+metaSuffix)
	if err != nil {
		return nil, err
	}
	yaml, err := object.Texts(lines)
	if err != nil {
		return nil, err
	}
	t := &convention.Table{Path: d.Path(), Object: d, Reason: "a dataset " + metaSuffix[1:] + " beside it",
		Metadata: map[string]string{"h5arrow.table_column_meta": strings.Join(yaml, "\n")}}
	about := parseYAML(yaml)
	m := &members{d: d, at: map[string]int{}, masks: map[string]string{}, part: map[string]bool{}}
	for i, c := range d.Type().Members {
		m.at[c.Name] = i
	}
	m.readMasks(about.get("meta", "__serialized_columns__"), 0)
	times := m.times(about)
	metadata := columnsOf(about.get("datatype"))
	for _, c := range d.Type().Members {
		if time, ok := times[c.Name]; ok {
			t.Columns = append(t.Columns, time)
		} else if !m.part[c.Name] {
			t.Columns = append(t.Columns, convention.Column{Name: c.Name, Values: m.plain(c.Name), Metadata: metadata[c.Name]})
		}
	}
	return []*convention.Table{t}, nil
}

// members are the members of a table, and what the description says of them.
type members struct {
	d     *h5.Dataset
	at    map[string]int    // the number of each
	masks map[string]string // the mask of each that has one
	part  map[string]bool   // those that are a part of another column
}

// name returns the member that a value of class SerializedColumn names, "" for none.
func (m *members) name(v *value) string {
	name := v.string("name")
	if _, has := m.at[name]; !has || len(v.fields) != 1 {
		return ""
	}
	return name
}

// readMasks looks in the description of serialized columns for data with a mask: MaskedColumn and masked arrays in others.
func (m *members) readMasks(v *value, depth int) {
	if v == nil || depth > maxDepth {
		return
	}
	if data, mask := v.get("data"), v.get("mask"); data != nil && mask != nil {
		if data, mask := m.name(data), m.name(mask); data != "" && mask != "" && data != mask {
			m.masks[data], m.part[mask] = mask, true
		}
	}
	for _, f := range v.fields {
		m.readMasks(f.of, depth+1)
	}
	for _, item := range v.items {
		m.readMasks(item, depth+1)
	}
}

// plain describes a member, with its mask.
func (m *members) plain(name string) *convention.Plain {
	p := convention.NewMember(m.d, m.at[name])
	if mask, ok := m.masks[name]; ok {
		p.Nulls = []convention.Null{{Kind: convention.NullMask, Data: m.d, Part: &m.d.Type().Members[m.at[mask]]}}
		if t := m.d.Type().Members[m.at[name]].Type; t.Class == h5.ClassArray { // an entry for each item
			p.As, p.RowDims = t.Base, t.Dims
		}
	}
	return p
}

// columnsOf returns the unit, the format and the description of each column.
func columnsOf(list *value) map[string]map[string]string {
	out := map[string]map[string]string{}
	if list == nil {
		return out
	}
	for _, c := range list.items {
		md := map[string]string{}
		for _, k := range []string{"unit", "format", "description"} {
			v := c.get(k)
			for v != nil && v.get("unit") != nil { // an object of class Unit
				v = v.get("unit")
			}
			if v != nil && v.text != "" {
				md[k] = v.text
			}
		}
		out[c.string("name")] = md
	}
	return out
}
