package main

import (
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/format"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc"
)

// headFlags are the flags of head.
type headFlags struct {
	selection
	n    int64
	json bool
}

func (a *app) headCommand() *cobra.Command {
	o := &headFlags{}
	cmd := &cobra.Command{
		Use:   "head FILE...",
		Short: "Print the first rows of a table",
		Long: `head prints the first rows of a table, under the names and the Arrow types of its columns. It also reads Arrow IPC files
and streams (` + format.Readable("and") + `).`,
		Example: `  h5arrow head data.h5
  h5arrow head data.h5 -n 3 --table /events --columns time,energy
  h5arrow head data.h5 --rows 1000000: --json
  h5arrow head data.arrow`,
		Args: argCount(1, -1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.head(cmd, o, args) },
	}
	f := cmd.Flags()
	f.Int64VarP(&o.n, "lines", "n", 10, "number of rows")
	o.selection.add(cmd)
	f.BoolVar(&o.json, "json", false, "print the rows as a JSON array of objects")
	return cmd
}

func (a *app) head(cmd *cobra.Command, o *headFlags, args []string) error {
	if o.n < 0 {
		return usage("-n %d: the number of rows is negative", o.n)
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	limit := memory.Max(int64(o.memory))
	defer memory.Limit(limit)()
	names, err := o.expand(a.ctx, args)
	if err != nil {
		return err
	}
	if format.IsReadable(names[0]) && !far.IsURL(names[0]) {
		return a.headArrow(o, names, limit)
	}
	in, err := o.open(a.ctx, names)
	if err != nil {
		return err
	}
	defer in.close()
	t, err := o.choose(in)
	if err != nil {
		return err
	}
	a.incomplete(in)
	o.notes(a, t)
	if t.Table, err = t.Slice(0, o.n); err != nil {
		return err
	}
	o.skipBroken(a, t, nil, o.readOptions(limit-limit/4)...)
	r, err := t.Reader(a.ctx, o.readOptions(limit-limit/4)...)
	if err != nil {
		return err
	}
	rr, err := o.addFilename(r, t)
	if err != nil {
		return err
	}
	defer rr.Release()
	if err := a.printRows(rr, o.json, nil); err != nil {
		return err
	}
	o.say(a, valueNotes(r.Report()))
	return in.unchanged()
}

// headArrow is head for Arrow IPC data.
func (a *app) headArrow(o *headFlags, names []string, limit int64) error {
	if len(names) > 1 {
		return usage("head takes one Arrow file at a time, not also %q", names[1])
	}
	if o.named() || o.filename {
		return about(names[0], usage("--table, --stack, --dataset and --filename are not for Arrow files"))
	}
	r, err := ipc.Open(names[0], ipc.WithMaxMemory(limit-limit/4))
	if err != nil {
		return err
	}
	defer r.Release()
	var columns []int
	for _, name := range o.columns {
		at := r.Schema().FieldIndices(name)
		if len(at) == 0 {
			return about(names[0], usage("no column %s", name))
		}
		columns = append(columns, at[0])
	}
	if columns == nil {
		for i := range r.Schema().NumFields() {
			columns = append(columns, i)
		}
	}
	window := &rows.Window{RecordReader: r, From: o.rows.A, N: o.n}
	if o.rows.B >= 0 && o.rows.Given() {
		window.N = min(window.N, o.rows.B-o.rows.A)
	}
	err = safely(names[0], func() error { return a.printRows(window, o.json, columns) })
	if err == nil && window.Seen() < o.rows.A {
		err = about(names[0], usage("rows from %d on of %d rows", o.rows.A, window.Seen()))
	}
	return err
}

// safely runs fn, which reads arrays of a file that were not checked: some defects show only now, as a panic.
func safely(name string, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = about(name, h5err.New(h5err.Corrupt, "broken Arrow data: %v", p))
		}
	}()
	return fn()
}

// printRows prints the given columns of all rows, or all columns.
func (a *app) printRows(rr array.RecordReader, json bool, columns []int) error {
	if columns == nil {
		for i := range rr.Schema().Fields() {
			columns = append(columns, i)
		}
	}
	return source.Guard(func() error {
		if json {
			return rows.PrintJSON(a.out, rr, columns)
		}
		return rows.PrintGrid(a.out, rr, columns)
	})
}
