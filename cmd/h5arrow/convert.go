package main

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/format"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source/remote"
	"github.com/h5arrow/h5arrow/ipc"
)

// convertFlags are the flags of convert.
type convertFlags struct {
	selection
	parquetFlags
	compression *flags.Choice
	format      *flags.Choice
	force       bool
	json        bool
	lines       bool
	all         bool
	follow      bool
	idle        time.Duration
	maxOutput   flags.Size
}

func (a *app) convertCommand() *cobra.Command {
	o := &convertFlags{}
	cmd := &cobra.Command{
		Use:   "convert FILE... OUT",
		Short: "Write a table as an Arrow or Parquet file",
		Long: `convert writes a table to a file. The suffix of OUT chooses the format:

` + format.Help() + `
--format chooses the format for - and for --all-tables, which writes each table to its own file in the directory OUT; a
table of several groups only where their own tables are too many to be listed.
--batch-rows is the number of rows of a batch or, in Parquet, of a row group.

Several files of one schema, or a pattern in quotes, become one table; with --union by-name, their schemas may differ. With
--file-attributes, or as a manifest that index --manifest wrote, they are opened while they are read: there may be many thousands.
OUT, a path or an s3, gs or az URL, appears when it is complete, and not before.

--follow writes the rows of a file that is being written, and those that are appended, until its writer closes it. A writer
that died never does: --until-idle ends the waiting.`,
		Example: `  h5arrow convert data.h5 data.arrow
  h5arrow convert data.h5 --table /events --columns time,energy --rows 0:1000 part.arrow
  h5arrow convert data.h5 july.parquet --where 'time >= 2024-07-01 and time < 2024-08-01 and site in (A, B)'
  h5arrow convert 'runs/*.h5' runs.arrow --filename --compression zstd
  h5arrow convert runs/all.files runs.parquet
  h5arrow convert data.h5 data.parquet
  h5arrow convert episodes.h5 --stack '/data/demo_*' episodes.parquet
  h5arrow convert data.h5 - | consumer
  h5arrow convert s3://bucket/data.h5 s3://bucket/data.parquet
  h5arrow convert --all-tables data.h5 tables/
  h5arrow convert --all-tables data.h5 tables/ --format parquet`,
		Args: argCount(2, -1, "an input and an output"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.convert(cmd, o, args) },
	}
	o.selection.add(cmd)
	o.addWhere(cmd)
	o.addAttributes(cmd)
	o.parquetFlags.add(cmd)
	f := cmd.Flags()
	o.compression = flags.Choose(cmd, "compression", format.CodecHelp(), format.Codecs()...)
	f.BoolVar(&o.all, "all-tables", false, "write every table to its own file; OUT is a directory")
	o.format = flags.Choose(cmd, "format", "format and suffix of the files of --all-tables, and format of -, where the default is "+
		format.Stream.Names[0], format.Names()...)
	f.BoolVar(&o.follow, "follow", false, "also write what is appended to the file, until its writer closes it")
	f.DurationVar(&o.idle, "until-idle", 0, "with --follow, end when nothing has been appended for this `TIME`, such as 30s")
	f.BoolVar(&o.force, "force", false, "overwrite OUT")
	f.Var(&o.maxOutput, "max-output", "bytes that may be written in all, such as 10GiB (default: what is free)")
	f.BoolVar(&o.json, "json", false, "print a summary as JSON (on stderr when OUT is -)")
	f.BoolVar(&o.lines, "progress-json", false, "print rows that are written, and of how many, as lines of JSON on stderr")
	return cmd
}

// conversion is one run of convert.
type conversion struct {
	*convertFlags
	*app
	cmd     *cobra.Command
	memory  int64
	bound   *output.Bound
	outputs *output.Set    // the app's
	codec   string         // "" is the format's default
	format  *format.Format // of --all-tables and of -
}

