//go:build libhdf5 && cgo

package libhdf5

// #include "shim.h"
// #include <stdlib.h>
import "C"

import (
	"math"
	"unsafe"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

func describeSpace(s C.hid_t) (*h5.Space, error) {
	switch C.H5Sget_simple_extent_type(s) {
	case C.H5S_SCALAR:
		return &h5.Space{Class: h5.SpaceScalar}, nil
	case C.H5S_NULL:
		return &h5.Space{Class: h5.SpaceNull}, nil
	}
	var dims, limits [C.H5S_MAX_RANK]C.hsize_t
	n := C.H5Sget_simple_extent_dims(s, &dims[0], &limits[0])
	if n < 0 {
		return nil, failure(h5err.Corrupt, "get the shape")
	}
	out := &h5.Space{Class: h5.SpaceSimple, Dims: make([]uint64, n), Max: make([]uint64, n)}
	for i := range out.Dims {
		out.Dims[i], out.Max[i] = uint64(dims[i]), uint64(limits[i])
	}
	return out, nil
}

// Dataset describes a dataset.
func (f *File) Dataset(path string) (*Info, error) {
	var info *Info
	err := f.with(path, func() error {
		d, err := f.open(path)
		if err != nil {
			return err
		}
		defer d.close()
		info, err = d.info(f.base)
		return err
	})
	return info, err
}

var indexes = map[C.H5D_chunk_index_t]h5.ChunkIndex{
	C.H5D_CHUNK_IDX_BTREE:  h5.IndexBTree1,
	C.H5D_CHUNK_IDX_SINGLE: h5.IndexSingle,
	C.H5D_CHUNK_IDX_NONE:   h5.IndexImplicit,
	C.H5D_CHUNK_IDX_FARRAY: h5.IndexFixedArray,
	C.H5D_CHUNK_IDX_EARRAY: h5.IndexExtensibleArray,
	C.H5D_CHUNK_IDX_BT2:    h5.IndexBTree2,
}

func (d *dataset) info(base int64) (*Info, error) {
	i := &Info{Type: d.m.file, Space: d.space, Offset: -1}
	p, err := made(C.H5Dget_create_plist(cid(d.h)), h5err.Corrupt, "get the dataset's creation properties")
	if err != nil {
		return nil, err
	}
	defer p.close()
	i.StoredSize = int64(C.H5Dget_storage_size(cid(d.h)))
	switch C.H5Pget_layout(p.c()) {
	case C.H5D_COMPACT:
		i.Storage = h5.StorageCompact
	case C.H5D_CONTIGUOUS:
		i.Storage = h5.StorageContiguous
		if err = i.external(p); err == nil && len(i.External) == 0 {
			if a := C.H5Dget_offset(cid(d.h)); a != math.MaxUint64 {
				i.Offset = int64(a)
			}
		}
	case C.H5D_CHUNKED:
		i.Storage = h5.StorageChunked
		err = i.chunked(d, p)
	case C.H5D_VIRTUAL:
		i.Storage = h5.StorageVirtual
		i.Virtual, err = virtuals(p)
	default:
		err = failure(h5err.Unsupported, "get the layout")
	}
	if err != nil {
		return nil, err
	}
	if i.Filters, err = filters(p); err != nil {
		return nil, err
	}
	return i, i.fill(d, p)
}

func (i *Info) chunked(d *dataset, p id) error {
	var dims [C.H5S_MAX_RANK]C.hsize_t
	n := C.H5Pget_chunk(p.c(), C.H5S_MAX_RANK, &dims[0])
	if n < 0 {
		return failure(h5err.Corrupt, "get the chunks' shape")
	}
	for _, x := range dims[:n] {
		i.ChunkDims = append(i.ChunkDims, uint64(x))
	}
	var index C.H5D_chunk_index_t
	if C.H5Dget_chunk_index_type(cid(d.h), &index) < 0 {
		return failure(h5err.Corrupt, "get the chunk index")
	}
	i.Index = indexes[index]
	var opts C.uint
	if C.H5Pget_chunk_opts(p.c(), &opts) < 0 {
		return failure(h5err.Corrupt, "get the chunk options")
	}
	i.RawEdges = opts&C.H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS != 0
	return nil
}

func (i *Info) external(p id) error {
	n := C.H5Pget_external_count(p.c())
	if n < 0 {
		return failure(h5err.Corrupt, "count external files")
	}
	for k := C.uint(0); k < C.uint(n); k++ {
		var name [4096]C.char
		var offset C.off_t
		var size C.hsize_t
		if C.H5Pget_external(p.c(), k, C.size_t(len(name)-1), &name[0], &offset, &size) < 0 {
			return failure(h5err.Corrupt, "get an external file")
		}
		e := h5.ExternalExtent{Name: C.GoString(&name[0]), Offset: int64(offset), Size: int64(size)}
		if size == math.MaxUint64 { // H5F_UNLIMITED
			e.Size = -1
		}
		i.External = append(i.External, e)
	}
	if n > 0 {
		i.Storage = h5.StorageExternal
	}
	return nil
}

func filters(p id) ([]h5.Filter, error) {
	n := C.H5Pget_nfilters(p.c())
	if n < 0 {
		return nil, failure(h5err.Corrupt, "count filters")
	}
	var out []h5.Filter
	for k := C.uint(0); k < C.uint(n); k++ {
		var flags, config C.uint
		var name [256]C.char
		values := make([]C.uint, 16)
		var filter C.H5Z_filter_t
		for {
			count := C.size_t(len(values))
			filter = C.H5Pget_filter2(p.c(), k, &flags, &count, &values[0], C.size_t(len(name)), &name[0], &config)
			if filter < 0 {
				return nil, failure(h5err.Corrupt, "get a filter")
			}
			if int(count) <= len(values) {
				values = values[:count]
				break
			}
			values = make([]C.uint, count)
		}
		s := h5.Filter{ID: uint16(filter), Name: C.GoString(&name[0]), Optional: flags&C.H5Z_FLAG_OPTIONAL != 0}
		for _, v := range values {
			s.Values = append(s.Values, uint32(v))
		}
		out = append(out, s)
	}
	return out, nil
}

func (i *Info) fill(d *dataset, p id) error {
	var state C.H5D_fill_value_t
	if C.H5Pfill_value_defined(p.c(), &state) < 0 {
		return failure(h5err.Corrupt, "get the fill value")
	}
	switch state {
	case C.H5D_FILL_VALUE_UNDEFINED:
		i.FillState = FillUndefined
		return nil
	case C.H5D_FILL_VALUE_DEFAULT:
		i.FillState = FillDefault
	default:
		i.FillState = FillUser
	}
	buf := make([]byte, d.m.size)
	if C.H5Pget_fill_value(p.c(), d.typ.c(), unsafe.Pointer(&buf[0])) < 0 {
		return failure(h5err.Corrupt, "read the fill value")
	}
	if !d.m.heap {
		i.Fill = buf
		return nil
	}
	var err error
	i.Fill, err = flatten(nil, d.m, buf, math.MaxInt)
	reclaim(d.typ, buf, d.m.size)
	return err
}

func virtuals(p id) ([]h5.VirtualMapping, error) {
	var n C.size_t
	if C.H5Pget_virtual_count(p.c(), &n) < 0 {
		return nil, failure(h5err.Corrupt, "count virtual mappings")
	}
	var out []h5.VirtualMapping
	for k := C.size_t(0); k < n; k++ {
		var file, set [4096]C.char
		if C.H5Pget_virtual_filename(p.c(), k, &file[0], C.size_t(len(file))) < 0 ||
			C.H5Pget_virtual_dsetname(p.c(), k, &set[0], C.size_t(len(set))) < 0 {
			return nil, failure(h5err.Corrupt, "get a virtual source")
		}
		m := h5.VirtualMapping{File: C.GoString(&file[0]), Dataset: C.GoString(&set[0])}
		for _, s := range []struct {
			h   C.hid_t
			sel *h5.Selection
		}{{C.H5Pget_virtual_srcspace(p.c(), k), &m.Source}, {C.H5Pget_virtual_vspace(p.c(), k), &m.Virtual}} {
			space, err := made(s.h, h5err.Corrupt, "open a virtual selection")
			if err == nil {
				*s.sel, err = selection(space)
				space.close()
			}
			if err != nil {
				return nil, err
			}
		}
		out = append(out, m)
	}
	return out, nil
}

func selection(s id) (h5.Selection, error) {
	var sel h5.Selection
	switch C.H5Sget_select_type(s.c()) {
	case C.H5S_SEL_ALL:
		sel.All = true
		return sel, nil
	case C.H5S_SEL_NONE:
		sel.None = true
		return sel, nil
	case C.H5S_SEL_HYPERSLABS:
	default:
		return sel, h5err.New(h5err.Unsupported, "a selection of points")
	}
	n := int(C.H5Sget_simple_extent_ndims(s.c()))
	if n <= 0 {
		return sel, failure(h5err.Corrupt, "get a selection's rank")
	}
	if C.H5Sis_regular_hyperslab(s.c()) > 0 {
		v := make([]C.hsize_t, 4*n)
		if C.H5Sget_regular_hyperslab(s.c(), &v[0], &v[n], &v[2*n], &v[3*n]) < 0 {
			return sel, failure(h5err.Corrupt, "get a selection")
		}
		w := make([]uint64, len(v))
		for i := range v {
			w[i] = uint64(v[i])
		}
		sel.Blocks = []h5.Hyperslab{{Start: w[:n], Stride: w[n : 2*n], Count: w[2*n : 3*n], Block: w[3*n:]}}
		return sel, nil
	}
	blocks := int64(C.H5Sget_select_hyper_nblocks(s.c()))
	if blocks < 0 || blocks > 1<<20 {
		return sel, failure(h5err.Limit, "list a selection's blocks")
	}
	v := make([]C.hsize_t, int(blocks)*2*n)
	if blocks > 0 && C.H5Sget_select_hyper_blocklist(s.c(), 0, C.hsize_t(blocks), &v[0]) < 0 {
		return sel, failure(h5err.Corrupt, "list a selection's blocks")
	}
	for ; len(v) > 0; v = v[2*n:] { // each is its first and its last corner
		h := h5.Hyperslab{}
		for i := range n {
			h.Start = append(h.Start, uint64(v[i]))
			h.Stride = append(h.Stride, 1)
			h.Count = append(h.Count, 1)
			h.Block = append(h.Block, uint64(v[n+i]-v[i]+1))
		}
		sel.Blocks = append(sel.Blocks, h)
	}
	return sel, nil
}
