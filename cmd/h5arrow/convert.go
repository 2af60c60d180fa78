package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// convertFlags are the flags of convert.
type convertFlags struct {
	selection
	compression *choice
	format      *choice
	force       bool
	json        bool
	all         bool
}

func (a *app) convertCommand() *cobra.Command {
	o := &convertFlags{}
	cmd := &cobra.Command{
		Use:   "convert FILE... OUT",
		Short: "Write a table as an Arrow file, an Arrow stream or a Parquet file",
		Long: `convert writes a table as Arrow or Parquet data. The form follows from the name of OUT: .arrow and .feather are Arrow
files, .arrows is a stream, and - a stream on stdout. A device or FIFO of any other name gets a stream. .parquet is
Parquet, compressed by zstd unless --compression says otherwise; what Parquet has no type for (times in seconds,
durations) is converted and named on stderr. --batch-rows is the rows of a row group there.

--all-tables writes each table to a file of its own in the directory OUT. --format names their form, and that of - where
it is not to be a stream.

Several files of one schema, or a pattern in quotes, become one table. OUT appears when it is complete, and not before.`,
		Example: `  h5arrow convert data.h5 data.arrow
  h5arrow convert data.h5 --table /events --columns time,energy --rows 0:1000 part.arrow
  h5arrow convert 'runs/*.h5' runs.arrow --filename --compression zstd
  h5arrow convert data.h5 data.parquet
  h5arrow convert data.h5 - | consumer
  h5arrow convert --all-tables data.h5 tables/
  h5arrow convert --all-tables data.h5 tables/ --format parquet`,
		Args: atLeast(2, -1, "an input and an output"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.convert(cmd, o, args) },
	}
	o.selection.add(cmd)
	f := cmd.Flags()
	o.compression = choose(cmd, "compression", "codec; snappy is for Parquet alone, where the default is zstd", codecs...)
	f.BoolVar(&o.all, "all-tables", false, "write every table to a file of its own; OUT is a directory")
	o.format = choose(cmd, "format", "form and suffix of the files of --all-tables; form of -, where the default is arrows",
		"arrow", "feather", "arrows", "parquet") // suffixes that formOf knows
	f.BoolVar(&o.force, "force", false, "overwrite OUT")
	f.BoolVar(&o.json, "json", false, "print a summary as JSON (on stderr when OUT is -)")
	return cmd
}

// conversion is one run of convert.
type conversion struct {
	*convertFlags
	*app
	memory int64
	codec  string // "" is the form's own
	suffix string // of the names of --all-tables; for -, what --format says, "" where it says nothing
}

func (a *app) convert(cmd *cobra.Command, o *convertFlags, args []string) error {
	c := &conversion{convertFlags: o, app: a, memory: maxMemory(o.memory)}
	defer limitMemory(c.memory)()
	if err := o.check(cmd); err != nil {
		return err
	}
	if cmd.Flags().Changed("compression") {
		c.codec = o.compression.value
	}
	out := args[len(args)-1]
	asked := cmd.Flags().Changed("format")
	if asked && !o.all && out != "-" {
		return usage("--format is for --all-tables and for -").WithHint("the form follows from the name of OUT: let it end in .%s", o.format.value)
	}
	if asked || o.all {
		c.suffix = "." + o.format.value
	}
	names, err := expand(args[:len(args)-1])
	if err != nil {
		return err
	}
	if o.all {
		for _, flag := range []string{"table", "dataset", "columns", "rows"} {
			if cmd.Flags().Changed(flag) {
				return usage("--all-tables and --%s exclude each other", flag)
			}
		}
		return c.allTables(names, out)
	}
	return c.oneTable(names, out)
}

func (c *conversion) oneTable(names []string, out string) error {
	if out == "-" {
		if f, ok := c.out.(*os.File); ok && isTerminal(f) {
			return usage("stdout is a terminal, Arrow and Parquet data are not for reading").WithHint("redirect it or give a file")
		}
		e, err := c.encoding(c.suffix, true)
		if err != nil {
			return err
		}
		return c.withTable(names, func(in *inputs, t *chosen) error {
			sum, err := c.write(in, t, c.out, e)
			if err != nil {
				return named(err, "stdout")
			}
			return c.report(c.err, sum)
		})
	}
	t, err := checkTarget(out, c.force, names)
	if err != nil {
		return err
	}
	e, err := c.encoding(out, t.special)
	if err != nil {
		return err
	}
	return c.withTable(names, func(in *inputs, table *chosen) error {
		sum, err := c.writeFile(in, table, t, e)
		if err != nil {
			return err
		}
		return c.report(c.out, sum)
	})
}

