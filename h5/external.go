package h5

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/source"
)

// maxFiles bounds the number of files that are opened because of one file.
const maxFiles = 1024

// family is a set of files that refer to one another. Each is open once and belongs to the file that was opened first, which
// closes the others.
type family struct {
	mu     sync.Mutex
	files  map[string]*File // by absolute path
	closed bool
}

// close closes all files except the one that was opened first.
func (m *family) close(first *File) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for _, f := range m.files {
		if f != first {
			f.Close()
		}
	}
	clear(m.files)
}

// OpenExternal opens raw storage that a dataset of this file names (specification, IV.A.2.h). The caller releases it.
//
// A name is relative to this file's directory. It may refer to files in and below that directory, through symbolic links too,
// and in the directories that WithExternal allows for it; anything else is an error of kind Unsupported. If there is no such file, the
// error has kind NotFound.
func (f *File) OpenExternal(name string) (*source.Source, error) {
	x := f.opts.external
	if x.Open != nil {
		return x.Open(f.src.Name(), name)
	}
	if x.RawOnly {
		x = External{Only: true, Dirs: x.RawDirs}
	}
	root, rel, err := f.place(name, &x)
	if err != nil {
		return nil, err
	}
	return openBelow(root, rel, name, f.opts.noMap)
}

// place finds the allowed directory that contains a file that this one names.
func (f *File) place(name string, x *External) (root, rel string, err error) {
	switch {
	case f.opts.strict:
		return "", "", h5err.Refuse(h5err.RuleExternalLink, "%q is another file, and this one is not trusted", name)
	case x.Only && len(x.Dirs) == 0 && len(x.Files) == 0:
		return "", "", h5err.New(h5err.Unsupported, "%q is another file, and other files are not opened", name)
	case f.dir == "":
		return "", "", h5err.New(h5err.Unsupported, "%q is another file, and this one is not a local file", name)
	case name == "" || strings.ContainsRune(name, 0):
		return "", "", h5err.New(h5err.Corrupt, "%q is not a file name", name)
	}
	full := filepath.FromSlash(name)
	if !filepath.IsAbs(full) {
		full = filepath.Join(f.dir, full)
	}
	if slices.Contains(x.Files, full) {
		return filepath.Dir(full), filepath.Base(full), nil
	}
	roots := x.Dirs
	if !x.Only {
		roots = append([]string{f.dir}, roots...)
	}
	for _, root := range roots {
		rel, err := filepath.Rel(root, full)
		if err == nil && filepath.IsLocal(rel) {
			return root, rel, nil
		}
	}
	if x.Only {
		return "", "", h5err.New(h5err.Unsupported, "%q is not among the files that may be read", name)
	}
	return "", "", h5err.New(h5err.Unsupported, "%q is outside the file's directory", name).
		WithOption("h5.WithExternal", "allow its directory")
}

func openBelow(root, rel, name string, noMap bool) (*source.Source, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, h5err.Wrap(h5err.IO, err, "directory %q", root)
	}
	defer r.Close()
	fh, err := open(r, rel)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, h5err.New(h5err.NotFound, "no file %q beside the HDF5 file", name)
	case err != nil:
		var perr *fs.PathError
		if errors.As(err, &perr) && perr.Err.Error() == "path escapes from parent" {
			return nil, h5err.New(h5err.Unsupported, "%q leads outside the file's directory", name).
				WithOption("h5.WithExternal", "allow its directory")
		}
		return nil, h5err.Wrap(h5err.IO, err, "file %q", name)
	}
	var opts []source.Option
	if noMap {
		opts = append(opts, source.WithoutMapping())
	}
	return source.OpenFile(fh, filepath.Join(root, rel), opts...)
}

// open opens a regular file. Opening a FIFO would wait for its writer.
func open(r *os.Root, rel string) (*os.File, error) {
	info, err := r.Stat(rel)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, h5err.New(h5err.IO, "%q is not a regular file", rel)
	}
	return r.Open(rel)
}

// other returns a function that opens another HDF5 file, and what that file is known by.
func (f *File) other(name string) (open func() (*source.Source, error), key string, err error) {
	if by := f.opts.external.Open; by != nil {
		from := f.src.Name()
		return func() (*source.Source, error) { return by(from, name) }, from + "\x00" + name, nil
	}
	root, rel, err := f.place(name, &f.opts.external)
	return func() (*source.Source, error) { return openBelow(root, rel, name, f.opts.noMap) }, filepath.Join(root, rel), err
}

// OpenFile opens another HDF5 file that this one names, by the rules of OpenExternal. It stays open, and is closed with
// this file.
func (f *File) OpenFile(name string) (*File, error) {
	open, p, err := f.other(name)
	if err != nil {
		return nil, err
	}
	m := f.family
	m.mu.Lock()
	known, n := m.files[p], len(m.files)
	m.mu.Unlock()
	switch {
	case known != nil:
		return known, nil
	case n >= maxFiles:
		return nil, h5err.New(h5err.Limit, "more than %d files that refer to one another", maxFiles)
	}
	src, err := open()
	if err != nil {
		return nil, err
	}
	o := f.opts
	o.observer = inspect.Observer{}
	c, err := newFile(src, o, m)
	if err != nil {
		src.Release()
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.files[p]; known != nil { // another goroutine was faster
		c.Close()
		return known, nil
	}
	if m.closed {
		c.Close()
		return nil, h5err.New(h5err.Argument, "the file is closed")
	}
	m.files[p] = c
	return c, nil
}
