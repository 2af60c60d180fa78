package source

import (
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// mapping is one live mapping of a file. It does not know its Source, so that a Source nobody holds can be found.
type mapping struct {
	name string
	file *os.File
	b    []byte
	base uintptr // address of b[0]
}

// live is what Guard needs to tell a fault of ours from any other. Lookups read a snapshot and take no lock.
var live struct {
	mu       sync.Mutex
	mappings atomic.Pointer[[]*mapping]
}

func liveMappings() []*mapping {
	if p := live.mappings.Load(); p != nil {
		return *p
	}
	return nil
}

func register(name string, f *os.File, b []byte) *mapping {
	m := &mapping{name: name, file: f, b: b, base: reflect.ValueOf(b).Pointer()}
	live.mu.Lock()
	defer live.mu.Unlock()
	next := append(slices.Clone(liveMappings()), m)
	live.mappings.Store(&next)
	return m
}

func (m *mapping) unregister() {
	live.mu.Lock()
	defer live.mu.Unlock()
	next := slices.DeleteFunc(slices.Clone(liveMappings()), func(x *mapping) bool { return x == m })
	live.mappings.Store(&next)
}

// LiveMappings is the number of mappings that this process holds through this package, for tests that look for leaks.
func LiveMappings() int { return len(liveMappings()) }

// InMapping reports whether a slice lies in a live mapping: whether Guard is needed to read it.
func InMapping(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	at := reflect.ValueOf(b).Pointer()
	for _, m := range liveMappings() {
		if at-m.base < uintptr(len(m.b)) {
			return true
		}
	}
	return false
}

// Guard runs fn on this goroutine and returns what it returns. When fn reads a byte of a live mapping that can't be read
// any more, because the file was cut short or its disk failed, Guard returns an error of kind IO with the file and the
// offset; whatever fn was doing is left half done. Every other panic passes through, a fault outside the mappings too.
//
// It protects fn alone, neither goroutines that fn starts nor C code that fn calls. It costs some tens of nanoseconds:
// call it for a batch or a column, not for a value.
func Guard(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		r := recover()
		if r == nil {
			return
		}
		if err = faultError(r); err == nil {
			panic(r)
		}
	}()
	return fn()
}

// faultError returns the error for a fault inside a live mapping, and nil for any other panic.
func faultError(r any) error {
	fault, ok := r.(interface {
		runtime.Error
		Addr() uintptr
	})
	if !ok {
		return nil
	}
	for _, m := range liveMappings() {
		off := fault.Addr() - m.base // wraps around below base
		if off >= uintptr(len(m.b)) {
			continue
		}
		msg := "the file was cut short while it was mapped"
		if info, err := m.file.Stat(); err == nil && info.Size() > int64(off) {
			msg = "the system failed to read the mapped file"
		}
		return &h5err.Error{Kind: h5err.IO, File: m.name, Offset: int64(off), Msg: msg}
	}
	return nil
}
