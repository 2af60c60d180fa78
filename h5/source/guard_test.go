package source

import (
	"errors"
	"os"
	"runtime/debug"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// recovered returns what fn panics with.
func recovered(fn func()) (r any) {
	defer func() { r = recover() }()
	fn()
	return nil
}

func TestGuardPassesOn(t *testing.T) {
	want := errors.New("x")
	if err := Guard(func() error { return want }); err != want {
		t.Errorf("error is %v", err)
	}
	if err := Guard(func() error { return nil }); err != nil {
		t.Errorf("error is %v", err)
	}
	if r := recovered(func() { Guard(func() error { panic(want) }) }); r != want {
		t.Errorf("panic is %v", r)
	}
	var nobody *Source
	if r := recovered(func() { Guard(func() error { _ = nobody.name; return nil }) }); r == nil {
		t.Error("a nil dereference inside Guard does not panic")
	}
	empty := []byte{}
	if r := recovered(func() { Guard(func() error { _ = empty[len(empty)]; return nil }) }); r == nil {
		t.Error("an index out of range inside Guard does not panic")
	}
}

func TestGuardRestores(t *testing.T) {
	for _, old := range []bool{false, true} {
		before := debug.SetPanicOnFault(old)
		Guard(func() error { return nil })
		if got := debug.SetPanicOnFault(before); got != old {
			t.Errorf("SetPanicOnFault is %v after Guard, was %v", got, old)
		}
	}
}

func BenchmarkGuard(b *testing.B) {
	for b.Loop() {
		if err := Guard(func() error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// needFault fails unless err is a fault in the page that starts at an offset.
func needFault(t *testing.T, err error, path string, page int64) {
	t.Helper()
	needKind(t, err, h5err.IO, path, "cut short while it was mapped")
	var e *h5err.Error
	if errors.As(err, &e); e.Offset < page || e.Offset >= page+int64(os.Getpagesize()) {
		t.Errorf("offset is %d, want it in the page at %d", e.Offset, page)
	}
}

// pages returns a mapped file of n pages.
func pages(t *testing.T, n int) (s *Source, path string) {
	t.Helper()
	path = file(t, pattern(n*os.Getpagesize()))
	s = open(t, path)
	t.Cleanup(s.Release)
	return s, path
}
