package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
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
	display
	json, long, all, noPager bool
}

func (a *app) inspectCommand() *cobra.Command {
	o := &inspectFlags{}
	cmd := &cobra.Command{
		Use:   "inspect FILE [PATH]",
		Short: "Show what is in a file",
		Long: `inspect shows what is in a file: a tree of its groups, tables, datasets and links, and the columns of its tables, with
their types and storage, where nulls come from, and how each would be delivered. Datasets that make a table are not listed
beside it. With PATH it shows that object and everything below it, or one attribute (/group/data@units). Columns of many
tables, and members of large groups, are shown with PATH or --all.

Objects that can't be described are marked, and the exit status is 3. It is 4 if tables can't be found because something is
unsupported.`,
		Example: `  h5arrow inspect data.h5
  h5arrow inspect data.h5 /events -l
  h5arrow inspect data.h5 /events/energy@units
  h5arrow inspect data.h5 --json | jq '.tables[].path'`,
		Args: argCount(1, 2, "a file, and at most one path in it"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.inspect(o, args) },

		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return nil, cobra.ShellCompDirectiveDefault
			case 1:
				return o.completePaths(args, typed)
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVarP(&o.long, "long", "l", false, "also show attributes, chunks, stored sizes, names of dimensions and external files")
	f.BoolVar(&o.all, "all", false, "show all members of large groups and all columns")
	f.BoolVar(&o.noPager, "no-pager", false, "do not use a pager (PAGER, or less) for what is longer than the terminal")
	o.display.add(cmd)
	o.reading.add(cmd)
	return cmd
}

func (a *app) inspect(o *inspectFlags, args []string) error {
	defer memory.Limit(a.maxMemory(o.memory))()
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
		if at, err := attribute(in.files[0], args[1]); at != nil || err != nil {
			return errors.Join(err, a.showAttribute(o, in.names[0], at))
		}
	}
	c, err := describe(in.files[0], below, o.json || o.all)
	if err != nil {
		return suggest(in.files[0], err)
	}
	if err := h5err.In(a.showContents(o, c, in.names[0]), "stdout", ""); err != nil {
		return err
	}
	switch {
	case c.broken > 0:
		a.status = exitCorrupt
		a.note("%s: %s can't be described", in.names[0], text.Plural(c.broken, "object"))
	case c.problem != nil:
		a.status = exitUnsupported
		a.note("%s: not all tables were found: %s", in.names[0], errorText(c.problem))
	}
	return nil
}

// showContents writes what is in a file as JSON or as text.
func (a *app) showContents(o *inspectFlags, c *contents, name string) error {
	if o.json {
		w := bufio.NewWriterSize(text.Safe(a.out), 64<<10)
		return errors.Join(c.writeJSON(w, name, o.long, o.far.Counts()), w.Flush())
	}
	s := a.screen(&o.display)
	if _, lines := text.Size(a.out); lines > 0 && !o.noPager {
		var page bytes.Buffer
		s.W = &page
		if err := c.writeText(s, name, o); err != nil {
			return err
		}
		return text.Page(a.ctx, a.out, lines, page.Bytes())
	}
	w := bufio.NewWriterSize(a.out, 64<<10)
	s.W = w
	return errors.Join(c.writeText(s, name, o), w.Flush())
}

// contents is what inspect shows of a file.
type contents struct {
	file     *arrowmap.File
	below    string
	size     int64
	tables   []*arrowmap.Table
	datasets []dataset
	groups   []group            // each before those below it
	problem  error              // why not all tables were found
	broken   int                // columns, datasets and other objects that can't be described
	paths    map[uint64]string  // of datasets, by address; made when it is needed
	similar  map[string][]alike // by the path of the group
}

// alike are members of a group that are not described, since a table has the rows of all of them.
type alike struct {
	names []string // of members, in the file's order
	count int      // how many were passed over
	like  string   // the table
}

// group is a group and its members, but for groups.
type group struct {
	path     string
	object   *h5.Group
	datasets []int // in contents.datasets
	links    []h5.Link
	types    []*h5.NamedType
}

// dataset is a dataset, or an object that can't be opened and may be one.
type dataset struct {
	path    string
	object  *h5.Dataset
	aliases []string
	column  *arrowmap.Column
	err     error
}

