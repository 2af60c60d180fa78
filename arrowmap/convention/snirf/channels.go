package snirf

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
)

// measurement is the name of the group of a channel, with its number.
var measurement = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^measurementList([1-9][0-9]{0,8})$`) })

// channel is one group measurementList<n>.
type channel struct {
	number int
	group  *h5.Group
}

// measurements describes the channels of a recording, the groups measurementList1 and so on: a row for each, by its number, and a
// column for each dataset of one number or text, null in groups that lack it. There is no table where there are no such groups.
// It also returns the paths of the groups.
func measurements(g *h5.Group) (*convention.Table, []string, error) {
	links, err := g.AllLinks()
	if err != nil {
		return nil, nil, err
	}
	var channels []channel
	for l := range links {
		m := measurement().FindStringSubmatch(l.Name)
		if m == nil || l.Kind != h5.LinkHard {
			continue
		}
		if c, ok := object.Member(g, l.Name).(*h5.Group); ok {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				return nil, nil, err
			}
			channels = append(channels, channel{n, c})
		}
	}
	if len(channels) == 0 {
		return nil, nil, nil
	}
	slices.SortFunc(channels, func(a, b channel) int { return cmp.Compare(a.number, b.number) })
	paths := make([]string, len(channels))
	var fields []*field
	at := map[string]*field{}
	for i, c := range channels {
		paths[i] = c.group.Path()
		if err := fieldsOf(c.group, i, len(channels), at, &fields); err != nil {
			return nil, nil, err
		}
	}
	t := &convention.Table{Path: object.Child(g, "measurementList"), Object: g, Reason: "groups measurementList of a recording, one for each channel",
		Inner: object.Below(paths...)}
	t.Columns = append(t.Columns, convention.Column{Name: "measurement", Values: column.ByRow(nil, int64(len(channels)), arrow.PrimitiveTypes.Int64,
		"the number of the group", array.NewInt64Builder, func(b *array.Int64Builder, row int64) { b.UnsafeAppend(int64(channels[row].number)) })})
	for _, f := range fields {
		t.Columns = append(t.Columns, f.column())
	}
	return t, paths, nil
}

// field is the datasets of one name in the groups of all channels.
type field struct {
	name string
	of   []*h5.Dataset // for each channel, nil where it has none
}

// maxValues bounds the places for datasets in the fields of all channels: a group may have few of the names that others have.
const maxValues = 1 << 22

// fieldsOf adds the datasets of one element in the group of channel i to those of the others.
func fieldsOf(g *h5.Group, i, channels int, at map[string]*field, fields *[]*field) error {
	links, err := g.AllLinks()
	if err != nil {
		return err
	}
	for l := range links {
		d, ok := object.Member(g, l.Name).(*h5.Dataset)
		if !ok || l.Name == "measurement" {
			continue
		}
		if n, ok := d.Space().Elements(); !ok || n != 1 || d.Space().Class == h5.SpaceNull {
			continue
		}
		f := at[l.Name]
		if f == nil {
			if len(*fields) == maxLabels || len(*fields) >= maxValues/channels {
				return object.Limit(g, "%d channels with more than %d datasets of different names", channels, len(*fields))
			}
			f = &field{l.Name, make([]*h5.Dataset, channels)}
			at[l.Name] = f
			*fields = append(*fields, f)
		}
		f.of[i] = d
	}
	return nil
}

// The types of a field's values, of which a later one can have those before it.
const (
	wholeField = iota
	floatField
	textField
)

var fieldTypes = [...]arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String}

// column describes a field: integers of 64 bits if all are integers, doubles if all are numbers, or text.
func (f *field) column() convention.Column {
	c := convention.Column{Name: f.name}
	kinds := [len(fieldTypes)]bool{}
	bytes := int64(0)
	var first *h5.Dataset
	for _, d := range f.of {
		if d == nil {
			continue
		}
		if first == nil {
			first = d
		}
		k, ok := kindOf(d.Type())
		if !ok {
			c.Err = object.Unsupported(d, "a value of type %s for a channel", d.Type())
			return c
		}
		kinds[k] = true
		bytes += int64(d.Type().Size)
	}
	kind := wholeField
	switch {
	case kinds[textField] && (kinds[wholeField] || kinds[floatField]):
		c.Err = object.Unsupported(first, "numbers and text in the channels' datasets of this name")
		return c
	case kinds[textField]:
		kind = textField
	case kinds[floatField]:
		kind = floatField
	}
	c.Objects = []h5.Object{first}
	c.Values = &convention.Computed{Data: first, Rows: int64(len(f.of)), Type: fieldTypes[kind], Reason: "a dataset for each channel",
		Block: &convention.Block{Bytes: bytes, Compute: func(_ []arrow.Array, mem memory.Allocator, limit int64) ([]arrow.Array, error) {
			a, err := f.read(kind, mem, limit)
			if err != nil {
				return nil, err
			}
			return []arrow.Array{a}, nil
		}}}
	return c
}

// kindOf returns the type of a field with a value of a stored type.
func kindOf(t *h5.Type) (int, bool) {
	switch {
	case t.Class == h5.ClassFixed && t.Size <= 8 && (t.Signed || t.Size < 8):
		return wholeField, true
	case t.Class == h5.ClassFloat && (t.Size == 4 || t.Size == 8) && t.Order != h5.VAX:
		return floatField, true
	case t.Class == h5.ClassString || object.VarText(t):
		return textField, true
	}
	return 0, false
}

// read reads the value of each channel.
func (f *field) read(kind int, mem memory.Allocator, limit int64) (arrow.Array, error) {
	b := array.NewBuilder(mem, fieldTypes[kind])
	defer b.Release()
	b.Reserve(len(f.of))
	total := int64(0)
	for _, d := range f.of {
		if d == nil {
			b.AppendNull()
			continue
		}
		if sb, ok := b.(*array.StringBuilder); ok {
			v, err := object.Texts(d)
			if err != nil {
				return nil, err
			}
			if len(v) != 1 {
				return nil, object.Corrupt(d, "%d texts, one is expected", len(v))
			}
			if total += int64(len(v[0])); limit > 0 && total > limit {
				return nil, object.Limit(d, "more than %d bytes of text for the channels", limit)
			}
			if !utf8.ValidString(v[0]) {
				return nil, object.Corrupt(d, "text that is not UTF-8: %q", v[0])
			}
			sb.Append(v[0])
			continue
		}
		p, err := object.Contents(d)
		if err != nil {
			return nil, err
		}
		switch b := b.(type) {
		case *array.Int64Builder:
			b.Append(rule.Int(p, d.Type()))
		case *array.Float64Builder:
			b.Append(number(p, d.Type()))
		}
	}
	return b.NewArray(), nil
}

// families are the beginnings of the names of what belongs together in a probe, and is a table.
var families = []string{"source", "detector", "landmark", "wavelengths", "timeDelay", "correlationTimeDelay"}

// familyOf returns the family of a dataset of a probe: its name where it has none.
func familyOf(name string) string {
	for _, f := range families {
		if strings.HasPrefix(name, f) {
			return f
		}
	}
	return name
}

// probe describes what a probe consists of: sources, detectors, landmarks and so on are tables of their own, as it is chance that
// there are as many of one as of another. A family has as many rows as positions, without them as its first dataset; its datasets of
// other rows are left out.
func probe(g *h5.Group) ([]*convention.Table, error) {
	all, broken, err := column.Datasets(g)
	if err != nil {
		return nil, err
	}
	rows := map[string]int64{}
	for _, positions := range []bool{true, false} {
		for _, d := range all {
			name := object.Base(d.Path())
			if _, ok := rows[familyOf(name)]; !ok && (!positions || strings.Contains(name, "Pos")) {
				rows[familyOf(name)] = d.Rows()
			}
		}
	}
	var tables []*convention.Table
	at := map[string]*convention.Table{}
	for _, d := range all {
		name := object.Base(d.Path())
		family := familyOf(name)
		t := at[family]
		if t == nil {
			t = &convention.Table{Path: object.Child(g, family), Object: g, Reason: "parts of a probe in a run of SNIRF", Inner: object.ColumnsOf(g)}
			at[family] = t
			tables = append(tables, t)
		}
		if d.Rows() != rows[family] {
			t.LeftOut = append(t.LeftOut, leftOut(d))
			continue
		}
		t.Columns = append(t.Columns, column.Of(name, d))
	}
	if len(tables) > 0 {
		tables[0].Columns = append(tables[0].Columns, broken...)
	}
	return tables, nil
}
