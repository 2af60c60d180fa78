// Package source is where bytes come from: a reference-counted file mapping, or ranged reads.
//
// A Source made by Open has its file mapped read-only where the system allows that, and View returns slices of the
// mapping. The rule of life: such a slice is valid only while whoever uses it holds a reference (Retain, Release).
// The last Release unmaps the file and closes it. ReadAt never goes through the mapping.
//
// # Files that change
//
// A file that is cut short while it is mapped makes the pages beyond its new end unreadable. Bytes of a View are
// therefore read inside Guard, which turns the fault into an error, by goroutines that call Guard themselves: a fault
// in any other goroutine, or in C code, ends the process.
//
// # What is not promised
//
// Bytes that were overwritten in place can't be noticed by reading them, and neither can a cut inside the last page
// that remains, which reads as zeros. Changed compares the file's size and time of modification with those at Open;
// callers ask it at the borders of their batches.
//
// A build with the tag invariants panics at a reference that is released twice, retained after the last release or
// never released, and keeps the range of a mapping that was released unreadable.
package source

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Source is the bytes of one file: always readable by ReadAt, and mapped where the system allows it. It may be used by
// several goroutines.
type Source struct {
	name  string
	size  int64
	r     io.ReaderAt
	refs  atomic.Int64
	file  *os.File  // nil for FromReaderAt
	mtime time.Time // of file when it was opened
	m     *mapping  // nil when not mapped
}

// Option changes how Open works.
type Option func(*options) error

type options struct {
	unmapped bool
}

// WithoutMapping makes Open use plain reads: Mapped is false and View never succeeds.
func WithoutMapping() Option {
	return func(o *options) error {
		o.unmapped = true
		return nil
	}
}

// Open opens a regular file for reading, and maps it where the system allows that. The caller holds the one reference
// to what is returned. Errors are of kind IO and wrap what the system said, so that errors.Is(err, fs.ErrNotExist) works.
func Open(path string, opts ...Option) (*Source, error) {
	// Opening a FIFO waits for its writer: look before opening, and again at what was opened.
	info, err := os.Stat(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if err := regular(path, info.Mode()); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	return OpenFile(f, path, opts...)
}

// OpenFile is Open for a file that is open already. It takes f over, and closes it when it fails.
func OpenFile(f *os.File, path string, opts ...Option) (*Source, error) {
	var o options
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			f.Close() // nothing was written
			return nil, h5err.In(err, path, "")
		}
	}
	info, err := f.Stat()
	if err == nil {
		err = regular(path, info.Mode())
	}
	if err != nil {
		f.Close() // nothing was written
		return nil, openError(path, err)
	}
	s := &Source{name: path, size: info.Size(), r: f, file: f, mtime: info.ModTime()}
	s.refs.Store(1)
	if !o.unmapped && s.size > 0 && s.size <= math.MaxInt {
		// A file system that can't map (or an address space that is too small) is read plainly.
		if b, err := mapFile(f, int(s.size)); err == nil {
			s.m = register(path, f, b)
		}
	}
	if invariants {
		s.watch()
	}
	return s, nil
}

func openError(path string, err error) error {
	if _, ok := errors.AsType[*h5err.Error](err); ok {
		return err
	}
	return h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't open"), path, "")
}

func regular(path string, mode fs.FileMode) error {
	what := ""
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "a directory"
	case mode&fs.ModeNamedPipe != 0:
		what = "a FIFO"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	default:
		what = "no regular file"
	}
	return h5err.In(h5err.New(h5err.IO, "can't open: it is %s", what).WithHint("give a regular file"), path, "")
}

// FromReaderAt returns a Source of size bytes that reads through r and is not mapped. The caller holds the one
// reference to it; r is not closed by the last release.
func FromReaderAt(r io.ReaderAt, size int64, name string) *Source {
	s := &Source{name: name, size: max(size, 0), r: r}
	s.refs.Store(1)
	return s
}

// Name is the path or the name that the Source was made with.
func (s *Source) Name() string { return s.name }

