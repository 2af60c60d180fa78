package catalog

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// WithSource serves the file that open returns under a name, opened with these options beside those of all files. what describes the file in messages. It is opened when it is first asked
// for, and kept open until the Catalog is closed, so that all streams share what its source has read. If it changes
// (source.Source.Changed), it is opened again for later calls, and tickets for the former version are refused.
func WithSource(name, what string, open func() (*source.Source, error), opts ...arrowmap.Option) Option {
	return func(o *options) error {
		o.far = append(o.far, &farFile{name: name, what: what, open: open, opts: opts})
		return nil
	}
}

// farFile is a file that WithSource adds.
type farFile struct {
	name, what string
	open       func() (*source.Source, error)
	opts       []arrowmap.Option

	mu      sync.Mutex
	src     *source.Source // nil until it is opened
	version int64          // how often it was
}

// locate returns a File of the current version, and how its source is opened, which takes a reference to it.
func (f *farFile) locate(r *Catalog) (*File, func(*File) (*source.Source, error), error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.src != nil && f.src.Changed(context.Background()) != nil {
		f.src.Release()
		f.src = nil
	}
	if f.src == nil {
		src, err := f.open()
		if err != nil {
			return nil, nil, err
		}
		f.src = src
		f.version++
	}
	h := &File{r: r, Name: f.name, path: f.what, opts: f.opts, Size: f.src.Size(), Modified: time.Unix(f.version, 0), refs: 1}
	return h, f.retain, nil
}

// retain returns the source with a reference for a File.
func (f *farFile) retain(h *File) (*source.Source, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.src == nil {
		return nil, h5err.New(h5err.IO, "the server is closing")
	}
	f.src.Retain()
	h.Size, h.Modified = f.src.Size(), time.Unix(f.version, 0)
	return f.src, nil
}

func (f *farFile) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.src != nil {
		f.src.Release()
		f.src = nil
	}
}

// locate returns a File that says which version of a file there is now, and the function that opens it for that File.
func (r *Catalog) locate(name string) (*File, func(*File) (*source.Source, error), error) {
	for _, f := range r.far {
		if f.name == name {
			return f.locate(r)
		}
	}
	x, rel, info, err := r.find(name)
	if err != nil {
		return nil, nil, err
	}
	h := &File{r: r, Name: name, path: filepath.Join(x.dir, rel), Size: info.Size(), Modified: info.ModTime(), refs: 1}
	return h, func(h *File) (*source.Source, error) { return r.openFile(x, rel, h) }, nil
}

func sameName(p, before string) error {
	return h5err.In(h5err.New(h5err.Argument, "would be served under the name of %s", before).WithHint("serve a directory that holds both"), p, "")
}

// openFile opens a file below a root.
func (r *Catalog) openFile(x root, rel string, h *File) (*source.Source, error) {
	if x.file == "" && !x.isHDF5(rel) { // what else is in a directory is nobody's business
		return nil, h5err.New(h5err.NotFound, "no file %q is served", h.Name)
	}
	f, err := x.r.Open(rel)
	if err != nil {
		return nil, h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't open"), h.Name, "")
	}
	info, err := f.Stat()
	if err != nil {
		f.Close() // read only: there is nothing to lose
		return nil, h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't open"), h.Name, "")
	}
	h.Size, h.Modified = info.Size(), info.ModTime()
	var sopts []source.Option
	if r.noMap {
		sopts = append(sopts, source.WithoutMapping())
	}
	return source.OpenFile(f, h.path, sopts...)
}
