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

// maxFiles bounds the files that one file can make us open.
const maxFiles = 1024

// family is files that lead to one another. Each is open once and belongs to the one that was opened first, which closes
// the others.
type family struct {
	mu     sync.Mutex
	files  map[string]*File // by absolute path
	closed bool
}

// close closes all files but the one that was opened first.
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

// OpenExternal opens raw storage that a dataset of this file names. The caller releases it.
//
// A name is relative to this file's directory. It may lead into that directory and what is below it, symbolic links
// included, and into the directories that WithExternal allows; anything else is Unsupported. A file that is not there
// is a NotFound error.
func (f *File) OpenExternal(name string) (*source.Source, error) {
	root, rel, err := f.place(name)
	if err != nil {
		return nil, err
	}
	return openBelow(root, rel, name, f.opts.noMap)
}

// place finds the allowed directory that holds a file that this one names.
func (f *File) place(name string) (root, rel string, err error) {
	switch {
	case f.opts.noExt:
		return "", "", h5err.New(h5err.Unsupported, "%q stands outside the file, and such files are not followed", name)
	case f.dir == "":
		return "", "", h5err.New(h5err.Unsupported, "%q stands outside the file, which is no local file", name)
	case name == "" || strings.ContainsRune(name, 0):
		return "", "", h5err.New(h5err.Corrupt, "%q is no name of a file", name)
	}
	full := filepath.FromSlash(name)
	if !filepath.IsAbs(full) {
		full = filepath.Join(f.dir, full)
	}
	if slices.Contains(f.opts.files, full) {
		return filepath.Dir(full), filepath.Base(full), nil
	}
	roots := f.opts.external
	if !f.opts.only {
		roots = append([]string{f.dir}, roots...)
	}
	for _, root := range roots {
		rel, err := filepath.Rel(root, full)
		if err == nil && filepath.IsLocal(rel) {
			return root, rel, nil
		}
	}
	if f.opts.only {
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

// open opens a regular file: opening a FIFO would wait for its writer.
func open(r *os.Root, rel string) (*os.File, error) {
	info, err := r.Stat(rel)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, h5err.New(h5err.IO, "%q is no regular file", rel)
	}
	return r.Open(rel)
}

// OpenFile opens another HDF5 file that this one names, under the rules of OpenExternal. It is kept and closed with
// this file.
func (f *File) OpenFile(name string) (*File, error) {
	root, rel, err := f.place(name)
	if err != nil {
		return nil, err
	}
	m, p := f.family, filepath.Join(root, rel)
	m.mu.Lock()
	known, n := m.files[p], len(m.files)
	m.mu.Unlock()
	switch {
	case known != nil:
		return known, nil
	case n >= maxFiles:
		return nil, h5err.New(h5err.Limit, "more than %d files that name one another", maxFiles)
	}
	src, err := openBelow(root, rel, name, f.opts.noMap)
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
