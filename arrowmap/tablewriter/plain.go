package tablewriter

import (
	"path"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/layout"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5/write"
)

// plainMaker makes a dataset for each column, in one group.
type plainMaker struct {
	*output
	rows  uint64
	links []string
	taken map[string]bool // names of links
}

func (m *plainMaker) start(fields []arrow.Field) error {
	names := make([]string, len(fields))
	m.taken = map[string]bool{}
	for i, f := range fields {
		names[i] = f.Name
	}
	m.links = frame.Links(names)
	for _, l := range m.links {
		m.taken[l] = true
	}
	g, err := m.f.Group(m.o.Path)
	if err != nil {
		return err
	}
	order, err := jsonText(m.links)
	if err != nil {
		return err
	}
	return m.note(g, []attr.Attribute{attr.Text(dtype.OrderAttribute, order)})
}

// beside returns the path of a dataset that belongs to a column, and its name.
func (m *plainMaker) beside(link, what string) (at, name string) {
	name = link + "_" + what
	for m.taken[name] {
		name += "_"
	}
	m.taken[name] = true
	return path.Join(m.o.Path, name), name
}

func (m *plainMaker) make(i int, f arrow.Field) (column, write.Object, error) {
	link := m.links[i]
	at := path.Join(m.o.Path, link)
	var c column
	var err error
	if t, ok := f.Type.(*arrow.DictionaryType); ok {
		c, err = m.dictionary(link, at, f.Name, t)
	} else {
		c, err = m.values(link, at, arrow.Field{Name: f.Name, Type: f.Type}, m.rows)
	}
	if err != nil {
		return nil, nil, err
	}
	o := c.datasets()[0]
	if link != f.Name {
		err = m.note(o, []attr.Attribute{attr.Text("alias", f.Name)})
	}
	return c, o, err
}

func (m *plainMaker) values(link, at string, f arrow.Field, rows uint64) (column, error) {
	if f.Type.ID() == arrow.NULL {
		n, err := m.nothing(place{data: at}, rows)
		if err != nil {
			return nil, err
		}
		return n, m.note(n.data, []attr.Attribute{attr.Text(dtype.NullsAttribute, "all")})
	}
	o := encode.Options{Nulls: encode.NullsMask, Text: encode.TextHeap, Categories: encode.CategoriesDictionary}
	switch m.o.Nulls {
	case Bitmap:
		if !cellsOf(f.Type) {
			o.Nulls = encode.NullsBitmap
		}
	case Sentinel:
		sentinels(&o, innermost(f.Type))
	}
	if m.old != nil {
		m.keep(&o, at, f.Type)
	}
	f.Type = withoutZone(f.Type)
	p, err := encode.New(f, o)
	if err != nil {
		return nil, err
	}
	maskAt, mask := m.beside(link, "mask")
	to := place{data: at, mask: maskAt, bitmap: maskAt}
	if cellsOf(f.Type) {
		to.rows, _ = m.beside(link, "rows")
	}
	var l *leaf
	to.marked = func(kind string) error {
		a := attr.Text(dtype.NullsAttribute, kind+":"+mask)
		if kind == "rows" {
			a = attr.Text(dtype.RowNullsAttribute, "bitmap:"+path.Base(to.rows))
		}
		return attributes(l.data, []attr.Attribute{a})
	}
	if l, err = m.leaf(p, to, rows); err != nil {
		return nil, err
	}
	described := layout.Vaex(p, arrow.Metadata{}).Datasets[0].Attributes
	if p.Nulls == encode.NullsSentinel {
		described = append(described, sentinelAttributes(p)...)
	}
	return l, m.note(l.data, described)
}

// keep chooses the nulls that a column of an existing table has.
func (m *plainMaker) keep(o *encode.Options, at string, t arrow.DataType) {
	o.Sentinel = nil
	kind, _, _ := strings.Cut(m.old.note(at), ":")
	switch {
	case kind == "sentinel":
		sentinels(o, innermost(t))
	case kind == "mask", o.Nulls == encode.NullsSentinel:
		o.Nulls = encode.NullsMask
	case kind == "bitmap":
		o.Nulls = encode.NullsBitmap
	}
}

// cellsOf reports whether rows of a type are several items.
func cellsOf(t arrow.DataType) bool {
	if e, ok := t.(arrow.ExtensionType); ok {
		t = e.StorageType()
	}
	return t.ID() == arrow.FIXED_SIZE_LIST
}

func (m *plainMaker) dictionary(link, at, name string, t *arrow.DictionaryType) (column, error) {
	l, err := newLabels(t, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	d := &dictionary{labels: l}
	if d.indices, err = m.values(link, at, arrow.Field{Name: name, Type: t.IndexType}, m.rows); err != nil {
		return nil, err
	}
	labelsAt, labels := m.beside(link, "labels")
	field := arrow.Field{Name: name, Type: t.ValueType}
	p, err := encode.New(field, encode.Options{Nulls: encode.NullsMask, Text: encode.TextHeap})
	if err != nil {
		return nil, err
	}
	d.typ = &arrow.DictionaryType{IndexType: t.IndexType, ValueType: p.Arrow}
	d.write = func(n uint64) (column, error) { return m.values(labels, labelsAt, field, n) }
	if m.old != nil {
		return d, d.resume(m.old, labelsAt, "")
	}
	return d, attributes(d.datasets()[0], []attr.Attribute{attr.Text(dtype.LabelsAttribute, labels)})
}

// read returns the type of a field that reading restores. Dictionaries inside other types are stored as their labels.
func (m *plainMaker) read(t arrow.DataType) arrow.DataType {
	return stored.Inside(t, func(f arrow.Field) arrow.Field {
		if d, ok := f.Type.(*arrow.DictionaryType); ok {
			f.Type = d.ValueType
		}
		f.Type = m.read(f.Type)
		return f
	})
}
