// Package catalog has the HDF5 files that a server serves: those that were named, and those in and below directories.
package catalog

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	idleFiles  = 64              // files that are kept open for the next call
	idleFor    = 2 * time.Second // how long they are kept
	maxEntries = 100_000         // of directories, in one walk
)

// Catalog is the files and directories that are served. Files are opened only below them (os.Root): names with "..",
// symbolic links and references inside files cannot lead elsewhere. A file that was given by name is served under the last
// element of its path, a file below a directory under its path from there, with slashes.
//
// Files are opened on demand and kept open for a short time afterward. A Catalog may be used by several goroutines.
type Catalog struct {
	roots  []root
	opts   []arrowmap.Option
	noMap  bool
	filter filter
	tables func(*arrowmap.File) ([]*arrowmap.Table, error)
	far    []*farFile

	mu     sync.Mutex
	open   map[string]*File // by name, for new calls
	idle   []*File          // the longest idle first
	all    int              // handles that are open, idle or not
	closed bool
}

// root is a directory, or a single file of it.
type root struct {
	r    *os.Root
	dir  string // absolute path
	file string // the only file in it that is served, "" for everything below
	name string // under which that file is served
}

// Option changes how files are opened and which tables they have.
type Option func(*options) error

type options struct {
	opts     []arrowmap.Option
	external []string
	noMap    bool
	filter   filter
	tables   func(*arrowmap.File) ([]*arrowmap.Table, error)
	far      []*farFile
}

// WithFileOptions sets how files are opened. Options about external files have no effect: see WithExternal.
func WithFileOptions(opts ...arrowmap.Option) Option {
	return func(o *options) error {
		o.opts = append(o.opts, opts...)
		return nil
	}
}

// WithoutMapping reads files instead of mapping them.
func WithoutMapping() Option {
	return func(o *options) error {
		o.noMap = true
		return nil
	}
}

// WithExternal allows served files to refer to files in further directories, which are not served themselves. Without it,
// links and virtual datasets may refer to HDF5 files inside the roots, and external storage is refused: it has no signature,
// so that any file beside the HDF5 files could be read by it.
func WithExternal(dirs ...string) Option {
	return func(o *options) error {
		o.external = append(o.external, dirs...)
		return nil
	}
}

// WithTables sets how the tables of a file are found. The default is File.Tables.
func WithTables(fn func(*arrowmap.File) ([]*arrowmap.Table, error)) Option {
	return func(o *options) error {
		o.tables = fn
		return nil
	}
}

// Open opens files and directories for serving. Close the Catalog when no server uses them any more. Two files of one
// name are an Argument error.
func Open(paths []string, opts ...Option) (*Catalog, error) {
	o := options{tables: (*arrowmap.File).Tables}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if len(paths)+len(o.far) == 0 {
		return nil, h5err.New(h5err.Argument, "nothing to serve")
	}
	r := &Catalog{tables: o.tables, noMap: o.noMap, filter: o.filter, far: o.far, open: map[string]*File{}}
	var dirs, files []string
	named := map[string]string{}
	for _, f := range o.far {
		if before, ok := named[f.name]; ok {
			return nil, sameName(f.what, before)
		}
		named[f.name] = f.what
	}
	for _, p := range paths {
		x, err := openRoot(p)
		if err != nil {
			r.Close()
			return nil, err
		}
		r.roots = append(r.roots, x)
		if x.file == "" {
			dirs = append(dirs, x.dir)
			continue
		}
		files = append(files, filepath.Join(x.dir, x.file))
		if before, ok := named[x.name]; ok {
			r.Close()
			return nil, sameName(p, before)
		}
		named[x.name] = p
	}
	r.opts = append(append(r.opts, o.opts...), arrowmap.WithExternal(arrowmap.External{Dirs: append(dirs, o.external...), Files: files, Only: true,
		RawOnly: true, RawDirs: o.external}))
	return r, nil
}

