package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"path"
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// at returns the dataset at a path of the file, nil for none.
func (c *contents) at(p string) *h5.Dataset {
	if p == "" {
		return nil
	}
	o, err := c.file.H5().Lookup(p)
	if err != nil {
		return nil
	}
	d, _ := o.(*h5.Dataset)
	return d
}

// stored returns the bytes of a dataset in its file and those of its values; ok is false where they are not known.
func stored(d *h5.Dataset) (inFile int64, values float64, ok bool) {
	l, err := d.Layout()
	if err != nil {
		return 0, 0, false
	}
	switch l.Storage {
	case h5.StorageCompact:
		inFile = int64(len(l.Data))
	case h5.StorageContiguous, h5.StorageExternal:
		inFile = l.Size
	case h5.StorageChunked:
		if err := d.EachChunk(func(c h5.Chunk) error { inFile += c.Size; return nil }); err != nil {
			return 0, 0, false
		}
	case h5.StorageVirtual:
		return 0, 0, false
	}
	n, ok := d.Space().Elements()
	return inFile, float64(n) * float64(d.Type().Size), ok
}

// storedTexts returns the cells about chunks, stored bytes and their ratio to the bytes of the values.
func storedTexts(d *h5.Dataset) []string {
	out := []string{"", "", ""}
	if d == nil {
		return out
	}
	if l, err := d.Layout(); err == nil && l.ChunkDims != nil {
		parts := make([]string, len(l.ChunkDims))
		for i, n := range l.ChunkDims {
			parts[i] = strconv.FormatUint(n, 10)
		}
		out[0] = "(" + strings.Join(parts, ", ") + ")"
	}
	n, values, ok := stored(d)
	if !ok {
		return out
	}
	out[1] = text.Bytes(float64(n))
	if values > 0 {
		out[2] = text.Float(float64(n)/values, 3, 64)
	}
	return out
}

// dimensions returns the names of a dataset's dimensions: those of its scales, or its labels; "" for one without a name.
func (c *contents) dimensions(d *h5.Dataset) []string {
	names := make([]string, len(d.Dims()))
	some := false
	if a, _ := d.Attribute("DIMENSION_LIST"); a != nil {
		lists, _ := a.References()
		for i, list := range lists {
			if i < len(names) && len(list) > 0 && list[0] != 0 {
				names[i] = c.pathAt(list[0])
				some = some || names[i] != ""
			}
		}
	}
	if a, _ := d.Attribute("DIMENSION_LABELS"); a != nil {
		labels, _ := a.Strings()
		for i, label := range labels {
			if i < len(names) && names[i] == "" {
				names[i] = label
				some = some || label != ""
			}
		}
	}
	if !some {
		return nil
	}
	return names
}

// pathAt returns the path of the dataset at an address, "" for one that is not among those that are shown.
func (c *contents) pathAt(address uint64) string {
	if c.numbers == nil {
		c.numbers = make(map[uint64]int, len(c.datasets))
		for i := range c.datasets {
			c.numbers[c.datasets[i].addr] = i
		}
	}
	i, ok := c.numbers[address]
	if !ok || address == 0 {
		return ""
	}
	return c.pathOf(&c.datasets[i])
}

// shownAttribute reports whether an attribute is worth a line. Those of dimension scales are shown as names of dimensions.
func shownAttribute(name string) bool {
	switch name {
	case "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS":
		return false
	}
	return true
}

// valueText returns the value of an attribute for people.
func valueText(a *h5.Attribute) string {
	if s, ok := a.Text(); ok && a.Space().Class != h5.SpaceNull {
		return strconv.Quote(s)
	}
	v, ok := attr.Value(a)
	switch v.(type) {
	case map[string]string:
		return a.Type().String()
	case nil:
		if ok {
			return "null"
		}
	}
	b, err := json.Marshal(v)
	if !ok || err != nil {
		return "not UTF-8, or it can't be read"
	}
	return string(b)
}

