package tablewriter

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/layout"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// vaexTable makes columns in vaex's layout.
type vaexTable struct {
	*output
	rows uint64
}

// inVaex reports whether vaex has columns of a type, which is one that stored.Type returns.
func inVaex(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return true
	case *arrow.DictionaryType:
		_, list := t.ValueType.(*arrow.FixedSizeListType)
		return inVaex(t.ValueType) && !list
	case *arrow.FixedSizeListType:
		return cells(t)
	}
	return plainValues(t)
}

// plainValues reports whether values of a type are numbers, booleans or times.
func plainValues(t arrow.DataType) bool {
	switch t.(type) {
	case *arrow.BooleanType, *arrow.TimestampType, *arrow.DurationType, *arrow.Date32Type, *arrow.Date64Type, *arrow.Time32Type, *arrow.Time64Type:
		return true
	}
	return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID())
}

// cells reports whether rows of a type are one or several plain values, which makes dimensions of a dataset.
func cells(t arrow.DataType) bool {
	if l, ok := t.(*arrow.FixedSizeListType); ok {
		return l.Len() > 0 && cells(l.Elem()) && onlyRows(l.Elem())
	}
	if e, ok := t.(arrow.ExtensionType); ok && e.ExtensionName() == dtype.TensorName {
		return cells(e.StorageType())
	}
	return plainValues(t)
}

// onlyRows reports whether nothing but the innermost values can be null: lists inside lists have no nulls of their own in a mask.
func onlyRows(t arrow.DataType) bool {
	_, list := t.(*arrow.FixedSizeListType)
	return !list
}

// column makes the column of a type in the group at a path.
func (v vaexTable) column(at, name string, t arrow.DataType, rows uint64) (column, error) {
	switch t := t.(type) {
	case *arrow.NullType:
		if err := v.mark(at, "null"); err != nil {
			return nil, err
		}
		return v.nothing(place{data: at + "/data"}, rows)
	case *arrow.DictionaryType:
		return v.dictionary(at, name, t, rows)
	case *arrow.StructType:
		return v.record(at, name, t, rows)
	case *arrow.FixedSizeListType:
		if !cells(t) {
			return v.group(at, name, t, rows)
		}
	case *arrow.ListType:
		return v.list(at, name, t.Elem(), false, rows)
	case *arrow.LargeListType:
		return v.list(at, name, t.Elem(), true, rows)
	}
	return v.values(at, arrow.Field{Name: name, Type: t}, v.options(t), rows)
}

// isBytes reports whether values of a type are bytes of any length.
func isBytes(t arrow.DataType) bool {
	return t.ID() == arrow.BINARY || t.ID() == arrow.LARGE_BINARY || t.ID() == arrow.BINARY_VIEW
}

// options returns the options of encoding for a column of values.
func (v vaexTable) options(t arrow.DataType) encode.Options {
	o := encode.Options{Nulls: encode.NullsBitmap, Categories: encode.CategoriesDictionary}
	item := t
	for l, ok := item.(*arrow.FixedSizeListType); ok; l, ok = item.(*arrow.FixedSizeListType) {
		item, o.Nulls = l.Elem(), encode.NullsMask
	}
	if _, ok := t.(arrow.ExtensionType); ok {
		o.Nulls = encode.NullsMask
	}
	switch v.o.Nulls {
	case Mask:
		o.Nulls = encode.NullsMask
	case Sentinel:
		sentinels(&o, item)
	}
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		o.Nulls = encode.NullsBitmap
	}
	return o
}

// keep chooses the nulls that a column of an existing table has.
func (v vaexTable) keep(o *encode.Options, at string, t arrow.DataType) {
	o.Sentinel = nil
	switch {
	case v.old.dataset(at+"/mask") != nil:
		o.Nulls = encode.NullsMask
	case v.old.note(at+"/data") == "sentinel":
		sentinels(o, innermost(t))
	case v.old.dataset(at+"/null_bitmap") != nil, o.Nulls == encode.NullsSentinel && innermost(t) == t:
		o.Nulls = encode.NullsBitmap
	case o.Nulls == encode.NullsSentinel:
		o.Nulls = encode.NullsMask
	}
}