// Path returns the path of a local file, "" for a Source made by FromReaderAt.
func (s *Source) Path() string {
	if s.file == nil {
		return ""
	}
	return s.name
}

// Size is the number of bytes, as it was when the Source was made.
func (s *Source) Size() int64 { return s.size }

// Mapped reports whether View can succeed.
func (s *Source) Mapped() bool { return s.m != nil }

// ReadAt implements io.ReaderAt. It asks the system (pread) and never reads through the mapping, so that what it gives
// is a stable copy and a file that was cut short gives io.EOF early. Bytes beyond Size are not read. Other errors are of
// kind IO; after the last release there is nothing but an error.
func (s *Source) ReadAt(p []byte, off int64) (int, error) {
	if s.refs.Load() <= 0 {
		return 0, s.fail(off, "can't read", os.ErrClosed)
	}
	if off < 0 {
		return 0, s.fail(h5err.NoOffset, "can't read at a negative offset", nil)
	}
	if off >= s.size {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	want := len(p)
	if room := s.size - off; int64(want) > room {
		p = p[:room]
	}
	n, err := s.r.ReadAt(p, off)
	switch {
	case n == want:
		return n, nil
	case err == nil || err == io.EOF:
		return n, io.EOF
	}
	return n, s.fail(off+int64(n), "can't read", err)
}

func (s *Source) fail(off int64, msg string, err error) error {
	return &h5err.Error{Kind: h5err.IO, File: s.name, Offset: off, Msg: msg, Err: h5err.Cause(err)}
}

// View returns the n bytes at an offset as a slice of the mapping, without room to grow. The slice is read-only, valid
// while a reference is held, and to be read inside Guard only. There is none (ok is false) when the Source is not mapped,
// when the range is not inside it, and after the last release.
func (s *Source) View(off, n int64) (b []byte, ok bool) {
	if s.m == nil || s.refs.Load() <= 0 || off < 0 || n < 0 || off > s.size || n > s.size-off {
		return nil, false
	}
	return s.m.b[off : off+n : off+n], true
}

// TryRetain takes one more reference and reports whether it did: there is none to take after the last release.
func (s *Source) TryRetain() bool {
	for {
		n := s.refs.Load()
		if n <= 0 {
			return false
		}
		if s.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Retain takes one more reference, for a caller that holds one. After the last release it does nothing, and panics
// under the tag invariants.
func (s *Source) Retain() {
	if !s.TryRetain() && invariants {
		panic("source: " + s.name + " is retained after its last release")
	}
}

// Release gives a reference back. The last one unmaps and closes the file. A release too many does nothing, and panics
// under the tag invariants.
func (s *Source) Release() {
	for {
		n := s.refs.Load()
		if n <= 0 {
			if invariants {
				panic("source: " + s.name + " is released more often than it was retained")
			}
			return
		}
		if s.refs.CompareAndSwap(n, n-1) {
			if n == 1 {
				s.close()
			}
			return
		}
	}
}

func (s *Source) close() {
	if invariants {
		runtime.SetFinalizer(s, nil)
	}
	if s.m != nil {
		s.m.unregister()
		if invariants {
			hideMapping(s.m.b)
		} else {
			unmapFile(s.m.b)
		}
	}
	if s.file != nil {
		s.file.Close() // read only: there is nothing to lose
	}
}

// Changed reports, as an error of kind IO, that the file is no longer the one that was opened: its size or its time of
// modification differ. It says nothing about a Source made by FromReaderAt.
func (s *Source) Changed() error {
	if s.file == nil {
		return nil
	}
	info, err := s.file.Stat()
	switch {
	case err != nil:
		return s.fail(h5err.NoOffset, "can't look at the file again", err)
	case info.Size() < s.size:
		return s.fail(info.Size(), "the file was cut short while it was open", nil)
	case info.Size() > s.size:
		return s.fail(h5err.NoOffset, "the file grew while it was open", nil)
	case !info.ModTime().Equal(s.mtime):
		return s.fail(h5err.NoOffset, "the file was changed while it was open", nil)
	}
	return nil
}
