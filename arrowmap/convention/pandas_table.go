package convention

import (
	"regexp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// pandasTable is an object in the table format: a table of PyTables whose members are an index, blocks of columns of
// one type, and columns that stand alone.
type pandasTable struct {
	*pandasStore
	d      *h5.Dataset
	member map[string]int
	info   *pyDict
	nanRep string
	depth  int // 1 for the labels of a category
}

// place is where a column stands: a member, and the item of it.
type place struct {
	member string
	attr   string // what the attributes' names of the member begin with
	item   int
}

func (s *pandasStore) tableFrame(depth int) (*pandasFrame, error) {
	d, err := dataset(s.g, "table")
	if err != nil {
		return nil, err
	}
	if d == nil || !isTable(d) {
		return nil, corrupt(s.g, "pandas' mark, but no table")
	}
	kind := text(s.g, "table_type")
	switch kind {
	case "", "appendable_frame", "appendable_multiframe", "appendable_series", "appendable_multiseries":
	default:
		return nil, unsupported(s.g, "a table of pandas of type %q", kind)
	}
	t := &pandasTable{pandasStore: s, d: d, member: map[string]int{}, nanRep: "nan", depth: depth}
	for i := range d.Type().Members {
		t.member[d.Type().Members[i].Name] = i
	}
	if v, err := attribute(s.g, "nan_rep"); err != nil {
		return nil, err
	} else if rep, ok := v.(string); ok {
		t.nanRep = rep
	}
	info, err := attribute(s.g, "info")
	if err != nil {
		return nil, err
	}
	t.info, _ = info.(*pyDict)
	return t.frame(text(s.g, "pandas_type") == "series_table")
}

func (t *pandasTable) frame(series bool) (*pandasFrame, error) {
	index, err := t.indexMember()
	if err != nil {
		return nil, err
	}
	labels, places, err := t.places()
	if err != nil {
		return nil, err
	}
	if labels, places, err = t.ordered(labels, places); err != nil {
		return nil, err
	}
	if err := checkLabels(labels); err != nil {
		return nil, err
	}
	f := &pandasFrame{version: text(t.g, "pandas_version")}
	levels, err := t.levels()
	if err != nil {
		return nil, err
	}
	if levels == nil {
		f.index = []pandasColumn{t.indexColumn(index)}
	}
	byName := map[string]pandasColumn{}
	for i, label := range labels {
		c := t.column(places[i], label)
		if name, ok := label.(string); ok && levels[name] {
			byName[name] = c
			continue
		}
		if series && label == "values" { // pandas' name for a series without one
			c.label = int64(0)
		}
		f.columns = append(f.columns, c)
	}
	if levels != nil {
		names, _ := attributeList(t.g, "levels")
		for _, n := range names {
			c, ok := byName[n.(string)]
			if !ok {
				return nil, corrupt(t.g, "the level %s of the index is no column", n)
			}
			if unnamedLevel().MatchString(n.(string)) {
				c.label = nil
			}
			f.index = append(f.index, c)
		}
	}
	f.levels = t.columnLevels(f.columns)
	return f, nil
}

// unnamedLevel matches what pandas calls a level of an index that has no name.
func unnamedLevel() *regexp.Regexp { return regexp.MustCompile(`^level_\d+$`) }

// indexMember returns the name of the index's member.
func (t *pandasTable) indexMember() (string, error) {
	cols, err := attributeList(t.g, "index_cols")
	if err != nil {
		return "", err
	}
	if len(cols) == 0 {
		return "index", nil
	}
	pair, _ := itemsOf(cols[0])
	if len(pair) != 2 {
		return "", corrupt(t.g, "the attribute index_cols is no list of pairs")
	}
	name, ok := pair[1].(string)
	if !ok {
		return "", corrupt(t.g, "the attribute index_cols names no member")
	}
	if len(cols) > 1 || pair[0] != int64(0) {
		return "", unsupported(t.g, "a table that is indexed by other axes than the rows")
	}
	return name, nil
}

// levels returns the names of the levels of a MultiIndex, nil when there is none.
func (t *pandasTable) levels() (map[string]bool, error) {
	v, err := attribute(t.g, "levels")
	if err != nil {
		return nil, err
	}
	names, ok := itemsOf(v)
	if !ok || len(names) == 0 {
		return nil, nil
	}
	out := map[string]bool{}
	for _, n := range names {
		s, ok := n.(string)
		if !ok {
			return nil, unsupported(t.g, "a level of the index that is called by a %s", kindOf(n))
		}
		if out[s] {
			return nil, corrupt(t.g, "two levels of the index are called %s", s)
		}
		out[s] = true
	}
	return out, nil
}

// places returns the labels of the columns and where they stand, member by member.
func (t *pandasTable) places() (labels []any, places []place, err error) {
	members, err := attributeList(t.g, "values_cols")
	if err != nil {
		return nil, nil, err
	}
	if members == nil {
		return nil, nil, corrupt(t.g, "the attribute values_cols is missing")
	}
	for _, v := range members {
		name, ok := v.(string)
		at, known := t.member[name]
		if !ok || !known {
			return nil, nil, corrupt(t.g, "the attribute values_cols names what is no member of the table: %s", pyString(v))
		}
		p := place{member: name, attr: name}
		kinds, err := attributeList(t.d, name+"_kind")
		if err == nil && kinds == nil && strings.HasPrefix(name, "values_block_") { // before pandas 0.10.1
			p.attr = "values_" + name[len("values_block_"):]
			kinds, err = attributeList(t.d, p.attr+"_kind")
		}
		if err != nil {
			return nil, nil, err
		}
		if n := width(t.d.Type().Members[at].Type); uint64(len(kinds)) != n {
			return nil, nil, corrupt(t.d, "%d names for the %d columns in %s", len(kinds), n, name)
		}
		for i, label := range kinds {
			p.item = i
			labels, places = append(labels, label), append(places, p)
		}
	}
	return labels, places, nil
}

// width is the number of items of a member.
func width(m *h5.Type) uint64 {
	if m.Class != h5.ClassArray {
		return 1
	}
	n := uint64(1)
	for _, d := range m.Dims {
		n *= min(d, 1<<31)
		if n > 1<<31 {
			break
		}
	}
	return n
}

// ordered brings the columns into the order of the frame's axis.
func (t *pandasTable) ordered(labels []any, places []place) ([]any, []place, error) {
	axes, err := attributeList(t.g, "non_index_axes")
	if err != nil || len(axes) == 0 {
		return labels, places, err
	}
	pair, _ := itemsOf(axes[0])
	if len(pair) != 2 {
		return nil, nil, corrupt(t.g, "the attribute non_index_axes is no list of pairs")
	}
	order, ok := itemsOf(pair[1])
	if !ok {
		return nil, nil, corrupt(t.g, "the attribute non_index_axes lists no names")
	}
	sorted, err := inOrder(order, labels)
	if err != nil {
		return nil, nil, err
	}
	out := make([]place, len(sorted))
	names := make([]any, len(sorted))
	for i, k := range sorted {
		out[i], names[i] = places[k], labels[k]
	}
	return names, out, nil
}

// inOrder returns the numbers of the labels in the order that an axis says. Those that it does not name come after.
func inOrder(order, labels []any) ([]int, error) {
	at := map[string][]int{}
	for i, l := range labels {
		k := pyRepr(l)
		at[k] = append(at[k], i)
	}
	taken := make([]bool, len(labels))
	out := make([]int, 0, len(labels))
	for _, l := range order {
		k := pyRepr(l)
		if len(at[k]) == 0 {
			return nil, h5err.New(h5err.Corrupt, "the column %s is missing", pyString(l))
		}
		i := at[k][0]
		at[k] = at[k][1:]
		taken[i] = true
		out = append(out, i)
	}
	for i := range labels {
		if !taken[i] {
			out = append(out, i)
		}
	}
	return out, nil
}

// columnLevels describes the levels of the columns' labels.
func (t *pandasTable) columnLevels(columns []pandasColumn) []pandasLevel {
	axis, _ := t.info.get(int64(1))
	info, _ := axis.(*pyDict)
	kind, _ := info.get("type")
	list, _ := info.get("names")
	names, _ := itemsOf(list)
	levels := make([]pandasLevel, len(names))
	for i, n := range names {
		levels[i].name = n
	}
	labels := make([]any, len(columns))
	for i := range columns {
		labels[i] = columns[i].label
	}
	return labelLevels(labels, levels, kind == "MultiIndex")
}

// labelLevels describes the levels of labels: one, or as many as the tuples have. known is what is known of them.
func labelLevels(labels []any, known []pandasLevel, multi bool) []pandasLevel {
	levels := 1
	if multi && len(labels) > 0 {
		if first, ok := labels[0].(pyTuple); ok {
			levels = len(first)
		}
	}
	out := make([]pandasLevel, levels)
	for k := range out {
		part := labels
		if levels > 1 {
			part = make([]any, 0, len(labels))
			for _, l := range labels {
				if t, ok := l.(pyTuple); ok && k < len(t) {
					part = append(part, t[k])
				}
			}
		}
		out[k].typ = levelType(part)
		if k >= len(known) {
			continue
		}
		if labelKind(known[k].name) != "" {
			out[k].name = known[k].name
		}
		if t := &out[k].typ; known[k].typ.numpy != "" && (t.numpy == "int64" || t.numpy == "float64") { // of another width
			t.logical, t.numpy = known[k].typ.numpy, known[k].typ.numpy
		}
	}
	return out
}

// fact looks up what `info` says of a member.
func (t *pandasTable) fact(member, key string) any {
	v, _ := t.info.get(member)
	d, _ := v.(*pyDict)
	out, _ := d.get(key)
	return out
}

// column describes a column.
func (t *pandasTable) column(p place, label any) pandasColumn {
	c := pandasColumn{label: label, Column: Column{Objects: nil}}
	dt, err := attributeText(t.d, p.attr+"_dtype")
	var meta string
	if err == nil {
		v, e := attribute(t.d, p.attr+"_meta")
		meta, _ = v.(string)
		err = e
	}
	if err == nil {
		if meta == "category" {
			c.Values, c.typ, err = t.category(p)
		} else {
			c.Values, c.typ, err = t.values(p, kindOfDtype(dt), dt)
		}
	}
	if v, e := attribute(t.d, pyString(label)+"_meta"); err == nil && e == nil && (v == "string" || v == "str") {
		c.typ.numpy = v.(string)
	}
	if err != nil {
		c.Values, c.Err = nil, err
	}
	return c
}

// kindOfDtype is the kind that pandas derives from a type's name.
func kindOfDtype(dt string) string {
	for _, k := range [...][2]string{{"string", "string"}, {"bytes", "string"}, {"str", "string"}, {"datetime64", dt}, {"timedelta", "timedelta64"},
		{"int", "integer"}, {"uint", "integer"}, {"period", "integer"}} {
		if strings.HasPrefix(dt, k[0]) {
			return k[1]
		}
	}
	return dt
}

// indexColumn describes the index.
func (t *pandasTable) indexColumn(member string) pandasColumn {
	c := pandasColumn{label: t.fact(member, "index_name")}
	var err error
	if c.label != nil && labelKind(c.label) == "" {
		c.label = nil
	}
	if _, ok := t.member[member]; !ok {
		err = corrupt(t.d, "no member %s, which is the index", member)
	}
	var kind string
	if err == nil {
		kind, err = attributeText(t.d, member+"_kind")
	}
	if err == nil {
		index := *t
		index.nanRep = "nan" // pandas knows no other in an index
		c.Values, c.typ, err = index.values(place{member: member, attr: member}, kind, kind)
	}
	if err != nil {
		c.Values, c.Err = nil, err
		return c
	}
	if f := t.fact(member, "freq"); kind == "integer" && f != nil {
		c.periods(f)
	}
	return c
}

// periods marks integers as periods, as pandas' extension type of Arrow spells it.
func (c *pandasColumn) periods(freq any) {
	f := frequency(freq)
	if f == "" {
		return
	}
	c.typ = pandasType{logical: "object", numpy: "period[" + f + "]"}
	c.Metadata = map[string]string{"ARROW:extension:name": "pandas.period", "ARROW:extension:metadata": `{"freq": ` + jsonString(f) + `}`}
}

// values describes values of a kind. dt is the type's name, with a unit where it has one.
func (t *pandasTable) values(p place, kind, dt string) (Values, pandasType, error) {
	m := t.member[p.member]
	v := NewMember(t.d, m)
	item := t.d.Type().Members[m].Type
	if item.Class == h5.ClassArray {
		v.Item, item = p.item, item.Base
	}
	zone, err := zoneOf(t.fact(p.attr, "tz"))
	if err != nil {
		return nil, pandasType{}, err
	}
	return t.describe(v, item, kind, dt, zone, t.nanRep)
}

// describe gives a Plain of elements of a type the meaning that a kind of pandas has.
func (s *pandasStore) describe(v *Plain, item *h5.Type, kind, dt, zone, nanRep string) (Values, pandasType, error) {
	d := v.Data
	v.Bools = true
	name := numpyName(item)
	typ := pandasType{logical: name, numpy: name}
	switch {
	case item.Class == h5.ClassVLen:
		return nil, typ, unsupported(d, "a pickle of Python objects")
	case strings.HasPrefix(kind, "datetime64"):
		v.DType, v.Zone = withUnit(dt, "datetime64"), zone
		typ = pandasType{logical: "datetime", numpy: v.DType}
		if zone != "" {
			typ.logical, typ.more = "datetimetz", map[string]any{"timezone": zone}
		}
	case kind == "timedelta64":
		v.DType = withUnit(dt, "timedelta64")
		typ = pandasType{logical: "object", numpy: v.DType}
	case kind == "date":
		return dates(v), pandasType{logical: "date", numpy: "object"}, nil
	case kind == "datetime":
		return nil, typ, unsupported(d, "times of an old version of pandas")
	case item.Class == h5.ClassString:
		if s.badEnc != nil {
			return nil, typ, s.badEnc
		}
		v.Latin1 = s.latin1
		nulls, err := textNulls(item, nanRep)
		v.Nulls = nulls
		return v, pandasType{logical: "unicode", numpy: "object"}, err
	case kind == "object":
		return nil, typ, unsupported(d, "a column of Python objects")
	case item.Class == h5.ClassTime:
		v.Times = true
		typ = pandasType{logical: "datetime", numpy: "datetime64[ns]"}
	}
	return v, typ, nil
}

// withUnit is the type's name with its unit: nanoseconds where none is said.
func withUnit(dt, name string) string {
	if i := strings.IndexByte(dt, '['); i >= 0 && strings.HasSuffix(dt, "]") {
		unit, _, _ := strings.Cut(dt[i+1:len(dt)-1], ",")
		return name + "[" + unit + "]"
	}
	return name + "[ns]"
}

// textNulls is the rule that text equal to nan_rep is missing. Text that is too long for the column never stands in it.
func textNulls(t *h5.Type, nanRep string) ([]Null, error) {
	if len(nanRep) > t.Size {
		return nil, nil
	}
	p := make([]byte, t.Size)
	copy(p, nanRep)
	r, err := nullbitmap.Equal(p)
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "text of %d bytes", t.Size)
	}
	return []Null{{Kind: NullRule, Rule: r, Text: "text " + pyQuote(nanRep)}}, nil
}