// longText shows attributes, names of dimensions and external files of a table and its columns.
func (c *contents) longText(s *text.Screen, table string, columns []*arrowmap.Column) error {
	g := text.Grid{Indent: "  "}
	add := func(of, name, value string) {
		g.Add([]text.Cell{{Text: text.CutMiddle(of, 50)}, {Text: name, Style: text.Bold}, {Text: text.Cut(value, 400)}})
	}
	attributes := func(o h5.Object, of string) {
		list, _ := o.Attributes() // what can't be read is a defect, which check prints
		for _, a := range list {
			if shownAttribute(a.Name) {
				add(of, "@"+a.Name, valueText(a))
			}
		}
	}
	if table != "" {
		if o, err := c.file.H5().Lookup(table); err == nil {
			if _, ok := o.(*h5.Group); ok {
				attributes(o, table)
			}
		}
	}
	seen := map[string]bool{}
	for _, col := range columns {
		d := c.at(col.Path)
		if d == nil || seen[col.Path] {
			continue
		}
		seen[col.Path] = true
		attributes(d, col.Path)
		if names := c.dimensions(d); names != nil {
			add(col.Path, "dimensions", strings.Join(names, ", "))
		}
		l, err := d.Layout()
		if err != nil {
			continue
		}
		for _, x := range l.External {
			add(col.Path, "external", x.Name+" at byte "+text.Count(x.Offset))
		}
		for i, v := range l.Virtual {
			if i == shownRows {
				add(col.Path, "virtual", text.Plural(len(l.Virtual)-i, "more source"))
				break
			}
			add(col.Path, "virtual", v.File+":"+v.Dataset)
		}
	}
	if g.Rows() == 0 {
		return nil
	}
	if s.Width > 0 {
		g.Fit(s.Width)
	}
	return errors.Join(s.Line(text.Span{}), g.Show(s))
}

// appendLong appends what -l adds to the members of a dataset's object.
func (c *contents) appendLong(b []byte, d *h5.Dataset) []byte {
	if d == nil {
		return b
	}
	l, err := d.Layout()
	if err == nil && l.ChunkDims != nil {
		b = appendNumbers(text.AppendKey(b, "chunk"), l.ChunkDims)
	}
	if n, values, ok := stored(d); ok {
		b = strconv.AppendInt(text.AppendKey(b, "stored_bytes"), n, 10)
		b = strconv.AppendFloat(text.AppendKey(b, "value_bytes"), values, 'f', -1, 64)
	}
	if names := c.dimensions(d); names != nil {
		b = text.AppendStrings(text.AppendKey(b, "dimensions"), names)
	}
	if err == nil && l.External != nil {
		b = append(text.AppendKey(b, "external"), '[')
		for i, x := range l.External {
			b = append(b, [...]string{"{", ", {"}[min(i, 1)]...)
			b = text.AppendString(text.AppendKey(b, "file"), x.Name)
			b = append(strconv.AppendInt(text.AppendKey(b, "offset"), x.Offset, 10), '}')
		}
		b = append(b, ']')
	}
	if err == nil && l.Virtual != nil {
		b = append(text.AppendKey(b, "virtual"), '[')
		for i, v := range l.Virtual {
			b = append(b, [...]string{"{", ", {"}[min(i, 1)]...)
			b = text.AppendString(text.AppendKey(b, "file"), v.File)
			b = append(text.AppendString(text.AppendKey(b, "dataset"), v.Dataset), '}')
		}
		b = append(b, ']')
	}
	return appendAttributes(b, d)
}

// appendAttributes appends the attributes of an object; the value of one that can't be represented is null.
func appendAttributes(b []byte, o h5.Object) []byte {
	b = append(text.AppendKey(b, "attributes"), '{')
	list, _ := o.Attributes() // what can't be read is a defect, which check prints
	for i, a := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(text.AppendString(b, a.Name), ": "...)
		b = appendValue(b, a)
	}
	return append(b, '}')
}

