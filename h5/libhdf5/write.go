//go:build libhdf5 && cgo

package libhdf5

// #include "shim.h"
// #include <stdlib.h>
import "C"

import (
	"unsafe"

	"gonum.org/v1/hdf5"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Writer is a file that the C library is writing. Its methods may be called from any goroutine. The content of the file is
// complete only after Close has returned without an error.
type Writer struct {
	f  File // name, handle and geometry
	c  createConfig
	gc id // creation properties of groups
}

// Create creates a file for writing, or truncates an existing one.
func Create(path string, opts ...CreateOption) (*Writer, error) {
	c, err := newCreateConfig(opts)
	if err == nil {
		err = checkName(path)
	}
	if err != nil {
		return nil, err
	}
	w := &Writer{c: c, f: File{name: path, c: config{maxBytes: DefaultMaxBytes, external: true}}}
	if err := locked(w.create); err != nil {
		return nil, h5err.In(err, path, "")
	}
	return w, nil
}

func (w *Writer) create() (err error) {
	access, err := newList(C.shim_class_fapl())
	if err != nil {
		return err
	}
	defer access.close()
	create, err := newList(C.shim_class_fcpl())
	if err != nil {
		return err
	}
	defer create.close()
	if w.gc, err = newList(C.shim_class_gcpl()); err != nil {
		return err
	}
	rc := C.shim_libver(access.c(), C.int(w.c.low), C.int(w.c.high))
	set := func(wanted bool, fn func() C.herr_t) {
		if rc >= 0 && wanted {
			rc = fn()
		}
	}
	set(w.c.alignment > 0, func() C.herr_t {
		return C.H5Pset_alignment(access.c(), C.hsize_t(w.c.threshold), C.hsize_t(w.c.alignment))
	})
	set(w.c.userBlock > 0, func() C.herr_t { return C.H5Pset_userblock(create.c(), C.hsize_t(w.c.userBlock)) })
	set(w.c.offsetSize > 0, func() C.herr_t {
		return C.H5Pset_sizes(create.c(), C.size_t(w.c.offsetSize), C.size_t(w.c.lenSize))
	})
	set(w.c.btreeK > 0, func() C.herr_t { return C.H5Pset_istore_k(create.c(), C.uint(w.c.btreeK)) })
	set(w.c.trackOrder, func() C.herr_t { return C.shim_track_order(create.c()) })
	set(w.c.trackOrder, func() C.herr_t { return C.shim_track_order(w.gc.c()) })
	if rc < 0 {
		err = failure(h5err.Argument, "set the file's properties")
		w.gc.close()
		return err
	}

	var made C.hid_t
	withString(w.f.name, func(s *C.char) { made = C.H5Fcreate(s, C.H5F_ACC_TRUNC, create.c(), access.c()) })
	if made < 0 {
		err = failure(h5err.IO, "create the file")
		w.gc.close()
		return err
	}
	// gonum can't create a file with properties. But opening a file that is open in this process shares its state,
	// including alignment and versions.
	w.f.h, err = hdf5.OpenFile(w.f.name, hdf5.F_ACC_RDWR)
	if err != nil {
		err = failure(h5err.IO, "open the new file")
		C.H5Fclose(made)
		w.gc.close()
		return err
	}
	C.H5Fclose(made)
	w.f.addrSize, w.f.base, err = geometry(w.f.h)
	return err
}

// Close writes everything to the file and closes it. A second Close does nothing.
func (w *Writer) Close() error {
	return h5err.In(locked(func() error {
		if w.f.h == nil {
			return nil
		}
		w.gc.close()
		err := w.f.h.Flush(hdf5.F_SCOPE_GLOBAL)
		if err != nil {
			err = failure(h5err.IO, "flush the file")
		}
		if w.f.h.Close() != nil && err == nil {
			err = failure(h5err.IO, "close the file")
		}
		w.f.h = nil
		return err
	}), w.f.name, "")
}

func (w *Writer) with(path string, fn func() error) error { return w.f.with(path, fn) }

// link calls fn with a path and the properties for a new link there.
func (w *Writer) link(path, what string, fn func(name *C.char, list C.hid_t) C.herr_t) error {
	return w.with(path, func() error {
		if err := checkName(path); err != nil {
			return err
		}
		l, err := linkList()
		if err != nil {
			return err
		}
		defer l.close()
		withString(path, func(name *C.char) {
			if fn(name, l.c()) < 0 {
				err = failure(h5err.IO, what)
			}
		})
		return err
	})
}

// Group creates a group and its missing parents.
func (w *Writer) Group(path string) error {
	return w.link(path, "make a group", func(name *C.char, list C.hid_t) C.herr_t {
		g := C.H5Gcreate2(cid(w.f.h), name, list, w.gc.c(), C.H5P_DEFAULT)
		if g < 0 {
			return -1
		}
		return C.H5Gclose(g)
	})
}

// HardLink creates a hard link at path to the object at target.
func (w *Writer) HardLink(path, target string) error {
	if err := checkName(target); err != nil {
		return err
	}
	return w.link(path, "make a hard link", func(name *C.char, list C.hid_t) (rc C.herr_t) {
		withString(target, func(t *C.char) {
			rc = C.H5Lcreate_hard(cid(w.f.h), t, cid(w.f.h), name, list, C.H5P_DEFAULT)
		})
		return rc
	})
}

// SoftLink creates a soft link at path. target need not exist.
func (w *Writer) SoftLink(path, target string) error {
	if err := checkName(target); err != nil {
		return err
	}
	return w.link(path, "make a soft link", func(name *C.char, list C.hid_t) (rc C.herr_t) {
		withString(target, func(t *C.char) { rc = C.H5Lcreate_soft(t, cid(w.f.h), name, list, C.H5P_DEFAULT) })
		return rc
	})
}

// ExternalLink creates a link at path to target in another file. Neither need exist.
func (w *Writer) ExternalLink(path, file, target string) error {
	for _, s := range []string{file, target} {
		if err := checkName(s); err != nil {
			return err
		}
	}
	return w.link(path, "make an external link", func(name *C.char, list C.hid_t) (rc C.herr_t) {
		withString(file, func(f *C.char) {
			withString(target, func(t *C.char) {
				rc = C.H5Lcreate_external(f, t, cid(w.f.h), name, list, C.H5P_DEFAULT)
			})
		})
		return rc
	})
}

// Commit stores a type as a committed datatype at path.
func (w *Writer) Commit(path string, t *h5.Type) error {
	var invalid error
	err := w.link(path, "commit a type", func(name *C.char, list C.hid_t) C.herr_t {
		var h id
		if h, invalid = build(t, 0); invalid != nil {
			return -1
		}
		defer h.close()
		return C.H5Tcommit2(cid(w.f.h), name, h.c(), list, C.H5P_DEFAULT, C.H5P_DEFAULT)
	})
	if invalid != nil {
		return h5err.In(invalid, w.f.name, path)
	}
	return err
}

// Write creates a dataset and writes its elements. data has all elements as they are to be stored, row-major, or in flat form if
// the type points to the heap. If it is nil, nothing is written, and allocated storage has fill values.
func (w *Writer) Write(path string, s Spec, data []byte) error {
	return w.with(path, func() error {
		if err := checkName(path); err != nil {
			return err
		}
		d, err := w.make(path, &s)
		if err != nil {
			return err
		}
		if data != nil {
			err = d.write(0, rowsOf(d.space), data)
		}
		return d.finish(err)
	})
}

// finish closes a dataset that was written, which can fail if the library still has data to write.
func (d *dataset) finish(err error) error {
	d.typ.close()
	if d.fs != nil {
		d.fs.Close()
	}
	if d.h.Close() != nil && err == nil {
		err = failure(h5err.IO, "finish the dataset")
	}
	return err
}

// inMemory returns n elements in the layout that the library uses in memory, and checks that data has exactly n.
func inMemory(a *arena, m *mtype, n uint64, data []byte) ([]byte, error) {
	if m.heap {
		return inflate(a, m, int(n), data)
	}
	if size, ok := mul(n, uint64(m.size)); !ok || size != uint64(len(data)) {
		return nil, h5err.New(h5err.Argument, "%d bytes for %d elements of %d bytes", len(data), n, m.size)
	}
	return data, nil
}

// WriteRows overwrites the rows [a,b). data has whole rows, as for Write.
func (w *Writer) WriteRows(path string, a, b int64, data []byte) error {
	return w.with(path, func() error {
		d, err := w.f.open(path)
		if err != nil {
			return err
		}
		return d.finish(d.write(a, b, data))
	})
}

func (d *dataset) write(a, b int64, data []byte) error {
	rows := rowsOf(d.space)
	if a < 0 || b < a || b > rows {
		return h5err.New(h5err.Argument, "rows %d to %d of %d", a, b, rows)
	}
	perRow, ok := rowElements(d.space)
	n, ok2 := mul(perRow, uint64(b-a))
	size, ok3 := mul(n, uint64(d.m.size))
	if !ok || !ok2 || !ok3 || size > 1<<62 {
		return h5err.New(h5err.Argument, "rows %d to %d do not fit into memory", a, b)
	}
	var mem arena
	defer mem.free()
	buf, err := inMemory(&mem, d.m, n, data)
	if err != nil || len(buf) == 0 {
		return err
	}
	ms, fs := C.hid_t(C.H5S_ALL), C.hid_t(C.H5S_ALL)
	if d.space.Class == h5.SpaceSimple {
		m, err := d.selectRows(a, b)
		if err != nil {
			return err
		}
		defer m.close()
		ms, fs = m.c(), cid(d.fs)
	}
	if C.H5Dwrite(cid(d.h), d.typ.c(), ms, fs, C.H5P_DEFAULT, unsafe.Pointer(&buf[0])) < 0 {
		return failure(h5err.IO, "write the dataset")
	}
	return nil
}

// WriteChunk stores bytes unchanged for the chunk whose first element is at coord. If bit i of mask is set, filter i was skipped.
// If the dataset's filters are optional, the C library need not have them.
func (w *Writer) WriteChunk(path string, coord []uint64, mask uint32, data []byte) error {
	return w.with(path, func() error {
		d, err := w.f.open(path)
		if err != nil {
			return err
		}
		if len(coord) != len(d.space.Dims) || len(coord) == 0 || len(data) == 0 {
			d.close()
			return h5err.New(h5err.Argument, "%d bytes at %d coordinates for %d dimensions", len(data), len(coord), len(d.space.Dims))
		}
		at := hsizes(coord)
		if C.H5Dwrite_chunk(cid(d.h), C.H5P_DEFAULT, C.uint32_t(mask), &at[0], C.size_t(len(data)), unsafe.Pointer(&data[0])) < 0 {
			err = failure(h5err.IO, "write a chunk")
		}
		return d.finish(err)
	})
}

// Resize changes the shape of a chunked dataset within its limits.
func (w *Writer) Resize(path string, dims ...uint64) error {
	return w.with(path, func() error {
		d, err := w.f.open(path)
		if err != nil {
			return err
		}
		if len(dims) != len(d.space.Dims) || len(dims) == 0 {
			d.close()
			return h5err.New(h5err.Argument, "%d extents for %d dimensions", len(dims), len(d.space.Dims))
		}
		n := hsizes(dims)
		if C.H5Dset_extent(cid(d.h), &n[0]) < 0 {
			err = failure(h5err.Argument, "resize the dataset")
		}
		return d.finish(err)
	})
}

// Attribute writes an attribute of the object at path. Its Data has the form that Write takes.
func (w *Writer) Attribute(path string, a Attribute) error {
	return w.with(path, func() error {
		if err := checkName(a.Name); err != nil {
			return err
		}
		if a.Space == nil {
			return h5err.New(h5err.Argument, "attribute %q has no dataspace", a.Name)
		}
		o, err := w.f.openObject(path)
		if err != nil {
			return err
		}
		defer o.close()
		t, err := build(a.Type, 0)
		if err != nil {
			return err
		}
		defer t.close()
		s, err := buildSpace(*a.Space)
		if err != nil {
			return err
		}
		defer s.close()
		return w.attribute(o, t, s, a)
	})
}

func (w *Writer) attribute(o, t, s id, a Attribute) error {
	m, err := describe(t.c(), w.f.addrSize, 0)
	if err != nil {
		return err
	}
	n := C.H5Sget_simple_extent_npoints(s.c())
	if n < 0 {
		return failure(h5err.Argument, "count an attribute's elements")
	}
	var mem arena
	defer mem.free()
	buf, err := inMemory(&mem, m, uint64(n), a.Data)
	if err != nil {
		return err
	}
	var h C.hid_t
	withString(a.Name, func(name *C.char) {
		h = C.H5Acreate2(o.c(), name, t.c(), s.c(), C.H5P_DEFAULT, C.H5P_DEFAULT)
	})
	attr, err := made(h, h5err.IO, "make attribute "+a.Name)
	if err != nil {
		return err
	}
	defer attr.close()
	if len(buf) > 0 && C.H5Awrite(attr.c(), t.c(), unsafe.Pointer(&buf[0])) < 0 {
		return failure(h5err.IO, "write attribute "+a.Name)
	}
	return nil
}

// StringAttribute writes a scalar attribute that is a variable-length UTF-8 string.
func (w *Writer) StringAttribute(path, name, value string) error {
	space := Shape()
	return w.Attribute(path, Attribute{Name: name, Type: VarString(h5.UTF8), Space: &space, Data: JoinFlat(value)})
}
