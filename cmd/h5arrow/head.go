package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
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
		Long: `head prints the first rows of a table, under the names and the Arrow types of its columns. It also takes what convert
writes: Arrow files and streams (.arrow, .feather, .arrows).`,
		Example: `  h5arrow head data.h5
  h5arrow head data.h5 -n 3 --table /events --columns time,energy
  h5arrow head data.h5 --rows 1000000: --json
  h5arrow head data.arrow`,
		Args: atLeast(1, -1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.head(cmd, o, args) },
	}
	f := cmd.Flags()
	f.Int64VarP(&o.n, "lines", "n", 10, "how many rows")
	o.selection.add(cmd)
	f.BoolVar(&o.json, "json", false, "print the rows as a JSON array of objects")
	return cmd
}

func (a *app) head(cmd *cobra.Command, o *headFlags, args []string) error {
	if o.n < 0 {
		return usage("-n %d: a number of rows is not negative", o.n)
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	limit := maxMemory(o.memory)
	defer limitMemory(limit)()
	names, err := expand(args)
	if err != nil {
		return err
	}
	if isArrow(names[0]) {
		return a.headArrow(o, names, limit)
	}
	in, err := o.open(names)
	if err != nil {
		return err
	}
	defer in.close()
	t, err := o.choose(in)
	if err != nil {
		return err
	}
	a.incomplete(in)
	if !o.quiet {
		for _, err := range t.skipped {
			a.note("left out: %s", errorText(err))
		}
	}
	if t.Table, err = firstRows(t.Table, o.n); err != nil {
		return err
	}
	r, err := t.Reader(a.ctx, o.readOptions(limit-limit/4)...)
	if err != nil {
		return err
	}
	var rr array.RecordReader = r
	if o.filename {
		if rr, err = addFilenames(r, t.files, t.first); err != nil {
			r.Release()
			return err
		}
	}
	defer rr.Release()
	if err := a.printRows(rr, o, nil); err != nil {
		return err
	}
	return in.unchanged()
}

// firstRows cuts a table off after n rows.
func firstRows(t *arrowmap.Table, n int64) (*arrowmap.Table, error) { return t.Slice(0, n) }

// isArrow tells by its name whether a file is Arrow's.
func isArrow(name string) bool {
	return slices.Contains([]string{".arrow", ".feather", ".arrows"}, strings.ToLower(filepath.Ext(name)))
}

// headArrow is head for what convert writes.
func (a *app) headArrow(o *headFlags, names []string, limit int64) error {
	if len(names) > 1 {
		return usage("head takes one Arrow file at a time, not also %q", names[1])
	}
	if o.table != "" || len(o.datasets) > 0 || o.filename {
		return usageAt(names[0], "an Arrow file has no --table, --dataset or --filename to choose by")
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
			return usageAt(names[0], "no column "+name)
		}
		columns = append(columns, at[0])
	}
	if columns == nil {
		for i := range r.Schema().NumFields() {
			columns = append(columns, i)
		}
	}
	rows := &rowWindow{RecordReader: r, from: o.rows.a, n: o.n}
	if o.rows.b >= 0 && o.rows.text != "" {
		rows.n = min(rows.n, o.rows.b-o.rows.a)
	}
	err = safely(names[0], func() error { return a.printRows(rows, o, columns) })
	if err == nil && rows.seen < o.rows.a {
		err = usageAt(names[0], fmt.Sprintf("rows from %d on of %d rows", o.rows.a, rows.seen))
	}
	return err
}

// safely runs fn, which reads arrays that were taken from a file as they are: some defects show only now, as a panic.
func safely(name string, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &h5err.Error{Kind: h5err.Corrupt, File: name, Offset: h5err.NoOffset, Msg: fmt.Sprintf("broken Arrow data: %v", p)}
		}
	}()
	return fn()
}

// rowWindow leaves out the rows before from and those after the next n.
type rowWindow struct {
	array.RecordReader
	from, n int64
	seen    int64 // rows of the reader below
	rec     arrow.RecordBatch
}

// Next moves to the next batch.
func (w *rowWindow) Next() bool {
	if w.rec != nil {
		w.rec.Release()
		w.rec = nil
	}
	for w.n > 0 && w.RecordReader.Next() {
		rec := w.RecordReader.RecordBatch()
		a := min(max(w.from-w.seen, 0), rec.NumRows())
		b := min(a+w.n, rec.NumRows())
		w.seen += rec.NumRows()
		if a < b {
			w.n -= b - a
			w.rec = rec.NewSlice(a, b)
			return true
		}
	}
	return false
}

// RecordBatch is the current batch.
func (w *rowWindow) RecordBatch() arrow.RecordBatch { return w.rec }

// What is printed goes out in parts when it is more than this.
const (
	gridRows  = 20000
	jsonBytes = 1 << 20
)

