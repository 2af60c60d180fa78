package arrowmap

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/attributes"
	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Table is a table of one file or of several: columns of one length. It is immutable; Select and Slice make others.
type Table struct {
	body    body
	f       *File // the first
	def     *convention.Table
	columns []*Column
	from    int64            // rows that are left out at the start
	to      int64            // end of the rows, -1: all
	as      []*values.Recode // what the columns become where this is one of the files of a table of several, else nil
}

// body is the rows of a table before Slice: one file's (one), those of several files (several) or of several groups (stack).
type body interface {
	// rows is the number of rows, and the error of a column that can't be read or has another number of them.
	rows() (int64, error)

	// odd returns the errors of columns, by their numbers, whose length differs from the others'.
	odd() map[int]error

	// notes are what is to be said about the rows and columns.
	notes() []string

	// known reports whether columns say how many rows there are, all of them the same number.
	known() bool

	// pick returns the body with the columns of these numbers.
	pick(at []int) body

	// pieces are tables of one file each that together have the rows of t, whose body it is, in order.
	pieces(t *Table) ([]*Table, error)
}

// Define returns the table that a description makes of objects of this file. What is wrong with a column is in its Err.
func (f *File) Define(def *convention.Table) *Table {
	if def.Stack != nil {
		return f.stack(def)
	}
	columns := make([]*Column, len(def.Columns))
	all := make([]Column, len(def.Columns))
	for i := range def.Columns {
		columns[i] = &all[i]
		f.column(columns[i], &def.Columns[i])
	}
	return &Table{body: &one{f, def, columns, -1}, f: f, def: def, columns: columns, to: -1}
}

// Path is the table's path in the file.
func (t *Table) Path() string { return t.def.Path }

// Name is the last part of the path; the root's is empty.
func (t *Table) Name() string { return t.def.Path[strings.LastIndexByte(t.def.Path, '/')+1:] }

// Convention names the convention that recognized the table.
func (t *Table) Convention() string { return t.def.Convention }

// Reason says by what it was recognized, and what is left out.
func (t *Table) Reason() string {
	if left := t.LeftOut(); left != "" {
		return t.def.Reason + "; left out: " + left
	}
	return t.def.Reason
}

// LeftOut names datasets beside the columns that are in no table, with their numbers of rows; "" where
// there are none.
func (t *Table) LeftOut() string { return h5err.List(t.def.LeftOut, maxListed) }

// File is the file of the table, the first one's of several.
func (t *Table) File() *File { return t.f }

// Location returns the name of the file and the path, for h5err.About.
func (t *Table) Location() (file, path string) { return t.f.f.Name(), t.def.Path }

// Notes returns, a line each, what a reader of the table should know: what was left out, and why.
func (t *Table) Notes() []string { return t.body.notes() }

// Columns returns the columns in their order. The slice is shared and not to be written to.
func (t *Table) Columns() []*Column { return t.columns }

// Rows is the number of rows: that of the first column that can be read.
func (t *Table) Rows() int64 {
	all, _ := t.body.rows()
	return max(0, t.end(all)-t.from)
}

// RowsKnown reports whether Rows is the number of rows. It is not where no column can be read, or where those that can be
// contradict each other.
func (t *Table) RowsKnown() bool { return t.body.known() }

// Lengths returns an error if columns that can be read have different numbers of rows, although they are the columns of one
// table: it is the error of Slice and Reader, also where other columns can't be read.
func (t *Table) Lengths() error {
	if t.body.known() {
		return nil
	}
	var sound []int
	for i, c := range t.columns {
		if c.Err == nil {
			sound = append(sound, i)
		}
	}
	if len(sound) == 0 {
		return nil
	}
	_, err := t.body.pick(sound).rows()
	return err
}

func (t *Table) end(rows int64) int64 {
	if t.to < 0 {
		return rows
	}
	return min(t.to, rows)
}

// Schema returns the Arrow schema of the columns that can be read, with the metadata of the table.
func (t *Table) Schema() *arrow.Schema {
	fields := make([]arrow.Field, 0, len(t.columns))
	for _, c := range t.columns {
		if c.Err == nil {
			fields = append(fields, c.Field())
		}
	}
	md := map[string]string{}
	for _, o := range t.def.Objects {
		attributes.Add(md, o)
	}
	if t.def.Object != nil {
		attributes.Add(md, t.def.Object)
	}
	maps.Copy(md, t.def.Metadata)
	m := attributes.Metadata(md)
	return arrow.NewSchema(fields, &m)
}

