package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/format"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/importing"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/compression"
	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source/remote"
	"github.com/h5arrow/h5arrow/h5/write"
)

// importFlags are the flags of import.
type importFlags struct {
	layout, nulls *flags.Choice
	table, from   string
	chunkRows     flags.Positive
	compression   string
	shuffle       bool
	pageSize      flags.Size
	memory        flags.Size
	add           bool
	force, json   bool
	quiet         bool
	untrusted     bool
	far           *far.Opener
}

// appendRows is the number of rows of a chunk in tables that are made to grow. Chunks without compression are filled up in place.
const appendRows = 8 << 10

// importMemory is the default of --max-memory: batches and chunks in flight, not what is mapped.
const importMemory = 192 << 20

func (a *app) importCommand() *cobra.Command {
	o := &importFlags{}
	cmd := &cobra.Command{
		Use:   "import IN... OUT.h5",
		Short: "Write Arrow, Parquet or CSV data as a table in an HDF5 file",
		Long: `import writes rows as a table in an HDF5 file. It reads ` + importing.Suffixes + ` files, and an Arrow IPC stream
on stdin (-). Several inputs of one schema become one table. Inputs may be http, https, s3, gs or az URLs; what has changed on its server
meanwhile is an error. CSV is read by DuckDB, where it is built in.

The layout vaex, which is the default, stores each column as Arrow has it, aligned, so that all of it is mapped when it is read
again. The layout plain stores a dataset for each column, for software that knows nothing of tables. --nulls chooses how nulls
are stored: by default a bitmap or, in the layout plain, a mask.

The layout pandas is a frame for pandas.read_hdf(OUT, "table"), in the format "table". netcdf is a file for xarray, netCDF4 and all
that reads netCDF-4, by the CF conventions. anndata is an AnnData object whose obs are the columns. What they can't hold is refused by
name. They keep all rows in a temporary file first.

Values are stored contiguously unless --chunk-rows or --compression are given. OUT, a path or an s3, gs or az URL, appears when it is complete, and not before.

--append adds the rows to the table that OUT has, in the layout and storage in which it is; the other options are for a table that is
made anew. New data is written past the end of what there is, and becomes part of it in one step when all of it is on disk: until then,
and after a crash, OUT has its old rows. The table must be stored in chunks.`,
		Example: `  h5arrow import data.arrow data.h5
  h5arrow import part1.parquet part2.parquet data.h5 --table /events
  h5arrow import 's3://bucket/2026/*.parquet' year.h5
  producer | h5arrow import - data.h5 --compression zstd --shuffle
  h5arrow import data.arrow data.h5 --layout plain --nulls mask
  h5arrow import data.parquet data.nc --layout netcdf
  h5arrow import monday.parquet log.h5 --append`,
		Args: argCount(2, -1, "an input and an output"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.importTable(cmd, o, args) },
	}
	f := cmd.Flags()
	o.layout = flags.Choose(cmd, "layout", "how the table is stored", "vaex", "plain", "pandas", "netcdf", "anndata")
	f.StringVar(&o.table, "table", "", "`PATH` of the table's group in OUT (default: /table; the root in the layouts netcdf and anndata; with --append, the only table in OUT)")
	f.StringVar(&o.from, "from", "", "the table at this `PATH` of HDF5 inputs (default: their only table)")
	o.nulls = flags.Choose(cmd, "nulls", "how nulls are stored in the layouts vaex and plain; auto is a bitmap, in plain a mask", "auto", "bitmap", "mask", "sentinel")
	f.Var(&o.chunkRows, "chunk-rows", "rows in a chunk (default: no chunks, or 65536 with --compression)")
	f.StringVar(&o.compression, "compression", "none", "compression of chunks (`CODEC`): "+encode.Names())
	f.BoolVar(&o.shuffle, "shuffle", false, "sort the bytes of values before they are compressed")
	f.Var(&o.pageSize, "page-size", "divide the file into pages of this size, for readers far away")
	f.Var(&o.memory, "max-memory", "maximum memory, such as 512MiB (default: 192 MiB)")
	f.BoolVar(&o.add, "append", false, "add rows to the table in OUT, or make OUT with chunks that can grow")
	f.BoolVar(&o.untrusted, "untrusted", false, "strict rules for HDF5 inputs of unknown origin: nothing outside the file, lower limits (default for URLs)")
	f.BoolVar(&o.force, "force", false, "overwrite OUT")
	cmd.MarkFlagsMutuallyExclusive("append", "force")
	f.BoolVar(&o.json, "json", false, "print a summary as JSON")
	f.BoolVar(&o.quiet, "quiet", false, "print errors only")
	o.far = far.New(cmd)
	return cmd
}

