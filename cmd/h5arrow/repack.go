package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
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
	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/repack"
	"github.com/h5arrow/h5arrow/h5/write"
)

// repackFlags are the flags of repack.
type repackFlags struct {
	rows        flags.Positive
	compression string
	shuffle     bool
	tables      *flags.Choice
	growing     bool
	page        flags.Size
	workers     flags.Positive
	force       bool
	json        bool
	quiet       bool
	untrusted   bool
	far         *far.Opener
}

func (a *app) repackCommand() *cobra.Command {
	o := &repackFlags{}
	cmd := &cobra.Command{
		Use:   "repack IN.h5 OUT.h5",
		Short: "Write an HDF5 file anew, with other storage",
		Long: `repack writes the same objects, links, attributes, types and values to another HDF5 file. Datasets become contiguous and aligned, so
that programs can map them; a dataset that could grow can't any more, unless --growing keeps it in aligned chunks without compression. With
--chunk-rows or --compression, they are stored in chunks, with the maximum shapes that they have.

With --tables vaex, the tables of the input are written in vaex's layout, as import writes them, and nothing else.

Datasets with a filter that is not implemented here keep their chunks as they are stored, which is said.

With --page-size alone, the storage is kept, and chunks are copied as they are stored; space is divided into pages, and metadata comes
first, so that programs far away read it in few pieces.

OUT, a path or an s3, gs or az URL, appears when it is complete, and not before.`,
		Example: `  h5arrow repack compressed.h5 mapped.h5
  h5arrow repack data.h5 small.h5 --chunk-rows 65536 --compression zstd:5 --shuffle
  h5arrow repack data.h5 cloud.h5 --page-size 8MiB`,
		Args: argCount(2, 2, "an input and an output"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.repack(cmd, o, args[0], args[1]) },
	}
	f := cmd.Flags()
	f.Var(&o.rows, "chunk-rows", "rows of a chunk (default with --compression: as they are, or about 1 MiB)")
	f.StringVar(&o.compression, "compression", "none", "compression of chunks (`CODEC`): "+encode.Names())
	f.BoolVar(&o.shuffle, "shuffle", false, "shuffle the bytes of values before they are compressed")
	o.tables = flags.Choose(cmd, "tables", "what is written: all objects as they are, or the tables in vaex's layout", "keep", "vaex")
	f.BoolVar(&o.growing, "growing", false, "keep datasets that can grow in chunks, so that they still can")
	f.Var(&o.page, "page-size", "divide space into pages of this size, such as 8MiB, with metadata first")
	f.Var(&o.workers, "workers", "number of goroutines (default: one for each processor)")
	f.BoolVar(&o.untrusted, "untrusted", false, "strict rules for an input of unknown origin: nothing outside the file, lower limits")
	f.BoolVar(&o.force, "force", false, "overwrite OUT")
	f.BoolVar(&o.json, "json", false, "print a summary as JSON")
	f.BoolVar(&o.quiet, "quiet", false, "print errors only")
	o.far = far.NewWriter(cmd)
	return cmd
}

// options returns the options of the library.
func (o *repackFlags) options(cmd *cobra.Command) (repack.Options, error) {
	p := repack.Options{ChunkRows: uint64(o.rows), Growing: o.growing, PageSize: int64(o.page), Workers: int(o.workers)}
	chunked := cmd.Flags().Changed("compression") && o.compression != "none"
	switch {
	case o.rows > 0 || chunked:
		p.Layout = repack.Chunked
	case o.page > 0 && !cmd.Flags().Changed("compression"):
		p.Layout = repack.Keep
	}
	if o.growing && o.tables.String() == "vaex" {
		return p, usage("--growing does not go with --tables vaex; --chunk-rows makes tables that can grow")
	}
	if o.growing && p.Layout != repack.Contiguous {
		return p, usage("--growing is for contiguous storage; chunks can grow in any case")
	}
	var err error
	p.Filters, err = encode.Parse(o.compression, o.shuffle)
	return p, err
}

func (a *app) repack(cmd *cobra.Command, o *repackFlags, name, out string) error {
	opts, err := o.options(cmd)
	if err != nil {
		return err
	}
	to, err := o.far.Target(out, o.force, []string{name})
	if err != nil {
		return err
	}
	if o.tables.String() == "vaex" {
		return a.repackTables(o, opts, name, to)
	}
	if to.Special() {
		return usage("%s is not a regular file, and repack writes at any place of its output", out)
	}
	var hopts []h5.Option
	if o.untrusted {
		hopts = append(hopts, h5.WithUntrusted())
	}
	in, err := h5.Open(name, hopts...)
	if err != nil {
		return err
	}
	defer in.Close()
	opts.Room = to.Room
	started := time.Now()
	var res *repack.Result
	err = a.outputs.File(a.ctx, to, func(w io.WriterAt) error {
		res, err = repack.File(a.ctx, in, w, opts)
		return err
	})
	if err != nil {
		return err
	}
	return a.repacked(o, out, res, time.Since(started))
}

