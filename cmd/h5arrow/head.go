package main

import (
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/format"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc"
)

// headFlags are the flags of head and tail.
type headFlags struct {
	selection
	display
	n      int64
	sample flags.Positive
	json   bool
	last   bool // the last rows
}

func (a *app) headCommand() *cobra.Command {
	o := &headFlags{}
	cmd := o.command(a, &cobra.Command{
		Use:   "head FILE...",
		Short: "Print the first rows of a table",
		Long: `head prints the first rows of a table, under the names and the Arrow types of its columns. Columns that do not fit the
terminal are named below it. Of a manifest (index --manifest), or with --file-attributes, few files are open at a time. head also reads Arrow IPC files and streams (` + format.Readable("and") + `).`,
		Example: `  h5arrow head data.h5
  h5arrow head data.h5 -n 3 --table /events --columns time,energy
  h5arrow head data.h5 --where 'energy > 5 and site is not null'
  h5arrow head data.h5 --rows 1000000: --json
  h5arrow head data.h5 --sample 20
  h5arrow head data.arrow`,
	})
	o.addWhere(cmd)
	cmd.Flags().Var(&o.sample, "sample", "print so many rows from all over the table instead, the same ones each time")
	return cmd
}

func (a *app) tailCommand() *cobra.Command {
	o := &headFlags{last: true}
	return o.command(a, &cobra.Command{
		Use:   "tail FILE...",
		Short: "Print the last rows of a table",
		Long: `tail prints the last rows of a table, as head prints the first ones. It also reads Arrow IPC files and streams
(` + format.Readable("and") + `).`,
		Example: `  h5arrow tail data.h5
  h5arrow tail data.h5 -n 3 --table /events --columns time,energy`,
	})
}

// command adds what head and tail have in common.
func (o *headFlags) command(a *app, cmd *cobra.Command) *cobra.Command {
	cmd.Args = argCount(1, -1, "a file")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.head(cmd, o, args) }
	f := cmd.Flags()
	f.Int64VarP(&o.n, "lines", "n", 10, "number of rows")
	o.selection.add(cmd)
	o.addAttributes(cmd)
	f.BoolVar(&o.json, "json", false, "print the rows as a JSON array of objects")
	o.display.add(cmd)
	return cmd
}

// maxSample bounds --sample: each row is read by itself.
const maxSample = 10000

