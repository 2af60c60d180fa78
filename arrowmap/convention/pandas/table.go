package pandas

import (
	"regexp"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pandas/label"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// table is an object in the table format: a table of PyTables whose members are an index, blocks of columns of
// one type, and columns that stand alone.
type table struct {
	*store
	d      *h5.Dataset
	member map[string]int
	info   *pickle.Dict
	depth  int // 1 for the labels of a category

	mark      mark // of text, where columns have none of their own
	ownMarks  bool // columns have marks of their own
	levelMark bool // columns that are levels of the index have
	levels    map[string]bool
}

// place is where a column is stored: a member, and the item of it.
type place struct {
	member string
	attr   string // what the names of the member's attributes start with
	item   int
}

func (s *store) tableFrame(depth int) (*frame, error) {
	d, err := object.Dataset(s.g, "table")
	if err != nil {
		return nil, err
	}
	if d == nil || !object.IsTable(d) {
		return nil, object.Corrupt(s.g, "pandas' mark, but no table")
	}
	kind := object.Text(s.g, "table_type")
	switch kind {
	case "", "appendable_frame", "appendable_multiframe", "appendable_series", "appendable_multiseries":
	default:
		return nil, object.Unsupported(s.g, "a table of pandas of type %q", kind)
	}
	t := &table{store: s, d: d, member: map[string]int{}, mark: oldMark(), depth: depth}
	for i := range d.Type().Members {
		t.member[d.Type().Members[i].Name] = i
	}
	if v, err := attribute(s.g, "nan_rep"); err != nil {
		return nil, err
	} else if rep, ok := v.(string); ok {
		t.mark.text = rep
	}
	if t.ownMarks, err = object.Flag(s.g, "data_col_nan_rep"); err != nil {
		return nil, err
	}
	if t.levelMark, err = object.Flag(s.g, "mi_level_nan_rep"); err != nil {
		return nil, err
	}
	info, err := looseAttribute(s.g, "info") // of a frequency that is not understood nothing is needed
	if err == nil {
		err = notPlain(s.g, "info", info)
	}
	if err != nil {
		return nil, err
	}
	t.info, _ = info.(*pickle.Dict)
	return t.frame(object.Text(s.g, "pandas_type") == "series_table")
}

func (t *table) frame(series bool) (*frame, error) {
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
	f := &frame{version: object.Text(t.g, "pandas_version")}
	levels, err := t.levelNames()
	if err != nil {
		return nil, err
	}
	t.levels = levels
	if levels == nil {
		f.index = []frameColumn{t.indexColumn(index)}
	}
	byName := map[string]frameColumn{}
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
				return nil, object.Corrupt(t.g, "the level %s of the index is not a column", n)
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
func (t *table) indexMember() (string, error) {
	cols, err := attributeList(t.g, "index_cols")
	if err != nil {
		return "", err
	}
	if len(cols) == 0 {
		return "index", nil
	}
	pair, _ := itemsOf(cols[0])
	if len(pair) != 2 {
		return "", object.Corrupt(t.g, "the attribute index_cols is not a list of pairs")
	}
	name, ok := pair[1].(string)
	if !ok {
		return "", object.Corrupt(t.g, "the attribute index_cols names no member")
	}
	if len(cols) > 1 || pair[0] != int64(0) {
		return "", object.Unsupported(t.g, "a table that is indexed by other axes than the rows")
	}
	return name, nil
}

// levelNames returns the names of the levels of a MultiIndex, nil when there is none.
func (t *table) levelNames() (map[string]bool, error) {
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
			return nil, object.Unsupported(t.g, "a level of the index that is called by a %s", pickle.Kind(n))
		}
		if out[s] {
			return nil, object.Corrupt(t.g, "two levels of the index are called %s", s)
		}
		out[s] = true
	}
	return out, nil
}