// values makes a column that package encode has a plan for.
func (v vaexTable) values(at string, f arrow.Field, o encode.Options, rows uint64) (column, error) {
	f.Type = withoutZone(f.Type)
	if v.old != nil {
		v.keep(&o, at, f.Type)
	}
	p, err := encode.New(f, o)
	if err != nil {
		return nil, err
	}
	if isBytes(f.Type) {
		err = v.mark(at, "binary")
	} else {
		_, err = v.f.Group(at)
	}
	if err != nil {
		return nil, err
	}
	to := place{data: at + "/data", mask: at + "/mask", bitmap: at + "/null_bitmap", rows: at + "/row_bitmap"}
	described := layout.Vaex(p, arrow.Metadata{}).Datasets[0].Attributes
	if p.Nulls == encode.NullsSentinel {
		described = append(described, sentinelAttributes(p)...)
	}
	var c column
	if p.Datasets[0].DType == "str" {
		c, err = v.text(p, to, at+"/indices", rows)
	} else {
		c, err = v.leaf(p, to, rows)
	}
	if err != nil {
		return nil, err
	}
	return c, v.note(c.datasets()[0], described)
}

// withoutZone returns lists of timestamps as those of timestamps without a zone: HDF5's datasets have one for rows of one item only.
func withoutZone(t arrow.DataType) arrow.DataType {
	l, ok := t.(*arrow.FixedSizeListType)
	if !ok {
		return t
	}
	if ts, ok := l.Elem().(*arrow.TimestampType); ok {
		return arrow.FixedSizeListOf(l.Len(), &arrow.TimestampType{Unit: ts.Unit})
	}
	return arrow.FixedSizeListOf(l.Len(), withoutZone(l.Elem()))
}

// mark notes in a group what kind of column it is.
func (v vaexTable) mark(at, kind string, more ...attr.Attribute) error {
	g, err := v.f.Group(at)
	if err != nil {
		return err
	}
	return v.note(g, append([]attr.Attribute{attr.Text("type", kind)}, more...))
}

func (v vaexTable) bitmap(at string, rows uint64) (*nulls, error) {
	return v.nulls(nulls{path: at + "/null_bitmap", rows: rows})
}

