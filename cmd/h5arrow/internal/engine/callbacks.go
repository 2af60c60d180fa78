//go:build duckdb_arrow && cgo

package engine

/*
#include <stdint.h>
#include <stdlib.h>

typedef void (*h5arrow_callback1)(void *);
typedef void (*h5arrow_callback2)(void *, void *);
void h5arrowBind(void *);
void h5arrowInit(void *);
void h5arrowInitThread(void *);
void h5arrowScan(void *, void *);
void h5arrowFree(void *);
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"slices"
	"unsafe"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// The engine calls back into Go. A panic must not pass through the engine's C++: callbacks turn it into the statement's
// error.

// pin returns a pointer to a Go value for the engine, which frees it with h5arrowFree.
func pin(v any) unsafe.Pointer {
	p := (*C.uintptr_t)(C.malloc(C.size_t(unsafe.Sizeof(C.uintptr_t(0)))))
	*p = C.uintptr_t(cgo.NewHandle(v))
	pinned.Add(1)
	return unsafe.Pointer(p)
}

// pinnedAt returns the value that a pointer made by pin refers to.
func pinnedAt[T any](p unsafe.Pointer) T { return cgo.Handle(*(*C.uintptr_t)(p)).Value().(T) }

var freeCallback = unsafe.Pointer(C.h5arrow_callback1(C.h5arrowFree))

//export h5arrowFree
func h5arrowFree(p unsafe.Pointer) {
	defer func() { _ = recover() }() // an error would have no reader
	defer C.free(p)
	h := cgo.Handle(*(*C.uintptr_t)(p))
	v := h.Value()
	h.Delete()
	pinned.Add(-1)
	if c, ok := v.(interface{ close() }); ok {
		c.close()
	}
}

// bound is what a statement's use of a table is bound to.
type bound struct {
	t *table
	q *query
	pushed
}

// pushedParameter is the parameter of a table function that selects an entry of query.pushed.
const pushedParameter = "pushed"

// register registers a table with the engine as a table function.
func (t *table) register(conn duck.Connection) error {
	f := duck.CreateTableFunction()
	defer duck.DestroyTableFunction(&f)
	duck.TableFunctionSetName(f, t.function)
	duck.TableFunctionSetExtraInfo(f, pin(&bound{t: t}), freeCallback)
	duck.TableFunctionSetBind(f, unsafe.Pointer(C.h5arrow_callback1(C.h5arrowBind)))
	duck.TableFunctionSetInit(f, unsafe.Pointer(C.h5arrow_callback1(C.h5arrowInit)))
	duck.TableFunctionSetLocalInit(f, unsafe.Pointer(C.h5arrow_callback1(C.h5arrowInitThread)))
	duck.TableFunctionSetFunction(f, unsafe.Pointer(C.h5arrow_callback2(C.h5arrowScan)))
	duck.TableFunctionSupportsProjectionPushdown(f, true)
	number := duck.CreateLogicalType(duck.TypeBigInt)
	duck.TableFunctionAddNamedParameter(f, pushedParameter, number)
	duck.DestroyLogicalType(&number)
	if duck.RegisterTableFunction(conn, f) != duck.StateSuccess {
		return h5err.New(h5err.Argument, "the SQL engine rejects the table function for %s", t.names[0])
	}
	return nil
}

// caught turns a panic into an error and reports it.
func caught(tell func(error)) {
	if p := recover(); p != nil {
		err, ok := p.(error)
		if !ok {
			err = fmt.Errorf("%v", p)
		}
		tell(h5err.Wrap(h5err.Corrupt, err, "reading failed"))
	}
}

//export h5arrowBind
func h5arrowBind(p unsafe.Pointer) {
	info := duck.BindInfo{Ptr: p}
	fail := func(err error) { duck.BindSetError(info, err.Error()) }
	defer caught(fail)
	t := pinnedAt[*bound](duck.BindGetExtraInfo(info)).t
	var client duck.ClientContext
	duck.TableFunctionGetClientContext(info, &client)
	id := duck.ClientContextGetConnectionId(client)
	duck.DestroyClientContext(&client)
	b := &bound{t: t, q: t.db.query(uint64(id))}
	if v := duck.BindGetNamedParameter(info, pushedParameter); v.Ptr != nil {
		k := duck.GetInt64(v)
		duck.DestroyValue(&v)
		if b.q == nil || k < 1 || k > int64(len(b.q.pushed)) {
			fail(h5err.New(h5err.Argument, "no pushed conditions with number %d", k))
			return
		}
		b.pushed = b.q.pushed[k-1]
	}
	double := duck.CreateLogicalType(duck.TypeDouble)
	defer duck.DestroyLogicalType(&double)
	for i, name := range t.labels {
		lt := t.types[i]
		if slices.Contains(b.double, i-1) {
			lt = double
		}
		duck.BindAddResultColumn(info, name, lt)
	}
	duck.BindSetCardinality(info, duck.IdxT(t.rows), len(t.where)+len(b.terms) == 0)
	duck.BindSetBindData(info, pin(b), freeCallback)
}

//export h5arrowInit
func h5arrowInit(p unsafe.Pointer) {
	info := duck.InitInfo{Ptr: p}
	b := pinnedAt[*bound](duck.InitGetBindData(info))
	fail := func(err error) {
		b.q.fail(err)
		duck.InitSetError(info, err.Error())
	}
	defer caught(fail)
	columns := make([]int, int(duck.InitGetColumnCount(info)))
	for i := range columns {
		columns[i] = rowNumber
		if c := uint64(duck.InitGetColumnIndex(info, duck.IdxT(i))); c < uint64(len(b.t.labels)) {
			columns[i] = int(c) - 1 // rowColumn is -1
		}
	}
	s, err := newScan(b, columns)
	if err != nil {
		fail(err)
		return
	}
	threads := min(int64(b.t.db.threads), (b.t.rows+morselRows-1)/morselRows)
	duck.InitSetMaxThreads(info, duck.IdxT(max(1, threads)))
	duck.InitSetInitData(info, pin(s), freeCallback)
}

//export h5arrowInitThread
func h5arrowInitThread(p unsafe.Pointer) {
	info := duck.InitInfo{Ptr: p}
	defer caught(func(err error) { duck.InitSetError(info, err.Error()) })
	duck.InitSetInitData(info, pin(&local{}), freeCallback)
}

//export h5arrowScan
func h5arrowScan(p, out unsafe.Pointer) {
	info, chunk := duck.FunctionInfo{Ptr: p}, duck.DataChunk{Ptr: out}
	s := pinnedAt[*scan](duck.FunctionGetInitData(info))
	fail := func(err error) {
		s.q.fail(err)
		duck.FunctionSetError(info, err.Error())
		duck.DataChunkSetSize(chunk, 0)
	}
	defer caught(fail)
	l := pinnedAt[*local](duck.FunctionGetLocalInitData(info))
	if l.s == nil {
		*l = *newLocal(s)
	}
	n, err := l.next(chunk)
	if err != nil {
		fail(err)
		return
	}
	duck.DataChunkSetSize(chunk, duck.IdxT(n))
}