func (a *app) convert(cmd *cobra.Command, o *convertFlags, args []string) error {
	c := &conversion{convertFlags: o, app: a, cmd: cmd, memory: a.maxMemory(o.memory), bound: output.NewBound(int64(o.maxOutput)), outputs: &a.outputs}
	defer memory.Limit(c.memory)()
	if err := o.check(cmd); err != nil {
		return err
	}
	if cmd.Flags().Changed("compression") {
		c.codec = o.compression.String()
	}
	out := args[len(args)-1]
	asked := cmd.Flags().Changed("format")
	if asked && !o.all && out != "-" {
		return usage("--format is for --all-tables and for -").WithHint("the suffix of OUT chooses the format: let it be .%s", o.format)
	}
	c.format = format.Stream
	if asked || o.all {
		var err error
		if c.format, err = format.Named(o.format.String()); err != nil {
			return err
		}
	}
	if !o.all && !o.follow {
		t, names, err := o.many(a, args[:len(args)-1])
		if err != nil {
			return err
		}
		if t != nil {
			return c.manyFiles(t, names, out)
		}
	} else if o.follow && len(o.attributes) > 0 {
		return usage("--file-attributes and --follow exclude each other")
	}
	names, err := o.expand(a.ctx, args[:len(args)-1])
	if err != nil {
		return err
	}
	o.withAttributes()
	switch {
	case o.idle < 0 || cmd.Flags().Changed("until-idle") && !o.follow:
		return usage("--until-idle is a time to wait, and goes with --follow")
	case o.follow && (o.all || len(names) > 1 || far.IsURL(names[0])):
		return usage("--follow is for one table of one local file")
	case o.follow && o.conditions != nil:
		return usage("--follow and --where exclude each other")
	}
	if !o.all {
		return c.oneTable(names, out)
	}
	for _, flag := range []string{"table", "stack", "dataset", "columns", "rows", "where", "sorted"} {
		if cmd.Flags().Changed(flag) {
			return usage("--all-tables and --%s exclude each other", flag)
		}
	}
	return c.allTables(names, out)
}

func (c *conversion) oneTable(names []string, out string) error {
	to, e, err := c.destination(names, out)
	if err != nil {
		return err
	}
	return c.withTable(names, func(in *inputs, t *chosen) error {
		if out != "-" {
			sum, err := c.writeFile(in, t, to, e)
			if err != nil {
				return err
			}
			return c.report(c.out, sum)
		}
		c.notes(c.app, t)
		c.skipBroken(c.app, t, nil, c.readOptions(c.memory/2)...) // what is written can't be taken back
		sum, err := c.write(in, t, c.out, e)
		if err != nil {
			return output.Named(err, "stdout")
		}
		return c.report(c.err, sum)
	})
}

// destination returns the target of an output, none for -, and its encoder.
func (c *conversion) destination(names []string, out string) (to output.Target, e *format.Encoder, err error) {
	f := c.format
	if out == "-" {
		err = c.notATerminal()
	} else if to, err = c.far.Target(out, c.force, names); err == nil {
		f, err = format.Of(out, to.Special())
	}
	if err == nil {
		e, err = c.encoder(f)
	}
	return to, e, err
}

// notATerminal refuses to write data to a terminal.
func (a *app) notATerminal() error {
	if text.IsTerminal(a.out) {
		return usage("stdout is a terminal, which can't show binary data").WithHint("redirect it or give a file")
	}
	return nil
}

func (c *conversion) withTable(names []string, fn func(*inputs, *chosen) error) error {
	in, err := c.open(c.ctx, names)
	if err != nil {
		return err
	}
	defer in.close()
	if err := c.useIndexes(in); err != nil {
		return err
	}
	t, err := c.only(in)
	if err != nil {
		return err
	}
	c.incomplete(in)
	return fn(in, t)
}

