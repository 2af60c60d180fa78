// Package importing opens the inputs of import as record batches.
package importing

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc"
)

// Sources says how inputs are opened.
type Sources struct {
	Stdin  io.Reader // what "-" reads
	From   string    // the table of HDF5 inputs, "": the only one
	Memory int64     // bytes that reading may use

	Untrusted bool // HDF5 inputs are of unknown origin
	Trusted   bool // HDF5 inputs that come by URL are not

	Far *far.Opener // opens URLs; nil: names are paths
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
	url := s.Far != nil && far.IsURL(name)
	k, ok := kinds[suffix(name, url)]
	if !ok {
		err := h5err.New(h5err.Argument, "import does not read files of this suffix").WithHint("it reads %s", Suffixes)
		return part{}, h5err.In(err, far.Name(name), "")
	}
	if !url {
		return k.near(ctx, name, s)
	}
	src, err := s.Far.Open(ctx, name)
	if err != nil {
		return part{}, err
	}
	return k.far(ctx, src, s)
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
		if f.Name != g.Name || !stored.Equal(f.Type, g.Type) {
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
