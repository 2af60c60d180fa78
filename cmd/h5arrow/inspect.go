package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// inspectFlags are the flags of inspect.
type inspectFlags struct {
	reading
	json bool
}

func (a *app) inspectCommand() *cobra.Command {
	o := &inspectFlags{}
	cmd := &cobra.Command{
		Use:   "inspect FILE [PATH]",
		Short: "Show what is in a file",
		Long: `inspect shows the tables and the datasets of a file: their columns, types and storage, where nulls come from, and how
each column would be delivered. With PATH it shows that object and everything below it.

Objects that can't be described are marked, and the exit status is 3. It is 4 if tables can't be found because something is
unsupported.`,
		Example: `  h5arrow inspect data.h5
  h5arrow inspect data.h5 /events
  h5arrow inspect data.h5 --json | jq '.tables[].path'`,
		Args: argCount(1, 2, "a file, and at most one path in it"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.inspect(o, args) },
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	o.reading.add(cmd)
	return cmd
}

func (a *app) inspect(o *inspectFlags, args []string) error {
	defer memory.Limit(memory.Max(int64(o.memory)))()
	// Almost all that is allocated here is still in use at the end: early collections find no garbage.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	names, err := o.expand(a.ctx, args[:1])
	if err != nil {
		return err
	}
	if len(names) > 1 {
		return usage("inspect takes one file, %q matches %d", args[0], len(names))
	}
	in, err := o.open(a.ctx, names)
	if err != nil {
		return err
	}
	defer in.close()
	below := "/"
	if len(args) == 2 {
		below = h5.CleanPath(args[1])
	}
	c, err := describe(in.files[0], below)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(a.out, 64<<10)
	if o.json {
		err = c.writeJSON(w, in.names[0], o.far.Counts())
	} else {
		err = c.writeText(w, in.names[0])
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		return h5err.In(err, "stdout", "")
	}
	switch {
	case c.marked:
		a.status = exitCorrupt
	case c.problem != nil:
		a.status = exitUnsupported
	}
	return nil
}

// contents is what inspect shows of a file.
type contents struct {
	size     int64
	tables   []*arrowmap.Table
	datasets []dataset
	problem  error // why not all tables were found
	marked   bool
}

// dataset is a dataset, or an object that can't be opened and may be one.
type dataset struct {
	path    string
	aliases []string
	column  *arrowmap.Column
	err     error
}

// describe collects the tables and datasets of a file at and below a path.
func describe(f *arrowmap.File, below string) (*contents, error) {
	c := &contents{size: f.H5().Source().Size()}
	var err error
	if below == "/" {
		c.tables, c.problem = f.Tables()
		err = c.walk(f, f.H5().Root())
	} else {
		err = c.restrict(f, below)
	}
	if err != nil {
		return nil, err
	}
	for _, t := range c.tables {
		for _, col := range t.Columns() {
			c.marked = c.marked || broken(col.Err)
		}
	}
	for _, d := range c.datasets {
		c.marked = c.marked || broken(d.err)
	}
	c.marked = c.marked || broken(c.problem)
	return c, nil
}

func (c *contents) restrict(f *arrowmap.File, below string) error {
	o, err := f.H5().Lookup(below)
	if err != nil {
		return err
	}
	tables, problem := f.Tables()
	for _, t := range tables {
		if t.Path() == below || strings.HasPrefix(t.Path(), below+"/") {
			c.tables = append(c.tables, t)
		}
	}
	e, ok := errors.AsType[*h5err.Error](problem)
	if len(tables) == 0 || ok && (e.Object == below || strings.HasPrefix(e.Object, below+"/")) {
		c.problem = problem
	}
	switch o := o.(type) {
	case *h5.Dataset:
		c.add(f, o, below, nil)
		return nil
	case *h5.Group:
		return c.walk(f, o)
	}
	return nil
}

// broken reports whether an error means that something can't be described, rather than that it is refused.
func broken(err error) bool {
	return err != nil && !h5err.Is(err, h5err.Unsupported) && !h5err.Is(err, h5err.Limit)
}

func (c *contents) add(f *arrowmap.File, d *h5.Dataset, path string, err error) {
	e := dataset{path: path, err: err}
	if d != nil {
		e.column = f.Describe(d)
		e.err = e.column.Err
	}
	c.datasets = append(c.datasets, e)
}

// walk adds all datasets that hard links reach from a group. A dataset with several links is added once.
func (c *contents) walk(f *arrowmap.File, root *h5.Group) error {
	const isGroup = -1
	seen := map[uint64]int{root.Address(): isGroup} // number of the dataset
	limit := f.H5().Limits().Links
	groups := []*h5.Group{root}
	for len(groups) > 0 {
		g := groups[len(groups)-1]
		groups = groups[:len(groups)-1]
		links, err := g.Links()
		if err != nil {
			c.add(f, nil, g.Path(), err)
		}
		var inner []*h5.Group
		for _, l := range links {
			if l.Kind != h5.LinkHard {
				continue
			}
			path := strings.TrimSuffix(g.Path(), "/") + "/" + l.Name
			if i, ok := seen[l.Address]; ok {
				if i != isGroup {
					c.datasets[i].aliases = append(c.datasets[i].aliases, path)
				}
				continue
			}
			if len(seen) >= limit {
				return h5err.In(h5err.New(h5err.Limit, "more than %d objects", limit), f.H5().Name(), path)
			}
			seen[l.Address] = isGroup
			o, err := f.H5().ObjectAt(l.Address, path)
			switch o := o.(type) {
			case *h5.Group:
				inner = append(inner, o)
			case *h5.Dataset:
				seen[l.Address] = len(c.datasets)
				c.add(f, o, path, nil)
			default:
				if err != nil {
					seen[l.Address] = len(c.datasets)
					c.add(f, nil, path, err)
				}
			}
		}
		for i := len(inner) - 1; i >= 0; i-- {
			groups = append(groups, inner[i])
		}
	}
	return nil
}

func (c *contents) writeJSON(w *bufio.Writer, name string, io *remote.Counts) error {
	b := append(make([]byte, 0, 4096), '{')
	b = text.AppendString(text.AppendKey(b, "file"), name)
	b = strconv.AppendInt(text.AppendKey(b, "size"), c.size, 10)
	if c.problem != nil {
		b = text.AppendString(text.AppendKey(b, "error"), errorText(c.problem))
	}
	b = append(text.AppendKey(b, "tables"), '[')
	for i, t := range c.tables {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n  {"...)
		b = text.AppendString(text.AppendKey(b, "path"), t.Path())
		b = text.AppendString(text.AppendKey(b, "convention"), t.Convention())
		b = text.AppendString(text.AppendKey(b, "reason"), t.Reason())
		if b = text.AppendKey(b, "rows"); t.RowsKnown() {
			b = strconv.AppendInt(b, t.Rows(), 10)
		} else {
			b = append(b, "null"...)
		}
		if notes := t.Notes(); len(notes) > 0 {
			b = text.AppendStrings(text.AppendKey(b, "notes"), notes)
		}
		b = append(text.AppendKey(b, "columns"), '[')
		for k, col := range t.Columns() {
			if k > 0 {
				b = append(b, ',')
			}
			b = appendColumn(append(b, "\n    {"...), col, col.Path)
			b = append(b, '}')
			b = spill(w, b)
		}
		b = append(b, "]}"...)
	}
	b = append(b, "],\n \"datasets\": ["...)
	for i, d := range c.datasets {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n  {"...)
		if d.column != nil {
			b = appendColumn(b, d.column, d.path)
		} else {
			b = text.AppendString(text.AppendKey(b, "name"), d.path[strings.LastIndexByte(d.path, '/')+1:])
			b = text.AppendString(text.AppendKey(b, "path"), d.path)
			b = text.AppendString(text.AppendKey(b, "error"), errorText(d.err))
		}
		if len(d.aliases) > 0 {
			b = text.AppendStrings(text.AppendKey(b, "aliases"), d.aliases)
		}
		b = append(b, '}')
		b = spill(w, b)
	}
	b = append(b, ']')
	if io != nil {
		b = fmt.Appendf(text.AppendKey(b, "io"), `{"requests": %d, "bytes": %d, "cache_hits": %d, "retries": %d}`, io.Requests, io.Bytes, io.CacheHits, io.Retries)
	}
	_, err := w.Write(append(b, "}\n"...))
	return err
}

// spill writes what was collected. The writer keeps the first error until Flush. The last byte stays for AppendKey.
func spill(w *bufio.Writer, b []byte) []byte {
	if len(b) < 2048 {
		return b
	}
	w.Write(b[:len(b)-1])
	return append(b[:0], b[len(b)-1])
}

// appendColumn appends the members of a column's object.
func appendColumn(b []byte, c *arrowmap.Column, path string) []byte {
	b = text.AppendString(text.AppendKey(b, "name"), c.Name)
	b = text.AppendString(text.AppendKey(b, "path"), path)
	b = text.AppendKey(b, "type")
	if c.Type != nil {
		b = text.AppendString(b, dtype.TypeName(c.Type))
	} else {
		b = append(b, "null"...)
	}
	b = text.AppendString(text.AppendKey(b, "hdf5_type"), c.HDF5Type)
	b = append(text.AppendKey(b, "shape"), '[')
	for i, n := range c.Shape {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendUint(b, n, 10)
	}
	b = append(b, ']')
	b = text.AppendKey(b, "storage")
	if c.Storage == 0 {
		b = append(b, "null"...)
	} else {
		b = text.AppendString(b, c.Storage.String())
	}
	b = append(text.AppendKey(b, "filters"), '[')
	for i, f := range c.Filters {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, '{')
		b = strconv.AppendUint(text.AppendKey(b, "id"), uint64(f.ID), 10)
		b = text.AppendString(text.AppendKey(b, "name"), filterName(f))
		b = append(text.AppendKey(b, "values"), '[')
		for k, v := range f.Values {
			if k > 0 {
				b = append(b, ", "...)
			}
			b = strconv.AppendUint(b, uint64(v), 10)
		}
		b = append(b, "]}"...)
	}
	b = append(b, ']')
	b = text.AppendString(text.AppendKey(b, "delivery"), delivery(c))
	b = text.AppendString(text.AppendKey(b, "reason"), reason(c))
	b = text.AppendKey(b, "nulls")
	if c.Nulls == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '{')
		b = text.AppendString(text.AppendKey(b, "source"), c.Nulls.Source)
		b = text.AppendString(text.AppendKey(b, "path"), c.Nulls.Path)
		b = text.AppendString(text.AppendKey(b, "delivery"), c.Nulls.Delivery.String())
		b = append(b, '}')
	}
	if len(c.Notes) > 0 {
		b = text.AppendStrings(text.AppendKey(b, "notes"), c.Notes)
	}
	if broken(c.Err) {
		b = text.AppendString(text.AppendKey(b, "error"), errorText(c.Err))
	}
	return b
}