// describe collects the tables and datasets of a file at and below a path. Unless all is set, groups that are rows of a table
// and have no table of their own in the list are counted only, but for the first.
func describe(f *arrowmap.File, below string, all bool) (*contents, error) {
	c := &contents{file: f, below: below, size: f.H5().Source().Size(), similar: map[string][]alike{}}
	var err error
	if below == "/" {
		c.tables, c.problem = f.Tables()
		if !all {
			c.leaveOut()
		}
		err = c.walk(f, f.H5().Root())
	} else {
		err = c.restrict(f, below)
	}
	if err != nil {
		return nil, err
	}
	c.count()
	return c, nil
}

// count counts what can't be described; a dataset that is a column too, once.
func (c *contents) count() {
	seen := map[string]bool{}
	one := func(path string, err error) {
		if broken(err) && !seen[path] {
			seen[path] = true
			c.broken++
		}
	}
	for _, t := range c.tables {
		one(t.Path()+"\x00", t.Lengths())
		for _, col := range t.Columns() {
			path := col.Path
			if path == "" {
				path = t.Path() + "\x00" + col.Name
			}
			one(path, col.Err)
		}
	}
	for _, d := range c.datasets {
		one(d.path, d.err)
	}
	if broken(c.problem) && c.broken == 0 {
		c.broken++
	}
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
	e := dataset{path: path, object: d, err: err}
	if d != nil {
		e.column = f.Describe(d)
		e.err = e.column.Err
	}
	c.datasets = append(c.datasets, e)
}

// leaveOut notes the groups that are rows of tables, but for the first of each table, where the groups are too many for tables
// of their own.
func (c *contents) leaveOut() {
	for _, t := range c.tables {
		if parent, names := t.StackedGroups(); len(names) > detect.MaxListed {
			c.similar[parent] = append(c.similar[parent], alike{names: names[1:], like: t.Path()})
		}
	}
}

// leftOut reports whether a member of a group is only counted. It is asked about all members in the file's order.
func (c *contents) leftOut(parent, name string) bool {
	found := false
	for i := range c.similar[parent] {
		s := &c.similar[parent][i]
		if s.count < len(s.names) && s.names[s.count] == name {
			s.count++
			found = true
		}
	}
	return found
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
		links, err := g.AllLinks()
		c.groups = append(c.groups, group{path: g.Path(), object: g})
		this := &c.groups[len(c.groups)-1]
		if err != nil {
			this.datasets = append(this.datasets, len(c.datasets))
			c.add(f, nil, g.Path(), err)
		}
		var inner []*h5.Group
		for l := range links {
			if l.Kind == h5.LinkHard && c.leftOut(g.Path(), l.Name) {
				continue
			}
			if l.Kind != h5.LinkHard {
				this.links = append(this.links, l)
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
				return h5err.In(h5err.Over("h5.Limits.Links", 2*uint64(limit), "more than %d objects", limit), f.H5().Name(), path)
			}
			seen[l.Address] = isGroup
			o, err := f.H5().ObjectAt(l.Address, path)
			switch o := o.(type) {
			case *h5.Group:
				inner = append(inner, o)
			case *h5.Dataset:
				seen[l.Address] = len(c.datasets)
				this.datasets = append(this.datasets, len(c.datasets))
				c.add(f, o, path, nil)
			case *h5.NamedType:
				this.types = append(this.types, o)
			default:
				if err != nil {
					seen[l.Address] = len(c.datasets)
					this.datasets = append(this.datasets, len(c.datasets))
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

func (c *contents) writeJSON(w *bufio.Writer, name string, long bool, io *remote.Counts) error {
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
		if err := t.Lengths(); err != nil {
			b = text.AppendString(text.AppendKey(b, "error"), errorText(err))
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
			if long {
				b = c.appendLong(b, c.at(col.Path))
			}
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
			if long {
				b = c.appendLong(b, d.object)
			}
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
	b = c.appendGroups(w, b, long)
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
	if b = text.AppendKey(b, "shape"); c.Null {
		b = append(b, "null"...)
	} else {
		b = appendNumbers(b, c.Shape)
	}
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

func appendNumbers(b []byte, list []uint64) []byte {
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendUint(b, n, 10)
	}
	return append(b, ']')
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
