package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/metadata"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/indexfile"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// indexFlags are the flags of index.
type indexFlags struct {
	reading
	manifestFlags
	format  *flags.Choice
	force   bool
	json    bool
	values  bool
	workers flags.Positive
}

func (a *app) indexCommand() *cobra.Command {
	o := &indexFlags{}
	cmd := &cobra.Command{
		Use:   "index FILE [OUT]",
		Short: "Write an index: of values, with which conditions skip rows, or of a URL's metadata",
		Long: `index reads all tables of a file once and writes, for each zone of rows of each column of numbers, times, booleans and text,
its least and greatest value and its nulls. query, and head and convert with --where, then skip zones in which no row can match. They
use FILE` + indexfile.Suffix + ` without being asked if it fits: an index of another file, of one that was changed since, or of values that
are read with other options is not used.

The index of a URL has what describes that version of the file: its objects, types, attributes and where its chunks lie; with --values,
which reads all of the file, also what is said above. Opening the file with --index OUT, or --index auto if OUT is beside the object as URL` + indexfile.Suffix + `, then costs one read of that.

--format kerchunk writes a reference file (JSON) of a file or URL, for zarr, xarray and fsspec. Datasets that Zarr can't represent are
left out, and named on stderr.

--manifest writes the names, rows, schemas and attributes of many files, or a pattern in quotes, to OUT. The Python package (open_files,
scan_h5) and convert, head and tail then open them as one table by one read; query, stats, plot and plan take OUT for its files. Files
in OUT's folder, and below, may be moved together with it.`,
		Example: `  h5arrow index data.h5
  h5arrow index data.h5 indexes/data` + indexfile.Suffix + `
  h5arrow index https://example.org/data.h5 data` + indexfile.Suffix + `
  h5arrow index s3://bucket/data.h5 data.json --format kerchunk
  h5arrow index 'runs/*.h5' runs/all.files --manifest --file-attributes site,run`,
		Args: argCount(1, -1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.index(cmd, o, args) },
	}
	f := cmd.Flags()
	o.reading.add(cmd)
	o.manifestFlags.add(cmd)
	o.format = flags.Choose(cmd, "format", "own (for h5arrow) or kerchunk (for zarr and xarray)", "own", "kerchunk")
	f.Var(&o.workers, "workers", "number of decoding goroutines (default: one for each processor)")
	f.BoolVar(&o.values, "values", false, "of a URL: read all tables, so that conditions skip rows")
	f.BoolVar(&o.force, "force", false, "overwrite OUT")
	f.BoolVar(&o.json, "json", false, "print a summary as JSON")
	return cmd
}

// indexSummary is the output of --json.
type indexSummary struct {
	Bytes   int64          `json:"bytes_out"`
	Seconds float64        `json:"seconds"`
	Left    []string       `json:"left_out,omitempty"` // paths of datasets
	IO      *remote.Counts `json:"io,omitempty"`       // of URLs
}

func (a *app) index(cmd *cobra.Command, o *indexFlags, args []string) error {
	start := time.Now()
	if err := o.check(cmd); err != nil {
		return err
	}
	limit := a.maxMemory(o.memory)
	defer memory.Limit(limit)()
	name, kerchunk := args[0], o.format.String() == "kerchunk"
	out := name + indexfile.Suffix
	switch {
	case len(args) > 2 && !o.manifest:
		return usage("index takes a file, not also %q", args[2]).WithHint("--manifest is for several files")
	case o.values && (kerchunk || !far.IsURL(name)):
		return usage("--values is for indexes of URLs; that of a local file has nothing else")
	case o.spool > 0:
		return usage("--spool is not for index, which describes a file that stays")
	case o.manifest:
		return a.writeManifest(o, args)
	case len(args) > 1:
		out = args[1]
	case far.IsURL(name):
		return about(far.Name(name), usage("give a file for the index"))
	case kerchunk:
		out = name + ".json"
	}
	to, err := o.far.Target(out, o.force, args[:1])
	if err != nil {
		return err
	}
	var sum indexSummary
	err = a.outputs.Write(a.ctx, to, func(w io.Writer) (err error) {
		c := &counted{w: w}
		switch {
		case kerchunk:
			sum.Left, err = a.kerchunk(o, name, c)
		case far.IsURL(name):
			err = a.keepMetadata(o, name, limit, c)
		default:
			err = a.indexValues(o, name, limit, c)
		}
		sum.Bytes = c.n
		return err
	})
	if err != nil || !o.json {
		return err
	}
	sum.Seconds, sum.IO = time.Since(start).Seconds(), o.far.Counts()
	w := a.out
	if out == "-" {
		w = a.err
	}
	e := json.NewEncoder(text.Safe(w))
	e.SetEscapeHTML(false)
	return e.Encode(sum)
}

