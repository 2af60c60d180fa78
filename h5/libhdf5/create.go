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

// linkList returns link creation properties that create missing parent groups, and write names as UTF-8.
func linkList() (id, error) {
	l, err := newList(C.shim_class_lcpl())
	if err == nil && (C.H5Pset_create_intermediate_group(l.c(), 1) < 0 || C.H5Pset_char_encoding(l.c(), C.H5T_CSET_UTF8) < 0) {
		err = failure(h5err.Memory, "set link properties")
	}
	return keep(l, err)
}

func (w *Writer) make(path string, s *Spec) (*dataset, error) {
	t, err := w.specType(s)
	if err != nil {
		return nil, err
	}
	defer t.close()
	space, err := buildSpace(s.Space)
	if err != nil {
		return nil, err
	}
	defer space.close()
	p, err := hdf5.NewPropList(hdf5.P_DATASET_CREATE)
	if err != nil {
		return nil, failure(h5err.Memory, "make a property list")
	}
	defer p.Close()
	if err := w.properties(p, s, t); err != nil {
		return nil, err
	}
	l, err := linkList()
	if err != nil {
		return nil, err
	}
	defer l.close()
	access, err := hdf5.NewPropList(hdf5.P_DATASET_ACCESS)
	if err != nil {
		return nil, failure(h5err.Memory, "make a property list")
	}
	defer access.Close()
	var rc C.herr_t
	withString("${ORIGIN}", func(o *C.char) { rc = C.H5Pset_efile_prefix(cid(access), o) })
	var h C.hid_t = -1
	if rc >= 0 {
		withString(path, func(name *C.char) {
			h = C.H5Dcreate2(cid(w.f.h), name, t.c(), space.c(), l.c(), cid(p), cid(access))
		})
	}
	created, err := made(h, h5err.IO, "create the dataset")
	if err != nil {
		return nil, err
	}
	defer created.close()
	return w.f.open(path)
}

func (w *Writer) specType(s *Spec) (id, error) {
	if s.TypePath == "" {
		return build(s.Type, 0)
	}
	if err := checkName(s.TypePath); err != nil {
		return -1, err
	}
	var h C.hid_t
	withString(s.TypePath, func(name *C.char) { h = C.H5Topen2(cid(w.f.h), name, C.H5P_DEFAULT) })
	return made(h, h5err.Argument, "open a committed type")
}

func buildSpace(s h5.Space) (id, error) {
	switch s.Class {
	case h5.SpaceScalar:
		return made(C.H5Screate(C.H5S_SCALAR), h5err.Memory, "make a dataspace")
	case h5.SpaceNull:
		return made(C.H5Screate(C.H5S_NULL), h5err.Memory, "make a dataspace")
	case h5.SpaceSimple:
	default:
		return -1, h5err.New(h5err.Argument, "a dataspace without a class")
	}
	if len(s.Dims) == 0 || len(s.Dims) > C.H5S_MAX_RANK || (len(s.Max) != 0 && len(s.Max) != len(s.Dims)) {
		return -1, h5err.New(h5err.Argument, "%d dimensions with %d limits", len(s.Dims), len(s.Max))
	}
	dims, limits := hsizes(s.Dims), hsizes(s.Max)
	if len(limits) == 0 {
		limits = dims
	}
	return made(C.H5Screate_simple(C.int(len(dims)), &dims[0], &limits[0]), h5err.Argument, "make a dataspace")
}

func (s *Spec) storage() h5.Storage {
	switch {
	case s.Storage != 0:
		return s.Storage
	case len(s.ChunkDims) > 0:
		return h5.StorageChunked
	case len(s.External) > 0:
		return h5.StorageExternal
	case len(s.Virtual) > 0:
		return h5.StorageVirtual
	}
	return h5.StorageContiguous
}

// properties sets a dataset's creation properties.
func (w *Writer) properties(p *hdf5.PropList, s *Spec, t id) error {
	if len(s.ChunkDims) > C.H5S_MAX_RANK {
		return h5err.New(h5err.Argument, "chunks of %d dimensions", len(s.ChunkDims))
	}
	h := cid(p)
	rc := C.herr_t(0)
	set := func(wanted bool, fn func() C.herr_t) {
		if rc >= 0 && wanted {
			rc = fn()
		}
	}
	storage := s.storage()
	switch storage {
	case h5.StorageCompact:
		rc = C.H5Pset_layout(h, C.H5D_COMPACT)
	case h5.StorageContiguous, h5.StorageExternal:
		rc = C.H5Pset_layout(h, C.H5D_CONTIGUOUS)
	case h5.StorageChunked:
		dims := make([]uint, len(s.ChunkDims))
		for i, n := range s.ChunkDims {
			dims[i] = uint(n)
		}
		if err := p.SetChunk(dims); err != nil {
			return failure(h5err.Argument, "set the chunks' shape")
		}
		set(s.RawEdges, func() C.herr_t { return C.H5Pset_chunk_opts(h, C.H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) })
	case h5.StorageVirtual:
		if err := setVirtual(h, s); err != nil {
			return err
		}
	default:
		return h5err.New(h5err.Argument, "storage %v can't be written", storage)
	}
	set(s.Early, func() C.herr_t { return C.H5Pset_alloc_time(h, C.H5D_ALLOC_TIME_EARLY) })
	set(s.SkipFill, func() C.herr_t { return C.H5Pset_fill_time(h, C.H5D_FILL_TIME_NEVER) })
	tracked := C.hbool_t(false)
	if s.TrackTime {
		tracked = true
	}
	set(true, func() C.herr_t { return C.H5Pset_obj_track_times(h, tracked) })
	set(w.c.trackOrder, func() C.herr_t {
		return C.H5Pset_attr_creation_order(h, C.H5P_CRT_ORDER_TRACKED|C.H5P_CRT_ORDER_INDEXED)
	})
	for _, f := range s.Filters {
		set(true, func() C.herr_t { return addFilter(h, f) })
	}
	for _, e := range s.External {
		if err := checkName(e.Name); err != nil {
			return err
		}
		size := C.hsize_t(e.Size)
		set(true, func() (rc C.herr_t) {
			withString(e.Name, func(name *C.char) { rc = C.H5Pset_external(h, name, C.off_t(e.Offset), size) })
			return rc
		})
	}
	if rc < 0 {
		return failure(h5err.Argument, "set the dataset's properties")
	}
	return setFill(h, s, t, w.f.addrSize)
}

