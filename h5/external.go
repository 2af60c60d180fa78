package h5

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// maxChildren bounds the files that one file can make us open.
const maxChildren = 1024

// OpenExternal opens raw storage that a dataset of this file names. The caller releases it.
//
// A name is relative to this file's directory. It may lead into that directory and what is below it, symbolic links
// included, and into the directories that WithExternal allows; anything else is Unsupported. A file that is not there
// is a NotFound error.
func (f *File) OpenExternal(name string) (*source.Source, error) {
	if f.opts.noExt {
		return nil, h5err.New(h5err.Unsupported, "%q stands outside the file, and such files are not followed", name)
	}
	if f.src.Path() == "" {
		return nil, h5err.New(h5err.Unsupported, "%q stands outside the file, which is no local file", name)
	}
	dir := filepath.Dir(f.src.Path())
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, h5err.Wrap(h5err.IO, err, "directory of %q", f.src.Path())
	}
	full := filepath.FromSlash(name)
	if !filepath.IsAbs(full) {
		full = filepath.Join(dir, full)
	}
	for _, root := range append([]string{dir}, f.opts.external...) {
		rel, err := filepath.Rel(root, full)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		return openBelow(root, rel, name, f.opts.noMap)
	}
	return nil, h5err.New(h5err.Unsupported, "%q is outside the file's directory", name).
		WithHint("allow its directory with --allow-external")
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
				WithHint("allow its directory with --allow-external")
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
	f.mu.Lock()
	c, ok := f.children[name]
	n := len(f.children)
	f.mu.Unlock()
	if ok && c != nil {
		return c, nil
	}
	depth := 0
	for p := f; p != nil; p = p.parent {
		depth++
	}
	if n >= maxChildren || depth > f.r.Limits.Nesting {
		return nil, h5err.New(h5err.Limit, "too many files that name one another")
	}
	src, err := f.OpenExternal(name)
	if err != nil {
		return nil, err
	}
	for p := f; p != nil; p = p.parent { // a file that leads back to one that is open
		if p.src.Path() != "" && p.src.Path() == src.Path() {
			src.Release()
			return p, nil
		}
	}
	c, err = newFile(src, f.opts, f)
	if err != nil {
		src.Release()
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.children[name]; old != nil {
		c.Close()
		return old, nil
	}
	if f.children == nil {
		f.children = map[string]*File{}
	}
	f.children[name] = c
	return c, nil
}
