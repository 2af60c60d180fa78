package parquet

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	pqfile "github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Reader reads the rows of a Parquet file as record batches. It implements array.RecordReader. It is not safe for concurrent use.
type Reader struct {
	array.RecordReader
	name string
	f    *pqfile.Reader
	err  error
}

// readBatch is the number of rows of a batch that is read.
const readBatch = 64 << 10

// Open opens a Parquet file. Types and metadata are those of the stored Arrow schema, if there is one. The caller releases the
// Reader. Errors are of kind IO, and Corrupt for files that are not Parquet or broken.
func Open(ctx context.Context, path string) (*Reader, error) {
	return open(ctx, path, 0, func() (parquet.ReaderAtSeeker, error) { return os.Open(path) })
}

// Bounds of what is read of a column chunk at a time by NewReader.
const (
	minAhead = 64 << 10
	maxAhead = 8 << 20
)

// NewReader is like Open for size bytes of data that are far away, which it does not close: each column chunk is read in pieces of up
// to 8 MiB, and of all columns together at most memory bytes if those are 64 KiB for each. Errors contain name.
func NewReader(ctx context.Context, data io.ReaderAt, size int64, name string, memory int64) (*Reader, error) {
	return open(ctx, name, memory, func() (parquet.ReaderAtSeeker, error) { return io.NewSectionReader(data, 0, size), nil })
}

func open(ctx context.Context, name string, ahead int64, from func() (parquet.ReaderAtSeeker, error)) (*Reader, error) {
	r := &Reader{name: name}
	err := r.safely(func() error {
		in, err := from()
		if err != nil {
			return err
		}
		props := parquet.NewReaderProperties(memory.DefaultAllocator)
		props.BufferedStreamEnabled = true // pages one by one, not whole column chunks
		if r.f, err = pqfile.NewParquetReader(in, pqfile.WithReadProps(props)); err != nil {
			if c, ok := in.(io.Closer); ok {
				err = errors.Join(err, c.Close())
			}
			return err
		}
		if ahead > 0 {
			props.BufferSize = min(max(ahead/int64(max(r.f.MetaData().Schema.NumColumns(), 1)), minAhead), maxAhead)
		}
		ar, err := pqarrow.NewFileReader(r.f, pqarrow.ArrowReadProperties{BatchSize: readBatch}, memory.DefaultAllocator)
		if err != nil {
			return err
		}
		r.RecordReader, err = ar.GetRecordReader(ctx, nil, nil)
		return err
	})
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *Reader) close() {
	if r.f != nil {
		r.f.Close() // read only: there is nothing to lose
		r.f = nil
	}
}

// Rows returns the number of rows of the file.
func (r *Reader) Rows() int64 { return r.f.NumRows() }

// Next moves to the next batch. It is false at the end and after an error.
func (r *Reader) Next() (more bool) {
	if r.err != nil {
		return false
	}
	r.err = r.safely(func() error {
		if more = r.RecordReader.Next(); !more {
			return r.RecordReader.Err()
		}
		return nil
	})
	return more && r.err == nil
}

// Err returns the error that ended the reading.
func (r *Reader) Err() error { return r.err }

// Release gives up the reader, and closes the file.
func (r *Reader) Release() {
	r.RecordReader.Release()
	r.close()
}

// RecordBatch returns the current batch, valid until the next call of Next unless retained.
func (r *Reader) RecordBatch() arrow.RecordBatch { return r.RecordReader.RecordBatch() }

// safely gives errors of arrow-go a kind, and returns its panics on broken files as errors.
func (r *Reader) safely(fn func() error) (err error) {
	defer func() {
		p := recover()
		var e *h5err.Error
		if failed, ok := p.(error); ok && errors.As(failed, &e) { // of the data's ReadAt
			err = failed
		} else if p != nil {
			err = h5err.In(h5err.New(h5err.Corrupt, "broken Parquet data: %v", p), r.name, "")
		}
	}()
	err = fn()
	var e *h5err.Error
	var failed syscall.Errno // and not a broken offset, for which os has errors of its own
	switch {
	case err == nil, errors.As(err, &e), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &failed):
		return h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't read"), r.name, "")
	}
	return h5err.In(h5err.Wrap(h5err.Corrupt, err, "not Parquet data, or broken"), r.name, "")
}