func appendValue(b []byte, a *h5.Attribute) []byte {
	if v, ok := attr.Value(a); ok {
		if value, err := json.Marshal(v); err == nil {
			return append(b, value...)
		}
	}
	return append(b, "null"...)
}

// appendGroups appends the links that are not hard and, with long, the groups and their attributes.
func (c *contents) appendGroups(w *bufio.Writer, b []byte, long bool) []byte {
	b = append(b, ",\n \"links\": ["...)
	n := 0
	for i := range c.groups {
		for _, l := range c.links[c.groups[i].links:c.end(i).links] {
			b = append(b, [...]string{"", ","}[min(n, 1)]+"\n  {"...)
			n++
			b = text.AppendString(text.AppendKey(b, "path"), c.path(i, l.Name))
			b = text.AppendString(text.AppendKey(b, "kind"), l.Kind.String())
			b = text.AppendString(text.AppendKey(b, "target"), l.Target)
			if l.Kind == h5.LinkExternal {
				b = text.AppendString(text.AppendKey(b, "file"), l.File)
			}
			b = spill(w, append(b, '}'))
		}
	}
	b = append(b, ']')
	if !long {
		return b
	}
	b = append(b, ",\n \"groups\": ["...)
	for i := range c.groups {
		b = append(b, [...]string{"", ","}[min(i, 1)]+"\n  {"...)
		b = text.AppendString(text.AppendKey(b, "path"), c.groupPath(i))
		if g := c.group(i); g != nil {
			b = appendAttributes(b, g)
		}
		b = spill(w, append(b, '}'))
	}
	return append(b, ']')
}

// attribute returns the attribute that a path names, as OBJECT@NAME or as OBJECT/NAME where there is no such object; nil for
// none.
func attribute(f *arrowmap.File, p string) (*h5.Attribute, error) {
	if _, err := f.H5().Lookup(p); !h5err.Is(err, h5err.NotFound) {
		return nil, nil
	}
	if i := strings.LastIndexByte(p, '@'); i >= 0 {
		if a := attributeOf(f, p[:i], p[i+1:]); a != nil {
			return a, nil
		}
		if _, err := f.H5().Lookup(p[:i]); err == nil {
			return nil, about(f.H5().Name(), usage("%s has no attribute %s", h5.CleanPath(p[:i]), p[i+1:]))
		}
		return nil, nil
	}
	return attributeOf(f, path.Dir("/"+p), path.Base(p)), nil
}

func attributeOf(f *arrowmap.File, object, name string) *h5.Attribute {
	o, err := f.H5().Lookup(object)
	if err != nil {
		return nil
	}
	a, _ := o.Attribute(name) // one that can't be read is a defect, which check prints
	return a
}

// showAttribute shows one attribute.
func (a *app) showAttribute(o *inspectFlags, file string, at *h5.Attribute) error {
	if at == nil {
		return nil
	}
	dims := at.Space().Dims
	if o.json {
		b := text.AppendString(text.AppendKey([]byte{'{'}, "file"), file)
		b = text.AppendString(text.AppendKey(b, "attribute"), at.Name)
		b = text.AppendString(text.AppendKey(b, "hdf5_type"), at.Type().String())
		if b = text.AppendKey(b, "shape"); at.Space().Class == h5.SpaceNull {
			b = append(b, "null"...)
		} else {
			b = appendNumbers(b, dims)
		}
		b = appendValue(text.AppendKey(b, "value"), at)
		_, err := text.Safe(a.out).Write(append(b, "}\n"...))
		return h5err.In(err, "stdout", "")
	}
	shape := shapeText(&arrowmap.Column{Shape: dims, Null: at.Space().Class == h5.SpaceNull})
	s := a.screen(&o.display)
	return h5err.In(errors.Join(s.Line(text.Span{Text: at.Name, Style: text.Bold}, text.Span{Text: ": " + at.Type().String() + " " + shape}),
		s.Text(valueText(at))), "stdout", "")
}
