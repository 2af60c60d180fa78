package main

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/fileset"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// selection has the flags that choose a table, and columns and rows of it.
type selection struct {
	reading
	table      string
	stack      string
	datasets   []string
	columns    []string
	rows       flags.Rows
	where      string
	skip       bool
	filename   bool
	union      string
	workers    flags.Positive
	batchRows  flags.Positive
	batchBytes flags.Size
	attributes []string
	conditions []predicate.Condition // of where
}

func (s *selection) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.table, "table", "", "the table at this `PATH` (default: the only table of the file)")
	f.StringVar(&s.stack, "stack", "", "the tables of all groups whose paths match this `PATTERN`, as one table with a column for the groups' names")
	f.StringArrayVar(&s.datasets, "dataset", nil, "the datasets at these `PATHS` as columns, without conventions (a,b or a pattern such as \"/runs/*/x\"; may be repeated)")
	f.StringSliceVarP(&s.columns, "columns", "c", nil, "these columns, in this order (`a,b`; may be repeated; \"a,b\" in quotes is one name)")
	f.Var(&s.rows, "rows", "the rows from A up to, but not including, B; either may be left out; -5: is the last five")
	f.BoolVar(&s.skip, "skip-unsupported", false, "leave out columns that can't be read, and say why")
	f.BoolVar(&s.filename, "filename", false, "add a column with the file name of each row")
	f.StringVar(&s.union, "union", "", "how files of several schemas are one table: `by-name`, null where a file has no such column, numbers widened")
	s.reading.add(cmd)
	f.Var(&s.workers, "workers", "number of decoding goroutines (default: one for each processor)")
	f.Var(&s.batchRows, "batch-rows", "rows in a batch (default: as many as fit in 64 MiB)")
	f.Var(&s.batchBytes, "batch-bytes", "approximate bytes in a batch")
	_ = f.MarkHidden("batch-bytes") // it fails only for a flag that does not exist
	s.complete(cmd)
}

// addWhere adds the flags of verbs that take the rows for which conditions hold.
func (s *selection) addWhere(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.where, "where", "", "the rows for which `CONDITIONS` hold, such as \"fare > 5 and zone in (A, B)\"; also between and is [not] null")
	s.addSorted(cmd)
}

// check refuses flags that contradict each other.
func (s *selection) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("table") && len(s.datasets) > 0 {
		return usage("--table and --dataset exclude each other")
	}
	if cmd.Flags().Changed("stack") && (cmd.Flags().Changed("table") || len(s.datasets) > 0) {
		return usage("--stack excludes --table and --dataset")
	}
	if cmd.Flags().Changed("union") && s.union != "by-name" {
		return usage("--union is by-name, not %q", s.union)
	}
	if cmd.Flags().Changed("columns") && len(s.columns) == 0 {
		return usage("--columns names no column")
	}
	if cmd.Flags().Changed("where") {
		var err error
		if s.conditions, err = predicate.Parse(s.where); err != nil {
			return h5err.In(err, "--where", "")
		}
	}
	return nil
}

// named reports whether a table is chosen by a flag.
func (s *selection) named() bool { return s.table != "" || s.stack != "" || len(s.datasets) > 0 }

// one returns the selected table of one file.
func (s *selection) one(f *arrowmap.File) (*arrowmap.Table, error) {
	if len(s.datasets) > 0 {
		paths, err := datasetPaths(f.H5(), s.datasets)
		if err != nil {
			return nil, err
		}
		return f.Datasets(paths...)
	}
	if s.stack != "" {
		return f.Stack(s.stack)
	}
	return f.Table(s.table)
}

// of returns the selected table of file i. If no table is named, it is the only one that was found.
func (s *selection) of(in *inputs, i int) (*arrowmap.Table, error) {
	if !s.named() {
		if tables, err := in.tables(i); err != nil || len(tables) == 1 {
			return append(tables, nil)[0], err
		}
	}
	t, err := s.one(in.files[i])
	return t, suggest(in.files[i], err)
}

// chosen is a table to read, with the files that its rows come from.
type chosen struct {
	*arrowmap.Table
	skipped []error
	files   []rows.File // of the rows before Slice
	first   int64
	where   *arrowmap.Where // of --where, else nil
	full    *arrowmap.Table // with the columns that only conditions are about

	conditions []predicate.Condition // of where
	unsorted   map[string]error      // about columns of --sorted that the table does not have
}

