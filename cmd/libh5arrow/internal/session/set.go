package session

import (
	"context"
	"io"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/fileset"
	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Rows are columns and rows that can be read: a Table, or a Set.
type Rows interface {
	resource
	Describe() (string, error)
	Count(context.Context) (int64, error)
	Schema() (*arrow.Schema, error)
	Splits(ctx context.Context, options string) (string, error)
	Read(ctx context.Context, options string, mem memory.Allocator) (array.RecordReader, ReadOptions, error)
}

// Set is the rows of many files, which are opened while they are read.
type Set struct {
	counted
	t     *fileset.Table
	align arrowmap.Align
}

// setOptions are the options of Files: those of opening each file, and which table of it.
type setOptions struct {
	Files      []string    `json:"files"`
	Manifest   string      `json:"manifest"` // a file that has the names of the files, instead
	Path       string      `json:"path"`
	ByName     bool        `json:"by_name"`
	Name       string      `json:"filename"` // of a column
	Attributes []string    `json:"attributes"`
	Open       openOptions `json:"open"`
}

// Files returns the table of many files. options are setOptions as JSON.
func Files(ctx context.Context, options string) (*Set, error) {
	var o setOptions
	if err := decode(options, &o); err != nil {
		return nil, err
	}
	if (len(o.Files) == 0) == (o.Manifest == "") {
		return nil, h5err.New(h5err.Argument, "options files and manifest exclude each other, and one of them is needed")
	}
	opts, align, err := o.Open.parse()
	if err != nil {
		return nil, err
	}
	of := fileset.Options{Path: o.Path, Union: o.ByName, Name: o.Name, Attributes: o.Attributes, Show: shown, Open: func(ctx context.Context, name string) (*arrowmap.File, error) {
		return openEach(ctx, name, &o.Open, opts)
	}}
	s := &Set{align: align}
	if o.Manifest == "" {
		s.t, err = fileset.Open(ctx, o.Files, of)
	} else {
		s.t, err = openManifest(ctx, o.Manifest, of)
	}
	if err != nil {
		return nil, err
	}
	s.start(func() {}) // no file is open
	return s, nil
}

// openEach opens a file, for as long as it is read: under ctx.
func openEach(ctx context.Context, name string, o *openOptions, opts []arrowmap.Option) (*arrowmap.File, error) {
	if scheme(name) != "" {
		return openURL(ctx, name, o.Headers, opts)
	}
	f, err := arrowmap.Open(name, opts...)
	if err == nil {
		err = (&File{f: f}).useIndex(name, o.Index)
	}
	if err != nil && f != nil {
		f.Close() // read only: there is nothing to lose
		return nil, err
	}
	return f, err
}

func openManifest(ctx context.Context, name string, o fileset.Options) (*fileset.Table, error) {
	b, err := fileset.ReadManifest(name)
	if err != nil {
		return nil, err
	}
	t, err := fileset.OpenManifest(ctx, b, filepath.Dir(name), o)
	return t, h5err.In(err, name, "")
}

// Manifest writes what is known of the files to a file, as JSON {"bytes_out"}. options has "force" to replace it.
func (s *Set) Manifest(ctx context.Context, name, options string) (string, error) {
	var o struct {
		Force bool `json:"force"`
	}
	if err := decode(options, &o); err != nil {
		return "", err
	}
	b, err := s.t.Manifest(ctx, filepath.Dir(name))
	if err != nil {
		return "", err
	}
	target, err := output.Check(name, o.Force, s.t.Names())
	if err != nil {
		return "", err
	}
	var outputs output.Set
	err = outputs.Write(ctx, target, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	return answer(map[string]int{"bytes_out": len(b)}, err)
}

func (s *Set) like(t *fileset.Table) *Set {
	out := &Set{t: t, align: s.align}
	out.start(func() {})
	return out
}

// each is what is read of each file of a Set.
type each struct {
	Table      string   `json:"table"` // "" is the only one
	Union      bool     `json:"union"`
	Attributes []string `json:"file_attributes"`
}

// Describe describes the table as JSON. Its rows are null: they have to be counted.
func (s *Set) Describe() (string, error) {
	out := tableText{Path: s.t.Path(), Convention: "files", Reason: "the tables of many files, one after the other", Notes: s.t.Notes(), Columns: []object{}}
	o := s.t.Options()
	out.Each = &each{o.Path, o.Union, o.Attributes}
	for _, f := range s.t.Schema().Fields() {
		name := dtype.TypeName(f.Type)
		out.Columns = append(out.Columns, object{Name: f.Name, Path: s.t.Path(), Type: &name, Delivery: dtype.Converted.String(), Reason: "files are opened when they are read"})
	}
	return answer(out, nil)
}

// Narrow returns some columns and rows, as Table.Narrow does.
func Narrow(ctx context.Context, r Rows, options string) (Rows, error) {
	if s, ok := r.(*Set); ok {
		return s.narrow(ctx, options)
	}
	return r.(*Table).Narrow(options)
}

func (s *Set) narrow(ctx context.Context, options string) (*Set, error) {
	o, err := narrowing(options, s.t.Lacks)
	t := s.t
	if err == nil && o.Columns != nil {
		t, err = t.Select(*o.Columns...)
	}
	if err == nil && o.Rows != nil {
		t, err = t.Slice(ctx, o.Rows[0], o.Rows[1])
	}
	if err == nil && len(o.Where) > 0 {
		t, err = t.Where(o.Where...)
	}
	if err == nil && o.Limit != nil {
		t, err = t.Head(*o.Limit)
	}
	if err != nil {
		return nil, err
	}
	return s.like(t), nil
}

// Count is the number of rows.
func (s *Set) Count(ctx context.Context) (int64, error) {
	if !s.t.Filtered() {
		return s.t.Rows(ctx)
	}
	none, err := s.t.Select()
	if err != nil {
		return 0, err
	}
	r, err := none.Reader(ctx, fileset.ReadOptions{})
	if err != nil {
		return 0, err
	}
	defer r.Release()
	n := int64(0)
	for r.Next() {
		n += r.RecordBatch().NumRows()
	}
	return n, r.Err()
}

// Schema is the schema of the table's batches.
func (s *Set) Schema() (*arrow.Schema, error) { return s.t.Schema(), nil }

// Splits divides the rows, as Table does; the bytes of the files are not known.
func (s *Set) Splits(ctx context.Context, options string) (string, error) {
	var o splitOptions
	if err := decode(options, &o); err != nil {
		return "", err
	}
	splits, err := s.t.Splits(ctx, o.Count, o.Bytes)
	list := []split{}
	for _, p := range splits {
		list = append(list, split{p.File, [2]int64{p.From, p.To}, [2]int64{p.FileFrom, p.FileFrom + p.To - p.From}, p.Bytes, 0})
	}
	return answer(list, err)
}

// Read starts to read the rows.
func (s *Set) Read(ctx context.Context, options string, mem memory.Allocator) (array.RecordReader, ReadOptions, error) {
	var o readOptions
	how := ReadOptions{Align: s.align}
	if err := decode(options, &o); err != nil {
		return nil, how, err
	}
	how.Copy = o.Copy
	r, err := s.t.Reader(ctx, fileset.ReadOptions{Alloc: mem, BatchRows: o.BatchRows, BatchBytes: o.BatchBytes, MaxMemory: o.MaxMemory, Workers: o.Workers})
	if err != nil {
		return nil, how, err
	}
	return r, how, nil
}
