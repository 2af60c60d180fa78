package ipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// ReadOption changes how Open works.
type ReadOption func(*readOptions) error

type readOptions struct {
	limit  int64
	mem    memory.Allocator
	mapped bool
}

// WithMapping has Open map regular files: batches are then the file's own bytes, where they are not compressed, and to be read under
// source.Guard. The size of a mapped buffer is not limited.
func WithMapping() ReadOption {
	return func(o *readOptions) error {
		o.mapped = true
		return nil
	}
}

// WithMaxMemory limits the size of each buffer that is allocated, since a file may claim any size for a compressed one. The
// default is 1 GiB.
func WithMaxMemory(bytes int64) ReadOption {
	return func(o *readOptions) error {
		if bytes < 1 {
			return h5err.New(h5err.Argument, "a memory limit of %d bytes", bytes)
		}
		o.limit = bytes
		return nil
	}
}

// WithReadAllocator sets the allocator of buffers. The default is memory.DefaultAllocator.
func WithReadAllocator(mem memory.Allocator) ReadOption {
	return func(o *readOptions) error {
		o.mem = mem
		return nil
	}
}

// Reader reads an Arrow IPC file or stream batch by batch. It implements array.RecordReader. It is not safe for
// concurrent use.
type Reader struct {
	name   string
	refs   atomic.Int64
	file   *os.File        // nil for NewReader
	src    *source.Source  // with WithMapping
	msgs   *mappedMessages // with WithMapping
	rows   int64           // -1: not known
	in     *ipc.Reader
	mem    *bounded
	schema *arrow.Schema
	format Format
	rec    arrow.RecordBatch // what Next read
	err    error             // io.EOF at the end
}

// Open opens an Arrow IPC file or stream and reads its schema. The first bytes tell a file from a stream; anything but a
// regular file, such as a FIFO, is read as a stream. Batches are copies of the file's bytes. The caller releases the Reader.
// Errors are of kind IO, Corrupt if the bytes are not Arrow data, Memory for a buffer beyond the limit, and Unsupported for
// version 1 of Feather.
func Open(path string, opts ...ReadOption) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ioError(path, err)
	}
	r, err := openFile(f, path, opts)
	if err != nil {
		f.Close() // nothing was written
		return nil, err
	}
	r.file = f
	return r, nil
}

func openFile(f *os.File, path string, opts []ReadOption) (*Reader, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, ioError(path, err)
	case info.IsDir():
		return nil, ioError(path, errors.New("is a directory"))
	case info.Mode().IsRegular():
		o, err := readOptionsOf(opts)
		if err == nil && o.mapped {
			return openMapped(f, path, opts)
		}
		return NewReader(f, info.Size(), path, opts...)
	}
	return NewStreamReader(f, path, opts...)
}

// NewStreamReader is like Open for a stream, which it does not close. Errors contain name.
func NewStreamReader(data io.Reader, name string, opts ...ReadOption) (*Reader, error) {
	r := newReader(name, Stream)
	if err := r.open(data, math.MaxInt64, opts); err != nil {
		return nil, r.corrupt(err)
	}
	return r, nil
}

// NewReader is like Open for size bytes of data, which it does not close. Errors contain name.
func NewReader(data io.ReaderAt, size int64, name string, opts ...ReadOption) (*Reader, error) {
	f, at, end, err := locate(data, size)
	r := newReader(name, f)
	if err == nil {
		err = r.open(io.NewSectionReader(data, at, end-at), end-at, opts)
	}
	if err != nil {
		return nil, r.corrupt(err)
	}
	return r, nil
}

func newReader(name string, f Format) *Reader {
	r := &Reader{name: name, format: f, rows: -1}
	r.refs.Store(1)
	return r
}

// locate returns the part of a file that is a stream of messages. In an Arrow file it lies between the first eight bytes and
// the footer, which is only needed for random access.
func locate(data io.ReaderAt, size int64) (f Format, at, end int64, err error) {
	const head, tail = 8, 10 // the magic, padded; the footer's length and the magic
	first, last := make([]byte, len(ipc.Magic)), make([]byte, tail)
	if _, err := data.ReadAt(first, 0); err != nil && err != io.EOF {
		return File, 0, 0, err
	}
	switch {
	case bytes.HasPrefix(first, []byte("FEA1")):
		return File, 0, 0, h5err.New(h5err.Unsupported, "version 1 of the Feather format")
	case !bytes.Equal(first, ipc.Magic):
		return Stream, 0, size, nil
	case size < head+tail:
		return File, 0, 0, h5err.New(h5err.Corrupt, "an Arrow file of %d bytes", size)
	}
	if _, err := data.ReadAt(last, size-tail); err != nil && err != io.EOF {
		return File, 0, 0, err
	}
	footer := int64(binary.LittleEndian.Uint32(last))
	if !bytes.Equal(last[4:], ipc.Magic) || footer > size-head-tail {
		return File, 0, 0, h5err.At(h5err.Corrupt, size-tail, "an Arrow file without its end: cut short, or not yet complete")
	}
	return File, head, size - tail - footer, nil
}