// summary is what --json prints.
type summary struct {
	Table    string          `json:"table,omitempty"` // with --all-tables
	Out      string          `json:"out,omitempty"`   // with --all-tables
	Rows     int64           `json:"rows"`
	Batches  int64           `json:"batches"`
	BytesOut int64           `json:"bytes_out"`
	Seconds  float64         `json:"seconds"`
	Columns  []columnSummary `json:"columns"`
	Notes    []string        `json:"notes,omitempty"`     // what is said on stderr about the table and its values
	Skipped  []string        `json:"skipped,omitempty"`   // columns left out by --skip-unsupported, and why
	Changed  []string        `json:"converted,omitempty"` // columns of types that the format lacks, and what they become
	IO       *remote.Counts  `json:"io,omitempty"`        // of URLs
}

type columnSummary struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Delivery    string `json:"delivery"`
	CopiedBytes int64  `json:"copied_bytes"`
	NullCount   int64  `json:"null_count"`
}

func (c *conversion) report(w io.Writer, s *summary) error {
	if !c.json {
		return nil
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(s)
}

// writeFile writes a table to a file that appears when it is complete.
func (c *conversion) writeFile(in *inputs, t *chosen, to output.Target, e *format.Encoder) (s *summary, err error) {
	c.notes(c.app, t)
	if to.Special() {
		c.skipBroken(c.app, t, nil, c.readOptions(c.memory/2)...) // what is written can't be taken back
	}
	if err := c.fits(t, to, e); err != nil {
		return nil, err
	}
	once := func() error {
		return c.outputs.Write(c.ctx, to, func(w io.Writer) error {
			s, err = c.write(in, t, w, e)
			return err
		})
	}
	if err = once(); err != nil && !to.Special() && c.skipBroken(c.app, t, err, c.readOptions(c.memory/2)...) {
		err = once()
	}
	return s, err
}

// fits refuses an output that is too large, as far as that is known before anything is written.
func (c *conversion) fits(t *chosen, to output.Target, e *format.Encoder) error {
	if t.where != nil || c.follow {
		return nil
	}
	bytes := e.Foresee(t.Schema(), t.Rows())
	if err := c.bound.Allows(bytes); err != nil {
		return h5err.In(err, to.Path(), "")
	}
	return to.Room(bytes)
}

// reader returns a reader of a table or, with --follow, of a table that is being written.
func (c *conversion) reader(in *inputs, t *chosen, opts []arrowmap.ReadOption) (*arrowmap.Reader, error) {
	if !c.follow {
		return c.selection.reader(c.ctx, t, opts...)
	}
	if sb := in.files[0].H5().Superblock(); sb.Version < 3 && c.idle == 0 && !c.quiet {
		c.note("%s does not say whether it is being written (superblock version %d): its rows as they are now; --until-idle waits for more",
			text.Printable(in.names[0]), sb.Version)
	}
	t.files[0].Rows = math.MaxInt64
	open := func() (*arrowmap.Table, func() error, error) {
		now, err := c.open(c.ctx, in.names)
		if err != nil {
			return nil, nil, err
		}
		table, err := c.choose(now)
		if err != nil {
			now.close()
			return nil, nil, err
		}
		if len(table.Columns()) > len(t.Columns()) { // some were left out when they were tried
			names := make([]string, 0, len(t.Columns()))
			for _, col := range t.Columns() {
				names = append(names, col.Name)
			}
			if table.Table, err = table.Select(names...); err != nil {
				now.close()
				return nil, nil, err
			}
		}
		return table.Table, func() error { now.close(); return nil }, nil
	}
	return arrowmap.Follow(c.ctx, open, c.idle, opts...)
}

// write writes a table and checks that the inputs have not changed.
func (c *conversion) write(in *inputs, t *chosen, w io.Writer, e *format.Encoder) (*summary, error) {
	start := time.Now()
	converted, err := c.conversions(t, e)
	if err != nil {
		return nil, h5err.In(err, in.names[0], t.Path())
	}
	opts := c.readOptions(e.Budget(c.memory))
	if bytes := e.BatchBytes(c.memory, len(t.Columns())); bytes > 0 && c.batchRows == 0 && c.batchBytes == 0 {
		opts = append(opts, arrowmap.WithBatchBytes(bytes))
	}
	r, err := c.reader(in, t, opts)
	if err != nil {
		return nil, err
	}
	rr, err := c.addFilename(r, t)
	if err != nil {
		return nil, err
	}
	if t.where != nil { // which leaves small batches
		rr = rows.Join(rr, int64(c.batchRows))
	}
	defer rr.Release()
	total := t.Rows()
	if t.where != nil || c.follow {
		total = -1
	}
	defer c.showProgress(e, total)()
	stats, err := e.Write(c.ctx, c.bound.Writer(w), rr)
	if err == nil && !c.follow {
		err = in.unchanged()
	}
	if err != nil {
		return nil, err
	}
	s := &summary{Rows: stats.Rows, Batches: stats.Batches, BytesOut: stats.Bytes, Seconds: time.Since(start).Seconds(), Columns: []columnSummary{}}
	found := valueNotes(r.Report())
	c.say(c.app, found)
	s.Notes = append(c.described(t), found...)
	for i, col := range r.Report() {
		s.Columns = append(s.Columns, columnSummary{text.Printable(col.Name), dtype.TypeName(r.Schema().Field(i).Type), col.Delivery.String(), col.CopiedBytes, col.NullCount})
	}
	if c.filename {
		s.Columns = append(s.Columns, columnSummary{rows.Filename, dtype.TypeName(rows.FilenameType), dtype.Converted.String(), 4 * stats.Rows, 0})
	}
	for _, err := range t.skipped {
		s.Skipped = append(s.Skipped, errorText(err))
	}
	s.Changed, s.IO = converted, c.far.Counts()
	return s, nil
}

// showProgress shows what e writes of so many rows, -1 where they are not known: a bar or, with --progress-json, lines. It returns what
// clears the bar.
func (c *conversion) showProgress(e *format.Encoder, total int64) (clear func()) {
	switch {
	case c.lines && !c.all:
		e.Progress = progressLines(text.Safe(c.err), total)
	case !c.quiet && !c.json && !c.follow:
		bar := text.NewBar(c.err, total)
		e.Progress = func(s ipc.Stats) { bar.Show(s.Rows, s.Bytes) }
		return bar.Clear
	}
	return func() {}
}

// progressLines writes objects of JSON, at most ten a second.
func progressLines(w io.Writer, total int64) func(ipc.Stats) {
	var line struct {
		Rows  int64  `json:"rows"`
		Total *int64 `json:"total"`
	}
	if total >= 0 {
		line.Total = &total
	}
	last := time.Time{}
	to := json.NewEncoder(w)
	return func(s ipc.Stats) {
		if now := time.Now(); now.Sub(last) >= 100*time.Millisecond {
			last, line.Rows = now, s.Rows
			_ = to.Encode(line) // who does not read it does not need it
		}
	}
}

// encoder returns the encoder of an output.
func (c *conversion) encoder(f *format.Format) (*format.Encoder, error) {
	e, err := f.Encoder(c.codec)
	if err != nil {
		return nil, err
	}
	if e.Parquet, err = c.parquetFlags.options(c.cmd, f); err != nil {
		return nil, err
	}
	e.Workers, e.Rows, e.Bytes, e.Memory = int(c.workers), int64(c.batchRows), int64(c.batchBytes), c.memory/2
	return e, nil
}

// tabular is a table, of files that are open or not.
type tabular interface {
	Schema() *arrow.Schema
	Path() string
}

// conversions lists the columns of a table whose types the format lacks, and notes them.
func (c *conversion) conversions(t tabular, e *format.Encoder) ([]string, error) {
	list, err := e.Converts(t.Schema())
	if err != nil {
		return nil, err
	}
	for i, conv := range list {
		list[i] = text.Printable(conv)
		switch {
		case c.quiet:
		case c.all: // other tables may have a column of that name
			c.note("%s: %s", t.Path(), conv)
		default:
			c.note("%s", conv)
		}
	}
	return list, nil
}
