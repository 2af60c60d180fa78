package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/plugins"
)

// reading has the flags about reading files.
type reading struct {
	io, align, strings, enum *flags.Choice
	nan, tensor, nullRows    bool
	plugins, untrusted       bool
	external                 []string
	convention               string
	memory                   flags.Size
	limits                   flags.Limits
	quiet                    bool
	far                      *far.Opener
	cmd                      *cobra.Command
}

func (r *reading) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.convention, "convention", "", "find only tables of this convention (`NAME`)")
	r.strings = flags.Choose(cmd, "strings", "how text is read: as utf8 (other bytes are an error), binary or latin1", "utf8", "binary", "latin1")
	r.enum = flags.Choose(cmd, "enum", "how enumerations are read: as labels or as values", "labels", "values")
	f.BoolVar(&r.nan, "nan-as-null", false, "NaN is null")
	f.BoolVar(&r.tensor, "tensor", false, "rows of several dimensions are read as arrow.fixed_shape_tensor")
	f.BoolVar(&r.nullRows, "null-rows", false, "a row of several items is null if one of its items is")
	r.io = flags.Choose(cmd, "io", "map the file, or read it without mapping", "mmap", "read")
	r.align = flags.Choose(cmd, "align", "mapped values that are not aligned: keep, copy or refuse them", "keep", "copy", "refuse")
	f.StringArrayVar(&r.external, "allow-external", nil, "also follow links and external data to this `DIR`, a path or, for URLs, a URL (may be repeated)")
	f.BoolVar(&r.untrusted, "untrusted", false, "strict rules for files of unknown origin: nothing outside the file, lower limits (default for URLs)")
	f.BoolVar(&r.plugins, "plugins", false, "decode other filters with libhdf5, if it is installed, and its plugins")
	f.Var(&r.limits, "limit", "change a limit on what a file may ask for (`NAME=N`; may be repeated)")
	f.Var(&r.memory, "max-memory", "maximum memory, such as 512MiB (default: a quarter of the available memory)")
	f.BoolVar(&r.quiet, "quiet", false, "print errors only")
	r.far = far.New(cmd)
	r.cmd = cmd
	// Both fail only for a flag that does not exist.
	_ = cmd.MarkFlagDirname("allow-external")
	_ = cmd.RegisterFlagCompletionFunc("convention", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, c := range arrowmap.Conventions() {
			names = append(names, c.Name+"\t"+c.Description)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

func (r *reading) options() ([]arrowmap.Option, error) {
	if r.plugins && !plugins.Available {
		return nil, h5err.New(h5err.Unsupported, "--plugins: this build can't open libhdf5").WithHint("build with cgo on Linux, macOS or FreeBSD")
	}
	if r.untrusted && (r.plugins || len(r.external) > 0) {
		return nil, usage("--untrusted excludes --plugins and --allow-external")
	}
	types := dtype.Options{Tensor: r.tensor, NaNAsNull: r.nan, NullRows: r.nullRows,
		Strings: dtype.Strings(r.strings.Index()),
		Enum:    dtype.Enum(r.enum.Index())}
	opts := []arrowmap.Option{arrowmap.WithTypes(types), arrowmap.WithConvention(r.convention),
		arrowmap.WithAlign(arrowmap.Align(r.align.Index()))}
	if r.io.String() == "read" {
		opts = append(opts, arrowmap.WithoutMapping())
	}
	if r.untrusted {
		opts = append(opts, r.strictly()...)
	} else if r.limits.Given() {
		opts = append(opts, arrowmap.WithLimits(r.limits.Onto(h5.Limits{})))
	}
	if r.plugins {
		opts = append(opts, arrowmap.WithPlugins(plugins.Read))
	}
	if dirs := slices.DeleteFunc(slices.Clone(r.external), far.IsURL); len(dirs) > 0 {
		opts = append(opts, arrowmap.WithExternal(h5.External{Dirs: dirs}))
	}
	return opts, nil
}

// inputs are the open input files.
type inputs struct {
	names   []string
	files   []*arrowmap.File
	missing []error // why tables of a file were not found
	unused  []error // why indexes beside the files are not used
}

// tables returns the tables of file i. If some were not found, it returns the others and keeps the reason.
func (in *inputs) tables(i int) ([]*arrowmap.Table, error) {
	tables, err := in.files[i].Tables()
	if err != nil && len(tables) > 0 {
		in.missing = append(in.missing, err)
		err = nil
	}
	return tables, err
}

// incomplete prints why not all tables of the inputs were found, and sets the exit status. It also prints why indexes are not
// used.
func (a *app) incomplete(in *inputs) {
	for _, err := range in.unused {
		a.note("the index is not used: %s", errorText(err))
	}
	for _, err := range in.missing {
		a.note("not all tables were found: %s", errorText(err))
		a.worsen(err)
	}
}

// worsen sets the exit status of a run that has results in spite of an error. That of corrupt input is kept.
func (a *app) worsen(err error) {
	if status := exitStatus(err, true); a.status != exitCorrupt {
		a.status = status
	}
}

// expand replaces patterns with the files or objects that match. An argument that names a file is not a pattern.
func (r *reading) expand(ctx context.Context, args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		find := expandPath
		if far.IsURL(arg) {
			find = func(url string) ([]string, error) { return r.far.Expand(ctx, url) }
		}
		found, err := find(arg)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// expandPath returns the files that match a pattern, or the argument if it is not a pattern or nothing matches.
func expandPath(arg string) ([]string, error) {
	if strings.ContainsAny(arg, "*?[") {
		if _, err := os.Lstat(arg); err != nil {
			found, err := filepath.Glob(arg) // sorted
			if err != nil {
				return nil, about(arg, usage("the pattern is malformed"))
			}
			if len(found) > 0 {
				return found, nil
			}
		}
	}
	return []string{arg}, nil
}

// open opens the inputs. Reads of URLs end with ctx.
func (r *reading) open(ctx context.Context, names []string) (*inputs, error) {
	opts, err := r.options()
	if err != nil {
		return nil, err
	}
	in := &inputs{}
	for _, name := range names {
		in.names = append(in.names, far.Name(name))
		f, err := r.openFile(ctx, name, opts)
		if err != nil {
			in.close()
			if name == "-" && errors.Is(err, fs.ErrNotExist) {
				err = usage("stdin can't be read: parts of a file are read in any order").WithHint("write it to a file first")
			}
			return nil, err
		}
		in.files = append(in.files, f)
	}
	return in, nil
}

// openFile opens a file or a URL.
func (r *reading) openFile(ctx context.Context, name string, opts []arrowmap.Option) (*arrowmap.File, error) {
	if !far.IsURL(name) {
		return arrowmap.Open(name, opts...)
	}
	if r.plugins {
		return nil, about(far.Name(name), usage("--plugins is for local files"))
	}
	src, err := r.far.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	opts = append(slices.Clone(opts), r.ofURLs()...)
	if near := r.urls(); len(near) > 0 {
		opts = append(opts, arrowmap.WithExternal(h5.External{Open: r.far.Near(ctx, near)}))
	}
	f, err := arrowmap.NewFile(src, opts...)
	if err != nil {
		src.Release()
		return nil, err
	}
	return f, nil
}

// urls returns the URLs among the directories of --allow-external.
func (r *reading) urls() (out []string) {
	for _, dir := range r.external {
		if far.IsURL(dir) {
			out = append(out, dir)
		}
	}
	return out
}

// strict reports whether a file is opened by the strict rules for files of unknown origin.
func (r *reading) strict(name string) bool {
	return r.untrusted || far.IsURL(name) && !r.cmd.Flags().Changed("untrusted")
}

// ofURLs returns the options of files that come by URL, beside those of all files: they are trusted only if a flag allows it.
func (r *reading) ofURLs() []arrowmap.Option {
	if r.cmd.Flags().Changed("untrusted") {
		return nil
	}
	return r.strictly()
}

// objectMemory is how much memory describing an object takes at most, in columns of many objects.
const objectMemory = 16 << 10

// strictly returns the options of the strict rules, with no more objects than the memory suffices for.
func (r *reading) strictly() []arrowmap.Option {
	l := h5.UntrustedLimits()
	objects := int(min(int64(l.Links), max(memory.Max(int64(r.memory))/objectMemory, 1)))
	l.Links, l.HeapObjects = objects, min(l.HeapObjects, objects)
	return []arrowmap.Option{arrowmap.WithUntrusted(), arrowmap.WithLimits(r.limits.Onto(l))}
}

func (in *inputs) close() {
	for _, f := range in.files {
		f.Close() // read only: there is nothing to lose
	}
}

// unchanged returns an error if an input has changed while it was read.
func (in *inputs) unchanged() error {
	for _, f := range in.files {
		if err := f.H5().Source().Changed(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

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
}

// choose returns the selected part of the table of all inputs.
func (s *selection) choose(in *inputs) (*chosen, error) {
	tables := make([]*arrowmap.Table, len(in.files))
	for i := range in.files {
		t, err := s.of(in, i)
		if err != nil {
			return nil, err
		}
		if i > 0 && t.Path() != tables[0].Path() {
			return nil, about(in.names[i], usage("the table is %s, in %s it is %s", t.Path(), in.names[0], tables[0].Path()).WithHint("choose one with --table"))
		}
		tables[i] = t
	}
	return s.join(in, tables)
}

// join returns the selected part of the tables of several files as one table.
func (s *selection) join(in *inputs, tables []*arrowmap.Table) (*chosen, error) {
	c := &chosen{}
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
	t, err := s.choose(in)
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
	var out []*pathTables
	at := map[string]*pathTables{}
	for i := range in.files {
		tables, err := in.tables(i)
		if err != nil {
			return nil, err
		}
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