// open reads the schema of a stream of at most size bytes.
func (r *Reader) open(data io.Reader, size int64, opts []ReadOption) error {
	o, err := readOptionsOf(opts)
	if err != nil {
		return err
	}
	// The allocator refuses bodies beyond the limit. For arrow-go, 0 means no limit.
	r.mem = &bounded{Allocator: o.mem, limit: o.limit}
	meta := max(min(size, o.limit), 1)
	coding := []ipc.Option{ipc.WithAllocator(r.mem), ipc.WithBodySizeLimit(max(size, 1)), ipc.WithMetadataSizeLimit(meta)}
	var mr ipc.MessageReader
	if in, ok := data.(*io.SectionReader); ok && r.src != nil {
		r.msgs = newMappedMessages(r.src, in, meta, r.mem)
		mr = r.msgs
	} else {
		mr = ipc.NewMessageReader(&checked{r: data, max: meta}, coding...)
	}
	err = recovered(func() (err error) {
		r.in, err = ipc.NewReaderFromMessageReader(mr, coding...)
		return err
	})
	if err != nil {
		return err
	}
	r.schema = r.in.Schema()
	return nil
}

func readOptionsOf(opts []ReadOption) (readOptions, error) {
	o := readOptions{limit: 1 << 30, mem: memory.DefaultAllocator}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// recovered calls a function of arrow-go and returns its panics as errors: it panics on some broken files.
func recovered(fn func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case error:
			err = p
		default:
			err = h5err.New(h5err.Corrupt, "%v", p)
		}
	}()
	return fn()
}

// Schema returns the schema.
func (r *Reader) Schema() *arrow.Schema { return r.schema }

// Format returns File or Stream.
func (r *Reader) Format() Format { return r.format }

// Next reads the next batch. It returns false at the end and after an error.
func (r *Reader) Next() bool {
	if r.err != nil || r.refs.Load() <= 0 {
		r.rec = nil
		return false
	}
	err := recovered(func() (err error) {
		r.rec, err = r.in.Read()
		return err
	})
	if r.msgs != nil && err != io.EOF {
		r.msgs.delivered(err == nil)
	}
	if err == nil {
		return true
	}
	r.rec, r.err = nil, io.EOF
	if err != io.EOF { // a wrapped io.EOF means that the file is cut short
		r.err = r.corrupt(err)
	}
	return false
}

// RecordBatch returns the batch that Next read. It is valid until the next call to Next; retain it to keep it longer.
func (r *Reader) RecordBatch() arrow.RecordBatch { return r.rec }

// Record is RecordBatch.
//
// Deprecated: it is required by array.RecordReader.
func (r *Reader) Record() arrow.RecordBatch { return r.rec }

// Err returns the error that ended reading, nil at the end of the data.
func (r *Reader) Err() error {
	if r.err == io.EOF {
		return nil
	}
	return r.err
}

// Retain adds a reference.
func (r *Reader) Retain() { r.refs.Add(1) }

// Release drops a reference. The last one closes the file. Batches that were retained remain valid.
func (r *Reader) Release() {
	if r.refs.Add(-1) != 0 {
		return
	}
	r.rec = nil
	r.in.Release()
	if r.src != nil {
		r.msgs.delivered(false)
		r.src.Release() // it closes the file
	} else if r.file != nil {
		r.file.Close() // read only: there is nothing to lose
	}
}

func ioError(name string, err error) error {
	return h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't read"), name, "")
}

// corrupt gives an error of arrow-go a kind: Corrupt unless it comes from the system.
func (r *Reader) corrupt(err error) error {
	var e *h5err.Error
	var p *fs.PathError
	switch {
	case r.mem != nil && r.mem.refused != nil:
		return h5err.In(r.mem.refused, r.name, "")
	case errors.As(err, &e):
		return h5err.In(e, r.name, "")
	case errors.As(err, &p):
		return ioError(r.name, err)
	}
	return h5err.In(h5err.Wrap(h5err.Corrupt, err, "not Arrow data, or broken"), r.name, "")
}

// bounded is an allocator that refuses large buffers with a panic. It keeps the error, of which arrow-go passes on only the
// text.
type bounded struct {
	memory.Allocator
	limit   int64
	refused *h5err.Error
}

func (b *bounded) check(size int) {
	if size < 0 || int64(size) > b.limit {
		b.refused = h5err.New(h5err.Memory, "a buffer of %d bytes, the limit is %d", size, b.limit).WithOption("ipc.WithMaxMemory", "allow more")
		panic(b.refused)
	}
}

func (b *bounded) Allocate(size int) []byte {
	b.check(size)
	return b.Allocator.Allocate(size)
}

func (b *bounded) Reallocate(size int, p []byte) []byte {
	b.check(size)
	return b.Allocator.Reallocate(size, p)
}
