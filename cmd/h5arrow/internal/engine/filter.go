//go:build duckdb_arrow && cgo

package engine

// #include "bridge.h"
import "C"

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/vector"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// operator is a comparison of a column with a constant.
type operator uint8

// The operators.
const (
	opEqual      operator = C.H5ARROW_EQUAL
	opNotEqual   operator = C.H5ARROW_NOT_EQUAL
	opLess       operator = C.H5ARROW_LESS
	opNotLess    operator = C.H5ARROW_NOT_LESS
	opGreater    operator = C.H5ARROW_GREATER
	opNotGreater operator = C.H5ARROW_NOT_GREATER
	opNull       operator = iota + 10
	opNotNull
)

// condition is a term about a column of batches.
type condition struct {
	term
	at      int // column of the batch
	typ     arrow.Type
	matcher *predicate.Matcher // of a thread, where the kernels can't apply the term
}

// words is the number of 64-bit words for one bit of each row of a vector.
const words = vectorRows / 64

// choice finds the rows for which conditions hold. It belongs to one thread.
type choice struct {
	conditions []condition
	mask       []uint64 // a bit for each row
	chosen     int      // bits that are set
	bits       []uint64
	values     []uint64 // room for a vector of any width
	copied     int      // column of the batch whose values they are, -1 for none
	sel        []uint32
}

// newChoice allocates vectors. They are slices, not arrays, as cgo copies arrays when it checks what it passes.
func newChoice(conditions []condition) *choice {
	p := &choice{conditions: slices.Clone(conditions), mask: make([]uint64, words), bits: make([]uint64, words), values: make([]uint64, vectorRows)}
	for i := range p.conditions {
		if c := &p.conditions[i]; c.op == 0 {
			c.matcher = c.test.Matcher()
		}
	}
	return p
}

// choose sets the mask for the rows [off,off+n) of a batch and returns how many rows it chose.
func (p *choice) choose(rec arrow.RecordBatch, off, n int) (int, error) {
	clear(p.mask)
	nullbitmap.Fill(vector.Raw(p.mask), 0, n, true)
	p.copied = -1
	for i := range p.conditions {
		if err := p.conditions[i].apply(p, rec.Column(p.conditions[i].at), off, n); err != nil {
			return 0, err
		}
	}
	p.chosen = 0
	for _, w := range p.mask {
		p.chosen += bits.OnesCount64(w)
	}
	return p.chosen, nil
}

// load sets the mask to n bits from bit off of those that choose has found for a whole batch, and returns how many are set.
func (p *choice) load(all []uint64, off, n int) int {
	clear(p.mask)
	p.chosen = n - nullbitmap.Copy(vector.Raw(p.mask), 0, vector.Raw(all), off, n)
	return p.chosen
}

// singleRows is the number of rows of a vector up to which each is copied by itself.
const singleRows = vectorRows / 64

// rows lists the rows that choose has chosen, counted from off.
func (p *choice) rows() []uint32 {
	p.sel = p.sel[:0]
	for i, w := range p.mask {
		for ; w != 0; w &= w - 1 {
			p.sel = append(p.sel, uint32(64*i+bits.TrailingZeros64(w)))
		}
	}
	return p.sel
}

// apply clears the bits of rows that the condition does not hold for.
func (c *condition) apply(p *choice, arr arrow.Array, off, n int) error {
	if c.matcher != nil {
		return c.matcher.Choose(arr, off, n, p.mask[:(n+63)/64])
	}
	valid := vector.Buffer(arr, 0)
	switch {
	case len(valid) > 0:
		nullbitmap.Copy(vector.Raw(p.bits), 0, valid, arr.Data().Offset()+off, n)
		for i := range p.mask {
			if c.op == opNull {
				p.mask[i] &^= p.bits[i]
			} else {
				p.mask[i] &= p.bits[i]
			}
		}
	case c.op == opNull:
		clear(p.mask)
	}
	if c.op == opNull || c.op == opNotNull {
		return nil
	}
	kind, constant, all := c.constant()
	if constant == nil {
		if !all {
			clear(p.mask)
		}
		return nil
	}
	width := kind & 15
	if p.copied != c.at {
		vector.CopyRows(vector.Raw(p.values), arr, off, n, width)
		p.copied = c.at
	}
	compareValues(kind, c.op, p.values, constant, p.mask[:(n+63)/64])
	return nil
}