// options returns the options of the table's writer.
func (o *importFlags) options() (tablewriter.Options, error) {
	to := tablewriter.Options{Path: o.table, Layout: tablewriter.Layout(o.layout.Index()), Nulls: tablewriter.Nulls(o.nulls.Index()), ChunkRows: int64(o.chunkRows)}
	var err error
	to.Filters, err = compression.Filters(o.compression, o.shuffle)
	return to, err
}

func (a *app) importTable(cmd *cobra.Command, o *importFlags, args []string) error {
	limit := int64(o.memory)
	if limit == 0 {
		limit = importMemory
	}
	a.memory = limit
	defer memory.Limit(limit)()
	to, err := o.options()
	if err != nil {
		return err
	}
	var names []string
	for _, arg := range args[:len(args)-1] {
		found, err := o.far.Expand(a.ctx, arg)
		if !far.IsURL(arg) {
			found, err = expandPath(arg)
		}
		if err != nil {
			return err
		}
		names = append(names, found...)
	}
	name := args[len(args)-1]
	existing := false
	if o.add && far.IsURL(name) {
		return about(far.Name(name), h5err.New(h5err.Unsupported, "rows are added to local files only"))
	}
	if o.add {
		if to.ChunkRows == 0 && to.Filters == nil {
			to.ChunkRows = appendRows
		}
		info, err := os.Stat(name)
		existing = err == nil && info.Mode().IsRegular()
	}
	out, err := o.far.Target(name, o.force || existing, names)
	if err != nil {
		return err
	}
	if suffix := strings.ToLower(filepath.Ext(out.Path())); !out.Special() && !slices.Contains([]string{".h5", ".hdf5", ".hdf", ".nc", ".h5ad"}, suffix) {
		return about(out.Path(), usage("the suffix %q is not that of an HDF5 file", suffix).WithHint("let it be .h5 or .hdf5"))
	}
	if n := slices.Index(names, "-"); n >= 0 && slices.Contains(names[n+1:], "-") {
		return usage("- is stdin, which can be read once")
	}
	in, err := importing.Open(a.ctx, names, importing.Sources{Stdin: a.in, From: o.from, Memory: limit / 2,
		Untrusted: o.untrusted, Trusted: cmd.Flags().Changed("untrusted") && !o.untrusted, Far: o.far})
	if err != nil {
		return err
	}
	defer in.Release()
	return a.importRows(o, to, in, out, existing)
}

// importSummary is what --json prints.
type importSummary struct {
	Rows         int64          `json:"rows"`
	BytesOut     int64          `json:"bytes_out"`
	Seconds      float64        `json:"seconds"`
	Columns      []importColumn `json:"columns"`
	MappedBefore *int           `json:"mapped_before"`
	MappedAfter  *int           `json:"mapped_after"`
	Dropped      []string       `json:"dropped,omitempty"` // keys of metadata that could not be stored
	IO           *remote.Counts `json:"io,omitempty"`      // of URLs
}

type importColumn struct {
	Name    string `json:"name"`
	Path    string `json:"path"`
	Type    string `json:"type"`
	Storage string `json:"storage"`
	Aligned bool   `json:"aligned"`
	Nulls   string `json:"nulls"`
}

