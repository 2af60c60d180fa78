package predicate

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Words returns the number of 64-bit words of a mask of n rows.
func Words(n int) int { return (n + 63) / 64 }

// Fill sets the bits of the first n rows of a mask and clears those after them.
func Fill(mask []uint64, n int) {
	for i := range mask {
		switch left := n - 64*i; {
		case left >= 64:
			mask[i] = math.MaxUint64
		case left > 0:
			mask[i] = 1<<left - 1
		default:
			mask[i] = 0
		}
	}
}

// Count returns the number of bits of a mask that are set.
func Count(mask []uint64) int {
	k := 0
	for _, w := range mask {
		k += bits.OnesCount64(w)
	}
	return k
}

// Rows returns the set bits of the n bits of a mask from bit off on, counted from off.
func Rows(mask []uint64, off, n int) (out []int32) {
	for i := off; i < off+n; i++ {
		w := mask[i/64] >> (i % 64)
		if w == 0 {
			i |= 63
			continue
		}
		if i += bits.TrailingZeros64(w); i < off+n {
			out = append(out, int32(i-off))
		}
	}
	return out
}

// Matcher applies a Test to arrays. It is to be used by one goroutine at a time.
type Matcher struct {
	*Test
	of    arrow.ArrayData // the dictionary that labels are of
	label []uint64        // for each value of the dictionary whether the test holds
	block block
}

// block is room for some values, which are copied before they are compared: arrays may lie in the mapping of a file, at any
// address.
type block [blockRows]uint64

const blockRows = 512 // a multiple of 64

// Matcher returns a matcher of the test.
func (t *Test) Matcher() *Matcher { return &Matcher{Test: t} }

// Choose clears the bits of mask for the rows [off,off+n) of arr for which the test does not hold; bit 0 is row off. mask has
// Words(n) words. Arrays that contradict themselves are a Corrupt error.
func (m *Matcher) Choose(arr arrow.Array, off, n int, mask []uint64) error {
	d := arr.Data()
	if x, ok := arr.(array.ExtensionArray); ok {
		d = x.Storage().Data()
	}
	if d.DataType().ID() == arrow.NULL {
		if m.op != IsNull {
			clear(mask)
		}
		return nil
	}
	at := d.Offset() + off
	m.nulls(buffer(d, 0), at, n, mask)
	switch m.form {
	case formBool:
		m.bools(buffer(d, 1), at, n, mask)
	case formNumber:
		m.numbers(buffer(d, 1), at, n, mask)
	case formText:
		return eachText(d, at, n, mask, m.textHolds)
	case formDictionary:
		return m.dictionary(d, at, n, mask)
	}
	return nil
}

// buffer returns the bytes of an array's buffer, nil if it has no such buffer.
func buffer(d arrow.ArrayData, i int) []byte {
	if b := d.Buffers(); i < len(b) && b[i] != nil {
		return b[i].Bytes()
	}
	return nil
}

// word returns 64 bits from bit at on. Bits after the end are 0.
func word(b []byte, at int) uint64 {
	i, shift := at/8, uint(at%8)
	if i+9 <= len(b) {
		return binary.LittleEndian.Uint64(b[i:])>>shift | uint64(b[i+8])<<1<<(63-shift)
	}
	var last [9]byte
	if i < len(b) {
		copy(last[:], b[i:])
	}
	return binary.LittleEndian.Uint64(last[:])>>shift | uint64(last[8])<<1<<(63-shift)
}

// nulls clears the bits of nulls, or of all others.
func (m *Matcher) nulls(valid []byte, at, n int, mask []uint64) {
	switch {
	case len(valid) > 0:
		for i := range mask {
			if w := word(valid, at+64*i); m.op == IsNull {
				mask[i] &^= w
			} else {
				mask[i] &= w
			}
		}
	case m.op == IsNull:
		clear(mask)
	}
}

func (m *Matcher) bools(values []byte, at, n int, mask []uint64) {
	zero, one := m.holds(0), m.holds(1)
	for i := range mask {
		w := word(values, at+64*i)
		switch {
		case one && !zero:
			mask[i] &= w
		case zero && !one:
			mask[i] &^= w
		case !zero:
			mask[i] = 0
		}
	}
}

// holds reports whether the test holds for a key.
func (t *Test) holds(key int64) bool {
	i := sort.Search(len(t.spans), func(i int) bool { return t.spans[i].High >= key })
	return i < len(t.spans) && t.spans[i].Low <= key
}

