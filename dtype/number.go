package dtype

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/kernel"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// plain is a fixed-width type whose bytes are Arrow's, except for their order.
type plain struct {
	info
	null  nullbitmap.Rule // values that are null, in the host's byte order
	nulls bool            // null is in use
}

func (n *plain) build(c *ctx, v *view) (*array.Data, error) {
	buf := c.values(v, n.swap != 0)
	valid := v.valid
	if n.nulls && !v.noNulls {
		valid = c.without(valid, n.null, buf.Bytes(), n.size, v.n)
	}
	return c.make(n.arrow, v.n, valid, []*memory.Buffer{buf}), nil
}

// order sets n's delivery for elements of width bytes in byte order o: mapped or swapped.
func (n *info) order(o h5.ByteOrder, width int) {
	n.delivery, n.swap = Mapped, 0
	if width > 1 && (o == h5.BigEndian) != kernel.HostIsBig() {
		n.delivery, n.swap = Swapped, width
		if o == h5.BigEndian {
			n.reason = "big-endian"
		} else {
			n.reason = "little-endian"
		}
	}
}

// intCodec reads the integers of one HDF5 type.
type intCodec struct {
	size      int
	order     h5.ByteOrder
	shift     int // lowest significant bit
	precision int
	signed    bool
}

// codec returns the reader of t's integers. Types of class time have no bit offset.
func codec(t *h5.Type, signed bool) (intCodec, error) {
	k := intCodec{t.Size, t.Order, t.BitOffset, t.Precision, signed}
	if k.precision == 0 && k.shift == 0 {
		k.precision = 8 * t.Size
	}
	switch {
	case k.shift < 0 || k.precision < 1 || k.shift > 8*t.Size || k.precision > 8*t.Size-k.shift:
		return k, h5err.New(h5err.Corrupt, "%d bits at bit %d of %d bytes", k.precision, k.shift, t.Size)
	case k.order == h5.VAX:
		return k, h5err.New(h5err.Unsupported, "integers in VAX byte order")
	case k.precision > 64:
		return k, h5err.New(h5err.Unsupported, "integers of %d bits", k.precision)
	}
	return k, nil
}

// batch is the number of integers that are read at a time.
const batch = 512

// each calls f with the integers of v, a batch at a time: xs are those from element i on.
func (k *intCodec) each(v *view, f func(i int, xs []uint64) error) error {
	var space [batch]uint64
	form := kernel.Int{Size: k.size, Big: k.order == h5.BigEndian, Shift: k.shift, Precision: k.precision, Signed: k.signed}
	for i := 0; i < v.n; i += batch {
		xs := space[:min(batch, v.n-i)]
		if k.size <= 8 {
			kernel.Ints(xs, v.b[i*v.stride:], form, v.stride, len(xs))
		} else {
			for j := range xs {
				xs[j] = k.wide(v.at(i + j))
			}
		}
		if err := f(i, xs); err != nil {
			return err
		}
	}
	return nil
}

// whole reports whether every bit is significant and the width is one of Arrow's.
func (k *intCodec) whole() bool {
	return k.shift == 0 && k.precision == 8*k.size && k.size <= 8 && k.size&(k.size-1) == 0
}

// width returns the bytes of the Arrow integer for k: that of the container, where Arrow has one.
func (k *intCodec) width() int {
	size := k.size
	if size > 8 {
		size = (k.precision + 7) / 8
	}
	_, w := types.ArrowInt(k.signed, size)
	return w
}

// get returns the value stored in b, sign-extended for signed types.
func (k *intCodec) get(b []byte) uint64 {
	if k.size > 8 {
		return k.wide(b[:k.size])
	}
	f := kernel.Int{Size: k.size, Big: k.order == h5.BigEndian, Shift: k.shift, Precision: k.precision, Signed: k.signed}
	return f.Get(b)
}

// extend returns the number in the lowest precision bits of x.
func (k *intCodec) extend(x uint64) uint64 {
	unused := uint(64 - k.precision)
	if x <<= unused; k.signed {
		return uint64(int64(x) >> unused)
	}
	return x >> unused
}

// wide is get for containers of more than eight bytes, bit by bit: they are rare.
func (k *intCodec) wide(b []byte) uint64 {
	var x uint64
	for bit := k.shift + k.precision - 1; bit >= k.shift; bit-- {
		at := bit / 8
		if k.order == h5.BigEndian {
			at = len(b) - 1 - at
		}
		x = x<<1 | uint64(b[at]>>(bit%8)&1)
	}
	return k.extend(x)
}

