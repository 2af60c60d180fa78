// Package importing opens the inputs of import as record batches.
package importing

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// Sources says how inputs are opened.
type Sources struct {
	Stdin  io.Reader // what "-" reads
	From   string    // the table of HDF5 inputs, "": the only one
	Memory int64     // bytes that reading may use

	Untrusted bool // HDF5 inputs are of unknown origin
}

// Input is the rows of all inputs, one input after the other. It is an array.RecordReader whose release closes them.
type Input struct {
	Rows   int64 // 0: not known
	Mapped int   // columns of an HDF5 input that are mapped; -1 for others

	parts []part
	at    int
	err   error
}

// part is one input.
type part struct {
	array.RecordReader
	name    string
	rows    int64 // 0: not known
	mapped  int
	changed func() error
	close   func()
}

// kinds are the functions that open inputs, by the suffixes of their names.
var kinds = map[string]func(ctx context.Context, name string, s Sources) (part, error){
	".arrow": openIPC, ".feather": openIPC, ".arrows": openIPC, ".parquet": openParquet, ".csv": openCSV,
	".h5": openHDF5, ".hdf5": openHDF5, ".hdf": openHDF5, ".he5": openHDF5, ".nc": openHDF5, ".h5ad": openHDF5,
}

// Suffixes lists the suffixes of inputs.
const Suffixes = ".arrow, .feather, .arrows, .parquet, .csv and .h5"

// Open opens inputs of one schema. An unknown suffix and schemas that differ are errors of kind Argument.
func Open(ctx context.Context, names []string, s Sources) (*Input, error) {
	in := &Input{Mapped: -1}
	for _, name := range names {
		p, err := open(ctx, name, s)
		if err != nil {
			in.close()
			return nil, err
		}
		in.parts = append(in.parts, p)
		if err := sameSchema(in.parts[0], p); err != nil {
			in.close()
			return nil, err
		}
	}
	in.Mapped = in.parts[0].mapped
	for _, p := range in.parts {
		if p.rows == 0 {
			in.Rows = 0
			break
		}
		in.Rows += p.rows
	}
	return in, nil
}

func open(ctx context.Context, name string, s Sources) (part, error) {
	if name == "-" {
		r, err := ipc.NewStreamReader(s.Stdin, "stdin", ipc.WithMaxMemory(s.Memory))
		if err != nil {
			return part{}, err
		}
		return part{RecordReader: r, name: "stdin", mapped: -1, close: r.Release}, nil
	}
	fn := kinds[strings.ToLower(filepath.Ext(name))]
	if fn == nil {
		err := h5err.New(h5err.Argument, "import does not read files of this suffix").WithHint("it reads %s", Suffixes)
		return part{}, h5err.In(err, name, "")
	}
	return fn(ctx, name, s)
}

func openIPC(_ context.Context, name string, s Sources) (part, error) {
	r, err := ipc.Open(name, ipc.WithMaxMemory(s.Memory), ipc.WithMapping())
	if err != nil {
		return part{}, err
	}
	rows, _ := r.Rows()
	return part{RecordReader: r, name: name, rows: max(rows, 0), mapped: -1, changed: r.Changed, close: r.Release}, nil
}

func openParquet(ctx context.Context, name string, _ Sources) (part, error) {
	r, err := parquet.Open(ctx, name)
	if err != nil {
		return part{}, err
	}
	return part{RecordReader: r, name: name, rows: r.Rows(), mapped: -1, close: r.Release}, nil
}

func openCSV(ctx context.Context, name string, s Sources) (part, error) {
	starting := engine.Start(engine.Options{MaxMemory: 2 * s.Memory, Threads: 1, Access: true})
	db, err := starting.Open(engine.List(nil))
	if err != nil {
		starting.Close()
		return part{}, h5err.In(err, name, "")
	}
	r, err := db.Run(ctx, "SELECT * FROM read_csv('"+strings.ReplaceAll(name, "'", "''")+"')", nil)
	if err != nil {
		db.Close()
		starting.Close()
		return part{}, h5err.In(err, name, "")
	}
	return part{RecordReader: r, name: name, mapped: -1, close: func() {
		r.Release()
		db.Close()
		starting.Close()
	}}, nil
}

func openHDF5(ctx context.Context, name string, s Sources) (part, error) {
	var opts []arrowmap.Option
	if s.Untrusted {
		opts = append(opts, arrowmap.WithUntrusted())
	}
	f, err := arrowmap.Open(name, opts...)
	if err != nil {
		return part{}, err
	}
	t, err := f.Table(s.From)
	if err != nil {
		f.Close()
		return part{}, err
	}
	r, err := t.Reader(ctx, arrowmap.WithMaxMemory(s.Memory))
	if err != nil {
		f.Close()
		return part{}, err
	}
	p := part{RecordReader: r, name: name, rows: t.Rows(), close: func() {
		r.Release()
		f.Close()
	}}
	p.changed = func() error { return f.H5().Source().Changed(ctx) }
	for _, c := range t.Columns() {
		if c.Delivery == dtype.Mapped {
			p.mapped++
		}
	}
	return p, nil
}

// sameSchema returns an error if two inputs have other columns.
func sameSchema(a, b part) error {
	as, bs := a.Schema(), b.Schema()
	differ := func(format string, args ...any) error {
		return h5err.In(h5err.New(h5err.Argument, format, args...), b.name, "")
	}
	if as.NumFields() != bs.NumFields() {
		return differ("%d columns, in %s there are %d", bs.NumFields(), a.name, as.NumFields())
	}
	for i, f := range as.Fields() {
		g := bs.Field(i)
		if f.Name != g.Name || !arrow.TypeEqual(f.Type, g.Type) {
			return differ("column %d is %s of type %s, in %s it is %s of type %s", i, g.Name, dtype.TypeName(g.Type), a.name, f.Name, dtype.TypeName(f.Type))
		}
	}
	return nil
}

// Unchanged returns an error if an input has changed while it was read.
func (in *Input) Unchanged() error {
	for _, p := range in.parts {
		if p.changed == nil {
			continue
		}
		if err := p.changed(); err != nil {
			return err
		}
	}
	return nil
}

func (in *Input) close() {
	for _, p := range in.parts {
		p.close()
	}
	in.parts = nil
}

// Schema is that of the first part.
func (in *Input) Schema() *arrow.Schema { return in.parts[0].Schema() }

// Next moves to the next batch.
func (in *Input) Next() bool {
	for in.err == nil && in.at < len(in.parts) {
		p := in.parts[in.at]
		if p.Next() {
			return true
		}
		if in.err = p.Err(); in.err == nil {
			in.at++
		}
	}
	return false
}

// RecordBatch is the current batch.
func (in *Input) RecordBatch() arrow.RecordBatch { return in.parts[in.at].RecordBatch() }

// Record is RecordBatch under its old name.
func (in *Input) Record() arrow.RecordBatch { return in.RecordBatch() }

// Err is the error that ended the reading.
func (in *Input) Err() error { return in.err }

// Retain does nothing: there is one owner.
func (in *Input) Retain() {}

// Release closes all parts.
func (in *Input) Release() { in.close() }

// Name returns the name of the input that is being read.
func (in *Input) Name() string {
	return in.parts[min(in.at, len(in.parts)-1)].name
}
