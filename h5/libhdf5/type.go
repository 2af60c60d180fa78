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

// maxTypeDepth bounds the nesting of types.
const maxTypeDepth = 64

// mtype is a type in two forms: in the file, and in memory, where the C library has pointers for elements that point to the
// heap.
type mtype struct {
	file *h5.Type
	size int  // bytes in memory
	heap bool // it, or a part of it, points to the heap

	members []mmember // compound
	base    *mtype    // array, sequence
	count   int       // array: elements of the base
}

type mmember struct {
	offset int // in memory
	*mtype
}

var orders = map[C.H5T_order_t]h5.ByteOrder{
	C.H5T_ORDER_LE:  h5.LittleEndian,
	C.H5T_ORDER_BE:  h5.BigEndian,
	C.H5T_ORDER_VAX: h5.VAX,
}

var norms = map[C.H5T_norm_t]uint8{C.H5T_NORM_NONE: 0, C.H5T_NORM_MSBSET: 1, C.H5T_NORM_IMPLIED: 2}

// describe reads a type. addrSize is the number of bytes of an address in the file.
func describe(t C.hid_t, addrSize, depth int) (*mtype, error) {
	if depth > maxTypeDepth {
		return nil, h5err.New(h5err.Limit, "types nested more than %d deep", maxTypeDepth)
	}
	size := C.H5Tget_size(t)
	if size == 0 || size > math.MaxInt32 {
		return nil, failure(h5err.Corrupt, "get a type's size")
	}
	f := &h5.Type{Size: int(size)}
	m := &mtype{file: f, size: int(size)}
	if C.H5Tcommitted(t) > 0 {
		f.Committed = true
	}
	switch class := C.H5Tget_class(t); class {
	case C.H5T_INTEGER:
		f.Class = h5.ClassFixed
		f.Signed = C.H5Tget_sign(t) == C.H5T_SGN_2
		describeBits(f, t)
	case C.H5T_BITFIELD:
		f.Class = h5.ClassBitfield
		describeBits(f, t)
	case C.H5T_TIME:
		f.Class = h5.ClassTime
		describeBits(f, t)
		f.BitOffset = 0
	case C.H5T_FLOAT:
		return m, describeFloat(f, t)
	case C.H5T_STRING:
		f.Pad = h5.StringPad(C.H5Tget_strpad(t))
		f.CharSet = h5.CharSet(C.H5Tget_cset(t))
		f.Class = h5.ClassString
		if C.H5Tis_variable_str(t) > 0 {
			f.Class, f.VarString, f.Size, m.heap = h5.ClassVLen, true, 8+addrSize, true
		}
	case C.H5T_OPAQUE:
		f.Class = h5.ClassOpaque
		tag := C.H5Tget_tag(t)
		if tag == nil {
			return nil, failure(h5err.Corrupt, "get a type's tag")
		}
		f.Tag = C.GoString(tag)
		C.H5free_memory(unsafe.Pointer(tag))
	case C.H5T_REFERENCE:
		f.Class = h5.ClassReference
		switch C.shim_ref_kind(t) {
		case 1:
			f.Ref, f.Size = h5.RefObject1, addrSize
		case 2:
			f.Ref, f.Size = h5.RefRegion1, addrSize+4
		default:
			f.Ref = h5.RefObject2
		}
	case C.H5T_COMPOUND:
		return describeCompound(m, t, addrSize, depth)
	case C.H5T_ENUM:
		return describeEnum(m, t, addrSize, depth)
	case C.H5T_VLEN, C.H5T_ARRAY:
		return describeItems(m, t, class, addrSize, depth)
	default:
		return nil, h5err.New(h5err.Unsupported, "libhdf5 returns datatype class %d", int(class))
	}
	return m, nil
}

func describeBits(f *h5.Type, t C.hid_t) {
	f.Order = orders[C.H5Tget_order(t)]
	f.Precision = int(C.H5Tget_precision(t))
	f.BitOffset = int(C.H5Tget_offset(t))
}

func describeFloat(f *h5.Type, t C.hid_t) error {
	f.Class = h5.ClassFloat
	describeBits(f, t)
	var spos, epos, esize, mpos, msize C.size_t
	if C.H5Tget_fields(t, &spos, &epos, &esize, &mpos, &msize) < 0 {
		return failure(h5err.Corrupt, "get a type's fields")
	}
	f.Float = &h5.FloatFields{
		Sign: int(spos), ExpLoc: int(epos), ExpSize: int(esize), MantLoc: int(mpos), MantSize: int(msize),
		Bias: uint32(C.H5Tget_ebias(t)), Norm: norms[C.H5Tget_norm(t)],
	}
	return nil
}

