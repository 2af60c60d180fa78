package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/garbage"
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
	defer garbage.SetPercent(garbage.SetPercent(400))
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
	for i := range c.datasets {
		if i > 0 {
			b = append(b, ',')
		}
		b = spill(w, c.appendDataset(b, i, long))
	}
	b = append(b, ']')
	b = c.appendGroups(w, b, long)
	if io != nil {
		b = fmt.Appendf(text.AppendKey(b, "io"), `{"requests": %d, "bytes": %d, "cache_hits": %d, "retries": %d}`, io.Requests, io.Bytes, io.CacheHits, io.Retries)
	}
	_, err := w.Write(append(b, "}\n"...))
	return err
}

// appendDataset appends the object of a dataset.
func (c *contents) appendDataset(b []byte, i int, long bool) []byte {
	d := &c.datasets[i]
	b = append(b, "\n  {"...)
	if column := c.column(d); column != nil {
		b = appendColumn(b, column, c.pathOf(d))
		if long {
			b = c.appendLong(b, c.object(d))
		}
	} else {
		b = text.AppendString(text.AppendKey(b, "name"), d.name[strings.LastIndexByte(d.name, '/')+1:])
		b = text.AppendString(text.AppendKey(b, "path"), c.pathOf(d))
		b = text.AppendString(text.AppendKey(b, "error"), errorText(d.err))
	}
	if list := c.aliases[i]; len(list) > 0 {
		b = text.AppendStrings(text.AppendKey(b, "aliases"), list)
	}
	return append(b, '}')
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
