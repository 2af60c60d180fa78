package arrowmap

import (
	"path"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/arrowmap/internal/nonnull"
	"github.com/h5arrow/h5arrow/arrowmap/internal/zones"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

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
	nodes node.Planner
	index *zones.Index // nil: none
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
	return newFile(f, o), nil
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
	return newFile(f, o), nil
}

func newFile(f *h5.File, o options) *File {
	align := [...]node.Align{AlignKeep: node.AlignKeep, AlignCopy: node.AlignCopy, AlignRefuse: node.AlignRefuse}[o.align]
	return &File{f: f, o: o, nodes: node.Planner{File: f, Types: o.types, Align: align, Plugins: o.plugins != nil, NonNull: o.nonNull(f.Source())}}
}

// nonNull returns what is known of columns without nulls of a file, nil where nothing may be remembered of it.
func (o *options) nonNull(src *source.Source) *nonnull.Rows {
	id, ok := src.Identity()
	switch {
	case !ok:
		return nil
	case o.nulls == nil:
		return &nonnull.Rows{}
	}
	return o.nulls.of.Rows(id)
}

// Close gives up the file. Readers that were started before keep it open until they are released, but not the other
// files that it refers to; arrays stay valid until they are released. Nothing else of the file may be used afterwards.
func (f *File) Close() error { return f.f.Close() }

// H5 is the file below.
func (f *File) H5() *h5.File { return f.f }

// Tables returns the tables of the file, in the order of a walk. Beside what was found it returns the first error about a
// part of the file that can't be read and may hold further tables.
func (f *File) Tables() ([]*Table, error) {
	found, err := detect.Scan(f.f, f.o.convention)
	out := make([]*Table, len(found))
	for i, t := range found {
		out[i] = f.Define(t)
	}
	return out, err
}

// Table returns the table at a path, or that of Stack for a pattern. The empty path is the file's only table, or the one
// that the file names as its default (NeXus), or the stack that has the rows of all tables; otherwise an Argument error
// lists them where there are several. Where only one was found, but a part of the file can't be read, that is an error.
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
			if strings.ContainsAny(p, "*?[") {
				return f.Stack(p)
			}
		}
		return nil, err
	}
	found, err := detect.Detect(o, f.o.convention)
	if err != nil {
		return nil, err
	}
	if len(found) == 1 {
		return f.Define(found[0]), nil
	}
	if t := f.scanned(p); t != nil {
		return t, nil
	}
	if len(found) == 0 {
		return nil, f.usage(o.Path(), "this is not a table").WithOption("arrowmap.File.Tables", "list the tables").WithOption("arrowmap.File.Datasets", "take single datasets")
	}
	return nil, f.several(found)
}

// scanned looks for a table by the path that a scan of the file gives it. It may be the path of an object that is not a
// table by itself, or of none: a dimension of which a group holds variables, for instance, or several (WithFlatten).
func (f *File) scanned(p string) *Table {
	p = h5.CleanPath(p)
	found, _ := detect.Scan(f.f, f.o.convention)
	if f.o.convention == "" && strings.Contains(p, ",") {
		flat, _ := detect.Scan(f.f, detect.Flat)
		found = append(found, flat...)
	}
	for _, t := range found {
		if t.Path == p {
			return f.Define(t)
		}
	}
	return nil
}

func (f *File) only() (*Table, error) {
	all, err := detect.Scan(f.f, f.o.convention)
	found := slices.DeleteFunc(slices.Clone(all), func(t *convention.Table) bool { return t.Stacked })
	switch {
	case len(found) > 1:
		if t := detect.Default(f.f, all); t != nil {
			return f.Define(t), nil
		}
		return nil, f.several(all)
	case err != nil:
		return nil, err
	case len(found) == 1:
		return f.Define(found[0]), nil
	}
	return nil, f.usage("", "no table was found").WithOption("h5.File.Walk", "list the datasets").WithOption("arrowmap.File.Datasets", "take some of them")
}

func (f *File) several(found []*convention.Table) error {
	names := make([]string, 0, maxListed+1)
	for _, t := range found[:min(len(found), maxListed+1)] {
		names = append(names, t.Path)
	}
	return f.usage("", "several tables: "+h5err.List(names, maxListed)).WithOption("arrowmap.File.Table", "choose one")
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
	f.f.GatherPaths(paths...)
	for _, p := range paths {
		p = h5.CleanPath(p)
		o, err := f.f.Lookup(p)
		if err != nil {
			return nil, err
		}
		d, ok := o.(*h5.Dataset)
		if !ok {
			return nil, f.usage(p, "this is not a dataset")
		}
		name := path.Base(p)
		if count[name] > 1 {
			name = p
		}
		t.Columns = append(t.Columns, plain(name, d))
	}
	return f.Define(t), nil
}

// plain describes a dataset as a column by its type alone.
func plain(name string, d *h5.Dataset) convention.Column {
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
	def := plain(path.Base(d.Path()), d)
	c := &Column{}
	f.column(c, &def)
	return c
}