// printRows prints all rows of a reader, of the given columns or all.
func (a *app) printRows(rr array.RecordReader, o *headFlags, columns []int) error {
	if columns == nil {
		for i := range rr.Schema().Fields() {
			columns = append(columns, i)
		}
	}
	return source.Guard(func() error {
		if o.json {
			return a.printJSON(rr, columns)
		}
		return a.printGrid(rr, columns)
	})
}

func (a *app) printGrid(rr array.RecordReader, columns []int) error {
	fields := rr.Schema().Fields()
	g := grid{}
	names, types := make([]cell, len(columns)), make([]cell, len(columns))
	for i, c := range columns {
		names[i] = cell{cut(printable(fields[c].Name), maxCell), rightAligned(fields[c].Type)}
		types[i] = cell{cut(typeText(fields[c].Type), maxCell), names[i].right}
	}
	g.add(names)
	g.add(types)
	for rr.Next() {
		rec := rr.RecordBatch()
		for i := range int(rec.NumRows()) {
			row := make([]cell, len(columns))
			for k, c := range columns {
				row[k] = cell{strings.Clone(cut(valueText(rec.Column(c), i), maxCell)), names[k].right} // the text may be that of the batch
			}
			g.add(row)
		}
		if len(g.rows) > gridRows { // what comes has the widths of what came
			if err := g.write(a.out); err != nil {
				return err
			}
			g.rows = g.rows[:0]
		}
	}
	if rr.Err() != nil {
		return rr.Err()
	}
	return g.write(a.out)
}

func (a *app) printJSON(rr array.RecordReader, columns []int) error {
	fields := rr.Schema().Fields()
	out, more := []byte("["), false
	for rr.Next() {
		rec := rr.RecordBatch()
		for i := range int(rec.NumRows()) {
			if more || len(out) > 1 {
				out = append(out, ",\n "...)
			}
			out = append(out, '{')
			for k, c := range columns {
				if k > 0 {
					out = append(out, ", "...)
				}
				out = appendString(out, fields[c].Name)
				out = append(out, ": "...)
				value, err := json.Marshal(jsonValue(rec.Column(c), i))
				if err != nil {
					return err
				}
				out = append(out, value...)
			}
			out = append(out, '}')
		}
		if len(out) > jsonBytes {
			if _, err := a.out.Write(out); err != nil {
				return err
			}
			out = out[:0]
			more = true
		}
	}
	if rr.Err() != nil {
		return rr.Err()
	}
	_, err := a.out.Write(append(out, "]\n"...))
	return err
}

// jsonValue is a value as JSON takes it. What JSON lacks (NaN and the infinities) is text.
func jsonValue(arr arrow.Array, i int) any {
	if arrow.IsDecimal(arr.DataType().ID()) && arr.IsValid(i) { // not text: it is a number in JSON too
		return json.Number(arr.ValueStr(i))
	}
	v := arr.GetOneForMarshal(i)
	if _, err := json.Marshal(v); err != nil {
		var bad *json.UnsupportedValueError
		if errors.As(err, &bad) {
			return arr.ValueStr(i)
		}
	}
	return v
}

// maxCell is the width beyond which a value is cut, in characters.
const maxCell = 36

// cell is one field of a grid.
type cell struct {
	text  string
	right bool // aligned to the right
}

func rightAligned(t arrow.DataType) bool {
	return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID())
}

// valueText is a value for people.
func valueText(arr arrow.Array, i int) string {
	if arr.IsNull(i) {
		return "null"
	}
	if d, ok := arr.(*array.Dictionary); ok {
		return valueText(d.Dictionary(), d.GetValueIndex(i))
	}
	return printable(arr.ValueStr(i))
}

// printable is text that does nothing to a terminal and is valid UTF-8: other bytes are shown as escapes.
func printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		s = s[n:]
	}
	return b.String()
}

// cut shortens text to n characters.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	return string([]rune(s)[:n-1]) + "…"
}

// grid is text in columns.
type grid struct {
	rows   [][]cell
	widths []int
	indent string
}

func (g *grid) add(row []cell) {
	g.rows = append(g.rows, row)
	for i, c := range row {
		if i == len(g.widths) {
			g.widths = append(g.widths, 0)
		}
		g.widths[i] = max(g.widths[i], utf8.RuneCountInString(c.text))
	}
}

// texts adds a row of fields that are aligned to the left.
func (g *grid) texts(fields ...string) {
	row := make([]cell, len(fields))
	for i, f := range fields {
		row[i].text = f
	}
	g.add(row)
}

func (g *grid) write(w io.Writer) error {
	var b strings.Builder
	for _, row := range g.rows {
		line := g.indent
		for i, c := range row {
			pad := strings.Repeat(" ", g.widths[i]-utf8.RuneCountInString(c.text))
			if i > 0 {
				line += "  "
			}
			if c.right {
				line += pad + c.text
			} else {
				line += c.text + pad
			}
		}
		b.WriteString(strings.TrimRight(line, " "))
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}