// indexValues writes what is known of the values of a local file.
func (a *app) indexValues(o *indexFlags, name string, limit int64, w io.Writer) error {
	in, err := o.open(a.ctx, []string{name})
	if err != nil {
		return err
	}
	defer in.close()
	b, err := a.zones(o, in.files[0], limit)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

// zones returns what is known of a file's values.
func (a *app) zones(o *indexFlags, f *arrowmap.File, limit int64) ([]byte, error) {
	return f.BuildIndex(a.ctx, arrowmap.WithMaxMemory(limit/2), arrowmap.WithWorkers(int(o.workers)))
}

// counted counts the bytes that are written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// keepMetadata writes the metadata of a URL, and what is known of its values if that is asked for.
func (a *app) keepMetadata(o *indexFlags, name string, limit int64, w io.Writer) error {
	opts, err := o.options()
	if err != nil {
		return err
	}
	s, err := o.far.Open(a.ctx, name)
	if err != nil {
		return err
	}
	defer s.Release()
	x, err := metadata.Keep(a.ctx, s, opts...)
	if err != nil {
		return err
	}
	if o.values {
		s.Retain() // for the file
		f, err := arrowmap.NewFile(s, opts...)
		if err != nil {
			s.Release()
			return err
		}
		defer f.Close() // read only: there is nothing to lose
		b, err := a.zones(o, f, limit)
		if err != nil {
			return err
		}
		x = x.WithValues(b)
	}
	b, err := x.Encode()
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

// kerchunk writes a reference file, and returns the paths of datasets that are left out.
func (a *app) kerchunk(o *indexFlags, name string, w io.Writer) (left []string, err error) {
	in, err := o.open(a.ctx, []string{name})
	if err != nil {
		return nil, err
	}
	defer in.close()
	url := far.Name(name)
	if !far.IsURL(name) {
		if url, err = filepath.Abs(name); err != nil {
			return nil, err
		}
	}
	errs, err := metadata.Kerchunk(a.ctx, w, in.files[0].H5(), url)
	for _, e := range errs {
		if x, ok := errors.AsType[*h5err.Error](e); ok {
			left = append(left, h5.CleanPath(x.Object))
		}
		if !o.quiet {
			a.leftOut(e)
		}
	}
	return left, err
}

// applyIndexes makes the inputs use what indexes know of their values. An index of a local file that was named must fit; another one is only
// mentioned if it does not. Indexes of URLs were used when these were opened, but for the values.
func (r *reading) applyIndexes(in *inputs) error {
	named := r.far.Index()
	if named == "none" {
		return nil
	}
	if named == "auto" {
		named = ""
	}
	if named != "" && len(in.files) > 1 {
		return usage("--index is for one file")
	}
	for i, f := range in.files {
		if far.IsURL(in.names[i]) {
			if b := r.far.Values(in.names[i]); b != nil {
				if err := f.UseIndex(b); err != nil {
					in.unused = append(in.unused, err)
				}
			}
			continue
		}
		name := named
		if name == "" {
			name = in.names[i] + indexfile.Suffix
		}
		b, err := indexfile.Read(name)
		if err == nil {
			err = f.UseIndex(b)
		}
		if named == "" {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				in.unused = append(in.unused, h5err.In(err, name, ""))
			}
			continue
		}
		if err != nil {
			return h5err.In(err, name, "")
		}
	}
	return nil
}
