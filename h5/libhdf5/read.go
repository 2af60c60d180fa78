//go:build libhdf5 && cgo

package libhdf5

// #include "shim.h"
// #include <stdlib.h>
import "C"

import (
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"gonum.org/v1/hdf5"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Read reads a whole dataset: elements as stored, row-major. If the type points to the heap, the error has kind Unsupported: see
// ReadFlat.
func (f *File) Read(path string) ([]byte, error) { return f.ReadRows(path, 0, math.MaxInt64) }

// ReadRows is Read for the rows [a,b) of the first dimension. b is clipped to the number of rows.
func (f *File) ReadRows(path string, a, b int64) ([]byte, error) {
	return f.read(path, a, b, false)
}

// ReadFlat reads a whole dataset in flat form (see the package's doc), whatever its type.
func (f *File) ReadFlat(path string) ([]byte, error) {
	return f.read(path, 0, math.MaxInt64, true)
}

// ReadFlatRows is ReadFlat for the rows [a,b) of the first dimension. b is clipped to the number of rows.
func (f *File) ReadFlatRows(path string, a, b int64) ([]byte, error) {
	return f.read(path, a, b, true)
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

func (f *File) read(path string, a, b int64, flat bool) ([]byte, error) {
	var out []byte
	err := f.with(path, func() error {
		d, err := f.open(path)
		if err != nil {
			return err
		}
		defer d.close()
		out, err = d.read(a, b, flat, f.c.maxBytes)
		return err
	})
	return out, err
}

// read reads the rows [a,b), at most limit bytes of them.
func (d *dataset) read(a, b int64, flat bool, limit int64) ([]byte, error) {
	if d.m.heap && !flat {
		return nil, h5err.New(h5err.Unsupported, "elements point to the heap: they can be read in flat form only")
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

// selectRows selects the rows in the dataset's dataspace, and returns the dataspace of the memory.
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

// Chunks lists the allocated chunks of a chunked dataset in the order of its index. The C library takes time proportional to the
// square of their number.
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
				return failure(h5err.Corrupt, "get a chunk")
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
			return failure(h5err.Corrupt, "get a chunk's size")
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