// importRows writes the rows of all inputs, or adds them to a file that exists.
func (a *app) importRows(o *importFlags, to tablewriter.Options, in *importing.Input, out output.Target, existing bool) error {
	start := time.Now()
	if to.Filters == nil && (to.Layout == tablewriter.Vaex || to.Layout == tablewriter.Plain) {
		if err := out.Room(format.MinBytes(in.Schema(), in.Rows)); err != nil {
			return err
		}
	}
	if to.Rows = in.Rows; o.add { // chunks get no smaller than more rows need
		to.Rows = 0
	}
	to.SpoolDir = out.Dir()
	if !o.quiet && !o.json {
		bar := text.NewBar(a.err, in.Rows)
		defer bar.Clear()
		to.Progress = func(rows int64) { bar.Show(rows, 0) }
	}
	var sum *tablewriter.Summary
	var size int64
	var err error
	if existing {
		sum, size, err = a.appendTo(to, in, out.Path())
	} else {
		size, err = a.outputs.HDF5(a.ctx, out, func(h *write.File) error {
			err := safely(in.Name(), func() (err error) {
				sum, err = tablewriter.Write(a.ctx, h, in, to)
				return err
			})
			if err != nil {
				return err
			}
			return in.Unchanged()
		}, write.WithSpool(to.SpoolDir), write.WithPageSize(int64(o.pageSize)))
	}
	if err != nil {
		return err
	}
	return a.imported(o, sum, in, out, importSummary{BytesOut: size, Seconds: time.Since(start).Seconds()})
}

// imported says what has been written.
func (a *app) imported(o *importFlags, sum *tablewriter.Summary, in *importing.Input, out output.Target, s importSummary) error {
	for _, key := range sum.Dropped {
		if !o.quiet {
			a.note("metadata left out, which can't be stored as an attribute: %s", text.Printable(key))
		}
	}
	if !o.json {
		return nil
	}
	s.Rows, s.Columns, s.Dropped, s.IO = sum.Rows, []importColumn{}, sum.Dropped, o.far.Counts()
	for _, c := range sum.Columns {
		s.Columns = append(s.Columns, importColumn{Name: text.Printable(c.Name), Path: text.Printable(c.Path), Type: dtype.TypeName(c.Type),
			Storage: c.Storage.String(), Aligned: c.Aligned, Nulls: c.Nulls})
	}
	if in.Mapped >= 0 {
		s.MappedBefore = &in.Mapped
	}
	if out.Dir() != "" {
		n, err := mappedColumns(out.Path(), sum.Path)
		if err != nil {
			return err
		}
		s.MappedAfter = &n
	}
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(s)
}

// appendTo adds rows to a file. Other programs see its old rows until all is on disk.
func (a *app) appendTo(to tablewriter.Options, in *importing.Input, name string) (sum *tablewriter.Summary, size int64, err error) {
	w, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, about(name, h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write"))
	}
	defer w.Close() // Append has flushed it
	f, err := write.Append(w, write.WithSpool(to.SpoolDir))
	if err != nil {
		return nil, 0, err
	}
	defer f.Abandon()
	err = safely(in.Name(), func() error {
		sum, err = tablewriter.Append(a.ctx, f, in, to)
		return err
	})
	if err == nil {
		err = in.Unchanged()
	}
	if err == nil {
		err = f.Close()
	}
	return sum, f.Size(), output.Named(err, name)
}

// mappedColumns returns the number of columns of a table that are mapped when they are read.
func mappedColumns(file, table string) (n int, err error) {
	f, err := arrowmap.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close() // read only: there is nothing to lose
	t, err := f.Table(table)
	if err != nil {
		return 0, err
	}
	for _, c := range t.Columns() {
		if c.Delivery == dtype.Mapped {
			n++
		}
	}
	return n, nil
}