func openRoot(p string) (root, error) {
	fail := func(err error) (root, error) {
		return root{}, h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't open"), p, "")
	}
	real, err := filepath.EvalSymlinks(p) // the operator chose this path; symbolic links in it are trusted
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return fail(err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return fail(err)
	}
	x := root{dir: real}
	switch {
	case info.Mode().IsRegular():
		x = root{dir: filepath.Dir(real), file: filepath.Base(real), name: filepath.Base(p)}
	case !info.IsDir():
		return root{}, h5err.In(h5err.New(h5err.IO, "neither a file nor a directory"), p, "")
	}
	if x.r, err = os.OpenRoot(x.dir); err != nil {
		return fail(err)
	}
	return x, nil
}

// Check opens the files that were given by name, and returns the error of the first that cannot be served.
func (r *Catalog) Check() error {
	var names []string
	for _, f := range r.far {
		names = append(names, f.name)
	}
	for _, x := range r.roots {
		if x.file != "" {
			names = append(names, x.name)
		}
	}
	for _, name := range names {
		h, err := r.Acquire(name)
		if err != nil {
			return err
		}
		_, err = h.List()
		h.Release()
		if err != nil {
			return h5err.In(err, name, "")
		}
	}
	return nil
}

// Close closes the roots. Files that are in use are closed when they are released.
func (r *Catalog) Close() error {
	r.mu.Lock()
	r.closed = true
	idle := r.idle
	r.idle = nil
	clear(r.open)
	r.mu.Unlock()
	for _, h := range idle {
		h.stop()
	}
	var err error
	for _, x := range r.roots {
		err = errors.Join(err, x.r.Close())
	}
	for _, f := range r.far {
		f.close()
	}
	return err
}

// find returns the root of the file that is served under a name, and its path there.
func (r *Catalog) find(name string) (x root, rel string, info fs.FileInfo, err error) {
	if !fs.ValidPath(name) || name == "." || !filepath.IsLocal(filepath.FromSlash(name)) {
		return root{}, "", nil, h5err.New(h5err.Argument, "%q is not the name of a served file", name).
			WithHint("ListFlights returns the names")
	}
	var denied error
	for _, x := range r.roots {
		rel := filepath.FromSlash(name)
		switch {
		case x.file == "" && r.filter.reason(name) != "":
			continue
		case x.file != "" && name != x.name:
			continue
		case x.file != "":
			rel = x.file
		}
		info, err := x.r.Stat(rel)
		if err == nil && info.Mode().IsRegular() {
			return x, rel, info, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			denied = err
		}
	}
	e := h5err.New(h5err.NotFound, "no file %q is served", name)
	e.Err = h5err.Cause(denied)
	return root{}, "", nil, e
}

