package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/fileset"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/format"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// addAttributes adds the flag of verbs that make columns of files' attributes.
func (s *selection) addAttributes(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&s.attributes, "file-attributes", nil, "add columns with these attributes of each file's table or root group (`a,b`)")
}

// withAttributes adds the columns of --file-attributes to those that --columns asks for.
func (s *selection) withAttributes() {
	for _, name := range s.attributes {
		if len(s.columns) > 0 && !slices.Contains(s.columns, name) {
			s.columns = append(s.columns, name)
		}
	}
}

// isManifest reports whether an argument is a file that index --manifest wrote.
func isManifest(name string) bool {
	if far.IsURL(name) {
		return false
	}
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 64)
	n, _ := io.ReadFull(f, start) // a short file has fewer
	return fileset.IsManifest(start[:n])
}

// expand is that of reading. A manifest stands for its files, its attributes and, where flags don't say otherwise, its table and its union.
func (s *selection) expand(ctx context.Context, args []string) ([]string, error) {
	if len(args) != 1 || !isManifest(args[0]) {
		return s.reading.expand(ctx, args) // a manifest among others is an error when it is opened
	}
	if len(s.attributes) > 0 {
		return nil, about(args[0], usage("a manifest stands for all files and --file-attributes"))
	}
	b, err := fileset.ReadManifest(args[0])
	if err != nil {
		return nil, err
	}
	names, o, err := fileset.ManifestFiles(b, filepath.Dir(args[0]), fileset.Options{Inside: s.untrusted})
	if err != nil {
		return nil, h5err.In(err, args[0], "")
	}
	if !s.named() {
		s.table = o.Path
	}
	if o.Union {
		s.union = "by-name"
	}
	s.attributes = o.Attributes
	return names, nil
}

// many returns the table of a manifest, or of files with --file-attributes: their files are opened while they are read. It is nil where
// args are neither. names are those of its files.
func (s *selection) many(a *app, args []string) (t *fileset.Table, names []string, err error) {
	manifest := len(args) == 1 && isManifest(args[0])
	if !manifest && len(s.attributes) == 0 {
		return nil, nil, nil
	}
	if manifest && (s.table != "" || s.union != "" || len(s.attributes) > 0) {
		return nil, nil, about(args[0], usage("a manifest stands for all files, --table, --union and --file-attributes"))
	}
	for _, flag := range []string{"stack", "dataset", "skip-unsupported", "spool"} {
		if s.cmd.Flags().Changed(flag) {
			return nil, nil, usage("--%s is not for manifests, and not for files with --file-attributes", flag)
		}
	}
	opts, err := s.options()
	if err != nil {
		return nil, nil, err
	}
	o := fileset.Options{Path: s.table, Union: s.union != "", Attributes: s.attributes, Inside: s.untrusted,
		Show: func(name string) string { return text.Printable(far.Name(name)) },
		Open: func(ctx context.Context, name string) (*arrowmap.File, error) { return s.openEach(ctx, name, opts) }}
	if s.filename {
		o.Name = rows.Filename
	}
	if manifest {
		b, err := fileset.ReadManifest(args[0])
		if err != nil {
			return nil, nil, err
		}
		if t, err = fileset.OpenManifest(a.ctx, b, filepath.Dir(args[0]), o); err != nil {
			return nil, nil, h5err.In(err, args[0], "")
		}
		names = append(slices.Clone(t.Names()), args[0])
	} else {
		if names, err = s.expand(a.ctx, args); err != nil {
			return nil, nil, err
		}
		if t, err = fileset.Open(a.ctx, names, o); err != nil {
			return nil, nil, err
		}
	}
	if !s.quiet {
		for _, note := range t.Notes() {
			a.note("%s", note)
		}
	}
	t, err = s.part(a.ctx, t, o)
	return t, names, err
}

// openEach opens one of many files, with the index beside it.
func (s *selection) openEach(ctx context.Context, name string, opts []arrowmap.Option) (*arrowmap.File, error) {
	if stream, _ := s.stream(name); stream {
		return nil, about(name, usage("stdin and FIFOs are not for manifests and --file-attributes: files are opened several times"))
	}
	f, err := s.openFile(ctx, name, opts)
	if err != nil {
		return nil, err
	}
	if err := s.useIndexes(&inputs{names: []string{name}, files: []*arrowmap.File{f}}); err != nil {
		f.Close() // read only: there is nothing to lose
		return nil, err
	}
	return f, nil
}

