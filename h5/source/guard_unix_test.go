//go:build linux || darwin || freebsd

package source

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"golang.org/x/sys/unix"
)

func TestGuardTruncated(t *testing.T) {
	page := int64(os.Getpagesize())
	reads := []struct {
		name string
		read func(b []byte)
	}{
		{"load", func(b []byte) { runtime.KeepAlive(b[0]) }},
		{"copy", func(b []byte) { copy(make([]byte, len(b)), b) }}, // memmove, in assembly
		{"compare", func(b []byte) { bytes.Equal(b, make([]byte, len(b))) }},
	}
	for _, c := range reads {
		t.Run(c.name, func(t *testing.T) {
			other, _ := pages(t, 4)
			s, path := pages(t, 8)
			b, ok := s.View(3*page, page)
			if !ok {
				t.Fatal("not mapped")
			}
			if !InMapping(b) || !InMapping(b[page-1:]) || InMapping(b[:0]) || InMapping(make([]byte, 8)) {
				t.Error("InMapping does not tell a mapping's bytes from others")
			}
			if err := Guard(func() error { c.read(b); return nil }); err != nil {
				t.Fatalf("before: %v", err)
			}
			if err := os.Truncate(path, page); err != nil {
				t.Fatal(err)
			}
			done := false
			err := Guard(func() error { c.read(b); done = true; return nil })
			if done {
				t.Fatal("bytes beyond the end can be read")
			}
			needFault(t, err, path, 3*page)
			err = Guard(func() error { return Guard(func() error { c.read(b); return nil }) })
			needFault(t, err, path, 3*page)

			// What is left is read as before, and so are other files.
			b, _ = s.View(0, page)
			o, _ := other.View(0, page)
			if err := Guard(func() error { c.read(b); c.read(o); return nil }); err != nil {
				t.Errorf("what is left: %v", err)
			}
			needKind(t, s.Changed(t.Context()), h5err.IO, path, "cut short")
			if n, err := s.ReadAt(make([]byte, page), 3*page); n != 0 || err == nil {
				t.Errorf("ReadAt beyond the end gives %d bytes, %v", n, err)
			}
		})
	}
}

func TestGuardForeignFault(t *testing.T) {
	s, _ := pages(t, 1)
	s.View(0, 1)
	b, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(b)
	r := recovered(func() { Guard(func() error { runtime.KeepAlive(b[0]); return nil }) })
	if _, ok := r.(runtime.Error); !ok {
		t.Errorf("a fault outside the mappings gives panic %v", r)
	}
}

func TestFIFO(t *testing.T) {
	path := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path) // without waiting for a writer
	needKind(t, err, h5err.IO, path, "a FIFO")
	_, err = Open(os.DevNull)
	needKind(t, err, h5err.IO, os.DevNull, "a device")
	if errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