// choose returns the selected part of the table of all inputs.
func (s *selection) choose(in *inputs) (*chosen, error) {
	tables := make([]*arrowmap.Table, len(in.files))
	err := each(len(tables), filesAtOnce, func(i int) (err error) {
		tables[i], err = s.of(in, i)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, t := range tables {
		if t.Path() != tables[0].Path() {
			return nil, about(in.names[i], usage("the table is %s, in %s it is %s", t.Path(), in.names[0], tables[0].Path()).WithHint("choose one with --table"))
		}
	}
	return s.join(in, tables)
}

// only is choose where there is no other table: it has all columns of --sorted.
func (s *selection) only(in *inputs) (*chosen, error) {
	c, err := s.choose(in)
	for _, name := range s.sorted {
		if err == nil {
			err = c.unsorted[name]
		}
	}
	return c, err
}

// join returns the selected part of the tables of several files as one table.
func (s *selection) join(in *inputs, tables []*arrowmap.Table) (*chosen, error) {
	if len(s.attributes) > 0 {
		var err error
		if tables, err = fileset.WithAttributes(tables, s.attributes); err != nil {
			return nil, err
		}
	}
	c := &chosen{unsorted: s.unsorted(tables[0])}
	left := map[string]bool{} // names of columns that some file can't give
	for i, t := range tables {
		var err error
		if len(s.columns) > 0 && s.union == "" {
			if t, err = t.Select(s.needed()...); err != nil {
				return nil, err
			}
		}
		if s.skip {
			all := t.Columns()
			var skipped []error
			t, skipped = t.SkipUnsupported()
			c.skipped = append(c.skipped, skipped...)
			for _, col := range all {
				if !slices.Contains(t.Columns(), col) {
					left[col.Name] = true
				}
			}
			if len(t.Columns()) == 0 && len(skipped) > 0 {
				return nil, skipped[0]
			}
		}
		tables[i] = t
	}
	for i, t := range tables {
		if len(left) > 0 && len(tables) > 1 {
			tables[i] = without(t, left)
		}
		c.files = append(c.files, rows.File{Name: in.names[i], Rows: tables[i].Rows()})
	}
	t, err := s.together(tables)
	if err != nil {
		return nil, err
	}
	if s.rows.Given() {
		a, b := s.rows.Of(t.Rows())
		if t, err = t.Slice(a, b); err != nil {
			return nil, err
		}
		c.first = a
	}
	c.Table = t
	return c, s.restrict(c)
}

// unsorted returns errors about columns of --sorted that a table does not have.
func (s *selection) unsorted(t *arrowmap.Table) map[string]error {
	out := map[string]error{}
	for _, name := range s.sorted {
		if _, err := t.Select(name); err != nil {
			out[name] = err
		}
	}
	return out
}

// together returns tables as one.
func (s *selection) together(tables []*arrowmap.Table) (*arrowmap.Table, error) {
	if s.union == "" {
		return arrowmap.Concat(tables...)
	}
	t, err := arrowmap.Union(tables...)
	if err == nil && len(s.columns) > 0 {
		t, err = t.Select(s.needed()...)
	}
	return t, err
}

// useIndexes makes the inputs use their indexes where conditions could gain from them.
func (s *selection) useIndexes(in *inputs) error {
	if s.conditions == nil {
		return nil
	}
	return s.applyIndexes(in)
}

// needed returns the names of the columns that are written and, after them, of others that conditions are about.
func (s *selection) needed() []string {
	names := slices.Clone(s.columns)
	for _, c := range s.conditions {
		if !slices.Contains(names, c.Column) {
			names = append(names, c.Column)
		}
	}
	return names
}

// restrict adds the conditions to a table that has been chosen, and leaves out columns that are needed for them only.
func (s *selection) restrict(c *chosen) (err error) {
	c.full = c.Table
	if s.conditions == nil {
		return nil
	}
	c.conditions = s.conditions
	if c.where, err = c.Table.Where(s.conditions...); err != nil {
		return err
	}
	if extra := len(s.needed()) - len(s.columns); len(s.columns) > 0 && extra > 0 {
		var names []string
		for _, col := range c.Columns() {
			if slices.Contains(s.columns, col.Name) {
				names = append(names, col.Name)
			}
		}
		c.Table, err = c.Table.Select(names...)
	}
	return err
}

// reader reads the chosen rows of a table.
func (s *selection) reader(ctx context.Context, t *chosen, opts ...arrowmap.ReadOption) (*arrowmap.Reader, error) {
	if t.where != nil {
		opts = append(opts, arrowmap.WithWhere(t.where))
	}
	return t.Reader(ctx, opts...)
}

// without returns a table without the columns of these names, unless that are all.
func without(t *arrowmap.Table, names map[string]bool) *arrowmap.Table {
	var keep []int
	for i, c := range t.Columns() {
		if !names[c.Name] {
			keep = append(keep, i)
		}
	}
	if len(keep) == 0 || len(keep) == len(t.Columns()) {
		return t
	}
	out, err := t.SelectAt(keep...)
	if err != nil { // not of columns that it has
		return t
	}
	return out
}

// openTable opens files, chooses their table, and prints what a reader of it should know. The caller closes the inputs.
func (s *selection) openTable(a *app, names []string) (*inputs, *chosen, error) {
	in, err := s.open(a.ctx, names)
	if err != nil {
		return nil, nil, err
	}
	if err := s.useIndexes(in); err != nil {
		in.close()
		return nil, nil, err
	}
	t, err := s.only(in)
	if err != nil {
		in.close()
		return nil, nil, err
	}
	a.incomplete(in)
	s.notes(a, t)
	return in, t, nil
}

// skipBroken leaves out the columns of a table whose values can't be read, where --skip-unsupported asks for that and err is
// of a kind that columns cause; a nil err has the columns tried. It reports whether there were such columns, and others.
func (s *selection) skipBroken(a *app, t *chosen, err error, opts ...arrowmap.ReadOption) bool {
	if !s.skip || err != nil && !arrowmap.OfColumn(err) {
		return false
	}
	left, skipped, err := t.SkipBroken(a.ctx, opts...)
	if err != nil || len(skipped) == 0 || len(left.Columns()) == 0 {
		return false
	}
	t.Table, t.skipped = left, append(t.skipped, skipped...)
	for _, err := range skipped {
		if !s.quiet {
			a.leftOut(err)
		}
	}
	return true
}

// readOptions returns the options of a reader that may use budget bytes.
func (s *selection) readOptions(budget int64) []arrowmap.ReadOption {
	return []arrowmap.ReadOption{arrowmap.WithMaxMemory(budget), arrowmap.WithWorkers(int(s.workers)),
		arrowmap.WithBatchRows(int64(s.batchRows)), arrowmap.WithBatchBytes(int64(s.batchBytes))}
}

// pathTables is the tables with one path, and their files.
type pathTables struct {
	path   string
	names  []string
	tables []*arrowmap.Table
}

// tablesByPath returns the tables of all inputs, in the order in which they are found.
func tablesByPath(in *inputs) ([]*pathTables, error) {
	found := make([][]*arrowmap.Table, len(in.files))
	err := each(len(found), filesAtOnce, func(i int) (err error) {
		found[i], err = in.tables(i)
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []*pathTables
	at := map[string]*pathTables{}
	for i, tables := range found {
		for _, t := range tables {
			p := at[t.Path()]
			if p == nil {
				p = &pathTables{path: t.Path()}
				at[t.Path()] = p
				out = append(out, p)
			}
			p.names = append(p.names, in.names[i])
			p.tables = append(p.tables, t)
		}
	}
	if len(out) == 0 {
		return nil, about(in.names[0], usage("no table was found").WithHint("list the datasets with `h5arrow inspect`, or take some of them with --dataset"))
	}
	return out, nil
}

// withoutColumns reports whether a table has no columns in any file.
func withoutColumns(p *pathTables) bool {
	return !slices.ContainsFunc(p.tables, func(t *arrowmap.Table) bool { return len(t.Columns()) > 0 })
}

// leaveOut notes a table that is left out of several.
func (s *selection) leaveOut(a *app, err error) {
	if !s.quiet {
		a.leftOut(err)
	}
}

// addFilename adds the column of --filename to the rows of a table if it was asked for. What it returns owns r.
func (s *selection) addFilename(r array.RecordReader, t *chosen) (array.RecordReader, error) {
	if !s.filename {
		return r, nil
	}
	return rows.AddFilenames(r, t.files, t.first)
}