// repackTables writes the tables of a file in vaex's layout.
func (a *app) repackTables(o *repackFlags, p repack.Options, name string, to output.Target) error {
	if to.Special() {
		return usage("%s is not a regular file, and repack writes at any place of its output", to.Path())
	}
	defer memory.Limit(importMemory)()
	in, err := arrowmap.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	started := time.Now()
	var done *importing.Tables
	dir := to.Dir()
	wopts := []write.Option{write.WithSpool(dir), write.WithPageSize(p.PageSize)}
	if p.Workers > 0 {
		wopts = append(wopts, write.WithWorkers(p.Workers))
	}
	if err := a.roomForTables(in, p, to); err != nil {
		return err
	}
	t := tablewriter.Options{ChunkRows: int64(p.ChunkRows), SpoolDir: dir}
	if len(p.Filters) > 0 {
		t.Filters = func(int) []h5.Filter { return p.Filters }
	}
	size, err := a.outputs.HDF5(a.ctx, to, func(h *write.File) error {
		err := safely(name, func() (err error) {
			done, err = importing.CopyTables(a.ctx, in, h, t, importMemory/2)
			return err
		})
		if err == nil {
			err = in.H5().Source().Changed(a.ctx)
		}
		return err
	}, wopts...)
	if err != nil {
		return err
	}
	return a.tablesRepacked(o, to, done, size, time.Since(started))
}

// roomForTables refuses what won't fit, as far as that is known before anything is written.
func (a *app) roomForTables(in *arrowmap.File, p repack.Options, to output.Target) error {
	tables, err := in.Tables()
	if err != nil || len(p.Filters) > 0 {
		return err
	}
	total := int64(0)
	for _, t := range tables {
		if t.RowsKnown() {
			total += min(format.MinBytes(t.Schema(), t.Rows()), math.MaxInt64-total)
		}
	}
	return to.Room(total)
}

// tablesRepacked says what was gained.
func (a *app) tablesRepacked(o *repackFlags, out output.Target, done *importing.Tables, size int64, took time.Duration) error {
	s := repackSummary{Rows: uint64(done.Rows), BytesOut: size, Seconds: took.Seconds(), Columns: []repackedColumn{}, MappedBefore: done.Mapped}
	for _, c := range done.Columns {
		s.Columns = append(s.Columns, repackedColumn{c.Name, c.Path, dtype.TypeName(c.Type), c.Storage.String(), c.Aligned, ""})
		if c.Aligned {
			s.MappedAfter++
		}
	}
	if out.Dir() == "" { // an object: as many as are stored so
		return a.gained(o, out.Path(), &s, "columns")
	}
	var err error
	if s.MappedAfter, err = mappedInTables(out.Path()); err != nil {
		return err
	}
	return a.gained(o, out.Path(), &s, "columns")
}

// mappedInTables returns the number of columns of all tables of a file that are mapped when they are read.
func mappedInTables(name string) (n int, err error) {
	f, err := arrowmap.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close() // read only: there is nothing to lose
	tables, err := f.Tables()
	if err != nil {
		return 0, err
	}
	for _, t := range tables {
		for _, c := range t.Columns() {
			if c.Delivery == dtype.Mapped {
				n++
			}
		}
	}
	return n, nil
}

// repackSummary is the output of --json.
type repackSummary struct {
	Rows         uint64           `json:"rows"` // of the longest dataset
	BytesOut     int64            `json:"bytes_out"`
	Seconds      float64          `json:"seconds"`
	Columns      []repackedColumn `json:"columns"`
	MappedBefore int              `json:"mapped_before"`
	MappedAfter  int              `json:"mapped_after"`
	CopiedChunks int              `json:"copied_chunks"`
}

type repackedColumn struct {
	Name    string `json:"name"`
	Path    string `json:"path"`
	Type    string `json:"type"`
	Storage string `json:"storage"`
	Aligned bool   `json:"aligned"`
	Kept    string `json:"kept,omitempty"` // why its chunks were copied as they are stored
}

// repacked says what was gained.
func (a *app) repacked(o *repackFlags, out string, res *repack.Result, took time.Duration) error {
	s := repackSummary{BytesOut: res.Bytes, Seconds: took.Seconds(), Columns: []repackedColumn{}, CopiedChunks: res.Copied}
	for _, d := range res.Datasets {
		s.Rows = max(s.Rows, d.Rows)
		if d.Before {
			s.MappedBefore++
		}
		if d.After {
			s.MappedAfter++
		}
		s.Columns = append(s.Columns, repackedColumn{d.Path[strings.LastIndexByte(d.Path, '/')+1:], d.Path, d.Type.String(), d.Storage.String(), d.After, keptReason(d.Kept)})
		if d.Kept != nil && !o.quiet && !o.json {
			a.note("chunks copied as they are: %s", errorText(d.Kept))
		}
	}
	return a.gained(o, out, &s, "datasets")
}

func keptReason(err error) string {
	if err == nil {
		return ""
	}
	return errorText(err)
}

// gained prints a summary.
func (a *app) gained(o *repackFlags, out string, s *repackSummary, what string) error {
	if !o.json {
		if !o.quiet {
			a.note("%s: %d bytes; %d of %d %s can be mapped, %d of the input's", out, s.BytesOut, s.MappedAfter, len(s.Columns), what, s.MappedBefore)
		}
		return nil
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(s); err != nil {
		return err
	}
	_, err := a.out.Write(b.Bytes())
	return h5err.In(err, "stdout", "")
}