// describeItems reads a sequence or an array type.
func describeItems(m *mtype, t C.hid_t, class C.H5T_class_t, addrSize, depth int) (*mtype, error) {
	f := m.file
	b, err := made(C.H5Tget_super(t), h5err.Corrupt, "open a base type")
	if err != nil {
		return nil, err
	}
	defer b.close()
	if m.base, err = describe(b.c(), addrSize, depth+1); err != nil {
		return nil, err
	}
	f.Base = m.base.file
	if class == C.H5T_VLEN {
		f.Class, f.Size, m.heap = h5.ClassVLen, 8+addrSize, true
		return m, nil
	}
	f.Class, m.heap, m.count = h5.ClassArray, m.base.heap, m.size/m.base.size
	var dims [C.H5S_MAX_RANK]C.hsize_t
	n := C.H5Tget_array_dims2(t, &dims[0])
	if n < 0 {
		return nil, failure(h5err.Corrupt, "get an array's shape")
	}
	for _, d := range dims[:n] {
		f.Dims = append(f.Dims, uint64(d))
	}
	f.Size = m.count * f.Base.Size
	return m, nil
}

func describeCompound(m *mtype, t C.hid_t, addrSize, depth int) (*mtype, error) {
	f := m.file
	f.Class = h5.ClassCompound
	n := C.H5Tget_nmembers(t)
	if n < 0 {
		return nil, failure(h5err.Corrupt, "count members")
	}
	shrunk := 0 // bytes by which the members so far are smaller in memory than in the file
	for i := C.uint(0); i < C.uint(n); i++ {
		name := C.H5Tget_member_name(t, i)
		if name == nil {
			return nil, failure(h5err.Corrupt, "get a member's name")
		}
		goName := C.GoString(name)
		C.H5free_memory(unsafe.Pointer(name))
		mt, err := made(C.H5Tget_member_type(t, i), h5err.Corrupt, "open a member's type")
		if err != nil {
			return nil, err
		}
		member, err := describe(mt.c(), addrSize, depth+1)
		mt.close()
		if err != nil {
			return nil, err
		}
		offset := int(C.H5Tget_member_offset(t, i))
		if offset < 0 || member.size > m.size-offset {
			return nil, h5err.New(h5err.Corrupt, "member %q lies outside its compound", goName)
		}
		m.heap = m.heap || member.heap
		m.members = append(m.members, mmember{offset, member})
		f.Members = append(f.Members, h5.Member{Name: goName, Offset: offset, Type: member.file})
		shrunk += member.file.Size - member.size
	}
	// If a member has another size in memory, the library moves the members after it by the difference.
	for i := range f.Members {
		for _, before := range m.members {
			if before.offset < m.members[i].offset {
				f.Members[i].Offset += before.file.Size - before.size
			}
		}
	}
	f.Size += shrunk
	return m, nil
}

func describeEnum(m *mtype, t C.hid_t, addrSize, depth int) (*mtype, error) {
	f := m.file
	f.Class = h5.ClassEnum
	b, err := made(C.H5Tget_super(t), h5err.Corrupt, "open a base type")
	if err != nil {
		return nil, err
	}
	defer b.close()
	base, err := describe(b.c(), addrSize, depth+1)
	if err != nil {
		return nil, err
	}
	f.Base, f.Order = base.file, base.file.Order
	n := C.H5Tget_nmembers(t)
	if n < 0 {
		return nil, failure(h5err.Corrupt, "count members")
	}
	value := make([]byte, m.size)
	for i := C.uint(0); i < C.uint(n); i++ {
		name := C.H5Tget_member_name(t, i)
		if name == nil {
			return nil, failure(h5err.Corrupt, "get a member's name")
		}
		f.Names = append(f.Names, C.GoString(name))
		C.H5free_memory(unsafe.Pointer(name))
		if C.H5Tget_member_value(t, i, unsafe.Pointer(&value[0])) < 0 {
			return nil, failure(h5err.Corrupt, "get a member's value")
		}
		f.Values = append(f.Values, value...)
	}
	return m, nil
}

func orderOf(o h5.ByteOrder) C.H5T_order_t {
	switch o {
	case h5.BigEndian:
		return C.H5T_ORDER_BE
	case h5.VAX:
		return C.H5T_ORDER_VAX
	}
	return C.H5T_ORDER_LE
}

