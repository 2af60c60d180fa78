//go:build libhdf5 && cgo

package libhdf5

// #include "shim.h"
// #include <stdlib.h>
import "C"

import (
	"os"

	"gonum.org/v1/hdf5"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// File is a file that the C library has opened for reading. Its methods may be called from any goroutine.
type File struct {
	name     string
	h        *hdf5.File
	c        config
	addrSize int
	base     int64 // bytes of the user block
}

// Open opens a file for reading. The text of errors of this package's functions comes from the C library.
func Open(path string, opts ...Option) (*File, error) {
	c, err := newConfig(opts)
	if err == nil {
		err = checkName(path)
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, h5err.In(h5err.Wrap(h5err.KindOf(err), err, ""), path, "")
	}
	f := &File{name: path, c: c}
	err = locked(func() error {
		h, err := hdf5.OpenFile(path, hdf5.F_ACC_RDONLY)
		if err != nil {
			return failure(h5err.Corrupt, "open the file")
		}
		f.h = h
		if f.addrSize, f.base, err = geometry(h); err != nil {
			h.Close()
		}
		return err
	})
	if err != nil {
		return nil, h5err.In(err, path, "")
	}
	return f, nil
}

// geometry returns the sizes in bytes of a file's addresses and of its user block.
func geometry(h *hdf5.File) (addrSize int, base int64, err error) {
	p, err := made(C.H5Fget_create_plist(cid(h)), h5err.Corrupt, "get the file's creation properties")
	if err != nil {
		return 0, 0, err
	}
	defer p.close()
	var a, l C.size_t
	var u C.hsize_t
	if C.H5Pget_sizes(p.c(), &a, &l) < 0 || C.H5Pget_userblock(p.c(), &u) < 0 {
		return 0, 0, failure(h5err.Corrupt, "get the file's creation properties")
	}
	return int(a), int64(u), nil
}

// Close closes the file. Further calls fail; a second Close does nothing.
func (f *File) Close() error {
	return h5err.In(locked(func() error {
		if f.h == nil {
			return nil
		}
		err := f.h.Close()
		f.h = nil
		if err != nil {
			return failure(h5err.IO, "close the file")
		}
		return nil
	}), f.name, "")
}

// with runs fn with the library locked and configured for this file.
func (f *File) with(object string, fn func() error) error {
	return h5err.In(locked(func() error {
		if f.h == nil {
			return h5err.New(h5err.Argument, "the file is closed")
		}
		undo, err := f.plugins()
		if err != nil {
			return err
		}
		defer undo()
		return fn()
	}), f.name, object)
}

// plugins allows or forbids the loading of plugins, and returns a function that restores the search path.
func (f *File) plugins() (undo func(), err error) {
	state := C.uint(0)
	if f.c.plugins {
		state = C.H5PL_FILTER_PLUGIN
	}
	if C.H5PLset_loading_state(state) < 0 {
		return nil, failure(h5err.IO, "allow or forbid plugins")
	}
	if len(f.c.dirs) == 0 {
		return func() {}, nil
	}
	var old []string
	var n C.uint
	C.H5PLsize(&n)
	for i := C.uint(0); i < n; i++ {
		var buf [4096]C.char
		if C.H5PLget(i, &buf[0], C.size_t(len(buf))) >= 0 {
			old = append(old, C.GoString(&buf[0]))
		}
	}
	set := func(dirs []string) {
		for n > 0 {
			C.H5PLremove(0)
			n--
		}
		for _, d := range dirs {
			withString(d, func(p *C.char) {
				if C.H5PLappend(p) >= 0 {
					n++
				}
			})
		}
	}
	set(f.c.dirs)
	return func() { set(old) }, nil
}

// Objects lists all objects that hard links reach, each once, in the C library's order of names.
func (f *File) Objects() ([]Object, error) {
	var out []Object
	err := f.with("", func() error {
		var l C.shim_list
		rc := C.shim_visit(cid(f.h), &l)
		var err error
		if rc < 0 {
			err = failure(h5err.Corrupt, "walk the file")
		}
		for _, s := range text(&l) {
			kind, path := ObjectKind(s[0]), s[1:]
			if path == "." {
				path = ""
			}
			out = append(out, Object{Path: "/" + path, Kind: kind})
		}
		return err
	})
	return out, err
}

// Datasets lists the paths of all datasets that hard links reach, each dataset once. With an error, it returns those that were
// found before it.
func (f *File) Datasets() ([]string, error) {
	objects, err := f.Objects()
	var out []string
	for _, o := range objects {
		if o.Kind == KindDataset {
			out = append(out, o.Path)
		}
	}
	return out, err
}

// dataset is an open dataset.
type dataset struct {
	h     *hdf5.Dataset
	typ   id // in memory
	m     *mtype
	space *h5.Space
	fs    *hdf5.Dataspace
}

func (d *dataset) close() {
	d.typ.close()
	if d.fs != nil {
		d.fs.Close()
	}
	d.h.Close()
}

// open opens a dataset. Relative names of external storage are relative to the HDF5 file, not to the process.
func (f *File) open(path string) (*dataset, error) {
	if err := checkName(path); err != nil {
		return nil, err
	}
	p, err := hdf5.NewPropList(hdf5.P_DATASET_ACCESS)
	if err != nil {
		return nil, failure(h5err.Memory, "make a property list")
	}
	defer p.Close()
	var rc C.herr_t
	withString("${ORIGIN}", func(s *C.char) { rc = C.H5Pset_efile_prefix(cid(p), s) })
	if rc >= 0 && !f.c.external {
		rc = C.shim_refuse_external(cid(p))
	}
	if rc < 0 {
		return nil, failure(h5err.IO, "set access properties")
	}
	h, err := f.h.OpenDatasetWith(path, p)
	if err != nil {
		return nil, failure(h5err.Corrupt, "open the dataset")
	}
	d, err := openParts(h, f.addrSize)
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func openParts(h *hdf5.Dataset, addrSize int) (*dataset, error) {
	d := &dataset{h: h}
	var err error
	if d.typ, err = made(C.H5Dget_type(cid(h)), h5err.Corrupt, "open the type"); err != nil {
		return d, err
	}
	if d.m, err = describe(d.typ.c(), addrSize, 0); err != nil {
		return d, err
	}
	if d.fs = h.Space(); d.fs == nil {
		return d, failure(h5err.Corrupt, "open the dataspace")
	}
	d.space, err = describeSpace(cid(d.fs))
	return d, err
}