func filterName(f h5.Filter) string {
	if name := filter.Name(f.ID); name != "" {
		return name
	}
	return f.Name
}

func delivery(c *arrowmap.Column) string {
	if c.Err != nil {
		return dtype.Refused.String()
	}
	return c.Delivery.String()
}

func reason(c *arrowmap.Column) string {
	if c.Err == nil {
		return c.Reason
	}
	if e, ok := errors.AsType[*h5err.Error](c.Err); ok {
		plain := *e
		plain.File, plain.Object = "", "" // both are shown beside it
		return errorText(&plain)
	}
	return errorText(c.Err)
}

// printer prints lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		p.err = text.WriteLine(p.w, fmt.Sprintf(format, args...))
	}
}

func (p *printer) grid(g *text.Grid) {
	if p.err == nil {
		p.err = g.Write(p.w)
	}
}

func (c *contents) writeText(w io.Writer, name string) error {
	p := &printer{w: w}
	p.line("%s: %s bytes, %s, %s", name, text.Count(c.size), text.Plural(len(c.tables), "table"), text.Plural(len(c.datasets), "dataset"))
	if c.problem != nil {
		p.line("")
		p.line("not all tables were found: %s", errorText(c.problem))
	}
	for _, t := range c.tables {
		p.line("")
		p.line("table %s: %s of %s", t.Path(), text.Plural(len(t.Columns()), "column"), rowsText(t))
		p.line("  %s: %s", t.Convention(), t.Reason())
		g := text.Grid{Indent: "  "}
		g.AddText("COLUMN", "TYPE", "HDF5", "SHAPE", "STORAGE", "DELIVERY", "NULLS")
		for _, col := range t.Columns() {
			g.AddText(columnTexts(col.Name, col)...)
		}
		p.grid(&g)
		for _, n := range tableNotes(t) {
			p.line("  note: %s", n)
		}
	}
	if len(c.datasets) > 0 {
		p.line("")
		p.line("datasets")
		g := text.Grid{Indent: "  "}
		g.AddText("PATH", "TYPE", "HDF5", "SHAPE", "STORAGE", "DELIVERY", "NULLS")
		for _, d := range c.datasets {
			path := strings.Join(append([]string{d.path}, d.aliases...), " = ")
			if d.column == nil {
				g.AddText(path, "error: "+errorText(d.err))
				continue
			}
			g.AddText(columnTexts(path, d.column)...)
		}
		p.grid(&g)
	}
	return p.err
}

func rowsText(t *arrowmap.Table) string {
	if !t.RowsKnown() {
		return "an unknown number of rows"
	}
	return text.Plural(t.Rows(), "row")
}

// columnTexts returns the cells about a column.
func columnTexts(name string, c *arrowmap.Column) []string {
	typ, how := "-", delivery(c)
	if c.Type != nil {
		typ = text.Cut(dtype.TypeName(c.Type), 60)
	}
	if r := reason(c); r != "" {
		how += ": " + r
	}
	nulls := ""
	if c.Nulls != nil {
		nulls = c.Nulls.Source
		if c.Nulls.Path != "" {
			nulls += " " + c.Nulls.Path
		}
		nulls += " (" + c.Nulls.Delivery.String() + ")"
	}
	storage := "-"
	if c.Storage != 0 {
		storage = c.Storage.String()
	}
	for i, f := range c.Filters {
		storage += [...]string{" ", ", "}[min(i, 1)] + filterName(f)
	}
	return []string{name, typ, text.Cut(c.HDF5Type, 60), shapeText(c.Shape), storage, how, nulls}
}

func shapeText(shape []uint64) string {
	parts := make([]string, len(shape))
	for i, n := range shape {
		parts[i] = strconv.FormatUint(n, 10)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
