// Package fileset reads the tables of thousands of files as one.
//
// arrowmap.Concat and arrowmap.Union keep every file open. A Table of this package keeps of each file its name and, once they are
// needed, its number of rows and some attributes: files are opened some at a time, read and closed, so that memory does not grow with
// their number. Small files are read in parallel, and their batches are joined.
package fileset

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Options say what is read of each file.
type Options struct {
	// Open opens a file; nil is arrowmap.Open. The context is that of the call, or of the Reader, for which the file is opened: when it
	// is canceled, opening and reading may end.
	Open       func(ctx context.Context, name string) (*arrowmap.File, error)
	Show       func(name string) string // what errors and the column Name call a file; nil: its name
	Path       string                   // of the table in each file; "" is the only one
	Union      bool                     // match columns by name, as arrowmap.Union does; otherwise all files have one schema
	Name       string                   // of a column with the name of each row's file; "" for none
	Attributes []string                 // scalar attributes of each table's group, or else of the root group, that become columns
	Inside     bool                     // refuse a manifest that names files outside of its folder, or URLs: its origin is not known
}

// Table is rows of many files. It is immutable, holds no file open, and may be used by several goroutines.
type Table struct {
	set        *set
	at         []int // columns of the set
	conditions []predicate.Condition
	from, to   int64 // rows; to is -1 for the end
	limit      int64 // rows at most, -1 for all
}

// Open returns the table of files, in this order. Without Union it opens the first one alone: a file with another schema is an
// Argument error when it is read. With Union it opens all of them. Labels are dictionaries with indices of 32 bits, and each batch has
// those of its rows. Canceling the context ends the opening.
func Open(ctx context.Context, names []string, o Options) (*Table, error) {
	s, err := newSet(names, o)
	if err != nil {
		return nil, err
	}
	if o.Union {
		if err := s.look(ctx); err != nil {
			return nil, err
		}
	} else if err := s.first(ctx); err != nil {
		return nil, err
	}
	return s.table(), nil
}

func (s *set) table() *Table {
	t := &Table{set: s, to: -1, limit: -1}
	for i := range s.fields {
		t.at = append(t.at, i)
	}
	return t
}

// Names returns the names of the files. The slice is shared and not to be written to.
func (t *Table) Names() []string { return t.set.names }

// Options are those by which the files are opened. Of a manifest, its own are among them.
func (t *Table) Options() Options { return t.set.o }

// Path is the path of the table in the first file.
func (t *Table) Path() string { return t.set.path }

// Notes say what was done to make columns of several schemas one.
func (t *Table) Notes() []string { return t.set.notes }

// Schema returns the schema of the batches. Its metadata are those of the first file.
func (t *Table) Schema() *arrow.Schema {
	fields := make([]arrow.Field, len(t.at))
	for k, i := range t.at {
		fields[k] = t.set.fields[i]
	}
	return arrow.NewSchema(fields, &t.set.metadata)
}

// Lacks reports whether there is no column of a name, or one with an attribute that no file has: without Union, that the first one lacks.
func (t *Table) Lacks(name string) bool {
	i := t.set.column(name)
	a := i - len(t.set.fields) + len(t.set.attrs)
	return i < 0 || a >= 0 && t.set.lacking[a]
}

// Select returns the table with the columns of these names, in this order. A name that no column has, or that is there twice, is an
// Argument error.
func (t *Table) Select(names ...string) (*Table, error) {
	out := *t
	out.at = nil
	for _, n := range names {
		i := t.set.column(n)
		if i < 0 || !slices.Contains(t.at, i) {
			return nil, h5err.In(h5err.New(h5err.Argument, "no column %s", n), t.set.shown(0), t.set.path)
		}
		if slices.Contains(out.at, i) {
			return nil, h5err.In(h5err.New(h5err.Argument, "column %s is selected twice", n), t.set.shown(0), t.set.path)
		}
		out.at = append(out.at, i)
	}
	return &out, nil
}

// Where returns the rows for which conditions hold, besides those that the table has already. Conditions may be on columns that are not
// selected. Those on the file's name and attributes leave out whole files: without opening them, where they are known.
func (t *Table) Where(conditions ...predicate.Condition) (*Table, error) {
	if t.limit >= 0 {
		return nil, h5err.New(h5err.Argument, "the table has a limit already").WithHint("filter before the limit")
	}
	if len(t.conditions)+len(conditions) > predicate.MaxConditions {
		return nil, h5err.New(h5err.Argument, "more than %d conditions", predicate.MaxConditions)
	}
	for _, c := range conditions {
		i := t.set.column(c.Column)
		if i < 0 {
			return nil, h5err.In(h5err.New(h5err.Argument, "no column %s", c.Column), t.set.shown(0), t.set.path)
		}
		if _, err := predicate.New(t.set.fields[i].Type, c.Op, c.Values...); err != nil {
			return nil, h5err.In(err, t.set.shown(0), t.set.path)
		}
	}
	out := *t
	out.conditions = slices.Concat(t.conditions, conditions)
	return &out, nil
}

// Filtered reports whether the table has conditions.
func (t *Table) Filtered() bool { return len(t.conditions) > 0 }

// Slice returns the rows [a,b). b is clipped to the table, and -1 means its end. It opens all files, to count their rows, unless
// that was done. Rows of a table with conditions have no numbers: that is an Argument error, as is an a after the end or after b.
func (t *Table) Slice(ctx context.Context, a, b int64) (*Table, error) {
	if t.Filtered() || t.limit >= 0 {
		return nil, h5err.New(h5err.Argument, "rows of a filtered table have no numbers").WithHint("slice before the filter, or take the first rows")
	}
	rows, err := t.Rows(ctx)
	if err != nil {
		return nil, err
	}
	if b < 0 || b > rows {
		b = max(rows, min(b, rows))
	}
	if a < 0 || a > b {
		return nil, h5err.In(h5err.New(h5err.Argument, "rows %d to %d of a table of %d rows", a, b, rows), t.set.shown(0), t.set.path)
	}
	out := *t
	out.from, out.to = t.from+a, t.from+b
	return &out, nil
}

// Head returns the first n rows, without counting those of any file.
func (t *Table) Head(n int64) (*Table, error) {
	if n < 0 {
		return nil, h5err.New(h5err.Argument, "%d rows", n)
	}
	out := *t
	if t.limit < 0 || n < t.limit {
		out.limit = n
	}
	return &out, nil
}

// Rows is the number of rows, before conditions. It opens all files, unless that was done.
func (t *Table) Rows(ctx context.Context) (int64, error) {
	if err := t.set.look(ctx); err != nil {
		return 0, err
	}
	rows := t.end() - t.from
	if t.limit >= 0 {
		rows = min(rows, t.limit)
	}
	return rows, nil
}

// Counted reports whether Rows opens no file.
func (t *Table) Counted() bool { return t.set.looked.Load() }

// end is the end of the rows where the files are known.
func (t *Table) end() int64 {
	if t.to >= 0 {
		return t.to
	}
	return t.set.end(len(t.set.names) - 1)
}