// Object is what the table is in the file, for its attributes: a group, a dataset, or nil where it is not one object.
func (t *Table) Object() h5.Object { return t.def.Object }

// Select returns the table with the columns of these names, in this order. A name that no column has, or that is there twice, is an
// Argument error; the first of several columns of one name is taken.
func (t *Table) Select(names ...string) (*Table, error) {
	number := make(map[string]int, len(t.columns))
	for i := len(t.columns) - 1; i >= 0; i-- {
		number[t.columns[i].Name] = i
	}
	at := make([]int, len(names))
	for k, n := range names {
		i, ok := number[n]
		if !ok {
			return nil, t.noColumn(n)
		}
		if i < 0 {
			return nil, t.f.usage(t.def.Path, "column "+n+" is selected twice")
		}
		at[k], number[n] = i, -1
	}
	return t.pick(at), nil
}

// SelectAt returns the table with the columns of these numbers of Columns, in this order. A number of no column, or one that is
// there twice, is an Argument error.
func (t *Table) SelectAt(numbers ...int) (*Table, error) {
	seen := make(map[int]bool, len(numbers))
	for _, i := range numbers {
		if i < 0 || i >= len(t.columns) {
			return nil, t.f.usage(t.def.Path, fmt.Sprintf("no column number %d of %d", i, len(t.columns)))
		}
		if seen[i] {
			return nil, t.f.usage(t.def.Path, fmt.Sprintf("column number %d is selected twice", i))
		}
		seen[i] = true
	}
	return t.pick(slices.Clone(numbers)), nil
}

func (t *Table) pick(at []int) *Table {
	out := *t
	out.body, out.columns = t.body.pick(at), picked(t.columns, at)
	if t.as != nil {
		out.as = picked(t.as, at)
	}
	return &out
}

// picked returns the items of these numbers.
func picked[T any](list []T, at []int) []T {
	out := make([]T, len(at))
	for k, i := range at {
		out[k] = list[i]
	}
	return out
}

// With returns the table of one group or dataset with further columns at its end. columns makes them, of all rows, with the dataset that
// errors are about, if any; it is not called, and the table stays, where no column could be described. A name that is taken, and a table of
// several groups or files, are Argument errors.
func (t *Table) With(columns func(d *h5.Dataset, rows int64) []convention.Column) (*Table, error) {
	b, ok := t.body.(*one)
	if !ok {
		return nil, t.f.usage(t.def.Path, "a table of several groups or files takes no further columns")
	}
	d, ok := t.def.Dataset()
	if !ok {
		return t, nil
	}
	rows, _ := b.rows() // reading columns of other lengths is an error
	def := *t.def
	def.Columns = columns(d, rows)
	for i, c := range def.Columns {
		if slices.ContainsFunc(t.columns, func(old *Column) bool { return old.Name == c.Name }) ||
			slices.ContainsFunc(def.Columns[:i], func(o convention.Column) bool { return o.Name == c.Name }) {
			return nil, t.f.usage(t.def.Path, "the table already has a column "+c.Name)
		}
	}
	out := *t
	out.columns = slices.Concat(t.columns, t.f.Define(&def).columns)
	def.Columns = slices.Concat(t.def.Columns, def.Columns)
	out.def, out.body = &def, &one{b.f, &def, out.columns, b.limit}
	return &out, nil
}

// noColumn is the error of a name that no column has.
func (t *Table) noColumn(name string) error {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.Name
	}
	hint := "the columns are " + h5err.List(names, maxListed)
	if near := h5err.Closest(name, names); near != "" {
		hint = "did you mean " + near + "? " + hint
	}
	return t.f.usage(t.def.Path, "no column "+name).WithHint("%s", hint)
}

// maxListed is the number of names in a message.
const maxListed = 20