// numbers clears the bits of numbers. It compares a block at a time.
func (m *Matcher) numbers(values []byte, at, n int, mask []uint64) {
	if len(m.spans) == 0 {
		clear(mask)
		return
	}
	width := m.typ.(arrow.FixedWidthDataType).Bytes()
	for lo := 0; lo < n; lo += blockRows {
		k := min(blockRows, n-lo)
		part := mask[lo/64 : (lo+k+63)/64]
		if Count(part) == 0 {
			continue
		}
		copy(arrow.Uint64Traits.CastToBytes(m.block[:]), values[(at+lo)*width:(at+lo+k)*width])
		m.compare(part, k)
	}
}

// compare compares the n values of the block.
func (m *Matcher) compare(mask []uint64, n int) {
	b := arrow.Uint64Traits.CastToBytes(m.block[:])
	switch m.typ.ID() {
	case arrow.INT8:
		within(m.spans, arrow.Int8Traits.CastFromBytes(b)[:n], mask)
	case arrow.UINT8:
		within(m.spans, arrow.Uint8Traits.CastFromBytes(b)[:n], mask)
	case arrow.INT16:
		within(m.spans, arrow.Int16Traits.CastFromBytes(b)[:n], mask)
	case arrow.UINT16:
		within(m.spans, arrow.Uint16Traits.CastFromBytes(b)[:n], mask)
	case arrow.INT32, arrow.DATE32:
		within(m.spans, arrow.Int32Traits.CastFromBytes(b)[:n], mask)
	case arrow.UINT32:
		within(m.spans, arrow.Uint32Traits.CastFromBytes(b)[:n], mask)
	default:
		toKeys(m.typ.ID(), &m.block, n)
		within(m.spans, m.block[:n], mask)
	}
}

// toKeys replaces the n values of a block with their keys.
func toKeys(t arrow.Type, block *block, n int) {
	switch b := arrow.Uint64Traits.CastToBytes(block[:]); t {
	case arrow.INT8:
		widen(block, arrow.Int8Traits.CastFromBytes(b)[:n])
	case arrow.UINT8:
		widen(block, arrow.Uint8Traits.CastFromBytes(b)[:n])
	case arrow.INT16:
		widen(block, arrow.Int16Traits.CastFromBytes(b)[:n])
	case arrow.UINT16:
		widen(block, arrow.Uint16Traits.CastFromBytes(b)[:n])
	case arrow.INT32, arrow.DATE32:
		widen(block, arrow.Int32Traits.CastFromBytes(b)[:n])
	case arrow.UINT32:
		widen(block, arrow.Uint32Traits.CastFromBytes(b)[:n])
	case arrow.FLOAT16:
		for i, h := range slices.Backward(arrow.Uint16Traits.CastFromBytes(b)[:n]) {
			block[i] = uint64(floatKey(math.Float64bits(float64(float16.FromBits(h).Float32()))))
		}
	case arrow.FLOAT32:
		for i, f := range slices.Backward(arrow.Float32Traits.CastFromBytes(b)[:n]) {
			block[i] = uint64(floatKey(math.Float64bits(float64(f))))
		}
	case arrow.FLOAT64:
		for i, f := range block[:n] {
			block[i] = uint64(floatKey(f))
		}
	case arrow.UINT64:
		for i := range block[:n] {
			block[i] ^= 1 << 63
		}
	}
}

// widen replaces integers in a block with longer ones. The last is the first: where it goes, no other is.
func widen[T int8 | uint8 | int16 | uint16 | int32 | uint32](block *block, values []T) {
	for i, v := range slices.Backward(values) {
		block[i] = uint64(int64(v))
	}
}

// within clears the bits of the values whose keys are in none of the spans.
func within[T int8 | uint8 | int16 | uint16 | int32 | uint32 | uint64](spans []Span, values []T, mask []uint64) {
	if len(spans) > 2 {
		t := Test{spans: spans}
		for i, v := range values {
			if mask[i/64]>>(i%64)&1 == 1 && !t.holds(int64(v)) {
				mask[i/64] &^= 1 << (i % 64)
			}
		}
		return
	}
	low, width := uint64(spans[0].Low), uint64(spans[0].High)-uint64(spans[0].Low)
	low2, width2 := low, width
	if len(spans) == 2 {
		low2, width2 = uint64(spans[1].Low), uint64(spans[1].High)-uint64(spans[1].Low)
	}
	for i := range mask {
		var w uint64
		for j, v := range values[64*i : min(64*i+64, len(values))] {
			var in uint64
			if k := uint64(int64(v)); k-low <= width || k-low2 <= width2 {
				in = 1
			}
			w |= in << j
		}
		mask[i] &= w
	}
}

