package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// queryFlags are the flags of query.
type queryFlags struct {
	selection
	json, csv   bool
	out         string
	compression *choice
	force       bool
	stats       bool
	access      bool
	noPushdown  bool
}

func (a *app) queryCommand() *cobra.Command {
	o := &queryFlags{}
	cmd := &cobra.Command{
		Use:   "query FILE... SQL",
		Short: "Answer an SQL statement over the tables of files",
		Long: `query answers an SQL statement by an embedded DuckDB. Each table is a view, named by its path ("/runs/events") and by the
path's last part (events) where no other table has that name; the table of the root group is named "/" and like its file.
Several files of one schema, or a pattern in quotes, are one table for each path.

Nothing is loaded before: only the columns that the statement uses are decoded, and only the rows that it asks for.

The result is printed as a table, as JSON or as CSV, or written as Arrow or Parquet data (--output), by the name's suffix as
in convert. DuckDB reaches neither files nor the network, and takes only statements that read, unless --engine-io is given.`,
		Example: `  h5arrow query data.h5 'select vendor, avg(fare) from events group by vendor'
  h5arrow query data.h5 'select * from "/runs/a" join "/runs/b" using (id)' --json
  h5arrow query 'runs/*.h5' --filename 'select filename, count(*) from events group by all'
  h5arrow query data.h5 'select * from events where fare > 100' -o large.parquet`,
		Args: atLeast(2, -1, "a file and a statement"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.query(cmd, o, args) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "print the rows as a JSON array of objects")
	f.BoolVar(&o.csv, "csv", false, "print the rows as CSV: a null is an empty field, empty text is \"\"")
	f.StringVarP(&o.out, "output", "o", "", "write the rows to this `FILE`: .arrow, .feather, .arrows or .parquet; - is an Arrow stream on stdout")
	o.compression = choose(cmd, "compression", "codec of --output; snappy is for Parquet alone, where the default is zstd", codecs...)
	f.BoolVar(&o.force, "force", false, "overwrite the file of --output")
	f.BoolVar(&o.stats, "stats", false, "print what was read of each column as JSON, on stderr")
	f.BoolVar(&o.access, "engine-io", false, "let DuckDB reach files and the network, and change settings")
	o.selection.add(cmd)
	f.BoolVar(&o.noPushdown, "no-pushdown", false, "leave all conditions and casts to DuckDB")
	_ = f.MarkHidden("no-pushdown") // it fails only for a flag that does not exist
	return cmd
}

// checkOutput refuses outputs that contradict each other.
func (o *queryFlags) checkOutput() error {
	given := 0
	for _, b := range []bool{o.json, o.csv, o.out != ""} {
		if b {
			given++
		}
	}
	if given > 1 {
		return usage("--json, --csv and --output exclude each other")
	}
	return nil
}

func (a *app) query(cmd *cobra.Command, o *queryFlags, args []string) error {
	if err := errors.Join(o.check(cmd), o.checkOutput()); err != nil {
		return err
	}
	limit := maxMemory(o.memory)
	defer limitMemory(limit / 2)()
	statement := args[len(args)-1]
	names, err := expand(args[:len(args)-1])
	if err != nil {
		return err
	}
	w, err := a.rowWriter(cmd, o, names, limit)
	if err != nil {
		return err
	}
	starting := engine.Start(engine.Options{Threads: int(o.workers), MaxMemory: limit, Access: o.access, NoPushdown: o.noPushdown,
		Read: []arrowmap.ReadOption{arrowmap.WithWorkers(int(o.workers)), arrowmap.WithBatchRows(int64(o.batchRows)), arrowmap.WithBatchBytes(int64(o.batchBytes))}})
	defer starting.Close()
	in, err := o.open(names)
	if err != nil {
		return err
	}
	defer in.close()
	tables, err := a.engineTables(o, in)
	if err != nil {
		return err
	}
	a.incomplete(in)
	db, err := starting.Open(tables)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.Run(a.ctx, statement)
	if err != nil {
		return err
	}
	err = w(rows)
	rows.Release()
	if err == nil {
		err = in.unchanged()
	}
	if o.stats && err == nil {
		err = a.printStats(rows.Stats())
	}
	return err
}

// engineTables returns the selected tables, all where none is selected, and the names that they have in statements.
func (a *app) engineTables(o *queryFlags, in *inputs) ([]engine.Table, error) {
	var all []*chosen
	if o.table != "" || len(o.datasets) > 0 {
		t, err := o.choose(in)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	} else {
		paths, err := tablesByPath(in)
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			t, err := o.join(&inputs{names: p.names}, p.tables)
			if o.skip && h5err.Is(err, h5err.Unsupported) {
				a.note("left out: %s", errorText(err))
				continue
			}
			if err != nil {
				return nil, err
			}
			all = append(all, t)
		}
	}
	var tables []engine.Table
	for _, t := range all {
		if !o.quiet {
			for _, err := range t.skipped {
				a.note("left out: %s", errorText(err))
			}
		}
		et := engine.Table{Names: tableNames(t.Path(), in.names[0]), Table: t.Table}
		if o.filename {
			for _, c := range t.Columns() {
				if strings.EqualFold(c.Name, filenameColumn) {
					return nil, usage("--filename: the table %s has a column of that name already", t.Path())
				}
			}
			et.Files = t.fileRows()
		}
		tables = append(tables, et)
	}
	return tables, nil
}