func (c *conversion) withTable(names []string, fn func(*inputs, *chosen) error) error {
	in, err := c.open(names)
	if err != nil {
		return err
	}
	defer in.close()
	t, err := c.choose(in)
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
	Skipped  []string        `json:"skipped,omitempty"`   // columns left out by --skip-unsupported, and why
	Changed  []string        `json:"converted,omitempty"` // columns of types that Parquet lacks, and what they are there
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

// writeFile writes a table to a file that appears when all went well.
func (c *conversion) writeFile(in *inputs, t *chosen, to target, e *encoding) (s *summary, err error) {
	out, err := c.create(to)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.close()) }()
	// Writing to a pipe that nobody reads waits for ever; other files have no deadlines and need none.
	defer context.AfterFunc(c.ctx, func() { out.SetWriteDeadline(time.Now()) })()
	if s, err = c.write(in, t, out.File, e); err != nil {
		return nil, named(err, to.path)
	}
	return s, out.commit()
}

// named adds the output's name to an error of writing; what comes from an input has a name already.
func named(err error, out string) error {
	if e, ok := err.(*h5err.Error); ok && e.Kind == h5err.IO {
		return h5err.In(e, out, "")
	}
	return err
}

// write writes a table and checks that the inputs are still what they were.
func (c *conversion) write(in *inputs, t *chosen, w io.Writer, e *encoding) (*summary, error) {
	begin := time.Now()
	for _, err := range t.skipped {
		if !c.quiet {
			c.note("left out: %s", errorText(err))
		}
	}
	converted, err := c.conversions(t, e)
	if err != nil {
		return nil, h5err.In(err, in.names[0], t.Path())
	}
	opts := c.readOptions(e.budget(c.memory))
	if e.form == parquetFile && c.batchRows == 0 && c.batchBytes == 0 {
		opts = append(opts, arrowmap.WithBatchBytes(parquetBatch(c.memory, len(t.Columns()))))
	}
	r, err := t.Reader(c.ctx, opts...)
	if err != nil {
		return nil, err
	}
	var rr array.RecordReader = r
	if c.filename {
		if rr, err = addFilenames(r, t.files, t.first); err != nil {
			r.Release()
			return nil, err
		}
	}
	defer rr.Release()
	if bar := c.bar(t.Rows()); bar != nil {
		defer bar.end()
		e.progress = bar.show
	}
	stats, err := e.write(c.ctx, w, rr)
	if err == nil {
		err = in.unchanged()
	}
	if err != nil {
		return nil, err
	}
	s := &summary{Rows: stats.Rows, Batches: stats.Batches, BytesOut: stats.Bytes, Seconds: time.Since(begin).Seconds(), Columns: []columnSummary{}}
	for i, col := range r.Report() {
		s.Columns = append(s.Columns, columnSummary{printable(col.Name), typeText(r.Schema().Field(i).Type), col.Delivery.String(), col.CopiedBytes, col.NullCount})
	}
	if c.filename {
		s.Columns = append(s.Columns, columnSummary{filenameColumn, typeText(rr.(*filenames).typ), "converted", 4 * stats.Rows, 0})
	}
	for _, err := range t.skipped {
		s.Skipped = append(s.Skipped, errorText(err))
	}
	s.Changed = converted
	return s, nil
}

// encoding returns how the output is to be written.
func (c *conversion) encoding(name string, special bool) (*encoding, error) {
	f, err := formOf(name, special)
	if err != nil {
		return nil, err
	}
	e := &encoding{form: f, codec: c.codec, workers: int(c.workers), rows: int64(c.batchRows), bytes: int64(c.batchBytes)}
	if e.workers == 0 {
		e.workers = runtime.GOMAXPROCS(0)
	}
	e.memory = c.memory / 2
	return e, e.check()
}

// budget is what of the memory is for reading. Batches that are being encoded are no longer on the reader's account, and
// what becomes of them is on nobody's.
func (e *encoding) budget(memory int64) int64 {
	switch {
	case e.form == parquetFile: // whose pages and dictionaries need as much again
		return memory / 4
	case e.compresses():
		return memory / 2
	}
	return memory - memory/4
}

