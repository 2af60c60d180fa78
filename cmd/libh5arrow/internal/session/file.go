package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/internal/indexfile"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// File is an open file.
type File struct {
	counted
	f     *arrowmap.File
	align arrowmap.Align
	index string // the index that is used, "" for none
}

// Open opens a local file, or one of a web server by its URL. options are openOptions as JSON.
func Open(ctx context.Context, name, options string) (*File, error) {
	var o openOptions
	if err := decode(options, &o); err != nil {
		return nil, err
	}
	opts, align, err := o.parse()
	if err != nil {
		return nil, err
	}
	var f *arrowmap.File
	end, index := func() {}, o.Index
	if scheme(name) == "" {
		f, err = arrowmap.Open(name, opts...)
	} else {
		f, end, err = openKept(ctx, name, o.Headers, opts)
		index = cmp.Or(index, "none")
	}
	if err != nil {
		return nil, err
	}
	free := func() {
		f.Close() // read only: there is nothing to lose
		end()
	}
	out := &File{f: f, align: align}
	if err := out.useIndex(name, index); err != nil {
		free()
		return nil, err
	}
	out.start(free)
	return out, nil
}

// useIndex makes conditions skip rows by an index. One that was named must fit; the one beside the file is used if it does.
func (f *File) useIndex(name, index string) error {
	if index == "none" {
		return nil
	}
	path := cmp.Or(index, name+indexfile.Suffix)
	b, err := indexfile.Read(path)
	if err == nil {
		err = f.f.UseIndex(b)
	}
	switch {
	case err == nil:
		f.index = path
	case index != "":
		return h5err.In(err, path, "")
	}
	return nil
}

// object is what is said of a column, or of a dataset as one.
type object struct {
	Name     string      `json:"name"`
	Path     string      `json:"path"`
	Type     *string     `json:"type"`
	HDF5Type string      `json:"hdf5_type,omitempty"`
	Shape    []uint64    `json:"shape"`
	Storage  string      `json:"storage,omitempty"`
	Filters  []string    `json:"filters,omitempty"`
	Delivery string      `json:"delivery"`
	Reason   string      `json:"reason,omitempty"`
	Nulls    *nullSource `json:"nulls,omitempty"`
	Notes    []string    `json:"notes,omitempty"`
}

type nullSource struct {
	Source   string `json:"source"`
	Path     string `json:"path,omitempty"`
	Delivery string `json:"delivery"`
}

func objectOf(c *arrowmap.Column) object {
	o := object{Name: c.Name, Path: c.Path, HDF5Type: c.HDF5Type, Shape: c.Shape, Delivery: c.Delivery.String(), Reason: c.Reason, Notes: c.Notes}
	if c.Type != nil {
		name := dtype.TypeName(c.Type)
		o.Type = &name
	}
	if c.Storage != 0 {
		o.Storage = c.Storage.String()
	}
	for _, f := range c.Filters {
		name := filter.Name(f.ID)
		if name == "" {
			name = f.Name
		}
		o.Filters = append(o.Filters, name)
	}
	if c.Nulls != nil {
		o.Nulls = &nullSource{c.Nulls.Source, c.Nulls.Path, c.Nulls.Delivery.String()}
	}
	if c.Err != nil {
		o.Delivery, o.Reason = dtype.Refused.String(), reason(c.Err)
	}
	return o
}

// reason is the text of an error about an object that is named beside it.
func reason(err error) string {
	e, ok := errors.AsType[*h5err.Error](err)
	if !ok {
		return err.Error()
	}
	bare := *e
	bare.File, bare.Object = "", ""
	return bare.Text(func(o h5err.Option) string { return optionNames[o] })
}

// tableText is what is said of a table.
type tableText struct {
	Path       string   `json:"path"`
	Convention string   `json:"convention"`
	Reason     string   `json:"reason"`
	Rows       *int64   `json:"rows"` // null where a filter has to be applied to know
	Columns    []object `json:"columns"`
	Notes      []string `json:"notes,omitempty"`
	Each       *each    `json:"each,omitempty"` // of a Set
}

func textOf(t *arrowmap.Table) tableText {
	rows := t.Rows()
	out := tableText{Path: t.Path(), Convention: t.Convention(), Reason: t.Reason(), Rows: &rows, Notes: t.Notes(), Columns: []object{}}
	for _, c := range t.Columns() {
		out.Columns = append(out.Columns, objectOf(c))
	}
	return out
}

func answer(v any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(v)
	return string(b), err
}

// Tables describes the tables of the file as JSON, and the error of those that were not found.
func (f *File) Tables() (string, error) {
	tables, err := f.f.Tables()
	if err != nil && len(tables) == 0 {
		return "", err
	}
	out := struct {
		File    string          `json:"file"`
		Size    int64           `json:"size"`
		Index   string          `json:"index,omitempty"`
		Tables  []tableText     `json:"tables"`
		Problem json.RawMessage `json:"problem,omitempty"` // why not all tables were found
	}{File: f.f.H5().Name(), Size: f.f.H5().Source().Size(), Index: f.index, Tables: []tableText{}}
	for _, t := range tables {
		out.Tables = append(out.Tables, textOf(t))
	}
	if err != nil {
		out.Problem = json.RawMessage(ErrorJSON(err))
	}
	return answer(out, nil)
}

// Datasets describes the datasets of the file as JSON, each as a column.
func (f *File) Datasets(ctx context.Context) (string, error) {
	list := []object{}
	err := f.f.H5().Walk(func(o h5.Object) error {
		if d, ok := o.(*h5.Dataset); ok {
			list = append(list, objectOf(f.f.Describe(d)))
		}
		return ctx.Err()
	})
	return answer(list, err)
}

// maxDefects is how many defects Check lists.
const maxDefects = 10000

// Check walks the file and returns its defects as a JSON list of errors, at most maxDefects of them.
func (f *File) Check(ctx context.Context, options string) (string, error) {
	var o struct {
		Deep    bool `json:"deep"`
		Workers int  `json:"workers"`
	}
	if err := decode(options, &o); err != nil {
		return "", err
	}
	list := []json.RawMessage{}
	_, err := check.File(ctx, f.f.H5(), check.Options{Deep: o.Deep, Workers: o.Workers}, func(err error) {
		if len(list) < maxDefects {
			list = append(list, json.RawMessage(ErrorJSON(err)))
		}
	})
	return answer(list, err)
}
