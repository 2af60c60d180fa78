package ipc

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// Stats counts what has been written.
type Stats struct {
	Rows    int64
	Batches int64
	Bytes   int64 // of output
}

// Option changes how Write works.
type Option func(*options) error

type options struct {
	compression Compression
	workers     int
	mem         memory.Allocator
	progress    func(Stats)
}

// WithCompression sets the codec of the buffers. The default is None.
func WithCompression(c Compression) Option {
	return func(o *options) error {
		if c < None || c > Zstd {
			return h5err.New(h5err.Argument, "unknown %v", c)
		}
		o.compression = c
		return nil
	}
}

// WithWorkers sets how many batches are compressed at a time. Each is held until it has been written. The default is the
// number of processors.
func WithWorkers(n int) Option {
	return func(o *options) error {
		if n < 1 {
			return h5err.New(h5err.Argument, "%d workers", n)
		}
		o.workers = n
		return nil
	}
}

// WithAllocator sets the allocator of compressed and sliced buffers. The default is memory.DefaultAllocator.
func WithAllocator(mem memory.Allocator) Option {
	return func(o *options) error {
		o.mem = mem
		return nil
	}
}

// WithProgress calls fn after each batch, one call at a time.
func WithProgress(fn func(Stats)) Option {
	return func(o *options) error {
		o.progress = fn
		return nil
	}
}

// Write writes all batches of rr to w, in order, and the end of the file or stream. It neither releases rr nor closes w.
// After an error, what has been written is not a complete file. Errors are those of rr and ctx, of kind IO if w fails or
// an input is cut short, and Unsupported for a file whose dictionaries change.
func Write(ctx context.Context, w io.Writer, f Format, rr array.RecordReader, opts ...Option) (Stats, error) {
	o := options{compression: None, workers: runtime.GOMAXPROCS(0), mem: memory.DefaultAllocator}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return Stats{}, err
		}
	}
	if f != File && f != Stream {
		return Stats{}, h5err.New(h5err.Argument, "unknown %v", f)
	}
	m := &messages{out: sink.New(ctx, w), file: f == File}
	coding := append(o.compression.options(), ipc.WithSchema(rr.Schema()), ipc.WithAllocator(o.mem),
		ipc.WithCompressConcurrency(1))
	out := &writer{options: o, m: m, w: ipc.NewWriterWithPayloadWriter(m, coding...)}
	var e encoder = out
	if o.compression != None && o.workers > 1 {
		e = newParallel(out, coding)
	}
	err := e.finish(feed(ctx, rr, e))
	m.failed = err != nil
	err = errors.Join(err, out.w.Close())
	out.Bytes = m.out.Bytes()
	return out.Stats, sink.Plain(err)
}

// encoder takes batches in order. finish is always called, with the error that ended feeding, and waits for batches in
// progress.
type encoder interface {
	start() error
	add(arrow.RecordBatch) error
	finish(err error) error
}

func feed(ctx context.Context, rr array.RecordReader, e encoder) error {
	err := e.start()
	for err == nil && rr.Next() {
		err = e.add(rr.RecordBatch())
	}
	if err == nil {
		err = rr.Err()
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// writer encodes and writes batches on the caller's goroutine.
type writer struct {
	options
	Stats
	m *messages
	w *ipc.Writer
}

func (w *writer) start() error { return w.m.Start() }

func (w *writer) add(rec arrow.RecordBatch) error {
	if err := sink.WithRows(rec, 0, rec.NumRows(), w.w.Write); err != nil {
		return err
	}
	w.count(rec)
	return nil
}

func (w *writer) finish(err error) error { return err }

func (w *writer) count(rec arrow.RecordBatch) {
	w.Rows += rec.NumRows()
	w.Batches++
	w.Bytes = w.m.out.Bytes()
	if w.progress != nil {
		w.progress(w.Stats)
	}
}
