//go:build cgo

package cdata

import (
	"context"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/cdata"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// The structs of the C interfaces. C allocates them, all bytes zero; what is exported is moved into them.
type (
	Schema = cdata.CArrowSchema      // struct ArrowSchema
	Array  = cdata.CArrowArray       // struct ArrowArray
	Stream = cdata.CArrowArrayStream // struct ArrowArrayStream
)

// Option changes how something is exported.
type Option func(*options) error

type options struct {
	mem     *Allocator
	trusted bool
	align   arrowmap.Align
	read    []arrowmap.ReadOption
}

// WithTrustedInput passes mapped values to C without a copy. A file that is cut short meanwhile ends the process.
func WithTrustedInput() Option {
	return func(o *options) error {
		o.trusted = true
		return nil
	}
}

// WithAlign sets what to do with values that are passed to C without a copy and are not aligned to their width. The default
// is arrowmap.AlignCopy; arrowmap.AlignRefuse makes the batch an error of kind Unsupported.
func WithAlign(a arrowmap.Align) Option {
	return func(o *options) error {
		if a > arrowmap.AlignRefuse {
			return h5err.New(h5err.Argument, "unknown policy of alignment %d", a)
		}
		o.align = a
		return nil
	}
}

// WithAllocator sets where copies and decoded values come from, so that a program can see how much is not released. The
// default is an Allocator for each export.
func WithAllocator(mem *Allocator) Option {
	return func(o *options) error {
		o.mem = mem
		return nil
	}
}

// WithRead passes options to the table's reader. ExportTable sets arrowmap.WithAllocator itself.
func WithRead(opts ...arrowmap.ReadOption) Option {
	return func(o *options) error {
		o.read = append(o.read, opts...)
		return nil
	}
}

func settle(opts []Option) (*options, error) {
	o := &options{align: arrowmap.AlignCopy}
	for _, opt := range opts {
		if err := opt(o); err != nil {
			return nil, err
		}
	}
	if o.mem == nil {
		o.mem = NewAllocator()
	}
	return o, nil
}

// ExportTable starts to read a table and fills out with a stream of its batches, which the consumer releases. Canceling the
// context ends the stream with an error. The errors are those of arrowmap.Table.Reader and of the options; out is unchanged
// then.
func ExportTable(ctx context.Context, t *arrowmap.Table, out *Stream, opts ...Option) error {
	o, err := settle(opts)
	if err != nil {
		return err
	}
	r, err := t.Reader(ctx, append(o.read, arrowmap.WithAllocator(o.mem))...)
	if err != nil {
		return err
	}
	export(r, out, o)
	return nil
}

// ExportReader fills out with a stream of the batches of any reader, and takes over the caller's reference to it. What is not
// in memory of the Allocator is copied.
func ExportReader(rr array.RecordReader, out *Stream, opts ...Option) error {
	o, err := settle(opts)
	if err != nil {
		return err
	}
	export(rr, out, o)
	return nil
}

// NewReader returns a reader of the batches of rr as ExportReader exports them, for programs that export them one by one. It
// takes over the caller's reference to rr. Export its batches with package cdata of arrow-go.
func NewReader(rr array.RecordReader, opts ...Option) (array.RecordReader, error) {
	o, err := settle(opts)
	if err != nil {
		return nil, err
	}
	return newStable(rr, o), nil
}

func newStable(rr array.RecordReader, o *options) *stable {
	s := &stable{RecordReader: rr, copier: copier{options: o}}
	s.refs.Store(1)
	return s
}

func export(rr array.RecordReader, out *Stream, o *options) {
	s := newStable(rr, o)
	cdata.ExportRecordReader(s, out)
	s.Release() // out has a reference of its own
}

// ExportRecordBatch fills out with a batch, and schema, unless it is nil, with its schema. The caller keeps its
// reference. Errors are of kind IO for a mapped input that was cut short, Corrupt for one that was written to, and
// Unsupported by WithAlign.
func ExportRecordBatch(rec arrow.RecordBatch, out *Array, schema *Schema, opts ...Option) error {
	o, err := settle(opts)
	if err != nil {
		return err
	}
	c := copier{options: o}
	defer c.forget()
	safe, err := c.batch(rec)
	if err != nil {
		return err
	}
	defer safe.Release()
	cdata.ExportArrowRecordBatch(safe, out, schema)
	return nil
}

// stable is a reader whose batches are in memory that C may keep.
type stable struct {
	array.RecordReader
	copier
	refs    atomic.Int64
	current arrow.RecordBatch
	err     error
}

// Next moves to the next batch.
func (s *stable) Next() bool {
	s.drop()
	if s.err != nil || !s.RecordReader.Next() {
		return false
	}
	s.current, s.err = s.batch(s.RecordReader.RecordBatch())
	return s.err == nil
}

func (s *stable) drop() {
	if s.current != nil {
		s.current.Release()
		s.current = nil
	}
}

// RecordBatch is the current batch.
func (s *stable) RecordBatch() arrow.RecordBatch { return s.current }

// Record is RecordBatch.
func (s *stable) Record() arrow.RecordBatch { return s.current }

// Err is what ended the reading.
func (s *stable) Err() error {
	if s.err != nil {
		return s.err
	}
	return s.RecordReader.Err()
}

// Retain takes one more reference.
func (s *stable) Retain() { s.refs.Add(1) }

// Release gives a reference back; the last one ends the reading.
func (s *stable) Release() {
	if s.refs.Add(-1) == 0 {
		s.drop()
		s.forget()
		s.RecordReader.Release()
	}
}