// dates describes days that are counted from the first of January of year 1, which is day 1.
func dates(v *Plain) Values {
	const epoch, last = 719163, 3652059 // 1970-01-01, 9999-12-31
	return &Derived{Of: v, Type: arrow.FixedWidthTypes.Date32, Reason: "days of the calendar become dates",
		Compute: func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
			days := make([]int64, in.Len())
			if err := integers(in, days); err != nil {
				return nil, err
			}
			buf := memory.NewResizableBuffer(mem)
			defer buf.Release()
			buf.Resize(4 * len(days))
			out := arrow.Date32Traits.CastFromBytes(buf.Bytes())
			for i, day := range days {
				if day < 1 || day > last {
					return nil, h5err.New(h5err.Unsupported, "row %d: %d is no date", row0+int64(i), day)
				}
				out[i] = arrow.Date32(day - epoch)
			}
			data := array.NewData(arrow.FixedWidthTypes.Date32, len(days), []*memory.Buffer{nil, buf}, nil, 0, 0)
			defer data.Release()
			return array.MakeFromData(data), nil
		}}
}

// category describes codes, whose labels are a series of their own beside the table.
func (t *pandasTable) category(p place) (Values, pandasType, error) {
	if t.depth > 0 {
		return nil, pandasType{}, corrupt(t.g, "the labels of a category are a category")
	}
	v, typ, err := t.values(p, "integer", "")
	if err != nil {
		return nil, typ, err
	}
	codes := v.(*Plain)
	m := t.d.Type().Members[codes.Member].Type
	if m.Class == h5.ClassArray {
		m = m.Base
	}
	if codes.Nulls, err = minusOne(m); err != nil {
		return nil, typ, h5err.In(err, t.d.File().Name(), t.d.Path())
	}
	ordered, _ := t.fact(p.attr, "ordered").(bool)
	labels, n, err := t.labels(p.member)
	if err != nil {
		return nil, typ, err
	}
	typ = pandasType{logical: "categorical", numpy: typ.numpy, more: map[string]any{"num_categories": n, "ordered": ordered}}
	return &Dictionary{Indices: codes, Labels: labels, Ordered: ordered}, typ, nil
}

// labels describes the labels of a category. A category without any has none stored.
func (t *pandasTable) labels(member string) (Values, int64, error) {
	g := t.g
	for _, name := range []string{"meta", member, "meta"} {
		_, has, err := g.Link(name)
		if err != nil {
			return nil, 0, err
		}
		if !has {
			return &Empty{Data: t.d, Type: arrow.PrimitiveTypes.Float64}, 0, nil
		}
		o, err := g.Open(name)
		if err != nil {
			return nil, 0, err
		}
		next, ok := o.(*h5.Group)
		if !ok {
			return nil, 0, corrupt(o, "no group")
		}
		g = next
	}
	s := &pandasStore{g: g}
	if err := s.encoding(); err != nil {
		return nil, 0, err
	}
	f, err := s.tableFrame(t.depth + 1)
	if err != nil {
		return nil, 0, err
	}
	if len(f.columns) != 1 {
		return nil, 0, corrupt(g, "%d columns where the labels of a category are expected", len(f.columns))
	}
	c := f.columns[0]
	if c.Err != nil {
		return nil, 0, c.Err
	}
	return c.Values, c.Values.Main().Rows(), nil
}
