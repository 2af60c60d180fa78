// Package output writes files that appear under their names when they are complete, and not before.
package output

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Set is the outputs that one run has open. The zero value is an empty set.
type Set struct {
	mu   sync.Mutex
	open map[abandoner]bool
}

// abandoner is an output that is being written.
type abandoner interface{ abandon() }

// GiveUp removes what has been written to outputs that are still open.
func (s *Set) GiveUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range s.open {
		f.abandon()
	}
}

// Write calls fn to write an output. The output appears under its name when fn returns nil, and an existing file stays as
// it is until then. What is not a regular file (a FIFO, a device) is written through. Nothing appears after ctx is done.
func (s *Set) Write(ctx context.Context, t Target, fn func(io.Writer) error) (err error) {
	if t.create != nil {
		return s.writeObject(ctx, t, fn)
	}
	f, err := s.create(t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	// Writing to a pipe that nobody reads takes forever; other files have no deadlines and need none.
	defer context.AfterFunc(ctx, func() { f.SetWriteDeadline(time.Now()) })()
	if err := fn(f.File); err != nil {
		return Named(err, t.path)
	}
	return f.commit(ctx)
}

// Named adds the name of an output to an error of writing to it. Errors about an input have a name already.
func Named(err error, output string) error {
	if h5err.Is(err, h5err.IO) {
		return h5err.In(err, output, "")
	}
	return err
}

// file is an output that is being written.
type file struct {
	*os.File
	set     *Set
	path    string // where it is to appear; symbolic links are resolved
	temp    string // its name until then, "" when it has none
	replace bool   // it may take the place of another file
	through bool
	closed  bool
}

// Target is the place of an output. It is found before any work is done.
type Target struct {
	path    string
	special bool
	replace bool
	create  func(context.Context) (Object, error) // nil unless the output is an object
}

// Path returns the path of the output, with symbolic links resolved, or the name of an object.
func (t Target) Path() string { return t.path }

// Special reports whether the target is not a regular file but, for example, a FIFO or a device.
func (t Target) Special() bool { return t.special }

// Dir returns the directory of an output, "" unless it is a regular file.
func (t Target) Dir() string {
	if t.special || t.create != nil {
		return ""
	}
	return filepath.Dir(t.path)
}

// Check looks at the place of an output. An existing file is an Argument error unless force is given; one of the inputs
// is in any case.
func Check(name string, force bool, inputs []string) (Target, error) {
	t := Target{path: name, replace: force}
	if _, err := os.Lstat(name); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			return t, failure(name, "can't write", err)
		}
		info, err := os.Stat(filepath.Dir(name))
		if err == nil && !info.IsDir() {
			err = errors.New(filepath.Dir(name) + " is not a directory")
		}
		if err != nil {
			return t, failure(name, "can't write", err)
		}
		return t, nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist): // a link that leads nowhere
		if !force {
			return t, exists(name)
		}
		link, err := os.Readlink(name)
		if err != nil {
			return t, failure(name, "can't write", err)
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(name), link)
		}
		return Check(link, force, inputs)
	case err != nil:
		return t, failure(name, "can't write", err)
	case info.IsDir():
		return t, wrong(name, h5err.New(h5err.Argument, "this is a directory").WithHint("give a file's name"))
	}
	for _, in := range inputs {
		if other, err := os.Stat(in); err == nil && os.SameFile(info, other) {
			return t, wrong(name, h5err.New(h5err.Argument, "the output is the input %s", in))
		}
	}
	switch {
	case !info.Mode().IsRegular():
		t.special = true
	case !force:
		return t, exists(name)
	default:
		if t.path, err = filepath.EvalSymlinks(name); err != nil {
			return t, failure(name, "can't write", err)
		}
	}
	return t, nil
}

func exists(name string) error {
	return wrong(name, h5err.New(h5err.Argument, "the output exists already").WithOption("output.Check", "overwrite it"))
}

func wrong(name string, err *h5err.Error) error { return h5err.In(err, name, "") }

func failure(name, what string, err error) error {
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		err = l.Err
	}
	return h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "%s", what), name, "")
}

// create opens an output. The caller calls commit when all is written, and close in any case.
func (s *Set) create(t Target) (*file, error) {
	f := &file{set: s, path: t.path, replace: t.replace, through: t.special}
	var err error
	if t.special {
		f.File, err = os.OpenFile(t.path, os.O_WRONLY, 0)
	} else if f.File, err = unnamed(filepath.Dir(t.path)); f.File == nil && err == nil {
		f.temp = tempName(t.path)
		f.File, err = os.OpenFile(f.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // less what the umask removes
	}
	if err != nil {
		return nil, failure(t.path, "can't write", err)
	}
	s.add(f)
	return f, nil
}

func (s *Set) add(f abandoner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[abandoner]bool{}
	}
	s.open[f] = true
}

// tempName is a hidden name beside a file, so that renaming it does not leave the file system.
func tempName(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:8]+".tmp")
}

// commit makes the output appear under its name.
func (f *file) commit(ctx context.Context) error {
	if f.through {
		return nil
	}
	if f.temp != "" { // a network's file system may report only now that it has no room; without a name it is too early
		if err := f.shut(); err != nil {
			return err
		}
	}
	// From here on it is too late to be interrupted: the file is complete under either name.
	f.set.mu.Lock()
	defer f.set.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.temp == "" {
		// A new name takes half of what replacing one does, so that is tried first.
		if err := publish(f.File, f.path); !f.replace || !errors.Is(err, fs.ErrExist) {
			return f.committed(err)
		}
		temp := tempName(f.path)
		if err := publish(f.File, temp); err != nil {
			return f.committed(err)
		}
		f.temp = temp
	}
	if f.replace {
		return f.committed(os.Rename(f.temp, f.path))
	}
	err := os.Link(f.temp, f.path) // unlike a rename, it does not replace a file that has appeared meanwhile
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(f.temp, f.path) // not every file system has links
	} else if err == nil {
		os.Remove(f.temp) // the file has its name
	}
	return f.committed(err)
}

func (f *file) committed(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return exists(f.path)
	}
	if err != nil {
		return failure(f.path, "can't give the output its name", err)
	}
	f.temp = ""
	return nil
}

// close closes the output. One that was not committed disappears.
func (f *file) close() error {
	f.set.mu.Lock()
	defer f.set.mu.Unlock()
	delete(f.set.open, f)
	f.abandon()
	return f.shut()
}

func (f *file) shut() error {
	if f.closed {
		return nil
	}
	f.closed = true
	if err := f.File.Close(); err != nil {
		return failure(f.path, "can't write", err)
	}
	return nil
}

func (f *file) abandon() {
	if f.temp != "" {
		os.Remove(f.temp) // an error would have no reader
		f.temp = ""
	}
}
