//go:build cgo

// Command libh5arrow is h5arrow as a C library. Build it with -buildmode=c-shared; h5arrow.h describes the interface.
//
// The functions of h5arrow.h are in api.c. They call those of this file, whose names start with go. Each of these runs its
// work on a goroutine of its own and waits for it, so that a call can be interrupted, and returns a panic as an error.
package main

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"context"
	"encoding/json"
	"runtime"
	"time"
	_ "time/tzdata" // labels of columns may be times in a zone
	"unsafe"

	"github.com/h5arrow/h5arrow/cmd/libh5arrow/internal/session"
	"github.com/h5arrow/h5arrow/h5/source"
)

// release is the version of the library; the linker sets it.
var release = "devel"

// handles are those of the process: C has no place for them.
var handles session.Handles

// jobs are those of the process.
var jobs = session.NewJobs()

func main() {} // required in a library, too, and not called

// checkEvery is how often a waiting call looks for an interrupt.
const checkEvery = 100 * time.Millisecond

// result is what a call makes.
type result[T any] struct {
	value T
	err   error
}

// wait runs fn and returns what it makes. A call that is interrupted returns at once; what fn makes later is given to drop,
// which may be nil. This is the one place that waits, on the thread of the caller.
func wait[T any](fn func(context.Context) (T, error), drop func(T)) (T, error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan result[T], 1)
	go func() {
		var r result[T]
		r.err = session.Protect(func() (err error) {
			r.value, err = fn(ctx)
			return err
		})
		done <- r
	}()
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case r := <-done:
			cancel()
			return r.value, r.err
		case <-tick.C:
			if C.h5arrow_interrupted() == 0 {
				continue
			}
			cancel()
			go func() {
				if r := <-done; r.err == nil && drop != nil {
					drop(r.value)
				}
			}()
			var none T
			return none, context.Canceled
		}
	}
}

// failed returns an error as JSON for C, NULL for none.
func failed(err error) *C.char {
	if err == nil {
		return nil
	}
	return C.CString(session.ErrorJSON(err))
}

// with runs fn with the resource of a handle.
func with[R, T any](use func(uint64) (R, func(), error), id C.uint64_t, fn func(context.Context, R) (T, error), drop func(T)) (T, error) {
	return wait(func(ctx context.Context) (none T, err error) {
		r, done, err := use(uint64(id))
		if err != nil {
			return none, err
		}
		defer done()
		return fn(ctx, r)
	}, drop)
}

func file(id uint64) (*session.File, func(), error) { return session.Use[*session.File](&handles, id) }

// table returns what a handle of a table stands for: a table of open files, or of files that are opened while they are read.
func table(id uint64) (session.Rows, func(), error) { return session.Use[session.Rows](&handles, id) }

// text returns an answer to C.
func text(out **C.char, s string, err error) *C.char {
	if err == nil {
		*out = C.CString(s)
	}
	return failed(err)
}

// handle returns the handle of a new resource to C.
func handle(out *C.uint64_t, id uint64, err error) *C.char {
	if err == nil {
		*out = C.uint64_t(id)
	}
	return failed(err)
}

// forget closes a handle that nobody will get.
func forget(id uint64) { _ = handles.Close(id) } // it is open

//export goVersion
func goVersion() *C.char { return C.CString(release) }

//export goOpen
func goOpen(name, options *C.char, out *C.uint64_t) *C.char {
	path, opts := C.GoString(name), C.GoString(options)
	id, err := wait(func(ctx context.Context) (uint64, error) {
		f, err := session.Open(ctx, path, opts)
		if err != nil {
			return 0, err
		}
		return handles.Add(f), nil
	}, forget)
	return handle(out, id, err)
}

//export goTables
func goTables(id C.uint64_t, out **C.char) *C.char {
	s, err := with(file, id, func(_ context.Context, f *session.File) (string, error) { return f.Tables() }, nil)
	return text(out, s, err)
}

//export goDatasets
func goDatasets(id C.uint64_t, out **C.char) *C.char {
	s, err := with(file, id, func(ctx context.Context, f *session.File) (string, error) { return f.Datasets(ctx) }, nil)
	return text(out, s, err)
}

