//go:build duckdb_arrow && cgo

package engine

// #include "bridge.h"
import "C"

import (
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// A filler copies rows of Arrow arrays of one type into vectors. It belongs to one thread of the engine. Arrays may lie
// in the mapping of a file that somebody changes: what matters for safety (offsets, indices, text) is copied before it is
// checked, and checked before the engine sees it.
type filler interface {
	// fill writes rows [off,off+n) of arr to the first n rows of v. Where up has a 0 bit, the row is null whatever arr
	// says; nil is all ones.
	fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error
	close()
}

// newFiller returns a filler for a type that logicalType knows. Dictionaries of a whole column become dictionary vectors;
// inside other types they are written out.
func newFiller(t arrow.DataType, top bool) filler {
	switch t := t.(type) {
	case *arrow.NullType:
		return &nullFiller{}
	case *arrow.BooleanType:
		return &boolFiller{}
	case *arrow.Float16Type:
		return &halfFiller{}
	case *arrow.TimestampType:
		if t.TimeZone != "" {
			return &timeFiller{scale: scales[t.Unit]}
		}
	case *arrow.DurationType:
		return &durationFiller{scale: scales[t.Unit]}
	case *arrow.StringType:
		return &textFiller{width: 4, text: true}
	case *arrow.LargeStringType:
		return &textFiller{width: 8, text: true}
	case *arrow.BinaryType:
		return &textFiller{width: 4}
	case *arrow.LargeBinaryType:
		return &textFiller{width: 8}
	case *arrow.FixedSizeBinaryType:
		return &textFiller{fixed: t.ByteWidth}
	case *arrow.DictionaryType:
		d := dictionary{index: t.IndexType.(arrow.FixedWidthDataType).Bytes(), signed: arrow.IsSignedInteger(t.IndexType.ID())}
		if top {
			return &dictionaryFiller{dictionary: d, typ: t.ValueType, values: newFiller(t.ValueType, false)}
		}
		return &spelledFiller{dictionary: d, values: newFiller(t.ValueType, false)}
	case *arrow.ListType:
		return &listFiller{width: 4, child: newFiller(t.Elem(), false)}
	case *arrow.LargeListType:
		return &listFiller{width: 8, child: newFiller(t.Elem(), false)}
	case *arrow.FixedSizeListType:
		return &arrayFiller{items: int(t.Len()), list: !isArray(t), child: newFiller(t.Elem(), false)}
	case *arrow.StructType:
		f := &structFiller{}
		for _, field := range t.Fields() {
			f.children = append(f.children, newFiller(field.Type, false))
		}
		return f
	case arrow.ExtensionType:
		return &storageFiller{newFiller(t.StorageType(), top)}
	}
	return &plainFiller{width: t.(arrow.FixedWidthDataType).Bytes()}
}

// memory returns n elements at a place that the engine owns.
func memory[T any](at unsafe.Pointer, n int) []T { return unsafe.Slice((*T)(at), n) }

// raw returns the bytes of a slice of numbers.
func raw[T int16 | uint16 | int32 | int64 | uint64 | float32](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

// buffer returns the bytes of an array's buffer, none where there is no buffer.
func buffer(arr arrow.Array, i int) []byte {
	if b := arr.Data().Buffers(); i < len(b) && b[i] != nil {
		return b[i].Bytes()
	}
	return nil
}

// copyRows copies the rows [off,off+n) of width bytes of an array's buffer of values.
func copyRows(dst []byte, arr arrow.Array, off, n, width int) {
	at := arr.Data().Offset() + off
	copy(dst, buffer(arr, 1)[at*width:(at+n)*width])
}

// nulls writes validity.
type nulls struct{ bits []byte }

// write gives v the nulls of rows [off,off+n) of arr and up, and returns the validity, nil where all are valid. It is
// good until the next call.
func (x *nulls) write(arr arrow.Array, off, n int, up []byte, v duck.Vector) []byte {
	bits := buffer(arr, 0)
	if len(bits) == 0 && up == nil || n == 0 {
		return nil
	}
	size := (n + 63) / 64 * 8
	if cap(x.bits) < size {
		x.bits = make([]byte, size)
	}
	own := x.bits[:size]
	var missing int
	if len(bits) == 0 {
		missing = nullbitmap.Copy(own, 0, up, 0, n)
	} else {
		missing = nullbitmap.Copy(own, 0, bits, arr.Data().Offset()+off, n)
		if up != nil {
			missing = nullbitmap.And(own, 0, up, 0, n)
		}
	}
	if missing == 0 {
		return nil
	}
	x.set(own, v)
	return own
}

// set gives v a validity.
func (x *nulls) set(bits []byte, v duck.Vector) {
	duck.VectorEnsureValidityWritable(v)
	copy(memory[byte](duck.VectorGetValidity(v), len(bits)), bits)
}

// null tells whether row i is null.
func null(valid []byte, i int) bool { return valid != nil && valid[i/8]>>(i%8)&1 == 0 }

func (*nulls) close() {}

// plainFiller copies values that are the same in the engine.
type plainFiller struct {
	nulls
	width int
}

func (f *plainFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	copyRows(memory[byte](duck.VectorGetData(v), n*f.width), arr, off, n, f.width)
	f.write(arr, off, n, up, v)
	return nil
}

// doubleFiller makes doubles of floats of 32 bits.
type doubleFiller struct {
	nulls
	floats []float32
}

func (f *doubleFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	f.floats = room(f.floats, n)
	copyRows(raw(f.floats), arr, off, n, 4)
	out := memory[float64](duck.VectorGetData(v), n)
	for i, x := range f.floats {
		out[i] = float64(x)
	}
	f.write(arr, off, n, up, v)
	return nil
}

// nullFiller writes nulls.
type nullFiller struct{ nulls }

func (f *nullFiller) fill(_ arrow.Array, _, n int, _ []byte, v duck.Vector) error {
	f.set(make([]byte, (n+63)/64*8), v)
	return nil
}

// boolFiller makes bytes of bits.
type boolFiller struct{ nulls }

func (f *boolFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	nullbitmap.UnpackBools(memory[byte](duck.VectorGetData(v), n), buffer(arr, 1), arr.Data().Offset()+off)
	f.write(arr, off, n, up, v)
	return nil
}

// halfFiller makes floats of halves, which the engine lacks.
type halfFiller struct {
	nulls
	halves []uint16
}

func (f *halfFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	f.halves = room(f.halves, n)
	copyRows(raw(f.halves), arr, off, n, 2)
	out := memory[float32](duck.VectorGetData(v), n)
	for i, h := range f.halves {
		out[i] = float16.FromBits(h).Float32()
	}
	f.write(arr, off, n, up, v)
	return nil
}

// room returns s with n elements of any content.
func room[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// scale says how a unit becomes microseconds.
type scale struct{ times, over int64 }

var scales = map[arrow.TimeUnit]scale{arrow.Second: {1e6, 1}, arrow.Millisecond: {1e3, 1}, arrow.Microsecond: {1, 1}, arrow.Nanosecond: {1, 1e3}}

// micros returns t in microseconds, rounded down.
func (s scale) micros(t int64) (us int64, ok bool) {
	if s.over > 1 {
		us = t / s.over
		if t%s.over < 0 {
			us--
		}
		return us, true
	}
	return t * s.times, t <= math.MaxInt64/s.times && t >= math.MinInt64/s.times
}

func (s scale) tooLarge(t int64) error {
	return h5err.New(h5err.Unsupported, "the SQL engine can't hold a time or duration of %d units of %d seconds", t, s.times/1e6).
		WithHint("leave the column out")
}

// timeFiller makes times with a zone microseconds.
type timeFiller struct {
	nulls
	scale scale
}

func (f *timeFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	out := memory[int64](duck.VectorGetData(v), n)
	copyRows(raw(out), arr, off, n, 8)
	valid := f.write(arr, off, n, up, v)
	if f.scale.times == 1 && f.scale.over == 1 {
		return nil
	}
	for i, t := range out {
		us, ok := f.scale.micros(t)
		if !ok && !null(valid, i) {
			return f.scale.tooLarge(t)
		}
		out[i] = us
	}
	return nil
}

// interval is the engine's.
type interval struct {
	months, days int32
	micros       int64
}

// durationFiller makes intervals of durations.
type durationFiller struct {
	nulls
	scale scale
	in    []int64
}

func (f *durationFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	f.in = room(f.in, n)
	copyRows(raw(f.in), arr, off, n, 8)
	valid := f.write(arr, off, n, up, v)
	out := memory[interval](duck.VectorGetData(v), n)
	for i, t := range f.in {
		us, ok := f.scale.micros(t)
		if !ok && !null(valid, i) {
			return f.scale.tooLarge(t)
		}
		out[i] = interval{micros: us}
	}
	return nil
}

// textFiller copies text and bytes.
type textFiller struct {
	nulls
	width   int // bytes of an offset
	fixed   int // bytes of each value, where there are no offsets
	text    bool
	offsets []int64
	narrow  []int32
	bytes   []byte
}

func (f *textFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	if err := f.read(arr, off, n); err != nil {
		return err
	}
	f.write(arr, off, n, up, v)
	f.put(n, v)
	return nil
}

// put writes the n values that were read.
func (f *textFiller) put(n int, v duck.Vector) {
	if n == 0 {
		return
	}
	f.bytes = append(f.bytes, 0) // so that there is an address
	C.h5arrow_fill_text(v.Ptr, duck.VectorGetData(v), (*C.char)(unsafe.Pointer(&f.bytes[0])), (*C.int64_t)(unsafe.Pointer(&f.offsets[0])), C.int64_t(n))
}

// read copies rows [off,off+n) to offsets and bytes, and checks them.
func (f *textFiller) read(arr arrow.Array, off, n int) error {
	at := arr.Data().Offset() + off
	f.offsets = room(f.offsets, n+1)
	if f.width == 0 {
		for i := range f.offsets {
			f.offsets[i] = int64(i * f.fixed)
		}
		f.bytes = append(f.bytes[:0], buffer(arr, 1)[at*f.fixed:(at+n)*f.fixed]...)
		return nil
	}
	all := buffer(arr, 2)
	if err := readOffsets(f.offsets, &f.narrow, buffer(arr, 1), at, f.width, int64(len(all))); err != nil {
		return err
	}
	first := f.offsets[0]
	f.bytes = append(f.bytes[:0], all[first:f.offsets[n]]...)
	for i := range f.offsets {
		f.offsets[i] -= first
	}
	if f.text {
		return f.check()
	}
	return nil
}

// check says whether what was read is text, as it was when the array was made.
func (f *textFiller) check() error {
	ok := utf8.Valid(f.bytes)
	for _, o := range f.offsets {
		ok = ok && (o == int64(len(f.bytes)) || utf8.RuneStart(f.bytes[o]))
	}
	if !ok {
		return h5err.New(h5err.Corrupt, "text that is not UTF-8")
	}
	return nil
}

// readOffsets copies the offsets of len(dst)-1 values from value at on, and checks that they do not fall and end within
// limit.
func readOffsets(dst []int64, narrow *[]int32, src []byte, at, width int, limit int64) error {
	n := len(dst)
	if len(src) == 0 && n == 1 { // an array without rows needs no offsets
		dst[0] = 0
		return nil
	}
	if width == 8 {
		copy(raw(dst), src[at*8:(at+n)*8])
	} else {
		*narrow = room(*narrow, n)
		copy(raw(*narrow), src[at*4:(at+n)*4])
		for i, o := range *narrow {
			dst[i] = int64(o)
		}
	}
	last := int64(0)
	for _, o := range dst {
		if o < last || o > limit {
			return h5err.New(h5err.Corrupt, "offset %d after %d, of %d values", o, last, limit)
		}
		last = o
	}
	return nil
}

// dictionary reads indices.
type dictionary struct {
	index  int // bytes of one
	signed bool
	bytes  []byte
}

// indices writes rows [off,off+n) of an array of dictionary indices to sel; those of null rows become none, and so does
// any index that is not below size.
func (d *dictionary) indices(sel []duck.SelT, arr arrow.Array, off, n, size int, valid []byte, none duck.SelT) error {
	d.bytes = room(d.bytes, 8*n)
	b := d.bytes[:n*d.index]
	copyRows(b, arr, off, n, d.index)
	for i := range n {
		if null(valid, i) {
			sel[i] = none
			continue
		}
		var k uint64
		switch d.index {
		case 1:
			k = uint64(b[i])
		case 2:
			k = uint64(arrow.Uint16Traits.CastFromBytes(b[2*i : 2*i+2])[0])
		case 4:
			k = uint64(arrow.Uint32Traits.CastFromBytes(b[4*i : 4*i+4])[0])
		default:
			k = arrow.Uint64Traits.CastFromBytes(b[8*i : 8*i+8])[0]
		}
		if k >= uint64(size) { // negative ones are too large as well
			return h5err.New(h5err.Corrupt, "index %d of a dictionary of %d values", k, size)
		}
		sel[i] = duck.SelT(k)
	}
	return nil
}

// dictionaryFiller makes dictionary vectors. The engine's vector of the values is made once for each dictionary.
type dictionaryFiller struct {
	nulls
	dictionary
	typ    arrow.DataType
	values filler
	of     arrow.ArrayData // what labels was made of
	labels duck.Vector     // one more than there are values: a null
	size   int
	marks  nulls
}

func (f *dictionaryFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	d := arr.(*array.Dictionary)
	if f.of != arr.Data().Dictionary() {
		if err := f.label(d); err != nil {
			return err
		}
	}
	size := (n + 63) / 64 * 8
	var valid []byte
	if bits := buffer(arr, 0); len(bits) > 0 {
		f.marks.bits = room(f.marks.bits, size)
		if nullbitmap.Copy(f.marks.bits, 0, bits, arr.Data().Offset()+off, n) > 0 {
			valid = f.marks.bits
		}
	}
	// The engine keeps the selection as long as the vector that is made with it.
	sel := duck.CreateSelectionVector(duck.IdxT(n))
	defer duck.DestroySelectionVector(&sel)
	list := unsafe.Slice(duck.SelectionVectorGetDataPtr(sel), n)
	if err := f.indices(list, arr, off, n, f.size, valid, duck.SelT(f.size)); err != nil {
		return err
	}
	duck.VectorReferenceVector(v, f.labels)
	duck.SliceVector(v, sel, duck.IdxT(n))
	return nil
}

// label makes the vector of the values.
func (f *dictionaryFiller) label(d *array.Dictionary) error {
	f.drop()
	values := d.Dictionary()
	if values.Len() >= math.MaxInt32 {
		return h5err.New(h5err.Limit, "a dictionary of %d values", values.Len())
	}
	lt, err := logicalType(f.typ)
	if err != nil {
		return err
	}
	defer duck.DestroyLogicalType(&lt)
	f.size = values.Len()
	f.labels = duck.CreateVector(lt, duck.IdxT(f.size+1))
	if err := f.values.fill(values, 0, f.size, nil, f.labels); err != nil {
		return err
	}
	duck.VectorEnsureValidityWritable(f.labels)
	duck.ValiditySetRowInvalid(duck.VectorGetValidity(f.labels), duck.IdxT(f.size))
	f.of = d.Data().Dictionary()
	f.of.Retain()
	return nil
}

func (f *dictionaryFiller) drop() {
	duck.DestroyVector(&f.labels)
	if f.of != nil {
		f.of.Release()
		f.of = nil
	}
}

func (f *dictionaryFiller) close() {
	f.drop()
	f.values.close()
}

// spelledFiller writes out the values of a dictionary.
type spelledFiller struct {
	nulls
	dictionary
	values filler
	sel    []duck.SelT
}

func (f *spelledFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	d := arr.(*array.Dictionary).Dictionary()
	valid := f.write(arr, off, n, up, v)
	f.sel = room(f.sel, n)
	if err := f.indices(f.sel, arr, off, n, d.Len(), valid, duck.SelT(math.MaxUint32)); err != nil {
		return err
	}
	t, ok := f.values.(*textFiller)
	if !ok {
		return h5err.New(h5err.Unsupported, "the SQL engine takes no dictionary of %s inside another type", d.DataType())
	}
	if err := t.read(d, 0, d.Len()); err != nil {
		return err
	}
	out := textFiller{offsets: make([]int64, 1, n+1)}
	gone := make([]byte, (n+63)/64*8)
	missing := nullbitmap.Fill(gone, 0, n, true)
	for i, k := range f.sel {
		switch {
		case k == math.MaxUint32:
		case d.IsNull(int(k)): // a value that is null
			gone[i/8] &^= 1 << (i % 8)
			missing++
		default:
			out.bytes = append(out.bytes, t.bytes[t.offsets[k]:t.offsets[k+1]]...)
		}
		out.offsets = append(out.offsets, int64(len(out.bytes)))
	}
	out.put(n, v)
	if missing > 0 {
		if valid != nil {
			nullbitmap.And(gone, 0, valid, 0, n)
		}
		f.set(gone, v)
	}
	return nil
}

// entry is the engine's place of a list among the items.
type entry struct{ offset, length uint64 }

// listFiller writes lists.
type listFiller struct {
	nulls
	width   int
	child   filler
	offsets []int64
	narrow  []int32
}

func (f *listFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	f.offsets = room(f.offsets, n+1)
	values := arr.(array.ListLike).ListValues()
	if err := readOffsets(f.offsets, &f.narrow, buffer(arr, 1), arr.Data().Offset()+off, f.width, int64(values.Len())); err != nil {
		return err
	}
	valid := f.write(arr, off, n, up, v)
	first, all := f.offsets[0], f.offsets[n]-f.offsets[0]
	if err := reserve(v, all); err != nil {
		return err
	}
	out := memory[entry](duck.VectorGetData(v), n)
	for i := range out {
		out[i] = entry{uint64(f.offsets[i] - first), uint64(f.offsets[i+1] - f.offsets[i])}
		if null(valid, i) {
			out[i] = entry{}
		}
	}
	return f.child.fill(values, int(first), int(all), nil, duck.ListVectorGetChild(v))
}

// reserve makes room for n items of the lists of v.
func reserve(v duck.Vector, n int64) error {
	if duck.ListVectorReserve(v, duck.IdxT(n)) != duck.StateSuccess || duck.ListVectorSetSize(v, duck.IdxT(n)) != duck.StateSuccess {
		return h5err.New(h5err.Memory, "the SQL engine has no room for %d items of lists", n)
	}
	return nil
}

func (f *listFiller) close() { f.child.close() }

// arrayFiller writes lists of fixed size.
type arrayFiller struct {
	nulls
	items int
	list  bool // as LIST
	child filler
	bits  []byte
}

func (f *arrayFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	valid := f.write(arr, off, n, up, v)
	first, all := (arr.Data().Offset()+off)*f.items, n*f.items
	values := arr.(array.ListLike).ListValues()
	if first+all > values.Len() {
		return h5err.New(h5err.Corrupt, "%d lists of %d items of %d", n, f.items, values.Len())
	}
	if f.list {
		if err := reserve(v, int64(all)); err != nil {
			return err
		}
		for i, out := 0, memory[entry](duck.VectorGetData(v), n); i < n; i++ {
			out[i] = entry{uint64(i * f.items), uint64(f.items)}
		}
		return f.child.fill(values, first, all, nil, duck.ListVectorGetChild(v))
	}
	var below []byte
	if valid != nil { // the engine wants the items of what is null to be null
		f.bits = room(f.bits, (all+63)/64*8)
		nullbitmap.Repeat(f.bits, 0, valid, 0, n, f.items, nullbitmap.Overwrite)
		below = f.bits
	}
	return f.child.fill(values, first, all, below, duck.ArrayVectorGetChild(v))
}

func (f *arrayFiller) close() { f.child.close() }

// structFiller writes structs.
type structFiller struct {
	nulls
	children []filler
}

func (f *structFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	valid := f.write(arr, off, n, up, v)
	s := arr.(*array.Struct)
	for i, c := range f.children {
		if err := c.fill(s.Field(i), off, n, valid, duck.StructVectorGetChild(v, duck.IdxT(i))); err != nil {
			return err
		}
	}
	return nil
}

func (f *structFiller) close() {
	for _, c := range f.children {
		c.close()
	}
}

// storageFiller writes what an extension type is stored as.
type storageFiller struct{ filler }

func (f *storageFiller) fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	return f.filler.fill(arr.(array.ExtensionArray).Storage(), off, n, up, v)
}