// build creates the C library's type for t. The caller closes it.
func build(t *h5.Type, depth int) (id, error) {
	switch {
	case t == nil:
		return -1, h5err.New(h5err.Argument, "no type")
	case depth > maxTypeDepth:
		return -1, h5err.New(h5err.Argument, "types nested more than %d deep", maxTypeDepth)
	case t.Size <= 0 && t.Class != h5.ClassVLen:
		return -1, h5err.New(h5err.Argument, "a type of %d bytes", t.Size)
	}
	switch t.Class {
	case h5.ClassFixed:
		return tune(C.shim_i8(), func(h C.hid_t) bool {
			sign := C.H5T_sign_t(C.H5T_SGN_NONE)
			if t.Signed {
				sign = C.H5T_SGN_2
			}
			return setBits(h, t) && C.H5Tset_sign(h, sign) >= 0
		})
	case h5.ClassBitfield:
		return tune(C.shim_b8(), func(h C.hid_t) bool { return setBits(h, t) })
	case h5.ClassTime:
		if t.Size != 4 && t.Size != 8 {
			return -1, h5err.New(h5err.Argument, "a time of %d bytes", t.Size)
		}
		big := C.int(0)
		if t.Order == h5.BigEndian {
			big = 1
		}
		return tune(C.shim_time(C.size_t(t.Size), big), func(C.hid_t) bool { return true })
	case h5.ClassFloat:
		if t.Float == nil {
			return -1, h5err.New(h5err.Argument, "a float without fields")
		}
		return tune(C.shim_f64(), func(h C.hid_t) bool { return setFloat(h, t) })
	case h5.ClassString:
		return tune(C.shim_string(), func(h C.hid_t) bool {
			return C.H5Tset_size(h, C.size_t(t.Size)) >= 0 && setText(h, t)
		})
	case h5.ClassOpaque:
		return buildOpaque(t)
	case h5.ClassReference:
		switch t.Ref {
		case h5.RefObject1:
			return tune(C.shim_ref_object(), func(C.hid_t) bool { return true })
		case h5.RefRegion1:
			return tune(C.shim_ref_region(), func(C.hid_t) bool { return true })
		}
	case h5.ClassCompound:
		return buildCompound(t, depth)
	case h5.ClassEnum:
		return buildEnum(t, depth)
	case h5.ClassVLen:
		if t.VarString {
			return tune(C.shim_string(), func(h C.hid_t) bool { return C.shim_variable(h) >= 0 && setText(h, t) })
		}
		base, err := build(t.Base, depth+1)
		if err != nil {
			return -1, err
		}
		defer base.close()
		return made(C.H5Tvlen_create(base.c()), h5err.Argument, "make a sequence type")
	case h5.ClassArray:
		return buildArray(t, depth)
	}
	return -1, h5err.New(h5err.Unsupported, "libhdf5 is not used to write datatype class %d", int(t.Class)-1)
}

func buildOpaque(t *h5.Type) (id, error) {
	h, err := made(C.H5Tcreate(C.H5T_OPAQUE, C.size_t(t.Size)), h5err.Argument, "make an opaque type")
	if err != nil {
		return -1, err
	}
	withString(t.Tag, func(tag *C.char) {
		if C.H5Tset_tag(h.c(), tag) < 0 {
			err = failure(h5err.Argument, "tag an opaque type")
		}
	})
	return keep(h, err)
}

func buildArray(t *h5.Type, depth int) (id, error) {
	base, err := build(t.Base, depth+1)
	if err != nil {
		return -1, err
	}
	defer base.close()
	if len(t.Dims) == 0 || len(t.Dims) > C.H5S_MAX_RANK {
		return -1, h5err.New(h5err.Argument, "an array type of %d dimensions", len(t.Dims))
	}
	dims := hsizes(t.Dims)
	return made(C.H5Tarray_create2(base.c(), C.uint(len(dims)), &dims[0]), h5err.Argument, "make an array type")
}

// tune copies a type and changes the copy.
func tune(from C.hid_t, change func(C.hid_t) bool) (id, error) {
	h, err := made(C.H5Tcopy(from), h5err.Memory, "copy a type")
	if err == nil && !change(h.c()) {
		err = failure(h5err.Argument, "make a type")
	}
	return keep(h, err)
}

func keep(h id, err error) (id, error) {
	if err != nil {
		h.close()
		return -1, err
	}
	return h, nil
}

func setBits(h C.hid_t, t *h5.Type) bool {
	p := t.Precision
	if p == 0 {
		p = 8 * t.Size
	}
	return C.H5Tset_size(h, C.size_t(t.Size)) >= 0 && C.H5Tset_precision(h, C.size_t(p)) >= 0 &&
		C.H5Tset_offset(h, C.size_t(t.BitOffset)) >= 0 && C.H5Tset_size(h, C.size_t(t.Size)) >= 0 &&
		C.H5Tset_order(h, orderOf(t.Order)) >= 0
}