//export goCheck
func goCheck(id C.uint64_t, options *C.char, out **C.char) *C.char {
	opts := C.GoString(options)
	s, err := with(file, id, func(ctx context.Context, f *session.File) (string, error) { return f.Check(ctx, opts) }, nil)
	return text(out, s, err)
}

// added returns a handle of a table.
func added[T session.Rows](t T, err error) (uint64, error) {
	if err != nil {
		return 0, err
	}
	return handles.Add(t), nil
}

//export goTable
func goTable(id C.uint64_t, options *C.char, out *C.uint64_t) *C.char {
	opts := C.GoString(options)
	t, err := with(file, id, func(_ context.Context, f *session.File) (uint64, error) { return added(f.Table(opts)) }, forget)
	return handle(out, t, err)
}

//export goConcat
func goConcat(ids *C.uint64_t, n C.size_t, options *C.char, out *C.uint64_t) *C.char {
	opts := C.GoString(options)
	var list []uint64
	for _, id := range unsafe.Slice(ids, n) {
		list = append(list, uint64(id))
	}
	id, err := wait(func(context.Context) (uint64, error) {
		var tables []*session.Table
		for _, id := range list {
			t, done, err := session.Use[*session.Table](&handles, id)
			if err != nil {
				return 0, err
			}
			defer done()
			tables = append(tables, t)
		}
		return added(session.Concat(tables, opts))
	}, forget)
	return handle(out, id, err)
}

//export goFiles
func goFiles(options *C.char, out *C.uint64_t) *C.char {
	opts := C.GoString(options)
	id, err := wait(func(ctx context.Context) (uint64, error) { return added(session.Files(ctx, opts)) }, forget)
	return handle(out, id, err)
}

//export goManifest
func goManifest(id C.uint64_t, name, options *C.char, out **C.char) *C.char {
	path, opts := C.GoString(name), C.GoString(options)
	set := func(id uint64) (*session.Set, func(), error) { return session.Use[*session.Set](&handles, id) }
	s, err := with(set, id, func(ctx context.Context, s *session.Set) (string, error) { return s.Manifest(ctx, path, opts) }, nil)
	return text(out, s, err)
}

//export goNarrow
func goNarrow(id C.uint64_t, options *C.char, out *C.uint64_t) *C.char {
	opts := C.GoString(options)
	t, err := with(table, id, func(ctx context.Context, t session.Rows) (uint64, error) { return added(session.Narrow(ctx, t, opts)) }, forget)
	return handle(out, t, err)
}

//export goDescribe
func goDescribe(id C.uint64_t, out **C.char) *C.char {
	s, err := with(table, id, func(_ context.Context, t session.Rows) (string, error) { return t.Describe() }, nil)
	return text(out, s, err)
}

//export goCount
func goCount(id C.uint64_t, out *C.int64_t) *C.char {
	n, err := with(table, id, func(ctx context.Context, t session.Rows) (int64, error) { return t.Count(ctx) }, nil)
	*out = C.int64_t(n)
	return failed(err)
}

//export goSplits
func goSplits(id C.uint64_t, options *C.char, out **C.char) *C.char {
	opts := C.GoString(options)
	s, err := with(table, id, func(ctx context.Context, t session.Rows) (string, error) { return t.Splits(ctx, opts) }, nil)
	return text(out, s, err)
}

//export goCancel
func goCancel(id C.uint64_t) *C.char {
	r, done, err := session.Use[session.Canceler](&handles, uint64(id))
	if err == nil {
		r.Cancel()
		done()
	}
	return failed(err)
}

//export goEnd
func goEnd(milliseconds C.int64_t) { jobs.End(time.Duration(milliseconds) * time.Millisecond) }

//export goClose
func goClose(id C.uint64_t) *C.char { return failed(handles.Close(uint64(id))) }

//export goMessage
func goMessage(failure *C.char) *C.char {
	defer C.free(unsafe.Pointer(failure))
	var f struct{ Message string }
	if err := json.Unmarshal([]byte(C.GoString(failure)), &f); err != nil {
		return C.CString(C.GoString(failure))
	}
	return C.CString(f.Message)
}

//export goStats
func goStats(out **C.char) *C.char {
	b, err := json.Marshal(map[string]int64{"handles": int64(handles.Len()), "mappings": int64(source.LiveMappings()),
		"goroutines": int64(runtime.NumGoroutine()), "bytes": memory.Allocated()})
	return text(out, string(b), err)
}