// eachText clears the bits of texts for which holds is false.
func eachText(d arrow.ArrayData, at, n int, mask []uint64, holds func([]byte) bool) error {
	if f, ok := d.DataType().(*arrow.FixedSizeBinaryType); ok {
		b := buffer(d, 1)
		return each(n, mask, func(i int) (bool, error) { return holds(b[(at+i)*f.ByteWidth : (at+i+1)*f.ByteWidth]), nil })
	}
	bytes, offsets := buffer(d, 2), buffer(d, 1)
	offset := func(i int) uint64 { return uint64(binary.LittleEndian.Uint32(offsets[4*i:])) }
	if id := d.DataType().ID(); id == arrow.LARGE_STRING || id == arrow.LARGE_BINARY {
		offset = func(i int) uint64 { return binary.LittleEndian.Uint64(offsets[8*i:]) }
	}
	return each(n, mask, func(i int) (bool, error) {
		a, b := offset(at+i), offset(at+i+1)
		if a > b || b > uint64(len(bytes)) { // a file that is being changed
			return false, h5err.New(h5err.Corrupt, "text from byte %d to %d of %d", a, b, len(bytes))
		}
		return holds(bytes[a:b]), nil
	})
}

// each clears the bits of those set for which holds is false.
func each(n int, mask []uint64, holds func(i int) (bool, error)) error {
	for k, w := range mask {
		for ; w != 0; w &= w - 1 {
			j := bits.TrailingZeros64(w)
			ok, err := holds(64*k + j)
			if err != nil {
				return err
			}
			if !ok {
				mask[k] &^= 1 << j
			}
		}
	}
	return nil
}

// textHolds reports whether the test holds for a text.
func (t *Test) textHolds(b []byte) bool {
	if t.op == In {
		i := sort.Search(len(t.texts), func(i int) bool { return t.texts[i] >= string(b) })
		return i < len(t.texts) && t.texts[i] == string(b)
	}
	c := t.texts[0]
	switch t.op {
	case Equal:
		return string(b) == c
	case NotEqual:
		return string(b) != c
	case Less:
		return string(b) < c
	case LessOrEqual:
		return string(b) <= c
	case Greater:
		return string(b) > c
	}
	return string(b) >= c
}

// dictionary clears the bits of rows whose values do not pass.
func (m *Matcher) dictionary(d arrow.ArrayData, at, n int, mask []uint64) error {
	values := d.Dictionary()
	if values == nil {
		return h5err.New(h5err.Corrupt, "a dictionary without values")
	}
	size := values.Len()
	if m.of != values || len(m.label) != Words(size) {
		labels := array.MakeFromData(values)
		defer labels.Release()
		m.of, m.label = nil, make([]uint64, Words(size))
		Fill(m.label, size)
		if err := m.labels.Matcher().Choose(labels, 0, size, m.label); err != nil {
			return err
		}
		m.of = values
	}
	return eachIndex(d, at, n, mask, func(k int) bool { return m.label[k/64]>>(k%64)&1 == 1 })
}

// eachIndex clears the bits of indices for which holds is false.
func eachIndex(d arrow.ArrayData, at, n int, mask []uint64, holds func(k int) bool) error {
	size := uint64(d.Dictionary().Len())
	width := d.DataType().(*arrow.DictionaryType).IndexType.(arrow.FixedWidthDataType).Bytes()
	b := buffer(d, 1)
	return each(n, mask, func(i int) (bool, error) {
		k := index(b, at+i, width)
		if k >= size { // negative ones are too large as well
			return false, h5err.New(h5err.Corrupt, "index %d of a dictionary of %d values", int64(k), size)
		}
		return holds(int(k)), nil
	})
}

// index returns a number of so many bytes.
func index(b []byte, i, width int) uint64 {
	switch width {
	case 1:
		return uint64(b[i])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b[2*i:]))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return binary.LittleEndian.Uint64(b[8*i:])
}
