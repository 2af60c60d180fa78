//go:build cgo

package main

// #include "bridge.h"
import "C"

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	arrowc "github.com/apache/arrow-go/v18/arrow/cdata"

	"github.com/h5arrow/h5arrow/arrowmap/cdata"
	"github.com/h5arrow/h5arrow/cmd/libh5arrow/internal/session"
)

// memory is where copies and decoded values are; C may keep it.
var memory = cdata.NewAllocator()

func reader(id uint64) (*session.Reader, func(), error) {
	return session.Use[*session.Reader](&handles, id)
}

// read starts to read a table.
func read(t session.Rows, options string) (uint64, error) {
	r, err := session.NewReader(func(ctx context.Context) (session.Batches, error) {
		rr, how, err := t.Read(ctx, options, memory)
		if err != nil {
			return nil, err
		}
		opts := []cdata.Option{cdata.WithAllocator(memory), cdata.WithAlign(how.Align)}
		if !how.Copy {
			opts = append(opts, cdata.WithTrustedInput())
		}
		return cdata.NewReader(rr, opts...)
	})
	if err != nil {
		return 0, err
	}
	return handles.Add(r), nil
}

//export goReader
func goReader(id C.uint64_t, options *C.char, out *C.uint64_t) *C.char {
	opts := C.GoString(options)
	r, err := with(table, id, func(_ context.Context, t session.Rows) (uint64, error) { return read(t, opts) }, forget)
	return handle(out, r, err)
}

//export goNext
func goNext(id C.uint64_t, out *C.uint64_t) *C.char {
	*out = 0
	b, err := with(reader, id, func(ctx context.Context, r *session.Reader) (uint64, error) {
		b, err := r.Next(ctx)
		if b == nil || err != nil {
			return 0, err
		}
		return handles.Add(b), nil
	}, func(id uint64) {
		if id != 0 {
			forget(id)
		}
	})
	return handle(out, b, err)
}

//export goBatch
func goBatch(id C.uint64_t, array, schema C.uintptr_t) *C.char {
	b, done, err := session.Use[*session.Batch](&handles, uint64(id))
	if err != nil {
		return failed(err)
	}
	defer done()
	return failed(session.Protect(func() error {
		var to *cdata.Schema
		if schema != 0 {
			to = cdata.SchemaFromPtr(uintptr(schema))
		}
		arrowc.ExportArrowRecordBatch(b.RecordBatch, cdata.ArrayFromPtr(uintptr(array)), to)
		return nil
	}))
}

func exportSchema(s *arrow.Schema, out C.uintptr_t) error {
	return session.Protect(func() error {
		arrowc.ExportArrowSchema(s, cdata.SchemaFromPtr(uintptr(out)))
		return nil
	})
}

//export goSchema
func goSchema(id C.uint64_t, out C.uintptr_t) *C.char {
	s, err := with(table, id, func(_ context.Context, t session.Rows) (*arrow.Schema, error) { return t.Schema() }, nil)
	if err != nil {
		return failed(err)
	}
	return failed(exportSchema(s, out))
}

//export goReaderSchema
func goReaderSchema(id C.uint64_t, out C.uintptr_t) *C.char {
	r, done, err := reader(uint64(id))
	if err != nil {
		return failed(err)
	}
	defer done()
	return failed(exportSchema(r.Schema(), out))
}

//export goWrite
func goWrite(stream C.uintptr_t, name, options *C.char, out *C.uint64_t) *C.char {
	path, opts := C.GoString(name), C.GoString(options)
	// The stream is moved here; its schema is asked for on a goroutine, as its batches are.
	id, err := wait(func(context.Context) (id uint64, err error) {
		err = jobs.Do(func() error {
			rr, err := cdata.ImportReader(cdata.StreamFromPtr(uintptr(stream)))
			if err != nil {
				return err
			}
			j, err := session.Write(jobs, rr, path, opts)
			if err == nil {
				id = handles.Add(j)
			}
			return err
		})
		return id, err
	}, forget)
	return handle(out, id, err)
}

// progress is what is known of a job.
type progress struct {
	rows int64
	text string
}

//export goWait
func goWait(id C.uint64_t, milliseconds C.int64_t, rows *C.int64_t, out **C.char) *C.char {
	job := func(id uint64) (*session.Job, func(), error) { return session.Use[*session.Job](&handles, id) }
	p, err := with(job, id, func(ctx context.Context, j *session.Job) (p progress, err error) {
		p.rows, p.text, err = j.Wait(ctx, time.Duration(milliseconds)*time.Millisecond)
		return p, err
	}, nil)
	*rows, *out = C.int64_t(p.rows), nil
	if err == nil && p.text != "" {
		*out = C.CString(p.text)
	}
	return failed(err)
}