// Names calls fn with the names of all files that look like HDF5, in order, each once.
func (r *Catalog) Names(fn func(name string) error) error {
	seen := map[string]bool{}
	entries := 0
	for _, f := range r.far {
		seen[f.name] = true
		if err := fn(f.name); err != nil {
			return err
		}
	}
	for _, x := range r.roots {
		if x.file != "" {
			if !seen[x.name] {
				seen[x.name] = true
				if err := fn(x.name); err != nil {
					return err
				}
			}
			continue
		}
		err := fs.WalkDir(x.r.FS(), ".", func(name string, d fs.DirEntry, err error) error {
			if entries++; entries > maxEntries {
				return h5err.New(h5err.Limit, "more than %d files and directories are served", maxEntries)
			}
			reason, err := r.leftOut(&x, name, d, err, seen)
			switch {
			case err != nil:
				return err
			case reason != "":
				r.filter.tell(name, reason)
				return nil
			case d.IsDir():
				return nil
			}
			seen[name] = true
			return fn(name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// leftOut returns why an entry of a directory is not served, "" if it is, or is a directory. err is what the walk has met.
func (r *Catalog) leftOut(x *root, name string, d fs.DirEntry, err error, seen map[string]bool) (reason string, skip error) {
	switch {
	case name == "." && err != nil:
		r.filter.tell(name, "it can't be read: "+h5err.Cause(err).Error())
		return "", nil
	case err != nil && d != nil && d.IsDir():
		r.filter.tell(name, "it can't be read: "+h5err.Cause(err).Error())
		return "", fs.SkipDir
	case err != nil: // may have vanished, or may be unreadable
		return "it can't be read: " + h5err.Cause(err).Error(), nil
	case d.IsDir() && name != "." && r.filter.skips(name):
		r.filter.tell(name, r.filter.reason(name))
		return "", fs.SkipDir
	case d.IsDir():
		return "", nil
	case r.filter.reason(name) != "":
		return r.filter.reason(name), nil
	case seen[name]:
		return "another directory has a file of this name", nil
	case !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0:
		return "it is not a regular file", nil
	case !x.isHDF5(name):
		return "it is not HDF5, or can't be read", nil
	}
	return "", nil
}

// isHDF5 looks for the signature where a superblock may start (II.A): at 0, 512, 1024, 2048 and so on.
func (x *root) isHDF5(name string) bool {
	info, err := x.r.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := x.r.Open(name)
	if err != nil {
		return false
	}
	defer f.Close() // read only: there is nothing to lose
	var b [8]byte
	for off := int64(0); off < info.Size(); off = max(512, 2*off) {
		if _, err := f.ReadAt(b[:], off); err != nil {
			return false
		}
		if string(b[:]) == "\x89HDF\r\n\x1a\n" {
			return true
		}
	}
	return false
}

// File is an open file with a count of references.
type File struct {
	Name     string         // under which it is served
	Source   *source.Source // of the file, which holds it
	Size     int64          // when it was opened
	Modified time.Time      // likewise

	r    *Catalog
	path string
	opts []arrowmap.Option // beside those of all files
	file *arrowmap.File

	refs  int // guarded by Catalog.mu
	stale bool
	timer *time.Timer

	once   sync.Once
	tables []*arrowmap.Table
	err    error
}

// Acquire returns a reference to a file, which it opens unless it is open and unchanged. The caller releases it.
func (r *Catalog) Acquire(name string) (*File, error) {
	h, open, err := r.locate(name)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	if before := r.open[name]; before != nil {
		if before.Size == h.Size && before.Modified.Equal(h.Modified) {
			before.take()
			r.mu.Unlock()
			return before, nil
		}
		before.forget()
	}
	closed := r.closed
	r.mu.Unlock()
	if closed {
		return nil, h5err.New(h5err.IO, "the server is closing")
	}
	src, err := open(h)
	if err != nil {
		return nil, err
	}
	h.Source = src
	if h.file, err = arrowmap.NewFile(src, slices.Concat(r.opts, h.opts)...); err != nil {
		src.Release()
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all++
	if before := r.open[name]; before != nil || r.closed {
		h.stale = true // another call was faster: this handle is for its caller only
	} else {
		r.open[name] = h
	}
	return h, nil
}

// take adds a reference; Catalog.mu is held.
func (h *File) take() {
	h.refs++
	for i, x := range h.r.idle {
		if x == h {
			h.r.idle = append(h.r.idle[:i], h.r.idle[i+1:]...)
			h.timer.Stop()
			break
		}
	}
}

// forget causes new calls to open the file again; Catalog.mu is held.
func (h *File) forget() {
	h.stale = true
	if h.r.open[h.Name] == h {
		delete(h.r.open, h.Name)
	}
	if h.refs == 0 {
		h.take()
		h.refs = 0
		go h.stop()
	}
}

// Release drops a reference. A file without references is closed a little later.
func (h *File) Release() {
	r := h.r
	r.mu.Lock()
	h.refs--
	if h.refs > 0 {
		r.mu.Unlock()
		return
	}
	if h.stale || r.closed {
		r.mu.Unlock()
		h.stop()
		return
	}
	r.idle = append(r.idle, h)
	h.timer = time.AfterFunc(idleFor, h.expire)
	var oldest *File
	if len(r.idle) > idleFiles {
		oldest = r.idle[0]
	}
	r.mu.Unlock()
	if oldest != nil {
		oldest.expire()
	}
}

// expire closes a file that is still idle.
func (h *File) expire() {
	r := h.r
	r.mu.Lock()
	for i, x := range r.idle {
		if x == h {
			r.idle = append(r.idle[:i], r.idle[i+1:]...)
			delete(r.open, h.Name)
			r.mu.Unlock()
			h.stop()
			return
		}
	}
	r.mu.Unlock()
}

func (h *File) stop() {
	if h.timer != nil {
		h.timer.Stop()
	}
	h.file.Close() // read only: there is nothing to lose
	h.r.mu.Lock()
	h.r.all--
	h.r.mu.Unlock()
}

// List returns the tables of the file.
func (h *File) List() ([]*arrowmap.Table, error) {
	h.once.Do(func() {
		h.err = h5err.In(h5err.New(h5err.IO, "the tables could not be listed"), h.path, "") // remains if tables panics
		h.tables, h.err = h.r.tables(h.file)
		if len(h.tables) > 0 {
			h.err = nil // what can't be read is left out
		}
	})
	return h.tables, h.err
}

// Arrow returns the open file. It is valid until Release.
func (h *File) Arrow() *arrowmap.File { return h.file }

// Table returns the table at a path. The empty path means the only one.
func (h *File) Table(p string) (*arrowmap.Table, error) {
	all, err := h.List()
	if err != nil {
		return nil, err
	}
	if p == "" {
		if len(all) == 1 {
			return all[0], nil
		}
		e := h5err.New(h5err.Argument, "the file has %d tables", len(all)).WithHint("name one in the second element of the path")
		return nil, h5err.In(e, h.path, "")
	}
	if !path.IsAbs(p) {
		p = "/" + p
	}
	for _, t := range all {
		if t.Path() == path.Clean(p) {
			return t, nil
		}
	}
	for _, t := range all {
		if g := t.Group(p); g != nil && t.Unlisted() {
			return g, nil
		}
	}
	return nil, h5err.In(h5err.New(h5err.NotFound, "no such table"), h.path, p)
}

// Table is a table of a served file.
type Table struct {
	File string // the name under which it is served
	*arrowmap.Table
}

// Tables opens all files and returns their tables, which are valid until close is called. Like ListFlights, it omits files
// that cannot be read and tables with columns that cannot.
func (r *Catalog) Tables() (tables []Table, close func(), err error) {
	var held []*File
	close = func() {
		for _, h := range held {
			h.Release()
		}
	}
	err = r.Names(func(name string) error {
		h, err := r.Acquire(name)
		if err != nil {
			return nil
		}
		held = append(held, h)
		list, err := h.List()
		if err != nil {
			return nil
		}
		for _, t := range list {
			if Readable(t) == nil {
				tables = append(tables, Table{name, t})
			}
		}
		return nil
	})
	if err != nil {
		close()
		return nil, nil, err
	}
	return tables, close, nil
}

// Readable returns the error that prevents reading all columns of a table, nil if there is none.
func Readable(t *arrowmap.Table) error {
	_, err := t.Slice(0, 0)
	return err
}

// OpenFiles returns how many files are open.
func (r *Catalog) OpenFiles() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}

// Hide removes from a text where the directories are.
func (r *Catalog) Hide(text string) string {
	for _, x := range r.roots {
		if len(x.dir) > 1 {
			text = strings.ReplaceAll(text, x.dir+"/", "")
			text = strings.ReplaceAll(text, x.dir, ".")
		}
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
