package main

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/format"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// queryFlags are the flags of query.
type queryFlags struct {
	parquetFlags
	selection
	display
	maxRows     int64
	json, csv   bool
	out         string
	compression *flags.Choice
	force       bool
	stats       bool
	access      bool
	noPushdown  bool
}

func (a *app) queryCommand() *cobra.Command {
	o := &queryFlags{}
	cmd := &cobra.Command{
		Use:   "query FILE... SQL",
		Short: "Run an SQL statement over the tables of files",
		Long: `query runs an SQL statement with an embedded DuckDB. Each table is a view, named by its path ("/runs/events") and by the
path's last part (events) unless another table has that name. The table of the root group has the names "/" and that of
its file. Several files of one schema, or a pattern in quotes, are one table for each path. Any other dataset is a view of
one column under its path. A name that is a keyword has another one with an underscore (table_), and names that differ in
case only get numbers: SQL takes them for one. A manifest (index --manifest) stands for its files.

Nothing is loaded in advance: only the columns that the statement uses are decoded, and only the rows that it needs.

The result is printed as a table of up to 40 rows, as JSON or as CSV, or written as Arrow or Parquet data (--output); as in convert, the
suffix chooses the format. DuckDB has no access to files or the network, and runs only statements that read, unless
--engine-io is given.`,
		Example: `  h5arrow query data.h5 'select vendor, avg(fare) from events group by vendor'
  h5arrow query data.h5 'select * from "/runs/a" join "/runs/b" using (id)' --json
  h5arrow query 'runs/*.h5' --filename 'select filename, count(*) from events group by all'
  h5arrow query data.h5 'select * from events where fare > 100' -o large.parquet`,
		Args: argCount(2, -1, "a file and a statement"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.query(cmd, o, args) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "print the rows as a JSON array of objects")
	f.BoolVar(&o.csv, "csv", false, "print the rows as CSV: a null is an empty field, empty text is \"\"")
	f.StringVarP(&o.out, "output", "o", "", "write the rows to this `FILE` ("+format.Suffixes("or")+"); - is an Arrow stream on stdout")
	o.compression = flags.Choose(cmd, "compression", format.CodecHelp(), format.Codecs()...)
	o.parquetFlags.add(cmd)
	f.BoolVar(&o.force, "force", false, "overwrite the file of --output")
	f.BoolVar(&o.stats, "stats", false, "print statistics of what was read as JSON, on stderr")
	f.BoolVar(&o.access, "engine-io", false, "let DuckDB access files and the network, and change settings")
	o.selection.add(cmd)
	o.addWhere(cmd)
	o.addAttributes(cmd)
	f.Int64Var(&o.maxRows, "max-rows", 40, "rows that are printed as a table, the others are counted; 0 prints all")
	o.display.add(cmd)
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
	limit := a.maxMemory(o.memory)
	defer memory.Limit(limit / 2)()
	statement := args[len(args)-1]
	names, err := o.expand(a.ctx, args[:len(args)-1])
	if err != nil {
		return err
	}
	o.withAttributes()
	w, err := a.rowWriter(cmd, o, names, limit)
	if err != nil {
		return err
	}
	q := &asking{queryFlags: o, app: a, statement: statement, opts: engine.Options{Threads: int(o.workers), MaxMemory: limit, Access: o.access, NoPushdown: o.noPushdown,
		Read: []arrowmap.ReadOption{arrowmap.WithWorkers(int(o.workers)), arrowmap.WithBatchRows(int64(o.batchRows)), arrowmap.WithBatchBytes(int64(o.batchBytes))}}}
	starting := engine.Start(q.opts)
	defer starting.Close()
	in, err := o.open(a.ctx, names)
	if err != nil {
		return err
	}
	defer in.close()
	if err := o.applyIndexes(in); err != nil {
		return err
	}
	q.catalog = &sqlCatalog{a: a, o: o, in: in}
	if o.eager(cmd, in) {
		if _, err := q.catalog.Tables(); err != nil {
			return err
		}
	}
	stats, err := q.answer(starting, w)
	if err == nil {
		err = in.unchanged()
	}
	if err != nil {
		return err
	}
	o.say(a, scanNotes(stats))
	if o.stats {
		return a.printStats(stats, o.far.Counts())
	}
	return nil
}

// eager reports whether tables are looked for before the statement names one: what flags ask for may be wrong, and several
// files may differ.
func (o *queryFlags) eager(cmd *cobra.Command, in *inputs) bool {
	return len(in.files) > 1 || o.named() || o.skip || slices.ContainsFunc([]string{"columns", "rows", "where", "sorted", "convention", "filename", "file-attributes", "index"},
		func(flag string) bool { return cmd.Flags().Changed(flag) })
}

// fileRows returns the files that the rows of the table come from, after Slice.
func (c *chosen) fileRows() []engine.FileRows {
	var out []engine.FileRows
	skip, left := c.first, c.Rows()
	for _, f := range c.files {
		n := min(max(f.Rows-skip, 0), left)
		skip = max(skip-f.Rows, 0)
		left -= n
		out = append(out, engine.FileRows{Name: text.Printable(f.Name), Rows: n})
	}
	return out
}

// rowWriter returns a function that writes the result. It checks first what can be checked without the result.
func (a *app) rowWriter(cmd *cobra.Command, o *queryFlags, names []string, limit int64) (func(array.RecordReader) error, error) {
	switch {
	case o.csv:
		return func(rr array.RecordReader) error { return rows.PrintCSV(text.Safe(a.out), rr) }, nil
	case o.out == "":
		return func(rr array.RecordReader) error {
			if fields := rr.Schema().Fields(); !o.json && len(fields) == 2 && fields[0].Name == "explain_key" && fields[1].Name == "explain_value" {
				return a.printPlan(rr)
			}
			return a.printRows(a.screen(&o.display), rr, o.json, rows.Grid{Max: o.maxRows, All: "--max-rows 0"})
		}, nil
	case o.out == "-":
		write, err := a.encodedRows(cmd, o, format.Stream, limit)
		if err == nil {
			err = a.notATerminal()
		}
		return func(rr array.RecordReader) error { return output.Named(write(a.streams.out, rr), "stdout") }, err
	}
	to, err := o.far.Target(o.out, o.force, names)
	if err != nil {
		return nil, err
	}
	f, err := format.Of(o.out, to.Special())
	if err != nil {
		return nil, err
	}
	write, err := a.encodedRows(cmd, o, f, limit)
	return func(rr array.RecordReader) error {
		return a.outputs.Write(a.ctx, to, func(w io.Writer) error { return write(w, rr) })
	}, err
}

// encodedRows returns a function that writes rows in a format.
func (a *app) encodedRows(cmd *cobra.Command, o *queryFlags, f *format.Format, limit int64) (func(io.Writer, array.RecordReader) error, error) {
	codec := ""
	if cmd.Flags().Changed("compression") {
		codec = o.compression.String()
	}
	e, err := f.Encoder(codec)
	if err != nil {
		return nil, err
	}
	if e.Parquet, err = o.parquetFlags.options(cmd, f); err != nil {
		return nil, err
	}
	e.Workers, e.Rows, e.Bytes, e.Memory = int(o.workers), int64(o.batchRows), int64(o.batchBytes), limit/4
	return func(w io.Writer, rr array.RecordReader) error {
		rr.Retain() // for the joined reader, which owns it
		joined := rows.Join(rr, int64(o.batchRows))
		defer joined.Release()
		_, err := e.Write(a.ctx, w, joined)
		return err
	}, nil
}

// printPlan prints what EXPLAIN returns, which is a drawing.
func (a *app) printPlan(rr array.RecordReader) error {
	for rr.Next() {
		plan := rr.RecordBatch().Column(1)
		for i := range plan.Len() {
			for line := range strings.Lines(plan.ValueStr(i)) {
				if err := a.print(strings.TrimRight(line, "\n")); err != nil {
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
	Late    int64          `json:"rows_read_late,omitempty"` // of columns that are decoded only after rows have been chosen
	Columns []columnReport `json:"columns"`
}

type columnReport struct {
	Name        string `json:"name"`
	Delivery    string `json:"delivery"`
	CopiedBytes int64  `json:"copied_bytes"`
	NullCount   int64  `json:"null_count"`
}

func (a *app) printStats(stats []engine.ScanStats, io *remote.Counts) error {
	list := []statsSummary{}
	for _, s := range stats {
		sum := statsSummary{Table: text.Printable(s.Table), Rows: s.Rows, Late: s.LateRows, Columns: []columnReport{}}
		for _, c := range s.Columns {
			sum.Columns = append(sum.Columns, columnReport{text.Printable(c.Name), c.Delivery.String(), c.CopiedBytes, c.NullCount})
		}
		list = append(list, sum)
	}
	e := json.NewEncoder(a.err)
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Scans []statsSummary `json:"scans"`
		IO    *remote.Counts `json:"io,omitempty"` // of URLs
	}{list, io})
}
