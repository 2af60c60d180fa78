package main

import (
	"bufio"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
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
each column would be delivered. With PATH it shows that object and what is below it.

What can't be described is marked, and makes the exit status 3. Tables that can't be found because something is
unsupported make it 4.`,
		Example: `  h5arrow inspect data.h5
  h5arrow inspect data.h5 /events
  h5arrow inspect data.h5 --json | jq '.tables[].path'`,
		Args: atLeast(1, 2, "a file, and at most one path in it"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.inspect(o, args) },
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	o.reading.add(cmd)
	return cmd
}

func (a *app) inspect(o *inspectFlags, args []string) error {
	defer limitMemory(maxMemory(o.memory))()
	// Almost all that is allocated here is still held at the end: looking for garbage early finds none.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	names, err := expand(args[:1])
	if err != nil {
		return err
	}
	if len(names) > 1 {
		return usage("inspect takes one file, %q names %d", args[0], len(names))
	}
	in, err := o.open(names)
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
		err = c.writeJSON(w, names[0])
	} else {
		err = c.writeText(w, names[0])
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

// describe collects the tables and datasets of a file at a path and below.
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

// broken reports whether an error stands for something that can't be described, other than for something that can and is
// refused.
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

// walk adds all datasets that hard links reach from a group. A dataset that more than one leads to is added once.
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

func (c *contents) writeJSON(w *bufio.Writer, name string) error {
	b := append(make([]byte, 0, 4096), '{')
	b = appendString(appendKey(b, "file"), name)
	b = strconv.AppendInt(appendKey(b, "size"), c.size, 10)
	if c.problem != nil {
		b = appendString(appendKey(b, "error"), errorText(c.problem))
	}
	b = append(appendKey(b, "tables"), '[')
	for i, t := range c.tables {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n  {"...)
		b = appendString(appendKey(b, "path"), t.Path())
		b = appendString(appendKey(b, "convention"), t.Convention())
		b = appendString(appendKey(b, "reason"), t.Reason())
		b = strconv.AppendInt(appendKey(b, "rows"), t.Rows(), 10)
		b = append(appendKey(b, "columns"), '[')
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
			b = appendString(appendKey(b, "name"), d.path[strings.LastIndexByte(d.path, '/')+1:])
			b = appendString(appendKey(b, "path"), d.path)
			b = appendString(appendKey(b, "error"), errorText(d.err))
		}
		if len(d.aliases) > 0 {
			b = appendStrings(appendKey(b, "aliases"), d.aliases)
		}
		b = append(b, '}')
		b = spill(w, b)
	}
	_, err := w.Write(append(b, "]}\n"...))
	return err
}

// spill writes what was gathered. The writer keeps the first error until Flush. The last byte stays, appendKey looks at it.
func spill(w *bufio.Writer, b []byte) []byte {
	if len(b) < 2048 {
		return b
	}
	w.Write(b[:len(b)-1])
	return append(b[:0], b[len(b)-1])
}

// appendColumn appends the members of a column's object.
func appendColumn(b []byte, c *arrowmap.Column, path string) []byte {
	b = appendString(appendKey(b, "name"), c.Name)
	b = appendString(appendKey(b, "path"), path)
	b = appendKey(b, "type")
	if c.Type != nil {
		b = appendString(b, typeText(c.Type))
	} else {
		b = append(b, "null"...)
	}
	b = appendString(appendKey(b, "hdf5_type"), c.HDF5Type)
	b = append(appendKey(b, "shape"), '[')
	for i, n := range c.Shape {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendUint(b, n, 10)
	}
	b = append(b, ']')
	b = appendKey(b, "storage")
	if c.Storage == 0 {
		b = append(b, "null"...)
	} else {
		b = appendString(b, c.Storage.String())
	}
	b = append(appendKey(b, "filters"), '[')
	for i, f := range c.Filters {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, '{')
		b = strconv.AppendUint(appendKey(b, "id"), uint64(f.ID), 10)
		b = appendString(appendKey(b, "name"), filterName(f))
		b = append(appendKey(b, "values"), '[')
		for k, v := range f.Values {
			if k > 0 {
				b = append(b, ", "...)
			}
			b = strconv.AppendUint(b, uint64(v), 10)
		}
		b = append(b, "]}"...)
	}
	b = append(b, ']')
	b = appendString(appendKey(b, "delivery"), delivery(c))
	b = appendString(appendKey(b, "reason"), reason(c))
	b = appendKey(b, "nulls")
	if c.Nulls == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '{')
		b = appendString(appendKey(b, "source"), c.Nulls.Source)
		b = appendString(appendKey(b, "path"), c.Nulls.Path)
		b = appendString(appendKey(b, "delivery"), c.Nulls.Delivery.String())
		b = append(b, '}')
	}
	if broken(c.Err) {
		b = appendString(appendKey(b, "error"), errorText(c.Err))
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
	var e *h5err.Error
	switch {
	case c.Err == nil:
		return c.Reason
	case errors.As(c.Err, &e):
		plain := *e
		plain.File, plain.Object = "", "" // they stand beside it
		return errorText(&plain)
	}
	return errorText(c.Err)
}

func (c *contents) writeText(w *bufio.Writer, name string) error {
	fmt.Fprintf(w, "%s: %s bytes, %s, %s\n", printable(name), count(c.size),
		plural(len(c.tables), "table"), plural(len(c.datasets), "dataset"))
	if c.problem != nil {
		fmt.Fprintf(w, "\nnot all tables were found: %s\n", errorText(c.problem))
	}
	for _, t := range c.tables {
		fmt.Fprintf(w, "\ntable %s: %s of %s\n", printable(t.Path()), plural(len(t.Columns()), "column"), plural64(t.Rows(), "row"))
		fmt.Fprintf(w, "  %s: %s\n", t.Convention(), printable(t.Reason()))
		g := grid{indent: "  "}
		g.texts("COLUMN", "TYPE", "HDF5", "SHAPE", "STORAGE", "DELIVERY", "NULLS")
		for _, col := range t.Columns() {
			g.texts(columnTexts(col.Name, col)...)
		}
		if err := g.write(w); err != nil {
			return err
		}
	}
	if len(c.datasets) > 0 {
		fmt.Fprintf(w, "\ndatasets\n")
		g := grid{indent: "  "}
		g.texts("PATH", "TYPE", "HDF5", "SHAPE", "STORAGE", "DELIVERY", "NULLS")
		for _, d := range c.datasets {
			path := d.path
			if len(d.aliases) > 0 {
				path += " = " + strings.Join(d.aliases, " = ")
			}
			if d.column == nil {
				g.texts(printable(path), "error: "+printable(errorText(d.err)))
				continue
			}
			g.texts(columnTexts(path, d.column)...)
		}
		return g.write(w)
	}
	return nil
}

// columnTexts is one line about a column.
func columnTexts(name string, c *arrowmap.Column) []string {
	typ, how := "-", delivery(c)
	if c.Type != nil {
		typ = cut(typeText(c.Type), 60)
	}
	if r := reason(c); r != "" {
		how += ": " + printable(r)
	}
	nulls := ""
	if c.Nulls != nil {
		nulls = printable(c.Nulls.Source)
		if c.Nulls.Path != "" {
			nulls += " " + printable(c.Nulls.Path)
		}
		nulls += " (" + c.Nulls.Delivery.String() + ")"
	}
	storage := "-"
	if c.Storage != 0 {
		storage = c.Storage.String()
	}
	for i, f := range c.Filters {
		storage += [...]string{" ", ", "}[min(i, 1)] + printable(filterName(f))
	}
	return []string{printable(name), typ, cut(printable(c.HDF5Type), 60), shapeText(c.Shape), storage, how, nulls}
}

func shapeText(shape []uint64) string {
	parts := make([]string, len(shape))
	for i, n := range shape {
		parts[i] = strconv.FormatUint(n, 10)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func plural(n int, what string) string { return plural64(int64(n), what) }

func plural64(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(n) + " " + what + "s"
}