// tableNames are the names of a table: its path, its last part or, for the root group, that of the file.
func tableNames(p, file string) []string {
	last := path.Base(p)
	if last == "/" || last == "." {
		p, last = "/", strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	return []string{p, last}
}

// fileRows are the files that the rows of the table are from, after Slice.
func (c *chosen) fileRows() []engine.FileRows {
	var out []engine.FileRows
	skip, left := c.first, c.Rows()
	for _, f := range c.files {
		n := min(max(f.rows-skip, 0), left)
		skip = max(skip-f.rows, 0)
		left -= n
		out = append(out, engine.FileRows{Name: printable(f.name), Rows: n})
	}
	return out
}

// rowWriter returns what the rows are to go through, having checked all that can be checked before.
func (a *app) rowWriter(cmd *cobra.Command, o *queryFlags, names []string, limit int64) (func(array.RecordReader) error, error) {
	switch {
	case o.csv:
		return a.printCSV, nil
	case o.out == "":
		return func(rr array.RecordReader) error {
			if fields := rr.Schema().Fields(); !o.json && len(fields) == 2 && fields[0].Name == "explain_key" && fields[1].Name == "explain_value" {
				return a.printPlan(rr)
			}
			return a.printRows(rr, &headFlags{json: o.json}, nil)
		}, nil
	}
	e := &encoding{form: arrowStream, workers: int(o.workers), rows: int64(o.batchRows), bytes: int64(o.batchBytes), memory: limit / 4}
	if e.workers == 0 {
		e.workers = runtime.GOMAXPROCS(0)
	}
	if cmd.Flags().Changed("compression") {
		e.codec = o.compression.value
	}
	write := func(rr array.RecordReader, w io.Writer) error {
		g := gathered(rr, int64(o.batchRows))
		defer g.drop()
		_, err := e.write(a.ctx, w, g)
		return err
	}
	if o.out == "-" {
		if f, ok := a.streams.out.(*os.File); ok && isTerminal(f) {
			return nil, usage("stdout is a terminal, Arrow data are not for reading").WithHint("redirect it or give a file")
		}
		return func(rr array.RecordReader) error { return named(write(rr, a.streams.out), "stdout") }, e.check()
	}
	to, err := checkTarget(o.out, o.force, names)
	if err != nil {
		return nil, err
	}
	if e.form, err = formOf(o.out, to.special); err != nil {
		return nil, err
	}
	return func(rr array.RecordReader) (err error) {
		out, err := a.create(to)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, out.close()) }()
		// Writing to a pipe that nobody reads waits for ever; other files have no deadlines and need none.
		defer context.AfterFunc(a.ctx, func() { out.SetWriteDeadline(time.Now()) })()
		if err := write(rr, out.File); err != nil {
			return named(err, to.path)
		}
		return out.commit()
	}, e.check()
}

// printPlan prints what EXPLAIN says, which is a picture.
func (a *app) printPlan(rr array.RecordReader) error {
	for rr.Next() {
		plan := rr.RecordBatch().Column(1)
		for i := range plan.Len() {
			for line := range strings.Lines(plan.ValueStr(i)) {
				if _, err := io.WriteString(a.out, printable(strings.TrimRight(line, "\n"))+"\n"); err != nil {
					return err
				}
			}
		}
	}
	return rr.Err()
}

// statsSummary is what --stats prints of a scan.
type statsSummary struct {
	Table   string         `json:"table"`
	Rows    int64          `json:"rows_read"`
	Late    int64          `json:"rows_read_late,omitempty"` // of the columns that were left until rows had been chosen
	Columns []columnReport `json:"columns"`
}

type columnReport struct {
	Name        string `json:"name"`
	Delivery    string `json:"delivery"`
	CopiedBytes int64  `json:"copied_bytes"`
	NullCount   int64  `json:"null_count"`
}

func (a *app) printStats(stats []engine.ScanStats) error {
	list := []statsSummary{}
	for _, s := range stats {
		sum := statsSummary{Table: printable(s.Table), Rows: s.Rows, Late: s.LateRows, Columns: []columnReport{}}
		for _, c := range s.Columns {
			sum.Columns = append(sum.Columns, columnReport{printable(c.Name), c.Delivery.String(), c.CopiedBytes, c.NullCount})
		}
		list = append(list, sum)
	}
	e := json.NewEncoder(a.err)
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Scans []statsSummary `json:"scans"`
	}{list})
}