// places returns the labels of the columns and where they are stored, member by member.
func (t *table) places() (labels []any, places []place, err error) {
	members, err := attributeList(t.g, "values_cols")
	if err != nil {
		return nil, nil, err
	}
	if members == nil {
		return nil, nil, object.Corrupt(t.g, "the attribute values_cols is missing")
	}
	for _, v := range members {
		name, ok := v.(string)
		at, known := t.member[name]
		if !ok || !known {
			return nil, nil, object.Corrupt(t.g, "the attribute values_cols names what is not a member of the table: %s", label.String(v))
		}
		p := place{member: name, attr: name}
		kinds, err := attributeLabels(t.d, name+"_kind")
		if err == nil && kinds == nil && strings.HasPrefix(name, "values_block_") { // before pandas 0.10.1
			p.attr = "values_" + name[len("values_block_"):]
			kinds, err = attributeLabels(t.d, p.attr+"_kind")
		}
		if err != nil {
			return nil, nil, err
		}
		if n := width(t.d.Type().Members[at].Type); uint64(len(kinds)) != n {
			return nil, nil, object.Corrupt(t.d, "%d names for the %d columns in %s", len(kinds), n, name)
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
func (t *table) ordered(labels []any, places []place) ([]any, []place, error) {
	axes, err := attributeLabels(t.g, "non_index_axes")
	if err != nil || len(axes) == 0 {
		return labels, places, err
	}
	pair, _ := itemsOf(axes[0])
	if len(pair) != 2 {
		return nil, nil, object.Corrupt(t.g, "the attribute non_index_axes is not a list of pairs")
	}
	order, ok := itemsOf(pair[1])
	if !ok {
		return nil, nil, object.Corrupt(t.g, "the attribute non_index_axes lists no names")
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
		k := label.Key(l)
		at[k] = append(at[k], i)
	}
	taken := make([]bool, len(labels))
	out := make([]int, 0, len(labels))
	for _, l := range order {
		k := label.Key(l)
		if len(at[k]) == 0 {
			return nil, h5err.New(h5err.Corrupt, "the column %s is missing", label.String(l))
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
func (t *table) columnLevels(columns []frameColumn) []labelLevel {
	axis, _ := t.info.Get(int64(1))
	info, _ := axis.(*pickle.Dict)
	kind, _ := info.Get("type")
	list, _ := info.Get("names")
	names, _ := itemsOf(list)
	levels := make([]labelLevel, len(names))
	for i, n := range names {
		levels[i].name = n
	}
	labels := make([]any, len(columns))
	for i := range columns {
		labels[i] = columns[i].label
	}
	return labelLevels(labels, levels, kind == "MultiIndex")
}

// fact looks up what `info` says of a member.
func (t *table) fact(member, key string) any {
	v, _ := t.info.Get(member)
	d, _ := v.(*pickle.Dict)
	out, _ := d.Get(key)
	return out
}

// column describes a column.
func (t *table) column(p place, name any) frameColumn {
	c := frameColumn{label: name}
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
			var m mark
			if m, err = t.markOf(p, name); err == nil {
				c.Values, c.typ, err = t.values(p, kindOfDtype(dt), dt, m)
			}
		}
	}
	if v, e := attribute(t.d, label.String(name)+"_meta"); e == nil && (v == "string" || v == "str") {
		meta = v.(string)
	}
	if err != nil {
		c.Values, c.Err = nil, err
		return c
	}
	if meta == "string" || meta == "str" {
		c.typ.numpy = meta
	}
	c.periods(periodOf(dt))
	return c
}

// markOf returns a column's mark of missing text: from pandas 3.1 on, none where nothing was missing when it was written.
func (t *table) markOf(p place, name any) (mark, error) {
	level, _ := name.(string)
	if !t.ownMarks && !(t.levelMark && t.levels[level]) {
		return t.mark, nil
	}
	v, err := attribute(t.d, p.attr+"_nan_rep")
	text, set := v.(string)
	return mark{text, set}, err
}

// indexMark returns an index's mark of missing text, which an attribute says from pandas 3.1 on: empty text for none.
func indexMark(o h5.Object, name string) (mark, error) {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return oldMark(), err
	}
	v, err := attribute(o, name)
	text, _ := v.(string)
	return mark{text, text != ""}, err
}

// kindOfDtype is the kind that pandas derives from a type's name.
func kindOfDtype(dt string) string {
	for _, k := range [...][2]string{{"string", "string"}, {"bytes", "string"}, {"str", "string"}, {"datetime64", dt}, {"timedelta", dt},
		{"int", "integer"}, {"uint", "integer"}, {"period", "period"}} {
		if strings.HasPrefix(dt, k[0]) {
			return k[1]
		}
	}
	return dt
}

// periodOf returns the frequency in a type's name, such as period[M]; nil for other types.
func periodOf(dt string) any {
	if inside, ok := strings.CutPrefix(dt, "period["); ok {
		return strings.TrimSuffix(inside, "]")
	}
	return nil
}

// indexColumn describes the index.
func (t *table) indexColumn(member string) frameColumn {
	c := frameColumn{label: t.fact(member, "index_name")}
	var err error
	if c.label != nil && label.Kind(c.label) == "" {
		c.label = nil
	}
	if _, ok := t.member[member]; !ok {
		err = object.Corrupt(t.d, "no member %s, which is the index", member)
	}
	var kind string
	if err == nil {
		kind, err = attributeText(t.d, member+"_kind")
	}
	freq := t.fact(member, "freq")
	if kind == "integer" && freq != nil {
		kind = "period"
	}
	p := place{member: member, attr: member}
	switch category, e := t.isCategory(member); {
	case err != nil:
	case e != nil:
		err = e
	case category:
		c.Values, c.typ, err = t.category(p)
	default:
		var m mark
		if m, err = indexMark(t.d, member+"_nan_rep"); err == nil {
			c.Values, c.typ, err = t.values(p, kind, kind, m)
		}
	}
	if err != nil {
		c.Values, c.Err = nil, err
		return c
	}
	if kind == "period" {
		c.periods(freq)
	}
	return c
}

// isCategory reports whether the index is categorical. Before pandas 3.1 that is known by its labels alone.
func (t *table) isCategory(member string) (bool, error) {
	if a, err := t.d.Attribute(member + "_meta"); err != nil || a != nil {
		v, e := attribute(t.d, member+"_meta")
		if err == nil {
			err = e
		}
		return v == "category", err
	}
	meta, ok := object.Member(t.g, "meta").(*h5.Group)
	return ok && object.Has(meta, member), nil
}
