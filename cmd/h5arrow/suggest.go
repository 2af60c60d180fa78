package main

import (
	"errors"
	"path"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// suggest adds to an error about a path that does not exist the path that it may mean: that of a table of this name, or of a
// member of the same group with a name that is nearly the same.
func suggest(f *arrowmap.File, err error) error {
	e, ok := errors.AsType[*h5err.Error](err)
	if !ok || e.Kind != h5err.NotFound || e.Object == "" || e.Hint != "" {
		return err
	}
	if near := nearest(f, e.Object); near != "" {
		hinted := *e
		return hinted.WithHint("did you mean %s?", near)
	}
	return err
}

func nearest(f *arrowmap.File, p string) string {
	tables, _ := f.Tables() // those that were found will do
	names := make([]string, 0, len(tables))
	for _, t := range tables {
		if path.Base(t.Path()) == path.Base(p) {
			return t.Path()
		}
		names = append(names, t.Path())
	}
	dir, base := path.Split(p)
	if o, err := f.H5().Lookup(dir); err == nil {
		if g, ok := o.(*h5.Group); ok {
			links, _ := g.Links()
			members := make([]string, len(links))
			for i, l := range links {
				members[i] = l.Name
			}
			if near := h5err.Closest(base, members); near != "" {
				return dir + near
			}
		}
	}
	return h5err.Closest(p, names)
}

// complete completes the flags of a selection by what is in the file that the command line names.
func (s *selection) complete(cmd *cobra.Command) {
	for flag, fn := range map[string]func(args []string, typed string) ([]string, cobra.ShellCompDirective){
		"table": s.completeTables, "dataset": s.completeDatasets, "columns": s.completeColumns,
	} {
		// It fails only for a flag that does not exist.
		_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			return fn(args, typed)
		})
	}
}

// withFile calls fn with the first file of a command line, if it can be opened by the rules of its flags. Completion says
// nothing about errors, and asks no server.
func (r *reading) withFile(args []string, fn func(f *arrowmap.File)) {
	if len(args) == 0 || far.IsURL(args[0]) {
		return
	}
	names, err := expandPath(args[0])
	if err != nil {
		return
	}
	opts, err := r.options()
	if err != nil {
		return
	}
	f, err := arrowmap.Open(names[0], opts...)
	if err != nil {
		return
	}
	defer f.Close()
	fn(f)
}

// candidate adds a candidate and its description to those of a completion. Names that can't be typed are left out.
func candidate(list []string, name, typed, what string) []string {
	if !strings.HasPrefix(name, typed) || text.Printable(name) != name {
		return list
	}
	if what != "" {
		name += "\t" + text.Printable(what)
	}
	return append(list, name)
}

func (r *reading) completeTables(args []string, typed string) (list []string, _ cobra.ShellCompDirective) {
	r.withFile(args, func(f *arrowmap.File) {
		tables, _ := f.Tables()
		for _, t := range tables {
			list = candidate(list, t.Path(), typed, t.Convention()+" table: "+text.Plural(len(t.Columns()), "column")+" of "+rowsText(t))
		}
	})
	return list, cobra.ShellCompDirectiveNoFileComp
}

// completePaths completes the next part of a path in a file.
func (r *reading) completePaths(args []string, typed string) (list []string, d cobra.ShellCompDirective) {
	d = cobra.ShellCompDirectiveNoFileComp
	r.withFile(args, func(f *arrowmap.File) {
		dir := typed[:strings.LastIndexByte(typed, '/')+1]
		o, err := f.H5().Lookup(dir)
		if err != nil {
			return
		}
		g, ok := o.(*h5.Group)
		if !ok {
			return
		}
		if dir == "" {
			dir = "/"
			typed = "/" + typed
		}
		links, _ := g.Links()
		for _, l := range links {
			name, what := dir+l.Name, ""
			switch o, _ := g.OpenLink(l); o := o.(type) {
			case *h5.Group:
				name += "/"
				d |= cobra.ShellCompDirectiveNoSpace
			case *h5.Dataset:
				what = o.Type().String()
			}
			list = candidate(list, name, typed, what)
		}
	})
	return list, d
}

// completeDatasets completes the last of a list of paths.
func (r *reading) completeDatasets(args []string, typed string) ([]string, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	list, d := r.completePaths(args, typed[len(before):])
	for i := range list {
		list[i] = before + list[i]
	}
	return list, d
}

// unknownFlag returns the error of flags that can't be parsed. For one that is not known it names the flag that may be meant.
func unknownFlag(cmd *cobra.Command, err error) error {
	e := usage("%s", err)
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if near := h5err.Closest(unknown.GetSpecifiedName(), names); near != "" && len(unknown.GetSpecifiedName()) > 1 {
			return e.WithHint("did you mean --%s?", near)
		}
	}
	return e.WithHint("see `%s --help`", cmd.CommandPath())
}

// completeColumns completes the last of a list of columns.
func (s *selection) completeColumns(args []string, typed string) (list []string, _ cobra.ShellCompDirective) {
	s.withFile(args, func(f *arrowmap.File) {
		t, err := s.one(f)
		if err != nil {
			return
		}
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		given := "," + before
		for _, c := range t.Columns() {
			if c.Type != nil && !strings.ContainsAny(c.Name, `,"`) && !strings.Contains(given, ","+c.Name+",") {
				list = candidate(list, before+c.Name, typed, c.Type.String())
			}
		}
	})
	return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
