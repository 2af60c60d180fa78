//go:build invariants && (linux || darwin || freebsd)

package source

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestReleasedIsUnreadable(t *testing.T) {
	path := file(t, pattern(os.Getpagesize()))
	s := open(t, path)
	b, _ := s.View(0, 1)
	s.Release()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if r := recovered(func() { runtime.KeepAlive(b[0]) }); r == nil {
		t.Error("bytes can be read after the last release")
	}
}