// part takes the rows and columns that flags ask for.
func (s *selection) part(ctx context.Context, t *fileset.Table, o fileset.Options) (*fileset.Table, error) {
	for _, name := range s.sorted {
		if _, err := t.Select(name); err != nil {
			return nil, err
		}
	}
	if s.rows.Given() {
		all, err := t.Rows(ctx)
		if err != nil {
			return nil, err
		}
		a, b := s.rows.Of(all)
		if t, err = t.Slice(ctx, a, b); err != nil {
			return nil, err
		}
	}
	if len(s.conditions) > 0 {
		var err error
		if t, err = t.Where(s.conditions...); err != nil {
			return nil, err
		}
	}
	if len(s.columns) == 0 {
		return t, nil
	}
	names := slices.Clone(s.columns)
	for _, name := range append([]string{o.Name}, o.Attributes...) { // which are asked for, too
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return t.Select(names...)
}

// manyRead returns the options of reading many files in so much memory.
func (s *selection) manyRead(budget int64) fileset.ReadOptions {
	return fileset.ReadOptions{MaxMemory: budget, Workers: int(s.workers), BatchRows: int64(s.batchRows), BatchBytes: int64(s.batchBytes)}
}

// measured counts the bytes and the nulls of columns.
type measured struct {
	array.RecordReader
	bytes, nulls []int64
}

// Next moves to the next batch.
func (m *measured) Next() bool {
	if !m.RecordReader.Next() {
		return false
	}
	for i, c := range m.RecordBatch().Columns() {
		m.bytes[i] += int64(c.Data().SizeInBytes())
		m.nulls[i] += int64(c.NullN())
	}
	return true
}

// manyFiles writes the table of many files.
func (c *conversion) manyFiles(t *fileset.Table, names []string, out string) error {
	to, e, err := c.destination(names, out)
	if err != nil {
		return err
	}
	if out == "-" {
		sum, err := c.writeMany(t, c.out, e)
		if err != nil {
			return output.Named(err, "stdout")
		}
		return c.report(c.err, sum)
	}
	var sum *summary
	err = c.outputs.Write(c.ctx, to, func(w io.Writer) (err error) {
		sum, err = c.writeMany(t, w, e)
		return err
	})
	if err != nil {
		return err
	}
	return c.report(c.out, sum)
}

func (c *conversion) writeMany(t *fileset.Table, w io.Writer, e *format.Encoder) (*summary, error) {
	start := time.Now()
	converted, err := c.conversions(t, e)
	if err != nil {
		return nil, h5err.In(err, far.Name(t.Names()[0]), t.Path())
	}
	o := c.manyRead(e.Budget(c.memory))
	columns := t.Schema().NumFields()
	if bytes := e.BatchBytes(c.memory, columns); bytes > 0 && c.batchRows == 0 && c.batchBytes == 0 {
		o.BatchBytes = bytes
	}
	r, err := t.Reader(c.ctx, o)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	m := &measured{r, make([]int64, columns), make([]int64, columns)}
	total := int64(-1)
	if t.Counted() && !t.Filtered() {
		if total, err = t.Rows(c.ctx); err != nil {
			return nil, err
		}
	}
	defer c.showProgress(e, total)()
	stats, err := e.Write(c.ctx, c.bound.Writer(w), m)
	if err != nil {
		return nil, err
	}
	s := &summary{Rows: stats.Rows, Batches: stats.Batches, BytesOut: stats.Bytes, Seconds: time.Since(start).Seconds(), Columns: []columnSummary{},
		Notes: t.Notes(), Changed: converted, IO: c.far.Counts()}
	for i, f := range t.Schema().Fields() {
		s.Columns = append(s.Columns, columnSummary{text.Printable(f.Name), dtype.TypeName(f.Type), dtype.Converted.String(), m.bytes[i], m.nulls[i]})
	}
	return s, nil
}

// headMany prints the first or last rows of many files.
func (a *app) headMany(o *headFlags, t *fileset.Table, limit int64) (err error) {
	if o.sample > 0 {
		return usage("--sample is not for manifests, and not for files with --file-attributes")
	}
	if o.last {
		all, err := t.Rows(a.ctx)
		if err != nil {
			return err
		}
		if t, err = t.Slice(a.ctx, max(0, all-o.n), -1); err != nil {
			return err
		}
	} else if t, err = t.Head(o.n); err != nil {
		return err
	}
	r, err := t.Reader(a.ctx, o.manyRead(limit-limit/4))
	if err != nil {
		return err
	}
	defer r.Release()
	return a.printRows(a.screen(&o.display), r, o.json, rows.Grid{})
}