// printCSV prints rows as CSV (RFC 4180, with lines that end in a newline alone). A null is an empty field; text that is
// empty stands in quotes.
func (a *app) printCSV(rr array.RecordReader) error {
	var b []byte
	for i, f := range rr.Schema().Fields() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCSV(b, f.Name)
	}
	b = append(b, '\n')
	for rr.Next() {
		rec := rr.RecordBatch()
		for i := range int(rec.NumRows()) {
			for k, c := range rec.Columns() {
				if k > 0 {
					b = append(b, ',')
				}
				if !c.IsNull(i) {
					b = appendCSV(b, csvText(c, i))
				}
			}
			b = append(b, '\n')
		}
		if len(b) > flushed {
			if _, err := a.out.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	if rr.Err() != nil {
		return rr.Err()
	}
	_, err := a.out.Write(b)
	return err
}

// flushed is the size from which text goes out.
const flushed = 1 << 16

func appendCSV(b []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, "\",\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// csvText is a value for CSV. The numbers inside lists and structs stand as in JSON.
func csvText(arr arrow.Array, i int) string {
	if d, ok := arr.(*array.Dictionary); ok {
		return csvText(d.Dictionary(), d.GetValueIndex(i))
	}
	if text, ok := arr.(interface{ Value(int) string }); ok {
		return text.Value(i)
	}
	return arr.ValueStr(i)
}

// gather is the rows of a batch up to which small ones are put together, and gatherBytes their size, about.
const (
	gather      = 1 << 17
	gatherBytes = 16 << 20
)

// gathering puts the small batches of the engine together.
type gathering struct {
	array.RecordReader
	most int64
	held []arrow.RecordBatch // taken from the reader and not handed out
	rec  arrow.RecordBatch
	err  error
	over bool
}

func gathered(rr array.RecordReader, rows int64) *gathering {
	if rows == 0 {
		rows = gather
	}
	return &gathering{RecordReader: rr, most: rows}
}

// Next moves to the next batch.
func (g *gathering) Next() bool {
	g.done()
	var rows, bytes int64
	for _, r := range g.held {
		rows += r.NumRows()
	}
	for !g.over && rows < g.most && bytes < gatherBytes {
		if !g.RecordReader.Next() {
			g.over = true
			break
		}
		r := g.RecordReader.RecordBatch()
		r.Retain()
		g.held = append(g.held, r)
		rows += r.NumRows()
		for _, c := range r.Columns() {
			bytes += int64(c.Data().SizeInBytes())
		}
	}
	if g.err = g.RecordReader.Err(); g.err != nil || rows == 0 {
		g.drop()
		return false
	}
	g.rec, g.err = g.join(min(rows, g.most))
	return g.err == nil
}

// join makes one batch of the first rows that are held.
func (g *gathering) join(rows int64) (arrow.RecordBatch, error) {
	var parts []arrow.RecordBatch
	var rest []arrow.RecordBatch
	left := rows
	for _, r := range g.held {
		n := min(left, r.NumRows())
		if n > 0 {
			parts = append(parts, r.NewSlice(0, n))
		}
		if n < r.NumRows() {
			rest = append(rest, r.NewSlice(n, r.NumRows()))
		}
		left -= n
		r.Release()
	}
	g.held = rest
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	if len(parts) == 1 {
		parts[0].Retain()
		return parts[0], nil
	}
	columns := make([]arrow.Array, g.Schema().NumFields())
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i := range columns {
		list := make([]arrow.Array, len(parts))
		for k, p := range parts {
			list[k] = p.Column(i)
		}
		var err error
		if columns[i], err = array.Concatenate(list, memory.DefaultAllocator); err != nil {
			return nil, h5err.Wrap(h5err.Unsupported, err, "column %s of the result can't be written", g.Schema().Field(i).Name)
		}
	}
	return array.NewRecordBatch(g.Schema(), columns, rows), nil
}

// done lets go of the current batch.
func (g *gathering) done() {
	if g.rec != nil {
		g.rec.Release()
		g.rec = nil
	}
}

// drop lets go of all batches.
func (g *gathering) drop() {
	g.done()
	for _, r := range g.held {
		r.Release()
	}
	g.held = nil
}

// RecordBatch is the current batch.
func (g *gathering) RecordBatch() arrow.RecordBatch { return g.rec }

// Record is RecordBatch.
func (g *gathering) Record() arrow.RecordBatch { return g.rec }

// Err is the error that ended the reading.
func (g *gathering) Err() error { return g.err }