func addFilter(h C.hid_t, f h5.Filter) C.herr_t {
	flags := C.uint(0)
	if f.Optional {
		flags = C.H5Z_FLAG_OPTIONAL
	}
	values := make([]C.uint, len(f.Values)+1) // not empty, so that it has an address
	for i, v := range f.Values {
		values[i] = C.uint(v)
	}
	return C.H5Pset_filter(h, C.H5Z_filter_t(f.ID), flags, C.size_t(len(f.Values)), &values[0])
}

func setFill(h C.hid_t, s *Spec, t id, addrSize int) error {
	if s.NoFill {
		if C.H5Pset_fill_value(h, t.c(), nil) < 0 {
			return failure(h5err.Argument, "leave the fill value undefined")
		}
		return nil
	}
	if s.Fill == nil {
		return nil
	}
	m, err := describe(t.c(), addrSize, 0)
	if err != nil {
		return err
	}
	var a arena
	defer a.free()
	mem, err := inMemory(&a, m, 1, s.Fill)
	if err != nil {
		return err
	}
	if C.H5Pset_fill_value(h, t.c(), unsafe.Pointer(&mem[0])) < 0 {
		return failure(h5err.Argument, "set the fill value")
	}
	return nil
}

func setVirtual(h C.hid_t, s *Spec) error {
	for _, v := range s.Virtual {
		for _, n := range []string{v.File, v.Dataset} {
			if err := checkName(n); err != nil {
				return err
			}
		}
		whole, err := buildSpace(s.Space)
		if err != nil {
			return err
		}
		defer whole.close()
		if err := choose(whole, v.Virtual); err != nil {
			return err
		}
		source, err := buildSpace(extent(v.Source))
		if err != nil {
			return err
		}
		defer source.close()
		if err := choose(source, v.Source); err != nil {
			return err
		}
		rc := C.herr_t(0)
		withString(v.File, func(file *C.char) {
			withString(v.Dataset, func(set *C.char) { rc = C.H5Pset_virtual(h, whole.c(), file, set, source.c()) })
		})
		if rc < 0 {
			return failure(h5err.Argument, "map a virtual source")
		}
	}
	return nil
}

// extent returns the smallest shape that contains a selection. The library needs one, but stores only the selection.
func extent(s h5.Selection) h5.Space {
	out := h5.Space{Class: h5.SpaceSimple}
	for _, b := range s.Blocks {
		for i := range b.Start {
			if len(out.Dims) <= i {
				out.Dims, out.Max = append(out.Dims, 0), append(out.Max, 0)
			}
			if b.Count[i] == h5.Unlimited || b.Block[i] == h5.Unlimited {
				out.Dims[i], out.Max[i] = max(out.Dims[i], b.Start[i]+1), h5.Unlimited
				continue
			}
			end := b.Start[i]
			if b.Count[i] > 0 {
				end += (b.Count[i]-1)*b.Stride[i] + b.Block[i]
			}
			out.Dims[i] = max(out.Dims[i], end)
			out.Max[i] = max(out.Max[i], out.Dims[i])
		}
	}
	return out
}

// choose selects in a dataspace.
func choose(space id, s h5.Selection) error {
	switch {
	case s.All:
		return nil
	case s.None:
		if C.H5Sselect_none(space.c()) < 0 {
			return failure(h5err.Argument, "select nothing")
		}
		return nil
	}
	rank := int(C.H5Sget_simple_extent_ndims(space.c()))
	for i, b := range s.Blocks {
		for _, v := range [][]uint64{b.Start, b.Stride, b.Count, b.Block} {
			if len(v) != rank || rank == 0 {
				return h5err.New(h5err.Argument, "a selection of %d dimensions in %d", len(v), rank)
			}
		}
		op := C.H5S_seloper_t(C.H5S_SELECT_OR)
		if i == 0 {
			op = C.H5S_SELECT_SET
		}
		start, stride, count, block := hsizes(b.Start), hsizes(b.Stride), hsizes(b.Count), hsizes(b.Block)
		if C.H5Sselect_hyperslab(space.c(), op, &start[0], &stride[0], &count[0], &block[0]) < 0 {
			return failure(h5err.Argument, "select a block")
		}
	}
	return nil
}