// putInt writes the low width bytes of x in the host's order as element i of dst.
func putInt(dst []byte, width, i int, x uint64) {
	switch width {
	case 1:
		dst[i] = byte(x)
	case 2:
		binary.NativeEndian.PutUint16(dst[2*i:], uint16(x))
	case 4:
		binary.NativeEndian.PutUint32(dst[4*i:], uint32(x))
	case 8:
		binary.NativeEndian.PutUint64(dst[8*i:], x)
	}
}

// putInts writes the low width bytes of each of xs in the host's order to adjacent bytes.
func putInts(dst []byte, width int, xs []uint64) {
	switch width {
	case 1:
		for i, x := range xs {
			dst[i] = byte(x)
		}
	case 2:
		for i, x := range xs {
			binary.NativeEndian.PutUint16(dst[2*i:], uint16(x))
		}
	case 4:
		for i, x := range xs {
			binary.NativeEndian.PutUint32(dst[4*i:], uint32(x))
		}
	case 8:
		for i, x := range xs {
			binary.NativeEndian.PutUint64(dst[8*i:], x)
		}
	}
}

// oddInt is an integer of a width that Arrow lacks, or with padding bits.
type oddInt struct {
	info
	codec intCodec
	width int
}

func (n *oddInt) build(c *ctx, v *view) (*array.Data, error) {
	buf := c.buffer(v.n * n.width)
	err := n.codec.each(v, func(i int, xs []uint64) error {
		putInts(buf.Bytes()[i*n.width:], n.width, xs)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.make(n.arrow, v.n, v.valid, []*memory.Buffer{buf}), nil
}

// integer returns the node of integers that codec k reads.
func (b *planner) integer(k intCodec) (node, error) {
	w := k.width()
	t, _ := types.ArrowInt(k.signed, w)
	if t == nil {
		return nil, h5err.New(h5err.Unsupported, "integers of %d bytes", k.size)
	}
	if k.whole() {
		n := &plain{info: info{arrow: t, size: k.size}}
		n.order(k.order, k.size)
		return n, nil
	}
	n := &oddInt{info: info{arrow: t, size: k.size, delivery: Converted}, codec: k, width: w}
	n.reason = "integers of an odd width"
	if k.shift != 0 || k.precision != 8*k.size {
		n.reason = "integers with padding bits"
	}
	return n, nil
}

func (b *planner) fixed(t *h5.Type) (node, error) {
	k, err := codec(t, t.Signed)
	if err != nil {
		return nil, err
	}
	return b.integer(k)
}

func (b *planner) time(t *h5.Type) (node, error) {
	k, err := codec(t, true)
	if err != nil {
		return nil, err
	}
	if b.unix && k.whole() && k.size >= 4 {
		return newUnixTime(k), nil
	}
	return b.integer(k)
}

func (b *planner) bitfield(t *h5.Type) (node, error) {
	k, err := codec(t, false)
	if err != nil {
		return nil, err
	}
	if b.boolBits && t.Size == 1 {
		return newBool(byte(1<<k.precision-1) << k.shift), nil
	}
	return b.integer(k)
}

// boolean is a byte that is true when any bit of mask is set.
type boolean struct {
	info
	mask  byte
	rule  nullbitmap.Rule
	null  nullbitmap.Rule // bytes that are null
	nulls bool            // null is in use
}

func newBool(mask byte) *boolean {
	n := &boolean{info: info{arrow: arrow.FixedWidthTypes.Boolean, size: 1, delivery: Packed, reason: "byte booleans become bits"}, mask: mask}
	if mask != 0xff {
		n.rule, _ = nullbitmap.AnyBit([]byte{mask}, nullbitmap.SetIsValid)
	}
	return n
}

func (n *boolean) build(c *ctx, v *view) (*array.Data, error) {
	buf := c.bitmap(v.n)
	stride := max(v.stride, 1)
	switch {
	case v.n == 0:
	case n.mask != 0xff:
		n.rule.ApplyStrided(buf.Bytes(), 0, v.b, stride, v.n, nullbitmap.Overwrite)
	case v.packed():
		nullbitmap.PackBools(buf.Bytes(), 0, v.b[:v.n])
	default:
		nullbitmap.FromMaskStrided(buf.Bytes(), 0, v.b, stride, v.n, nullbitmap.SetIsValid, nullbitmap.Overwrite)
	}
	valid := v.valid
	if n.nulls && v.n > 0 {
		valid = c.without(valid, n.null, v.b, stride, v.n)
	}
	return c.make(n.arrow, v.n, valid, []*memory.Buffer{buf}), nil
}
