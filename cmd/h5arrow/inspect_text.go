package main

import (
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/tree"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Columns are shown of a single table, or of all tables where they have no more than maxColumns together. Of a table with more
// than maxRows columns, the first shownRows are shown.
const (
	maxColumns = 60
	maxRows    = 100
	shownRows  = 60
)

func (c *contents) writeText(s *text.Screen, name string, o *inspectFlags) error {
	heading := ": " + text.Count(c.size) + " bytes, " + text.Plural(len(c.tables), "table") + ", " + text.Plural(len(c.datasets), "dataset")
	for _, a := range c.passedOver() {
		heading += ", " + text.Plural(a.count, "group") + " as rows of " + text.Printable(a.like)
	}
	err := s.Line(text.Span{Text: name, Style: text.Bold}, text.Span{Text: heading})
	if c.problem != nil {
		err = errors.Join(err, s.Text("not all tables were found: "+errorText(c.problem)))
	}
	err = errors.Join(err, tree.Show(s, c.tree(o.all), o.all))
	columns := 0
	for _, t := range c.tables {
		columns += len(t.Columns())
	}
	if len(c.tables) > 1 && columns > maxColumns && !o.all {
		return errors.Join(err, s.Line(text.Span{}), s.Line(text.Span{Text: "PATH of a table, or --all, shows the columns", Style: text.Dim}))
	}
	for _, t := range c.tables {
		err = errors.Join(err, c.tableText(s, t, o))
	}
	err = errors.Join(err, c.datasetsText(s, o))
	if len(c.left) > 0 {
		err = errors.Join(err, s.Line(text.Span{}), s.Line(text.Span{Text: "left out: " + strings.Join(c.left, ", ") + " (--wide shows all)", Style: text.Dim}))
	}
	return err
}

// references is the group of what cells and objects of MATLAB refer to: hundreds of objects whose names mean nothing.
const references = "/#refs#"

// treeMaker makes the tree of what is in a file.
type treeMaker struct {
	*contents
	all     bool // members of large groups too
	root    *tree.Node
	tables  map[string][]*arrowmap.Table // those that have no node yet
	columns map[string]bool              // paths of datasets that tables have as columns or nulls
	nodes   []*tree.Node                 // of groups
	inside  []bool                       // groups that belong to a table whose convention says what is in it
	parts   map[*tree.Node]bool          // nodes of groups inside
}

// tree returns the tree of groups, with what is not part of a table.
func (c *contents) tree(all bool) *tree.Node {
	m := &treeMaker{contents: c, all: all, root: &tree.Node{}, tables: map[string][]*arrowmap.Table{}, columns: map[string]bool{},
		nodes: make([]*tree.Node, len(c.groups)), inside: make([]bool, len(c.groups)), parts: map[*tree.Node]bool{}}
	for _, t := range c.tables {
		m.tables[t.Path()] = append(m.tables[t.Path()], t)
		for _, col := range t.Columns() {
			m.columns[col.Path] = true
			if col.Nulls != nil {
				m.columns[col.Nulls.Path] = true
			}
		}
	}
	for i := range c.groups {
		m.group(i, c.groupPath(i))
	}
	if len(c.groups) == 0 { // PATH is not a group
		for i := range c.datasets {
			m.dataset(m.root, i, c.pathOf(&c.datasets[i]))
		}
	}
	for _, t := range c.tables { // at paths of no object, such as a dimension
		m.root.Children = append(m.root.Children, m.table(t.Path(), t.Path())...)
	}
	m.prune(m.root)
	if len(c.similar) > 0 {
		for i := range c.groups {
			m.addSimilar(m.nodes[i], c.groupPath(i))
		}
	}
	return m.root
}

// addSimilar says how many members of a group were only counted.
func (m *treeMaker) addSimilar(n *tree.Node, at string) {
	for _, a := range m.similar[at] {
		if a.count > 0 {
			n.Children = append(n.Children, &tree.Node{What: "… " + text.Plural(a.count, "group") + " more as rows of " + path.Base(a.like) + " (--all lists them)"})
		}
	}
}

// group adds group i and its members, but for groups.
func (m *treeMaker) group(i int, at string) {
	g, end := &m.groups[i], m.end(i)
	parent := m.root
	if g.in != none {
		parent = m.nodes[g.in]
		m.inside[i] = m.inside[g.in]
	}
	n := m.root
	if list := m.tables[at]; len(list) > 0 {
		if list[0].Convention() != "group" && at != "/" {
			m.inside[i] = true
		}
		made := m.table(at, path.Base(g.name))
		parent.Children = append(parent.Children, made...)
		n = made[len(made)-1]
	} else if at != m.below {
		n = &tree.Node{Name: path.Base(g.name) + "/", Kind: "group", Folded: at == references}
		m.parts[n] = m.inside[i]
		parent.Children = append(parent.Children, n)
	}
	m.nodes[i] = n
	for k := g.datasets; k < end.datasets; k++ {
		if at := m.pathOf(&m.datasets[k]); !m.part(i, k, at) {
			m.dataset(n, k, at)
		}
	}
	for _, t := range m.types[g.types:end.types] {
		n.Children = append(n.Children, &tree.Node{Name: path.Base(t.Path()), What: "type " + t.Type.String(), Kind: "type"})
	}
	if g.links == end.links {
		return
	}
	o := m.contents.group(i)
	for _, l := range m.links[g.links:end.links] {
		if len(n.Children) > tree.MaxShown && !m.all {
			n.Children = append(n.Children, &tree.Node{Kind: "link"}) // it is counted only
			continue
		}
		n.Children = append(n.Children, linkNode(o, l))
	}
}

// part reports whether dataset k of group i is part of a table, and not one itself.
func (m *treeMaker) part(i, k int, at string) bool {
	if len(m.tables[at]) > 0 || broken(m.datasets[k].err) {
		return false
	}
	return m.columns[at] || slices.ContainsFunc(m.aliases[k], func(p string) bool { return m.columns[p] }) || m.inside[i]
}

// dataset adds dataset k, or the tables that it is.
func (m *treeMaker) dataset(n *tree.Node, k int, at string) {
	d := &m.datasets[k]
	name := path.Base(d.name)
	if made := m.table(at, name); made != nil {
		n.Children = append(n.Children, made...)
		return
	}
	node := &tree.Node{Name: name, Kind: "dataset"}
	n.Children = append(n.Children, node)
	if len(n.Children) > tree.MaxShown && !m.all {
		return // it is counted only
	}
	switch column := m.column(d); {
	case column == nil:
		node.Style, node.What = text.Bad, "error: "+errorText(d.err)
	case broken(d.err):
		node.Style, node.What = text.Bad, "error: "+reason(column)
	default:
		cells := columnTexts(name, column)
		node.What = elementType(column) + " " + cells[cellShape] + ", " + cells[cellStorage]
		if column.Type == nil {
			node.What = cells[cellHDF5] + " " + cells[cellShape] + ", " + cells[cellDelivery]
		}
	}
	for _, alias := range m.aliases[k] {
		node.What += " = " + alias
	}
}

// elementType names the type of a dataset's elements: the shape is beside it.
func elementType(c *arrowmap.Column) string {
	t := c.Type
	for range max(len(c.Shape)-1, 0) {
		if list, ok := t.(*arrow.FixedSizeListType); ok {
			t = list.Elem()
		}
	}
	if t == nil {
		return "-"
	}
	return text.Cut(rows.TypeName(t), 60)
}

// table takes the tables at a path and returns their nodes.
func (m *treeMaker) table(at, name string) (made []*tree.Node) {
	for _, t := range m.tables[at] {
		what := t.Convention() + " table: " + text.Plural(len(t.Columns()), "column") + " of " + rowsText(t)
		made = append(made, &tree.Node{Name: name, Style: text.Name, What: what, Kind: "table"})
	}
	delete(m.tables, at)
	return made
}

// prune takes away groups inside tables of which nothing is left.
func (m *treeMaker) prune(n *tree.Node) {
	kept := n.Children[:0]
	for _, c := range n.Children {
		m.prune(c)
		if len(c.Children) > 0 || !m.parts[c] {
			kept = append(kept, c)
		}
	}
	n.Children = kept
}

// linkNode returns the node of a link that is not hard, with where it leads.
func linkNode(g *h5.Group, l h5.Link) *tree.Node {
	n := &tree.Node{Name: l.Name, Style: text.Link, Kind: "link"}
	switch l.Kind {
	case h5.LinkSoft:
		n.What = "-> " + l.Target
		if _, err := g.OpenLink(l); h5err.Is(err, h5err.NotFound) {
			n.What += " (leads nowhere)"
		} else if err != nil {
			n.What += " (can't be followed)"
		}
	case h5.LinkExternal:
		n.What = "-> " + l.File + ":" + l.Target
	default:
		n.What = l.Kind.String() + " link"
	}
	return n
}

// tableText shows the columns of a table.
func (c *contents) tableText(s *text.Screen, t *arrowmap.Table, o *inspectFlags) error {
	err := errors.Join(s.Line(text.Span{}), s.Line(text.Span{Text: "table "}, text.Span{Text: t.Path(), Style: text.Name},
		text.Span{Text: ": " + text.Plural(len(t.Columns()), "column") + " of " + rowsText(t)}),
		s.Line(text.Span{Text: "  " + t.Convention() + ": " + t.Reason(), Style: text.Dim}))
	shown := t.Columns()
	if len(shown) > maxRows && !o.all {
		shown = shown[:shownRows]
	}
	g := newGrid("COLUMN", o.long)
	for _, col := range shown {
		c.addColumn(g, col.Name, col, o.long)
	}
	err = errors.Join(err, c.show(g, s))
	if left := t.Columns()[len(shown):]; len(left) > 0 {
		err = errors.Join(err, s.Line(text.Span{Text: "  … " + columnKinds(left) + " more (--all lists them)", Style: text.Dim}))
	}
	for _, n := range tableNotes(t) {
		err = errors.Join(err, s.Line(text.Span{Text: "  note: " + n}))
	}
	if o.long {
		err = errors.Join(err, c.longText(s, t.Path(), t.Columns()))
	}
	return err
}

// columnKinds says how many columns there are of each type, in the order in which the types appear.
func columnKinds(columns []*arrowmap.Column) string {
	var order []string
	number := map[string]int{}
	for _, col := range columns {
		typ := "unreadable"
		if col.Type != nil {
			typ = rows.TypeName(col.Type)
		}
		if number[typ]++; number[typ] == 1 {
			order = append(order, typ)
		}
	}
	const maxKinds = 6
	for i, typ := range order {
		order[i] = text.Count(int64(number[typ])) + " " + typ
	}
	return text.Plural(len(columns), "column") + ": " + h5err.List(order, maxKinds) + ","
}

// datasetsText shows the datasets that are not in tables, where PATH is one or details are asked for.
func (c *contents) datasetsText(s *text.Screen, o *inspectFlags) error {
	if len(c.groups) > 0 && !o.long {
		return nil
	}
	in := map[string]bool{}
	for _, t := range c.tables {
		for _, col := range t.Columns() {
			in[col.Path] = true
		}
	}
	g := newGrid("DATASET", o.long)
	var shown []*arrowmap.Column
	for i := range c.datasets {
		d := &c.datasets[i]
		at := c.pathOf(d)
		if in[at] {
			continue
		}
		if column := c.column(d); column != nil {
			c.addColumn(g, at, column, o.long)
			shown = append(shown, column)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	err := errors.Join(s.Line(text.Span{}), c.show(g, s))
	if o.long {
		err = errors.Join(err, c.longText(s, "", shown))
	}
	return err
}

// columnGrid is the grid of columns. Of its columns, those that have no text in any row are not shown.
type columnGrid struct {
	heads []string
	rows  [][]text.Cell
}

// The places of cells in a columnGrid.
const (
	cellName = iota
	cellType
	cellUnits
	cellHDF5
	cellShape
	cellStorage
	cellDelivery
	cellReason
	cellNulls
	cellsAlways
)

func newGrid(first string, long bool) *columnGrid {
	g := &columnGrid{heads: []string{first, "TYPE", "UNITS", "HDF5", "SHAPE", "STORAGE", "DELIVERY", "REASON", "NULLS"}}
	if long {
		g.heads = append(g.heads, "CHUNKS", "STORED", "RATIO")
	}
	return g
}

func (c *contents) addColumn(g *columnGrid, name string, col *arrowmap.Column, long bool) {
	cells := columnTexts(name, col)
	cells[cellUnits] = rows.Units(col.Field())
	if long {
		if n := col.Nulls; n != nil && n.Path != "" {
			cells[cellNulls] += " " + n.Path + " (" + n.Delivery.String() + ")"
		}
		cells = append(cells, storedTexts(c.at(col.Path))...)
	}
	row := make([]text.Cell, len(cells))
	for i, t := range cells {
		row[i] = text.Cell{Text: t}
	}
	row[cellName].Style, row[cellType].Style, row[cellHDF5].Style = text.Bold, text.Link, text.Dim
	if col.Err != nil {
		row[cellDelivery].Style = text.Bad
	}
	g.rows = append(g.rows, row)
}

// show writes the grid. On a narrow screen the type in the file, the shape and why a column is not mapped are left out first.
func (c *contents) show(g *columnGrid, s *text.Screen) error {
	var used []int
	for i := range g.heads {
		if slices.ContainsFunc(g.rows, func(row []text.Cell) bool { return row[i].Text != "" }) {
			used = append(used, i)
		}
	}
	out := text.Grid{Indent: "  "}
	line := make([]text.Cell, len(used))
	for k, i := range used {
		line[k] = text.Cell{Text: g.heads[i], Style: text.Bold}
	}
	out.Add(line)
	for _, row := range g.rows {
		line := make([]text.Cell, len(used))
		for k, i := range used {
			line[k] = row[i]
		}
		out.Add(line)
	}
	if s.Width > 0 {
		var order []int
		for _, i := range []int{cellHDF5, cellShape, cellReason, cellNulls, cellUnits} {
			if k := slices.Index(used, i); k >= 0 {
				order = append(order, k)
			}
		}
		for _, k := range out.Restore(s.Width, out.Fit(s.Width, order...)) {
			if name := strings.ToLower(g.heads[used[k]]); !slices.Contains(c.left, name) {
				c.left = append(c.left, name)
			}
		}
	}
	return out.Show(s)
}

func rowsText(t *arrowmap.Table) string {
	if t.Lengths() != nil {
		return "different numbers of rows"
	}
	if !t.RowsKnown() {
		return "an unknown number of rows"
	}
	return text.Plural(t.Rows(), "row")
}

// columnTexts returns the cells about a column, without its units.
func columnTexts(name string, c *arrowmap.Column) []string {
	cells := make([]string, cellsAlways)
	cells[cellName], cells[cellType], cells[cellHDF5], cells[cellShape] = name, "-", text.Cut(c.HDF5Type, 60), shapeText(c)
	if c.Type != nil {
		cells[cellType] = text.Cut(rows.TypeName(c.Type), 60)
	}
	cells[cellDelivery], cells[cellReason] = delivery(c), reason(c)
	if c.Err != nil { // the reason is never left out
		cells[cellDelivery], cells[cellReason] = delivery(c)+": "+reason(c), ""
	}
	if n := c.Nulls; n != nil {
		cells[cellNulls] = n.Source
	}
	cells[cellStorage] = "-"
	if c.Storage != 0 {
		cells[cellStorage] = c.Storage.String()
	}
	for i, f := range c.Filters {
		cells[cellStorage] += [...]string{" ", ", "}[min(i, 1)] + filterName(f)
	}
	return cells
}

func shapeText(c *arrowmap.Column) string {
	if c.Null {
		return "null"
	}
	parts := make([]string, len(c.Shape))
	for i, n := range c.Shape {
		parts[i] = strconv.FormatUint(n, 10)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
