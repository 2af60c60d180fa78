//go:build libhdf5 && cgo

package libhdf5

// #include "shim.h"
// #include <stdlib.h>
// #include <string.h>
import "C"

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// flatten appends the flat form of the elements in mem, which have the C library's layout in memory.
func flatten(out []byte, m *mtype, mem []byte, limit int) ([]byte, error) {
	var err error
	for ; len(mem) >= m.size; mem = mem[m.size:] {
		if out, err = flattenOne(out, m, mem[:m.size], limit); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func flattenOne(out []byte, m *mtype, mem []byte, limit int) ([]byte, error) {
	var err error
	f := m.file
	switch {
	case f.Class == h5.ClassCompound:
		for _, x := range m.members {
			if out, err = flattenOne(out, x.mtype, mem[x.offset:x.offset+x.size], limit); err != nil {
				return nil, err
			}
		}
		return out, nil
	case f.Class == h5.ClassArray:
		return flatten(out, m.base, mem[:m.count*m.base.size], limit)
	case f.VarString:
		p := load[*C.char](mem)
		n := 0
		if p != nil {
			n = int(C.strlen(p))
		}
		if n > limit-len(out) {
			return nil, h5err.New(h5err.Limit, "more than %d bytes on the heap", limit)
		}
		out = binary.LittleEndian.AppendUint64(out, uint64(n))
		return append(out, unsafe.Slice((*byte)(unsafe.Pointer(p)), n)...), nil
	case f.Class == h5.ClassVLen:
		v := load[C.hvl_t](mem)
		n := int(v.len)
		if v.p == nil {
			n = 0
		}
		if n < 0 || n > (limit-len(out))/m.base.size {
			return nil, h5err.New(h5err.Limit, "more than %d bytes on the heap", limit)
		}
		out = binary.LittleEndian.AppendUint64(out, uint64(n))
		return flatten(out, m.base, unsafe.Slice((*byte)(v.p), n*m.base.size), limit)
	}
	if len(mem) > limit-len(out) {
		return nil, h5err.New(h5err.Limit, "more than %d bytes", limit)
	}
	return append(out, mem...), nil
}

// reclaim frees what the C library allocated for the elements in buf.
func reclaim(t id, buf []byte, size int) {
	n := C.hsize_t(len(buf) / size)
	if n == 0 {
		return
	}
	if s := C.H5Screate_simple(1, &n, nil); s >= 0 {
		C.H5Dvlen_reclaim(t.c(), s, C.H5P_DEFAULT, unsafe.Pointer(&buf[0]))
		C.H5Sclose(s)
	}
}

// load and store move a C value from and to bytes at any alignment, as members of compounds have. The pointers inside are C
// pointers, which the garbage collector ignores.
func load[T any](mem []byte) (v T) {
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v)), mem)
	return v
}

func store[T any](mem []byte, v T) {
	copy(mem, unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v)))
}

// arena is C memory that is freed all at once.
type arena struct{ blocks []unsafe.Pointer }

// alloc returns n zero bytes.
func (a *arena) alloc(n int) ([]byte, error) {
	p := C.calloc(1, C.size_t(max(n, 1)))
	if p == nil {
		return nil, h5err.New(h5err.Memory, "can't allocate %d bytes for libhdf5", n)
	}
	a.blocks = append(a.blocks, p)
	return unsafe.Slice((*byte)(p), n), nil
}

func (a *arena) free() {
	for _, p := range a.blocks {
		C.free(p)
	}
	a.blocks = nil
}

// inflate converts n elements from their flat form to the layout in memory. It must use all of flat.
func inflate(a *arena, m *mtype, n int, flat []byte) ([]byte, error) {
	if n > math.MaxInt/m.size {
		return nil, h5err.New(h5err.Argument, "%d elements of %d bytes", n, m.size)
	}
	mem, err := a.alloc(n * m.size)
	if err != nil {
		return nil, err
	}
	for i := range n {
		if flat, err = inflateOne(a, m, mem[i*m.size:(i+1)*m.size], flat); err != nil {
			return nil, err
		}
	}
	if len(flat) > 0 {
		return nil, h5err.New(h5err.Argument, "%d bytes too many", len(flat))
	}
	return mem, nil
}

func inflateOne(a *arena, m *mtype, mem, flat []byte) (rest []byte, err error) {
	f := m.file
	switch {
	case f.Class == h5.ClassCompound:
		for _, x := range m.members {
			if flat, err = inflateOne(a, x.mtype, mem[x.offset:x.offset+x.size], flat); err != nil {
				return nil, err
			}
		}
		return flat, nil
	case f.Class == h5.ClassArray:
		for i := range m.count {
			if flat, err = inflateOne(a, m.base, mem[i*m.base.size:(i+1)*m.base.size], flat); err != nil {
				return nil, err
			}
		}
		return flat, nil
	case f.Class == h5.ClassVLen:
		if len(flat) < 8 {
			return nil, h5err.New(h5err.Argument, "flat form ends inside a length")
		}
		n := binary.LittleEndian.Uint64(flat)
		flat = flat[8:]
		if n > uint64(len(flat)) { // no element has less than one byte
			return nil, h5err.New(h5err.Argument, "flat form ends inside an element")
		}
		if f.VarString {
			s, err := a.alloc(int(n) + 1)
			if err != nil {
				return nil, err
			}
			copy(s, flat[:n])
			store(mem, unsafe.Pointer(&s[0]))
			return flat[n:], nil
		}
		if n == 0 {
			return flat, nil
		}
		elements, err := a.alloc(int(n) * m.base.size)
		if err != nil {
			return nil, err
		}
		store(mem, C.hvl_t{len: C.size_t(n), p: unsafe.Pointer(&elements[0])})
		for i := range int(n) {
			if flat, err = inflateOne(a, m.base, elements[i*m.base.size:(i+1)*m.base.size], flat); err != nil {
				return nil, err
			}
		}
		return flat, nil
	}
	if len(flat) < m.size {
		return nil, h5err.New(h5err.Argument, "flat form ends inside an element")
	}
	copy(mem, flat[:m.size])
	return flat[m.size:], nil
}
