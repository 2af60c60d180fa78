// Package check walks a whole HDF5 file and tells of everything in it that is broken or not supported, instead of ending
// at the first such thing as readers do.
//
// Without Options.Deep it reads metadata: headers, links, attributes, types, layouts, chunk indexes, filters. With it, it
// also decodes every chunk and looks up every variable-length value.
//
// # What is not promised
//
// That values mean something: text need not be UTF-8, and an enumeration may have values without a name. That is for
// those who read them as columns.
package check

import (
	"context"
	"fmt"
	"runtime"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Options says how much to check. The zero value is metadata only.
type Options struct {
	Deep      bool  // decode chunks and look up variable-length values too
	Workers   int   // goroutines that decode; 0 is one for each processor
	MaxMemory int64 // bytes for chunks being decoded; 0 is 256 MiB. A chunk that needs more is an error of kind Memory.
	MaxErrors int   // errors that are told of each dataset's values; 0 is 100
}

// Counts is what was walked.
type Counts struct {
	Groups, Datasets, Types, Attributes int
	Chunks                              int64 // decoded
	Bytes                               int64 // that they decoded to
}

// File checks a file and calls found for each error, on the calling goroutine and in the order of the file's objects.
// Errors are *h5err.Error: kind Corrupt for a defect, Unsupported and Limit for what this module can't read, IO and Memory
// for what could not be checked. File itself fails only when ctx ends.
func File(ctx context.Context, f *h5.File, o Options, found func(error)) (Counts, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = 256 << 20
	}
	if o.MaxErrors <= 0 {
		o.MaxErrors = 100
	}
	c := &checker{ctx: ctx, f: f, o: o, found: found}
	err := f.WalkAll(func(obj h5.Object, path string, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.report(err, path)
			return nil
		}
		c.object(obj)
		return ctx.Err()
	})
	if ctx.Err() != nil {
		return c.Counts, ctx.Err()
	}
	if err != nil { // the walk itself came to its limit
		c.report(err, "")
	}
	return c.Counts, nil
}

type checker struct {
	Counts
	ctx   context.Context
	f     *h5.File
	o     Options
	found func(error)
}

func (c *checker) report(err error, path string) {
	if err != nil && c.ctx.Err() == nil {
		c.found(h5err.In(err, c.f.Name(), path))
	}
}

func (c *checker) object(o h5.Object) {
	attrs, err := o.Attributes()
	c.report(err, o.Path())
	c.Attributes += len(attrs)
	for _, a := range attrs {
		c.attribute(o, a)
	}
	if bad, ok := o.(interface{ BadAttributes() []error }); ok {
		for _, err := range bad.BadAttributes() {
			c.Attributes++
			c.report(err, o.Path())
		}
	}
	switch o := o.(type) {
	case *h5.Group:
		c.Groups++
	case *h5.Dataset:
		c.Datasets++
		c.dataset(o)
	case *h5.NamedType:
		c.Types++
	}
}

// attribute looks up an attribute's variable-length values: they are few and belong to the metadata.
func (c *checker) attribute(o h5.Object, a *h5.Attribute) {
	if !variable(a.Type()) {
		return
	}
	h := newHeap(o.File())
	for p := a.Raw(); len(p) >= a.Type().Size && a.Type().Size > 0; p = p[a.Type().Size:] {
		if err := h.element(a.Type(), p[:a.Type().Size]); err != nil {
			c.report(within(err, h5err.NoOffset, fmt.Sprintf("attribute %q", a.Name)), o.Path())
			return
		}
	}
}

// dataset checks a dataset's description, and its values when that is asked for. Each of the parts that are read on
// their own is looked at, so that more than one defect may be told of.
func (c *checker) dataset(d *h5.Dataset) {
	l, err := d.Layout()
	c.report(err, d.Path())
	sound := err == nil
	filters, err := d.Filters()
	c.report(err, d.Path())
	sound = sound && err == nil
	var pipe *filter.Pipeline
	if err == nil && len(filters) > 0 {
		pipe, err = filter.New(filters)
		c.report(err, d.Path())
		sound = sound && err == nil
	}
	_, err = d.Fill()
	c.report(err, d.Path())
	sound = sound && err == nil
	if l == nil {
		return
	}
	if l.Storage == h5.StorageChunked {
		_, err = d.Chunks()
		c.report(err, d.Path())
		sound = sound && err == nil
	}
	if !sound {
		return
	}
	r, err := chunk.NewReader(d)
	if err != nil {
		c.report(err, d.Path())
		return
	}
	defer r.Close()
	if !c.o.Deep {
		return
	}
	if l.Storage == h5.StorageChunked && !c.chunks(d, l, pipe) {
		return // what its chunks hold can't be told
	}
	if variable(d.Type()) || l.Storage == h5.StorageExternal || l.Storage == h5.StorageVirtual {
		c.rows(d, r)
	}
}