// integers has, for each type of integers and of what is stored as one, the kind for h5arrow_compare and the minimum and maximum values.
var integers = map[arrow.Type]struct {
	kind     int
	min, max int64
}{
	arrow.INT8:   {C.H5ARROW_SIGNED + 1, math.MinInt8, math.MaxInt8},
	arrow.INT16:  {C.H5ARROW_SIGNED + 2, math.MinInt16, math.MaxInt16},
	arrow.INT32:  {C.H5ARROW_SIGNED + 4, math.MinInt32, math.MaxInt32},
	arrow.INT64:  {C.H5ARROW_SIGNED + 8, math.MinInt64, math.MaxInt64},
	arrow.UINT8:  {C.H5ARROW_UNSIGNED + 1, 0, math.MaxUint8},
	arrow.UINT16: {C.H5ARROW_UNSIGNED + 2, 0, math.MaxUint16},
	arrow.UINT32: {C.H5ARROW_UNSIGNED + 4, 0, math.MaxUint32},
	arrow.UINT64: {C.H5ARROW_UNSIGNED + 8, 0, math.MaxInt64}, // constants are no larger

	arrow.DATE32:    {C.H5ARROW_SIGNED + 4, math.MinInt32, math.MaxInt32},
	arrow.TIMESTAMP: {C.H5ARROW_SIGNED + 8, math.MinInt64, math.MaxInt64},
}

// constant returns the comparison and the bytes of the constant. There are no bytes if the constant is less or greater than
// all values of the type; all then reports whether the condition holds for them.
func (c *condition) constant() (kind int, constant []byte, all bool) {
	switch c.typ {
	case arrow.FLOAT32:
		return C.H5ARROW_FLOAT + 4, binary.NativeEndian.AppendUint32(nil, math.Float32bits(float32(*c.real))), false
	case arrow.FLOAT64:
		return C.H5ARROW_FLOAT + 8, binary.NativeEndian.AppendUint64(nil, math.Float64bits(*c.real)), false
	}
	t := integers[c.typ]
	switch below, above := c.digits < t.min, c.digits > t.max; {
	case below:
		return 0, nil, c.op == opNotEqual || c.op == opGreater || c.op == opNotLess
	case above:
		return 0, nil, c.op == opNotEqual || c.op == opLess || c.op == opNotGreater
	}
	switch t.kind & 15 {
	case 1:
		constant = []byte{byte(c.digits)}
	case 2:
		constant = binary.NativeEndian.AppendUint16(nil, uint16(c.digits))
	case 4:
		constant = binary.NativeEndian.AppendUint32(nil, uint32(c.digits))
	default:
		constant = binary.NativeEndian.AppendUint64(nil, uint64(c.digits))
	}
	return t.kind, constant, false
}

// gathers reports whether gather can write what a filler fills.
func gathers(f vector.Filler) bool {
	switch f.(type) {
	case *vector.Plain, *vector.Double:
		return true
	}
	return false
}

// gather writes the chosen rows of [off,off+n) of arr to v, starting at row at. One or more calls fill a vector from its start.
func gather(f vector.Filler, arr arrow.Array, off, n int, p *choice, at int, v duck.Vector) {
	switch f := f.(type) {
	case *vector.Double:
		vector.CopyRows(vector.Raw(p.values), arr, off, n, 4)
		pickDoubles(unsafe.Add(duck.VectorGetData(v), at*8), vectorRows-at, p.values, p.mask[:(n+63)/64])
	case *vector.Plain:
		gatherPlain(f.Width, arr, off, n, p, unsafe.Add(duck.VectorGetData(v), at*f.Width), vectorRows-at)
	}
	gatherNulls(arr, off, n, p, at, v)
}

// gatherPlain writes the chosen values of width bytes to memory for room values.
func gatherPlain(width int, arr arrow.Array, off, n int, p *choice, to unsafe.Pointer, room int) {
	if p.chosen > singleRows {
		vector.CopyRows(vector.Raw(p.values), arr, off, n, width)
		pickValues(width, to, room, p.values, p.mask[:(n+63)/64])
		return
	}
	from := vector.Buffer(arr, 1)[(arr.Data().Offset()+off)*width:]
	out := vector.Memory[byte](to, p.chosen*width)
	for i, row := range p.rows() {
		copy(out[i*width:(i+1)*width], from[int(row)*width:])
	}
}

// gatherNulls writes the validity of the chosen rows.
func gatherNulls(arr arrow.Array, off, n int, p *choice, at int, v duck.Vector) {
	valid := vector.Buffer(arr, 0)
	if len(valid) == 0 || nullbitmap.Copy(vector.Raw(p.bits), 0, valid, arr.Data().Offset()+off, n) == 0 {
		return
	}
	duck.VectorEnsureValidityWritable(v)
	pickBits(duck.VectorGetValidity(v), at, p.bits, p.mask[:(n+63)/64])
}