func (a *app) head(cmd *cobra.Command, o *headFlags, args []string) error {
	switch {
	case o.n < 0:
		return usage("-n %d: the number of rows is negative", o.n)
	case o.sample > maxSample:
		return usage("--sample %d: at most %d rows", o.sample, maxSample)
	case o.sample > 0 && (o.filename || cmd.Flags().Changed("lines")):
		return usage("--sample excludes -n and --filename")
	case o.sample > 0 && cmd.Flags().Changed("where"):
		return usage("--sample and --where exclude each other").WithHint("choose among such rows with `h5arrow query`")
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	limit := a.maxMemory(o.memory)
	defer memory.Limit(limit)()
	switch t, _, err := o.many(a, args); {
	case err != nil:
		return err
	case t != nil:
		return a.headMany(o, t, limit)
	}
	names, err := o.expand(a.ctx, args)
	if err != nil {
		return err
	}
	if format.IsReadable(names[0]) && !far.IsURL(names[0]) {
		return a.headArrow(o, names, limit)
	}
	in, t, err := o.openTable(a, names)
	if err != nil {
		return err
	}
	defer in.close()
	if t.where == nil {
		if err := o.part(t); err != nil {
			return err
		}
	}
	o.skipBroken(a, t, nil, o.readOptions(limit-limit/4)...)
	opts := o.readOptions(limit - limit/4)
	if t.where != nil { // the first rows may be enough
		opts = append(opts, arrowmap.WithSlowStart())
	}
	r, err := o.reader(a.ctx, t, opts...)
	if err != nil {
		return err
	}
	rr, err := o.addFilename(r, t)
	if err != nil {
		return err
	}
	defer rr.Release()
	if t.where != nil {
		rr = &rows.Window{RecordReader: rr, N: o.n}
	}
	if err := a.printRows(a.screen(&o.display), rr, o.json, rows.Grid{}); err != nil {
		return err
	}
	o.say(a, valueNotes(r.Report()))
	return in.unchanged()
}

// part takes the rows that are printed from a table.
func (o *headFlags) part(t *chosen) (err error) {
	switch {
	case o.sample > 0:
		t.Table, err = sample(t.Table, int64(o.sample))
	case o.last:
		from := max(0, t.Rows()-o.n)
		t.first += from
		t.Table, err = t.Slice(from, -1)
	default:
		t.Table, err = t.Slice(0, o.n)
	}
	return err
}

// sample returns n rows of a table: one from each of n ranges of about one length, chosen at random, but the same each time.
func sample(t *arrowmap.Table, n int64) (*arrowmap.Table, error) {
	all := t.Rows()
	if n >= all {
		return t.Slice(0, -1)
	}
	random := rand.New(rand.NewPCG(1, uint64(all)))
	parts := make([]*arrowmap.Table, n)
	for i := range parts {
		from := mulDiv(int64(i), all, n)
		row := from + random.Int64N(mulDiv(int64(i)+1, all, n)-from)
		var err error
		if parts[i], err = t.Slice(row, row+1); err != nil {
			return nil, err
		}
	}
	return arrowmap.Concat(parts...)
}

// mulDiv returns a*b/c for numbers from 0 on, where a <= c.
func mulDiv(a, b, c int64) int64 {
	high, low := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(high, low, uint64(c))
	return int64(q)
}

// headArrow is head and tail for Arrow IPC data.
func (a *app) headArrow(o *headFlags, names []string, limit int64) error {
	if len(names) > 1 {
		return usage("%s takes one Arrow file at a time, not also %q", verb(o.last), names[1])
	}
	if o.named() || o.filename || o.sample > 0 || o.conditions != nil {
		return about(names[0], usage("--table, --stack, --dataset, --filename, --sample and --where are not for Arrow files"))
	}
	if o.rows.A < 0 {
		return about(names[0], usage("--rows %s: rows of Arrow files are not counted from the end", o.rows.String()).WithHint("use `h5arrow tail`"))
	}
	r, err := ipc.Open(names[0], ipc.WithMaxMemory(limit-limit/4))
	if err != nil {
		return err
	}
	var rr array.RecordReader = r
	defer func() { rr.Release() }()
	var columns []int
	for _, name := range o.columns {
		at := r.Schema().FieldIndices(name)
		if len(at) == 0 {
			return about(names[0], usage("no column %s", name))
		}
		columns = append(columns, at[0])
	}
	window := &rows.Window{RecordReader: r, From: o.rows.A, N: math.MaxInt64}
	if o.rows.B >= 0 && o.rows.Given() {
		window.N = o.rows.B - o.rows.A
	}
	if rr = window; o.last {
		rr = rows.Last(window, o.n)
	} else {
		window.N = min(window.N, o.n)
	}
	err = safely(names[0], func() error {
		return a.printRows(a.screen(&o.display), rr, o.json, rows.Grid{Columns: columns})
	})
	if err == nil && window.Seen() < o.rows.A {
		err = about(names[0], usage("rows from %d on of %d rows", o.rows.A, window.Seen()))
	}
	return err
}

func verb(last bool) string {
	if last {
		return "tail"
	}
	return "head"
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

// printRows prints rows, for people or as JSON. A grid without columns gets all of them.
func (a *app) printRows(s *text.Screen, rr array.RecordReader, json bool, g rows.Grid) error {
	if g.Columns == nil {
		for i := range rr.Schema().Fields() {
			g.Columns = append(g.Columns, i)
		}
	}
	return source.Guard(func() error {
		if json {
			return rows.PrintJSON(text.Safe(a.out), rr, g.Columns)
		}
		return g.Print(s, rr)
	})
}