// setFloat changes a 64-bit float. The library refuses every step whose result is inconsistent, so the steps go through a type
// that is wide enough for both.
func setFloat(h C.hid_t, t *h5.Type) bool {
	f := t.Float
	wide := C.size_t(max(8, t.Size))
	norm := C.H5T_norm_t(C.H5T_NORM_IMPLIED)
	switch f.Norm {
	case 0:
		norm = C.H5T_NORM_NONE
	case 1:
		norm = C.H5T_NORM_MSBSET
	}
	p := t.Precision
	if p == 0 {
		p = 8 * t.Size
	}
	return C.H5Tset_size(h, wide) >= 0 && C.H5Tset_precision(h, 8*wide) >= 0 &&
		C.H5Tset_fields(h, C.size_t(f.Sign), C.size_t(f.ExpLoc), C.size_t(f.ExpSize), C.size_t(f.MantLoc), C.size_t(f.MantSize)) >= 0 &&
		C.H5Tset_offset(h, C.size_t(t.BitOffset)) >= 0 && C.H5Tset_precision(h, C.size_t(p)) >= 0 &&
		C.H5Tset_size(h, C.size_t(t.Size)) >= 0 && C.H5Tset_ebias(h, C.size_t(f.Bias)) >= 0 &&
		C.H5Tset_norm(h, norm) >= 0 && C.H5Tset_order(h, orderOf(t.Order)) >= 0
}

func setText(h C.hid_t, t *h5.Type) bool {
	return C.H5Tset_strpad(h, C.H5T_str_t(t.Pad)) >= 0 && C.H5Tset_cset(h, C.H5T_cset_t(t.CharSet)) >= 0
}

// buildCompound creates a type that has t's offsets in the file. The library takes the offsets in memory, where members that point
// to the heap have other sizes, and moves the members after them when it writes the type to the file. So they are moved in the
// other direction first.
func buildCompound(t *h5.Type, depth int) (id, error) {
	members := make([]id, 0, len(t.Members))
	defer func() {
		for _, m := range members {
			m.close()
		}
	}()
	grows := make([]int, len(t.Members)) // bytes by which the member is larger in the file
	size := t.Size
	for i, m := range t.Members {
		if err := checkName(m.Name); err != nil {
			return -1, err
		}
		if m.Type == nil || m.Offset < 0 || m.Type.Size > t.Size-m.Offset {
			return -1, h5err.New(h5err.Argument, "member %q lies outside its compound of %d bytes", m.Name, t.Size)
		}
		h, err := build(m.Type, depth+1)
		if err != nil {
			return -1, err
		}
		members = append(members, h)
		grows[i] = m.Type.Size - int(C.H5Tget_size(h.c()))
		size -= grows[i]
	}
	h, err := made(C.H5Tcreate(C.H5T_COMPOUND, C.size_t(size)), h5err.Argument, "make a compound type")
	if err != nil {
		return -1, err
	}
	for i, m := range t.Members {
		offset := m.Offset
		for j, before := range t.Members {
			if before.Offset < m.Offset {
				offset -= grows[j]
			}
		}
		withString(m.Name, func(name *C.char) {
			if C.H5Tinsert(h.c(), name, C.size_t(offset), members[i].c()) < 0 {
				err = failure(h5err.Argument, "add a member to a compound type")
			}
		})
		if err != nil {
			return keep(h, err)
		}
	}
	return h, nil
}

func buildEnum(t *h5.Type, depth int) (id, error) {
	if t.Base == nil || len(t.Values) != len(t.Names)*t.Base.Size || t.Base.Size != t.Size {
		return -1, h5err.New(h5err.Argument, "an enumeration whose values do not fit its names")
	}
	base, err := build(t.Base, depth+1)
	if err != nil {
		return -1, err
	}
	defer base.close()
	h, err := made(C.H5Tenum_create(base.c()), h5err.Argument, "make an enumeration type")
	if err != nil {
		return -1, err
	}
	for i, n := range t.Names {
		v := t.Values[i*t.Size : (i+1)*t.Size]
		withString(n, func(name *C.char) {
			if C.H5Tenum_insert(h.c(), name, unsafe.Pointer(&v[0])) < 0 {
				err = failure(h5err.Argument, "add a member to an enumeration type")
			}
		})
		if err != nil {
			return keep(h, err)
		}
	}
	return h, nil
}

func hsizes(v []uint64) []C.hsize_t {
	out := make([]C.hsize_t, len(v))
	for i, x := range v {
		out[i] = C.hsize_t(x)
	}
	return out
}