func (v vaexTable) dictionary(at, name string, t *arrow.DictionaryType, rows uint64) (column, error) {
	l, err := newLabels(t, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	more := []attr.Attribute{}
	if t.Ordered {
		more = append(more, attr.Bool("ordered", true))
	}
	if err := v.mark(at, "dictionary_encoded", more...); err != nil {
		return nil, err
	}
	d := &dictionary{labels: l, null: true}
	if d.indices, err = v.values(at+"/indices", arrow.Field{Name: name, Type: t.IndexType}, encode.Options{Nulls: encode.NullsBitmap}, rows); err != nil {
		return nil, err
	}
	// The plan is made twice, to know beforehand that there is one.
	p, err := encode.New(arrow.Field{Name: name, Type: t.ValueType}, encode.Options{Nulls: encode.NullsBitmap})
	if err != nil {
		return nil, err
	}
	d.typ = &arrow.DictionaryType{IndexType: t.IndexType, ValueType: p.Arrow, Ordered: t.Ordered}
	d.write = func(n uint64) (column, error) {
		return v.values(at+"/dictionary", arrow.Field{Name: name, Type: t.ValueType}, encode.Options{Nulls: encode.NullsBitmap}, n)
	}
	if v.old != nil {
		err = d.resume(v.old, at+"/dictionary/data", at+"/dictionary/indices")
	}
	return d, err
}

func (v vaexTable) list(at, name string, item arrow.DataType, wide bool, rows uint64) (column, error) {
	if err := v.mark(at, "list"); err != nil {
		return nil, err
	}
	o, err := v.offsets(at+"/indices", wide, rows)
	if err != nil {
		return nil, err
	}
	items := uint64(write.Unknown)
	if v.old != nil {
		items = o.total
	}
	l := &list{offsets: o}
	if l.items, err = v.column(at+"/items", name+".items", item, items); err == nil {
		l.nulls, err = v.bitmap(at, rows)
	}
	if err != nil {
		o.close()
		return nil, err
	}
	return l, nil
}

func (v vaexTable) group(at, name string, t *arrow.FixedSizeListType, rows uint64) (column, error) {
	if t.Len() < 1 {
		return nil, h5err.New(h5err.Unsupported, "lists of %d items", t.Len())
	}
	if err := v.mark(at, "fixed_size_list", attr.Int("size", int64(t.Len()))); err != nil {
		return nil, err
	}
	items := rows
	if rows != write.Unknown {
		items *= uint64(t.Len())
	}
	g := &group{size: int(t.Len())}
	var err error
	if g.nulls, err = v.bitmap(at, rows); err != nil {
		return nil, err
	}
	if g.items, err = v.column(at+"/items", name+".items", t.Elem(), items); err != nil {
		return nil, err
	}
	return g, nil
}

func (v vaexTable) record(at, name string, t *arrow.StructType, rows uint64) (column, error) {
	if t.NumFields() == 0 {
		return nil, h5err.New(h5err.Unsupported, "a struct without fields")
	}
	r := &record{}
	var err error
	if r.nulls, err = v.bitmap(at, rows); err != nil {
		return nil, err
	}
	var order []string
	for i, f := range t.Fields() {
		link := strconv.Itoa(i) // fields may have any names, and several the same
		order = append(order, f.Name)
		c, err := v.column(at+"/fields/"+link, name+"."+f.Name, f.Type, rows)
		if err != nil {
			r.close()
			return nil, err
		}
		r.names, r.fields = append(r.names, f.Name), append(r.fields, c)
	}
	names, err := jsonText(order)
	if err != nil {
		return nil, err
	}
	return r, v.mark(at, "struct", attr.Text("fields", names))
}

// vaexMaker makes the columns of a table of vaex.
type vaexMaker struct {
	vaexTable
	links []string
}

func (m *vaexMaker) start(fields []arrow.Field) error {
	g, err := m.f.Group(m.o.Path)
	if err != nil {
		return err
	}
	if err := m.note(g, []attr.Attribute{attr.Text("type", "table")}); err != nil {
		return err
	}
	columns, err := m.f.Group(m.o.Path + "/columns")
	if err != nil {
		return err
	}
	names := make([]string, len(fields))
	commas := false
	for i, f := range fields {
		names[i] = f.Name
		commas = commas || strings.Contains(f.Name, ",")
	}
	m.links = frame.Links(names)
	order := []attr.Attribute{attr.Text("column_order", strings.Join(names, ","))}
	if commas {
		text, err := jsonText(names)
		if err != nil {
			return err
		}
		order = append(order, attr.Text(dtype.OrderAttribute, text))
	}
	return m.note(columns, order)
}

func (m *vaexMaker) make(i int, f arrow.Field) (column, write.Object, error) {
	at := m.o.Path + "/arrow/" + m.links[i]
	if inVaex(f.Type) || cells(f.Type) {
		at = m.o.Path + "/columns/" + m.links[i]
	}
	g, err := m.f.Group(at)
	if err != nil {
		return nil, nil, err
	}
	if m.links[i] != f.Name {
		if err := m.note(g, []attr.Attribute{attr.Text("alias", f.Name)}); err != nil {
			return nil, nil, err
		}
	}
	c, err := m.column(at, f.Name, f.Type, m.rows)
	if err != nil {
		return nil, nil, err
	}
	return c, g, nil
}

// read returns the type of a field that reading restores.
func (m *vaexMaker) read(t arrow.DataType) arrow.DataType { return t }
