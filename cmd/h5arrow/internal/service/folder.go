package service

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// Folder is a directory in which clients may make files. Names can't lead out of it, nor can symbolic links in it.
type Folder struct {
	root    *os.Root
	dir     string
	replace bool
}

// OpenFolder opens a directory. With replace, files that are there may be replaced.
func OpenFolder(dir string, replace bool) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't open the directory"), dir, "")
	}
	f := &Folder{root, dir, replace}
	f.clean()
	return f, nil
}

// unfinished are the names of files that are being written.
var unfinished = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\..+\.(h5|hdf5)\.[A-Z2-7]{8}\.tmp$`) })

// clean removes what servers that were killed have left, but not what others are writing. What can't be removed stays.
func (f *Folder) clean() {
	_ = fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !unfinished().MatchString(d.Name()) {
			return nil
		}
		if w, err := f.root.OpenFile(name, os.O_RDWR, 0); err == nil {
			left := abandoned(w)
			w.Close() // nothing was written
			if left {
				f.root.Remove(name)
			}
		}
		return nil
	})
}

// Close closes the directory.
func (f *Folder) Close() error { return f.root.Close() }

// Put stores a table in a new file, in the layout vaex. The file appears when it is complete. It implements flight.Put.
func (f *Folder) Put(ctx context.Context, file, table string, rows array.RecordReader) error {
	if err := f.free(file); err != nil {
		return h5err.In(err, file, "")
	}
	temp := path.Join(path.Dir(file), "."+path.Base(file)+"."+rand.Text()[:8]+".tmp")
	w, err := f.root.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return failed(file, err)
	}
	hold(w)
	defer f.root.Remove(temp) // fails if the file has got its name
	defer w.Close()           // it was flushed, or is not wanted
	if err := f.write(ctx, w, table, rows); err != nil {
		return h5err.In(err, file, "")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.publish(temp, file)
}

// suffixes are those of files that clients may make.
var suffixes = []string{".h5", ".hdf5"}

// free checks a name, and that no file has it.
func (f *Folder) free(file string) error {
	bad := func(why string) error { return h5err.New(h5err.Argument, "this can't be the name of a file: %s", why) }
	if !fs.ValidPath(file) || !utf8.ValidString(file) || strings.ContainsAny(file, "\\:\x00") || !filepath.IsLocal(file) {
		return bad("it must be a path below the folder, with slashes")
	}
	for part := range strings.SplitSeq(file, "/") {
		if strings.HasPrefix(part, ".") || strings.HasSuffix(part, "~") || len(part) > 200 {
			return bad("a part of it is hidden, a backup, or too long")
		}
		for _, r := range part {
			if r < ' ' || r == 0x7f {
				return bad("it has control characters")
			}
		}
	}
	if !slices.Contains(suffixes, strings.ToLower(path.Ext(file))) {
		return bad("it must end in " + strings.Join(suffixes, " or "))
	}
	info, err := f.root.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return failed(file, err)
	case !info.Mode().IsRegular():
		return bad("there is something else of that name")
	case !f.replace:
		return exists(file)
	}
	return nil
}

func exists(file string) error {
	return h5err.In(h5err.New(h5err.Argument, "there is a file of this name"), file, "")
}

func failed(file string, err error) error {
	return h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write"), file, "")
}

// write writes and flushes the file.
func (f *Folder) write(ctx context.Context, w *os.File, table string, rows array.RecordReader) error {
	h, err := write.Create(w, write.WithSpool(f.dir))
	if err != nil {
		return err
	}
	defer h.Abandon()
	if _, err := tablewriter.Write(ctx, h, rows, tablewriter.Options{Path: table, SpoolDir: f.dir}); err != nil {
		return err
	}
	if err := h.Close(); err != nil {
		return err
	}
	if err := w.Sync(); err != nil {
		return h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write")
	}
	return nil
}

// publish gives a complete file its name.
func (f *Folder) publish(temp, file string) error {
	if f.replace {
		if err := f.root.Rename(temp, file); err != nil {
			return failed(file, err)
		}
		return nil
	}
	err := f.root.Link(temp, file) // unlike a rename, it does not replace a file that has appeared meanwhile
	if errors.Is(err, fs.ErrExist) {
		return exists(file)
	}
	if err == nil {
		return nil
	}
	if err := f.free(file); err != nil { // not every file system has links
		return err
	}
	if err := f.root.Rename(temp, file); err != nil {
		return failed(file, err)
	}
	return nil
}
