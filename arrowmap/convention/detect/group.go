package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// compound recognizes a dataset of rank 1, or of shape (N, 1), whose type is compound, complex numbers apart.
func compound(o h5.Object) ([]*convention.Table, error) {
	d, ok := o.(*h5.Dataset)
	if !ok || !object.IsTable(d) {
		return nil, nil
	}
	t := &convention.Table{Path: d.Path(), Object: d, Reason: "a one-dimensional dataset of a compound type"}
	if len(d.Dims()) > 1 {
		t.Reason = "a dataset of a compound type with one element in each row"
	}
	for i, m := range d.Type().Members {
		t.Columns = append(t.Columns, convention.Column{Name: m.Name, Values: convention.NewMember(d, i)})
	}
	return []*convention.Table{t}, nil
}

// group recognizes a group with datasets of rank 1 and above. Where they have several lengths, those of each length that
// two or more of them share are a table, single rows apart. It is an Argument error, which names two of them, that there
// is no such length.
func group(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	columns, err := column.Group(g, part)
	if err != nil || len(columns) == 0 {
		return nil, err
	}
	if together, note := column.Growing(g, columns); together != nil {
		t := &convention.Table{Path: g.Path(), Object: g, Reason: "a group whose datasets are being lengthened together", Columns: together, Inner: object.ColumnsOf(g)}
		if note != "" {
			t.Notes = []string{note}
		}
		return []*convention.Table{t}, nil
	}
	by := byLength(columns)
	if len(by) <= 1 {
		return []*convention.Table{{Path: g.Path(), Object: g, Reason: "a group whose datasets have one length", Columns: columns, Inner: object.ColumnsOf(g)}}, nil
	}
	labels := map[string]bool{}
	var tables []*convention.Table
	var rest []convention.Column
	for _, l := range by {
		if len(l.columns) < 2 || l.rows == 1 {
			rest = append(rest, l.columns...)
			continue
		}
		t := &convention.Table{Path: g.Path(), Object: g, Columns: l.columns, Inner: object.ColumnsOf(g)}
		if len(tables) > 0 { // the longest keeps the path of the group
			t.Path = lengthPath(g, l, labels)
		} else {
			t.Columns = append(t.Columns, unopened(columns)...)
		}
		t.Reason = fmt.Sprintf("the datasets of a group that have %d rows", l.rows)
		tables = append(tables, t)
	}
	if len(tables) == 0 {
		return nil, column.EqualLengths(g, columns)
	}
	for _, c := range rest {
		n, _ := length(&c)
		unit := "rows"
		if n == 1 {
			unit = "row"
		}
		tables[0].LeftOut = append(tables[0].LeftOut, fmt.Sprintf("%s (%d %s)", c.Name, n, unit))
	}
	return tables, nil
}

// sameLength is the columns of a group that have one length.
type sameLength struct {
	rows    int64
	columns []convention.Column
}

// byLength divides columns by their length, the longest first. Columns of an unknown length are left out.
func byLength(columns []convention.Column) []*sameLength {
	var out []*sameLength
	at := map[int64]*sameLength{}
	for _, c := range columns {
		n, ok := length(&c)
		if !ok {
			continue
		}
		if at[n] == nil {
			at[n] = &sameLength{rows: n}
			out = append(out, at[n])
		}
		at[n].columns = append(at[n].columns, c)
	}
	slices.SortFunc(out, func(a, b *sameLength) int { return cmp.Compare(b.rows, a.rows) })
	return out
}

// length returns the number of rows of a column's dataset, of one that can't be described too. It is unknown of a dataset
// that can't be opened.
func length(c *convention.Column) (int64, bool) {
	if len(c.Objects) == 0 {
		return 0, false
	}
	d, ok := c.Objects[0].(*h5.Dataset)
	if !ok {
		return 0, false
	}
	if c.Values != nil {
		return column.Rows(c.Values), true
	}
	return d.Rows(), true
}

// unopened returns the columns whose datasets can't be opened.
func unopened(columns []convention.Column) (out []convention.Column) {
	for _, c := range columns {
		if _, ok := length(&c); !ok {
			out = append(out, c)
		}
	}
	return out
}

// lengthPath returns the path of the table of a length that is not the longest: the group's, and the label of the first
// dimension if all datasets have the same one, which neither a member of the group nor another length has, else the number
// of rows.
func lengthPath(g *h5.Group, l *sameLength, taken map[string]bool) string {
	label := dimensionLabel(l.columns)
	if label != "" && label != "." && label != ".." && !strings.Contains(label, "/") && !object.Has(g, label) && !taken[label] {
		taken[label] = true
		return object.Child(g, label)
	}
	name := fmt.Sprintf("rows=%d", l.rows)
	for object.Has(g, name) || taken[name] {
		name += "_"
	}
	return object.Child(g, name)
}

// dimensionLabel returns the label of the columns' first dimension, "" where they have none or several.
func dimensionLabel(columns []convention.Column) string {
	label := ""
	for i, c := range columns {
		a, err := c.Objects[0].Attribute("DIMENSION_LABELS")
		if err != nil || a == nil {
			return ""
		}
		labels, ok := a.Strings()
		if !ok || len(labels) == 0 || i > 0 && labels[0] != label {
			return ""
		}
		label = labels[0]
	}
	return label
}
