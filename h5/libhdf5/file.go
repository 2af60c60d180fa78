//go:build libhdf5 && cgo

package libhdf5

// #include "shim.h"
// #include <stdlib.h>
import "C"

import (
	"math"
	"math/bits"
	"os"
	"slices"
	"unsafe"

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

// Open opens a file for reading. The errors of this package's functions have the C library's own explanation as
// their text.
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

// geometry returns a file's bytes of an address and of its user block.
func geometry(h *hdf5.File) (addrSize int, base int64, err error) {
	p, err := made(C.H5Fget_create_plist(cid(h)), h5err.Corrupt, "tell how the file was created")
	if err != nil {
		return 0, 0, err
	}
	defer p.close()
	var a, l C.size_t
	var u C.hsize_t
	if C.H5Pget_sizes(p.c(), &a, &l) < 0 || C.H5Pget_userblock(p.c(), &u) < 0 {
		return 0, 0, failure(h5err.Corrupt, "tell how the file was created")
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

// with runs fn with the library locked and set up for this file.
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

// plugins allows or forbids the loading of plugins, and returns what puts the search path back.
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

// Datasets lists the paths of all datasets that hard links reach, each dataset once. With an error, it is what was
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
	typ   id // as it is in memory
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
		return nil, failure(h5err.Corrupt, "tell the shape")
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
	p, err := made(C.H5Dget_create_plist(cid(d.h)), h5err.Corrupt, "tell how the dataset was created")
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
		err = failure(h5err.Unsupported, "tell the layout")
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
		return failure(h5err.Corrupt, "tell the chunks' shape")
	}
	for _, x := range dims[:n] {
		i.ChunkDims = append(i.ChunkDims, uint64(x))
	}
	var index C.H5D_chunk_index_t
	if C.H5Dget_chunk_index_type(cid(d.h), &index) < 0 {
		return failure(h5err.Corrupt, "tell the chunk index")
	}
	i.Index = indexes[index]
	var opts C.uint
	if C.H5Pget_chunk_opts(p.c(), &opts) < 0 {
		return failure(h5err.Corrupt, "tell the chunk options")
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
			return failure(h5err.Corrupt, "tell an external file")
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
				return nil, failure(h5err.Corrupt, "tell a filter")
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
		return failure(h5err.Corrupt, "tell the fill value")
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
			return nil, failure(h5err.Corrupt, "tell a virtual source")
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
		return sel, failure(h5err.Corrupt, "tell a selection's rank")
	}
	if C.H5Sis_regular_hyperslab(s.c()) > 0 {
		v := make([]C.hsize_t, 4*n)
		if C.H5Sget_regular_hyperslab(s.c(), &v[0], &v[n], &v[2*n], &v[3*n]) < 0 {
			return sel, failure(h5err.Corrupt, "tell a selection")
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

// Read reads a whole dataset: elements as stored, row-major. A type that points to the heap is an error of kind
// Unsupported: see ReadFlat.
func (f *File) Read(path string) ([]byte, error) { return f.ReadRows(path, 0, math.MaxInt64) }

// ReadRows is Read for the rows [a,b) of the first dimension. b is clipped to the number of rows.
func (f *File) ReadRows(path string, a, b int64) ([]byte, error) {
	return f.read(path, a, b, false, false)
}

// ReadFlat reads a whole dataset in flat form (see the package's doc), whatever its type.
func (f *File) ReadFlat(path string) ([]byte, error) {
	return f.read(path, 0, math.MaxInt64, true, false)
}

// ReadFlatRows is ReadFlat for the rows [a,b) of the first dimension. b is clipped to the number of rows.
func (f *File) ReadFlatRows(path string, a, b int64) ([]byte, error) {
	return f.read(path, a, b, true, false)
}

// Strings reads a dataset of variable strings, row-major.
func (f *File) Strings(path string) ([]string, error) {
	var out []string
	err := f.with(path, func() error {
		d, err := f.open(path)
		if err != nil {
			return err
		}
		defer d.close()
		if !d.m.file.VarString {
			return h5err.New(h5err.Argument, "its elements are not variable strings")
		}
		flat, err := d.read(0, math.MaxInt64, true, f.c.maxBytes)
		if err == nil {
			out, err = SplitFlat(flat)
		}
		return err
	})
	return out, err
}

// ReadRaw reads the rows [a,b) of a chunked dataset through the C library, as stored, loading plugins from its
// default path. It is for filters that the pure-Go reader lacks: other layouts are refused, because the C library
// would follow them to other files.
func ReadRaw(file, dataset string, a, b int64) ([]byte, error) {
	f, err := Open(file, Plugins())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.read(dataset, a, b, false, true)
}

func (f *File) read(path string, a, b int64, flat, chunkedOnly bool) ([]byte, error) {
	var out []byte
	err := f.with(path, func() error {
		d, err := f.open(path)
		if err != nil {
			return err
		}
		defer d.close()
		if chunkedOnly {
			i, err := d.info(f.base)
			if err != nil {
				return err
			}
			if i.Storage != h5.StorageChunked {
				return h5err.New(h5err.Unsupported, "libhdf5 is not asked to read %v storage", i.Storage)
			}
		}
		out, err = d.read(a, b, flat, f.c.maxBytes)
		return err
	})
	return out, err
}

// read reads the rows [a,b), at most limit bytes of them.
func (d *dataset) read(a, b int64, flat bool, limit int64) ([]byte, error) {
	if d.m.heap && !flat {
		return nil, h5err.New(h5err.Unsupported, "elements point to the heap: they have no bytes of their own")
	}
	rows := rowsOf(d.space)
	if a < 0 || a > rows || b < a {
		return nil, h5err.New(h5err.Argument, "rows %d to %d of %d", a, b, rows)
	}
	b = min(b, rows)
	perRow, ok := rowElements(d.space)
	size, ok2 := mul(perRow, uint64(d.m.size))
	total, ok3 := mul(size, uint64(b-a))
	if !ok || !ok2 || !ok3 || total > uint64(limit) {
		return nil, h5err.New(h5err.Limit, "rows %d to %d are more than %d bytes", a, b, limit)
	}
	if total == 0 {
		return []byte{}, nil
	}
	buf := make([]byte, total)
	if err := d.readInto(a, b, buf); err != nil {
		return nil, err
	}
	if !flat {
		return buf, nil
	}
	out, err := flatten(nil, d.m, buf, int(limit))
	if d.m.heap {
		reclaim(d.typ, buf, d.m.size)
	}
	return out, err
}

// readInto reads the rows [a,b) into buf, which has their exact size in memory.
func (d *dataset) readInto(a, b int64, buf []byte) error {
	mem, file := C.hid_t(C.H5S_ALL), C.hid_t(C.H5S_ALL)
	if d.space.Class == h5.SpaceSimple {
		m, err := d.selectRows(a, b)
		if err != nil {
			return err
		}
		defer m.close()
		mem, file = m.c(), cid(d.fs)
	}
	if C.H5Dread(cid(d.h), d.typ.c(), mem, file, C.H5P_DEFAULT, unsafe.Pointer(&buf[0])) < 0 {
		return failure(h5err.Corrupt, "read the dataset")
	}
	return nil
}

// selectRows selects the rows in the dataset's dataspace and returns the memory's.
func (d *dataset) selectRows(a, b int64) (id, error) {
	start := make([]uint, len(d.space.Dims))
	count := make([]uint, len(start))
	for i, n := range d.space.Dims {
		count[i] = uint(n)
	}
	start[0], count[0] = uint(a), uint(b-a)
	if err := d.fs.SelectHyperslab(start, nil, count, nil); err != nil {
		return -1, failure(h5err.Argument, "select rows")
	}
	n := make([]C.hsize_t, len(count))
	for i, c := range count {
		n[i] = C.hsize_t(c)
	}
	return made(C.H5Screate_simple(C.int(len(n)), &n[0], nil), h5err.Argument, "make a dataspace")
}

// Chunks lists the allocated chunks of a chunked dataset in the order of its index. The C library needs a time that
// grows with the square of their number.
func (f *File) Chunks(path string) ([]ChunkInfo, error) {
	var out []ChunkInfo
	err := f.with(path, func() error {
		d, err := f.open(path)
		if err != nil {
			return err
		}
		defer d.close()
		base := int64(0)
		// Earlier versions leave the user block out of the addresses of chunks.
		if old, err := older(1, 14, 4); err != nil {
			return err
		} else if old {
			base = f.base
		}
		var n C.hsize_t
		if C.H5Dget_num_chunks(cid(d.h), cid(d.fs), &n) < 0 {
			return failure(h5err.Corrupt, "count chunks")
		}
		var coord [C.H5S_MAX_RANK + 1]C.hsize_t
		for i := C.hsize_t(0); i < n; i++ {
			var mask C.uint
			var addr C.haddr_t
			var size C.hsize_t
			if C.H5Dget_chunk_info(cid(d.h), cid(d.fs), i, &coord[0], &mask, &addr, &size) < 0 {
				return failure(h5err.Corrupt, "tell a chunk")
			}
			if addr == math.MaxUint64 {
				continue // in the index, but without storage
			}
			c := ChunkInfo{Offset: int64(addr) + base, Size: int64(size), Mask: uint32(mask)}
			for _, x := range coord[:len(d.space.Dims)] {
				c.Coord = append(c.Coord, uint64(x))
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// ReadChunk reads the stored bytes of the chunk whose first element is at coord, and its filter mask.
func (f *File) ReadChunk(path string, coord []uint64) (data []byte, mask uint32, err error) {
	err = f.with(path, func() error {
		d, err := f.open(path)
		if err != nil {
			return err
		}
		defer d.close()
		if len(coord) != len(d.space.Dims) || len(coord) == 0 {
			return h5err.New(h5err.Argument, "%d coordinates for %d dimensions", len(coord), len(d.space.Dims))
		}
		at := hsizes(coord)
		var size C.hsize_t
		if C.H5Dget_chunk_storage_size(cid(d.h), &at[0], &size) < 0 {
			return failure(h5err.Corrupt, "tell a chunk's size")
		}
		if size == 0 || int64(size) > f.c.maxBytes {
			return h5err.New(h5err.NotFound, "no chunk of a readable size at %v: %d bytes", coord, uint64(size))
		}
		data = make([]byte, size)
		var m C.uint32_t
		if C.H5Dread_chunk(cid(d.h), C.H5P_DEFAULT, &at[0], &m, unsafe.Pointer(&data[0])) < 0 {
			return failure(h5err.Corrupt, "read a chunk")
		}
		mask = uint32(m)
		return nil
	})
	return data, mask, err
}

// Attributes reads the attributes of the object at path, by name.
func (f *File) Attributes(path string) ([]Attribute, error) {
	var out []Attribute
	err := f.with(path, func() error {
		o, err := f.openObject(path)
		if err != nil {
			return err
		}
		defer o.close()
		var l C.shim_list
		if C.shim_attributes(o.c(), &l) < 0 {
			err = failure(h5err.Corrupt, "list attributes")
		}
		names := text(&l)
		if err != nil {
			return err
		}
		slices.Sort(names)
		for _, name := range names {
			a, err := f.attribute(o, name)
			if err != nil {
				return err
			}
			out = append(out, *a)
		}
		return nil
	})
	return out, err
}

func (f *File) openObject(path string) (id, error) {
	if err := checkName(path); err != nil {
		return -1, err
	}
	p, err := hdf5.NewPropList(hdf5.P_DATASET_ACCESS)
	if err != nil {
		return -1, failure(h5err.Memory, "make a property list")
	}
	defer p.Close()
	if !f.c.external && C.shim_refuse_external(cid(p)) < 0 {
		return -1, failure(h5err.IO, "set access properties")
	}
	var h C.hid_t
	withString(path, func(s *C.char) { h = C.H5Oopen(cid(f.h), s, cid(p)) })
	return made(h, h5err.Corrupt, "open the object")
}

func (f *File) attribute(o id, name string) (*Attribute, error) {
	var h C.hid_t
	withString(name, func(s *C.char) { h = C.H5Aopen(o.c(), s, C.H5P_DEFAULT) })
	a, err := made(h, h5err.Corrupt, "open an attribute")
	if err != nil {
		return nil, err
	}
	defer a.close()
	t, err := made(C.H5Aget_type(a.c()), h5err.Corrupt, "open an attribute's type")
	if err != nil {
		return nil, err
	}
	defer t.close()
	s, err := made(C.H5Aget_space(a.c()), h5err.Corrupt, "open an attribute's dataspace")
	if err != nil {
		return nil, err
	}
	defer s.close()
	m, err := describe(t.c(), f.addrSize, 0)
	if err != nil {
		return nil, err
	}
	space, err := describeSpace(s.c())
	if err != nil {
		return nil, err
	}
	perRow, ok := rowElements(space)
	n, ok2 := mul(perRow, uint64(rowsOf(space)))
	size, ok3 := mul(n, uint64(m.size))
	if !ok || !ok2 || !ok3 || size > uint64(f.c.maxBytes) {
		return nil, h5err.New(h5err.Limit, "attribute %q is more than %d bytes", name, f.c.maxBytes)
	}
	out := &Attribute{Name: name, Type: m.file, Space: space, Data: make([]byte, size)}
	if size == 0 {
		return out, nil
	}
	if C.H5Aread(a.c(), t.c(), unsafe.Pointer(&out.Data[0])) < 0 {
		return nil, failure(h5err.Corrupt, "read attribute "+name)
	}
	if m.heap {
		buf := out.Data
		out.Data, err = flatten(nil, m, buf, int(f.c.maxBytes))
		reclaim(t, buf, m.size)
	}
	return out, err
}

// rowElements returns the elements of one row.
func rowElements(s *h5.Space) (uint64, bool) {
	n, ok := uint64(1), true
	for i := 1; i < len(s.Dims) && ok; i++ {
		n, ok = mul(n, s.Dims[i])
	}
	return n, ok
}

func mul(a, b uint64) (uint64, bool) {
	hi, lo := bits.Mul64(a, b)
	return lo, hi == 0
}
