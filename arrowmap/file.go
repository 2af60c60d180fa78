// Package arrowmap hands out HDF5 tables as Arrow record batches.
//
// A File finds the tables of an HDF5 file by the conventions of package convention; a Table has Columns; a Reader
// gives its rows as record batches. Values that stand in the file as Arrow wants them are not copied: their buffers lie
// in a mapping of the file. Everything else is decoded by several goroutines, each chunk once, straight into its Arrow
// buffer where shapes allow it.
//
// # Lifetime
//
// Arrays are reference-counted, as everywhere in arrow-go. A mapped array holds the mapping: it stays valid after the
// Reader, the Table and the File are closed, until it is released.
//
// # What is not promised
//
// Bytes of a file that somebody overwrites while it is mapped change under the arrays. A file that somebody cuts short
// while it is mapped gives an error as long as this package reads it; a caller who reads a mapped array of such a file
// gets a fault from the operating system, which source.Guard can turn into an error.
package arrowmap

import (
	"path"
	"strings"
	"sync"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Align is what to do with mapped values that do not stand at a multiple of their width.
type Align uint8

// The policies. HDF5 puts data at any byte; IPC writers, Flight and most engines take that, the C data interface's
// consumers often do not.
const (
	AlignKeep   Align = iota // hand them out as they are
	AlignCopy                // copy them to aligned memory
	AlignRefuse              // refuse the column
)

// Option changes how a file is opened.
type Option func(*options) error

type options struct {
	h5         []h5.Option
	types      dtype.Options
	align      Align
	convention string
	foreign    Foreign
}

// WithoutMapping reads by plain reads: nothing is mapped, everything is copied.
func WithoutMapping() Option {
	return func(o *options) error {
		o.h5 = append(o.h5, h5.WithoutMapping())
		return nil
	}
}

// WithExternal allows what the file points to outside itself in further directories.
func WithExternal(dirs ...string) Option {
	return func(o *options) error {
		o.h5 = append(o.h5, h5.WithExternal(dirs...))
		return nil
	}
}

// WithExternalOnly allows what the file points to outside itself in these directories, and these single files, and
// nothing else: not the file's own directory either.
func WithExternalOnly(dirs, files []string) Option {
	return func(o *options) error {
		o.h5 = append(o.h5, h5.WithExternalOnly(dirs, files))
		return nil
	}
}

// WithoutExternal refuses everything that the file points to outside itself.
func WithoutExternal() Option {
	return func(o *options) error {
		o.h5 = append(o.h5, h5.WithoutExternal())
		return nil
	}
}

// WithLimits sets limits on what the file may ask for.
func WithLimits(l h5.Limits) Option {
	return func(o *options) error {
		o.h5 = append(o.h5, h5.WithLimits(l))
		return nil
	}
}

// WithTypes chooses how types are mapped.
func WithTypes(t dtype.Options) Option {
	return func(o *options) error {
		nullRows := o.types.NullRows || t.NullRows
		o.types = t
		o.types.NullRows = nullRows
		return nil
	}
}

// WithNullRows makes a row of several items null when one of its items is.
func WithNullRows() Option {
	return func(o *options) error {
		o.types.NullRows = true
		return nil
	}
}

// WithAlign sets the policy for values at odd addresses.
func WithAlign(a Align) Option {
	return func(o *options) error {
		if a > AlignRefuse {
			return h5err.New(h5err.Argument, "alignment policy %d", a)
		}
		o.align = a
		return nil
	}
}

// WithConvention looks for tables of one convention only.
func WithConvention(name string) Option {
	return func(o *options) error {
		if name != "" {
			if _, err := detect.Find(name); err != nil {
				return err
			}
		}
		o.convention = name
		return nil
	}
}

// ConventionInfo names a convention.
type ConventionInfo struct{ Name, Description string }

// Conventions lists the conventions in the order in which they are tried.
func Conventions() []ConventionInfo {
	var out []ConventionInfo
	for _, c := range detect.All() {
		out = append(out, ConventionInfo{c.Name, c.Description})
	}
	return out
}

// File is an open HDF5 file, seen as tables. It may be used by several goroutines.
type File struct {
	f     *h5.File
	o     options
	plans plans

	pathsOnce sync.Once
	paths     map[uint64]string // of every object, for object references
	pathsErr  error
}

// Open opens a local file. Close it; arrays made from it outlive Close.
func Open(name string, opts ...Option) (*File, error) {
	o, err := resolve(opts)
	if err != nil {
		return nil, err
	}
	f, err := h5.Open(name, o.h5...)
	if err != nil {
		return nil, err
	}
	return &File{f: f, o: o}, nil
}

// NewFile opens the HDF5 file that src holds, mapped or not. It takes over the caller's reference when it succeeds.
func NewFile(src *source.Source, opts ...Option) (*File, error) {
	o, err := resolve(opts)
	if err != nil {
		return nil, err
	}
	f, err := h5.NewFile(src, o.h5...)
	if err != nil {
		return nil, err
	}
	return &File{f: f, o: o}, nil
}

func resolve(opts []Option) (options, error) {
	var o options
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// Close closes the file. Readers must be released before; arrays need not.
func (f *File) Close() error { return f.f.Close() }

// H5 is the file below.
func (f *File) H5() *h5.File { return f.f }

// Tables returns the tables of the file, in the order of a walk. Parts of the file that can't be read are passed over;
// where nothing was found because of them, the first such error is returned.
func (f *File) Tables() ([]*Table, error) {
	found, err := detect.Scan(f.f, f.o.convention)
	if len(found) == 0 {
		return nil, err
	}
	out := make([]*Table, len(found))
	for i, t := range found {
		out[i] = f.table(t)
	}
	return out, nil
}

// Table returns the table at a path. The empty path is the file's only table; an Argument error lists them where there
// are several.
func (f *File) Table(p string) (*Table, error) {
	if p == "" {
		return f.only()
	}
	o, err := f.f.Lookup(p)
	if err != nil {
		if h5err.Is(err, h5err.NotFound) {
			if t := f.scanned(p); t != nil {
				return t, nil
			}
		}
		return nil, err
	}
	found, err := detect.Detect(o, f.o.convention)
	if err != nil {
		return nil, err
	}
	if len(found) == 1 {
		return f.table(found[0]), nil
	}
	if t := f.scanned(p); t != nil {
		return t, nil
	}
	if len(found) == 0 {
		return nil, f.usage(o.Path(), "this is no table").WithOption("arrowmap.File.Tables", "list the tables").WithOption("arrowmap.File.Datasets", "take single datasets")
	}
	return nil, f.several(found)
}

// scanned looks for a table by the path that a scan of the file gives it. It may be the path of an object that is no
// table by itself, or of none: a dimension of which a group holds variables, for instance.
func (f *File) scanned(p string) *Table {
	p = h5.CleanPath(p)
	found, _ := detect.Scan(f.f, f.o.convention)
	for _, t := range found {
		if t.Path == p {
			return f.table(t)
		}
	}
	return nil
}

func (f *File) only() (*Table, error) {
	found, err := detect.Scan(f.f, f.o.convention)
	switch {
	case len(found) == 1:
		return f.table(found[0]), nil
	case len(found) > 1:
		return nil, f.several(found)
	case err != nil:
		return nil, err
	}
	return nil, f.usage("", "no table was found").WithOption("h5.File.Walk", "list the datasets").WithOption("arrowmap.File.Datasets", "take some of them")
}

func (f *File) several(found []*convention.Table) error {
	names := make([]string, 0, 20)
	for i, t := range found {
		if i == cap(names)-1 && len(found) > cap(names) {
			names = append(names, "...")
			break
		}
		names = append(names, t.Path)
	}
	return f.usage("", "several tables: "+strings.Join(names, ", ")).WithOption("arrowmap.File.Table", "choose one")
}

func (f *File) usage(object, msg string) *h5err.Error {
	return &h5err.Error{Kind: h5err.Argument, File: f.f.Name(), Object: object, Offset: h5err.NoOffset, Msg: msg}
}

// Datasets returns a table of single datasets, which must have one length. Only the type mapping is applied, no
// convention. A column is named by its path's last part, or by its whole path where two would have one name.
func (f *File) Datasets(paths ...string) (*Table, error) {
	if len(paths) == 0 {
		return nil, f.usage("", "no dataset was named")
	}
	t := &convention.Table{Path: h5.CleanPath(paths[0]), Convention: "dataset", Reason: "chosen by path"}
	count := map[string]int{}
	for _, p := range paths {
		count[path.Base(h5.CleanPath(p))]++
	}
	for _, p := range paths {
		p = h5.CleanPath(p)
		o, err := f.f.Lookup(p)
		if err != nil {
			return nil, err
		}
		d, ok := o.(*h5.Dataset)
		if !ok {
			return nil, f.usage(p, "this is no dataset")
		}
		name := path.Base(p)
		if count[name] > 1 {
			name = p
		}
		t.Columns = append(t.Columns, f.plain(name, d))
	}
	return f.table(t), nil
}

func (f *File) plain(name string, d *h5.Dataset) convention.Column {
	c := convention.Column{Name: name, Objects: []h5.Object{d}}
	v, err := convention.NewPlain(d)
	if err != nil {
		c.Err = err
		return c
	}
	if v.DType == "str" { // half of a column of vaex's: bytes, as far as this dataset goes
		v.DType = ""
	}
	c.Values = v
	return c
}

// Describe describes one dataset as a column of its own.
func (f *File) Describe(d *h5.Dataset) *Column {
	def := f.plain(path.Base(d.Path()), d)
	c := &Column{}
	f.column(c, &def)
	return c
}

// refPath finds the path of an object by its address. The file is walked once, when it is first asked for.
func (f *File) refPath(addr uint64) (string, error) {
	f.pathsOnce.Do(func() {
		f.paths = map[uint64]string{}
		f.pathsErr = f.f.Walk(func(o h5.Object) error {
			if o.File() == f.f {
				if _, ok := f.paths[o.Address()]; !ok {
					f.paths[o.Address()] = o.Path()
				}
			}
			return nil
		})
	})
	if p, ok := f.paths[addr]; ok {
		return p, nil
	}
	if f.pathsErr != nil {
		return "", f.pathsErr
	}
	return "", h5err.New(h5err.Corrupt, "a reference to address %#x, where no object is", addr)
}