// conversions returns what of a table Parquet has no type for, and says so.
func (c *conversion) conversions(t *chosen, e *encoding) ([]string, error) {
	if e.form != parquetFile {
		return nil, nil
	}
	list, err := parquet.Conversions(t.Schema())
	if err != nil {
		return nil, err
	}
	var out []string
	for _, conv := range list {
		out = append(out, printable(conv.String()))
		switch {
		case c.quiet:
		case c.all: // others may have a column of that name
			c.note("%s: %s", printable(t.Path()), out[len(out)-1])
		default:
			c.note("%s", out[len(out)-1])
		}
	}
	return out, nil
}

// allTables writes every table of the inputs to a file of its own in a directory, which is made when it is not there.
func (c *conversion) allTables(names []string, dir string) error {
	e, err := c.encoding(c.suffix, false)
	if err != nil {
		return err
	}
	in, err := c.open(names)
	if err != nil {
		return err
	}
	defer in.close()
	tables, err := tablesByPath(in)
	if err != nil {
		return err
	}
	c.incomplete(in)
	made, err := makeDir(dir)
	if err != nil {
		return err
	}
	err = c.eachTable(in, tables, dir, e)
	if err != nil && made {
		os.Remove(dir) // only an empty one goes
	}
	return err
}

func (c *conversion) eachTable(in *inputs, tables []*pathTables, dir string, e *encoding) error {
	targets := make([]target, len(tables))
	for i, t := range tables {
		var err error
		if targets[i], err = checkTarget(filepath.Join(dir, fileName(t.path, in.names[0])+c.suffix), c.force, in.names); err != nil {
			return err
		}
		for _, earlier := range targets[:i] {
			if earlier.path == targets[i].path {
				return usageAt(earlier.path, "two tables would be written to this file").WithHint("write them one by one with --table")
			}
		}
	}
	for i, t := range tables {
		table, err := c.join(&inputs{names: t.names}, t.tables)
		if c.skip && h5err.Is(err, h5err.Unsupported) {
			c.note("left out: %s", errorText(err))
			continue
		}
		if err != nil {
			return err
		}
		each := *e // as a progress bar is one table's
		s, err := c.writeFile(in, table, targets[i], &each)
		if err != nil {
			return err
		}
		s.Table, s.Out = printable(t.path), printable(targets[i].path)
		if err := c.report(c.out, s); err != nil {
			return err
		}
	}
	return nil
}

// pathTables is the tables of one path, and the files that have one.
type pathTables struct {
	path   string
	names  []string
	tables []*arrowmap.Table
}

// tablesByPath returns the tables of all inputs, in the order in which they are met.
func tablesByPath(in *inputs) ([]*pathTables, error) {
	var out []*pathTables
	at := map[string]*pathTables{}
	for i := range in.files {
		tables, err := in.tables(i)
		if err != nil {
			return nil, err
		}
		for _, t := range tables {
			p := at[t.Path()]
			if p == nil {
				p = &pathTables{path: t.Path()}
				at[t.Path()] = p
				out = append(out, p)
			}
			p.names = append(p.names, in.names[i])
			p.tables = append(p.tables, t)
		}
	}
	if len(out) == 0 {
		return nil, usageAt(in.names[0], "no table was found").WithHint("list the datasets with `h5arrow inspect`, or take some of them with --dataset")
	}
	return out, nil
}

// fileName is a table's path as the name of a file: its parts joined by dots. The root group has the input's name.
func fileName(path, input string) string {
	name := strings.ReplaceAll(strings.Trim(path, "/"), "/", ".")
	if name == "" {
		name = strings.TrimSuffix(filepath.Base(input), filepath.Ext(input))
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	if strings.Trim(name, ".") == "" {
		name = "_"
	}
	return name
}

func makeDir(dir string) (made bool, err error) {
	err = os.Mkdir(dir, 0o777)
	if errors.Is(err, fs.ErrExist) {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			return false, usageAt(dir, "--all-tables writes to a directory, this is a file")
		}
		return false, err
	}
	if err != nil {
		return false, outputError(dir, "can't make the directory", err)
	}
	return true, nil
}

// listConventions prints what --list-conventions asks for.
func (a *app) listConventions() error {
	list := arrowmap.Conventions()
	width := 0
	for _, c := range list {
		width = max(width, len(c.Name))
	}
	for _, c := range list {
		if _, err := io.WriteString(a.out, c.Name+strings.Repeat(" ", width-len(c.Name)+2)+c.Description+"\n"); err != nil {
			return err
		}
	}
	return nil
}