// Slice returns the rows [a,b). b is clipped to the table, and -1 means its end; a after the end, or after b, is an
// Argument error.
func (t *Table) Slice(a, b int64) (*Table, error) {
	all, err := t.body.rows()
	if err != nil {
		return nil, err
	}
	rows := max(0, t.end(all)-t.from)
	if b < 0 || b > rows {
		b = max(rows, min(b, rows))
	}
	if a < 0 || a > rows || a > b {
		return nil, t.f.usage(t.def.Path, fmt.Sprintf("rows %d to %d of a table of %d rows", a, b, rows))
	}
	out := *t
	out.from, out.to = t.from+a, t.from+b
	return &out, nil
}

// one is the body of a table of one file.
type one struct {
	f       *File
	def     *convention.Table
	columns []*Column
	limit   int64 // rows of the shortest column of all, in a file that is being written; else -1
}

// Location returns the name of the file and the path, for h5err.About.
func (b *one) Location() (file, path string) { return b.f.f.Name(), b.def.Path }

func (b *one) rows() (int64, error) {
	var first *Column // that can be read
	var broken error
	for _, c := range b.columns {
		switch {
		case c.Err != nil:
			if broken == nil {
				broken = c.Err
			}
		case first == nil:
			first = c
		}
	}
	switch {
	case first == nil && broken == nil:
		return 0, h5err.About(h5err.New(h5err.Argument, "a table without columns"), b)
	case first == nil:
		return 0, broken
	case broken != nil:
		return first.rows(), broken
	}
	shortest, growing := b.shortest()
	if growing {
		return shortest, nil
	}
	for _, c := range b.columns {
		if c.rows() != first.rows() {
			kind := h5err.Corrupt
			if b.def.Convention == "dataset" || b.def.Convention == "group" {
				kind = h5err.Argument
			}
			return first.rows(), h5err.About(h5err.New(kind, "column %s has %d rows, column %s has %d", first.Name, first.rows(), c.Name, c.rows()), b)
		}
	}
	return first.rows(), nil
}

func (b *one) known() bool {
	if _, growing := b.shortest(); growing {
		return true
	}
	rows := int64(-1)
	for _, c := range b.columns {
		if c.Err != nil {
			continue
		}
		if n := c.rows(); rows < 0 {
			rows = n
		} else if n != rows {
			return false
		}
	}
	return rows >= 0
}

// shortest returns the rows of the shortest column that can be read, where a writer has the file open, or did not close it, and
// the longer columns are of datasets that it can lengthen: it was met between two of them.
func (b *one) shortest() (rows int64, growing bool) {
	sb := b.f.f.Superblock()
	if !sb.OpenForWriting() {
		return 0, false
	}
	rows, growing = b.limit, true
	for _, c := range b.columns {
		if c.Err == nil && (rows < 0 || c.rows() < rows) {
			rows = c.rows()
		}
	}
	for _, c := range b.columns {
		growing = growing && (c.Err != nil || c.rows() == rows || c.growable())
	}
	return rows, growing && rows >= 0
}

// longer says which columns have more rows than the table; "" where none has.
func (b *one) longer() string {
	rows, growing := b.shortest()
	if !growing {
		return ""
	}
	var names []string
	more := int64(0)
	for _, c := range b.columns {
		if c.Err == nil && c.rows() > rows {
			more = max(more, c.rows()-rows)
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("the file is being written, or was not closed: the table has the %d rows of its shortest column; up to %d more of %s are left out",
		rows, more, h5err.List(names, maxNamed))
}

// maxNamed bounds the number of columns that a note names.
const maxNamed = 8

func (b *one) notes() []string {
	notes := b.def.Notes
	if s := b.longer(); s != "" {
		notes = append(notes[:len(notes):len(notes)], s)
	}
	return notes
}

func (b *one) pick(at []int) body {
	out := *b
	out.columns = picked(b.columns, at)
	if rows, growing := b.shortest(); growing { // also where no column is left that is so short
		out.limit = rows
	}
	return &out
}

func (b *one) pieces(t *Table) ([]*Table, error) { return []*Table{t}, nil }

// pieces are tables of one file each that together have the rows of t, in order; one without rows where t has none. It
// returns an error for a table with a column that can't be read.
func (t *Table) pieces() ([]*Table, error) {
	if _, err := t.body.rows(); err != nil {
		return nil, err
	}
	return t.body.pieces(t)
}

// nodes are the nodes of columns that can all be read.
func (t *Table) nodes() []node.Node {
	nodes := make([]node.Node, len(t.columns))
	for i, c := range t.columns {
		nodes[i] = c.node
	}
	return nodes
}
