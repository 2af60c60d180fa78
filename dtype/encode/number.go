package encode

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/float16"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/kernel"
	"github.com/h5arrow/h5arrow/dtype/internal/numpy"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// number is integers, floats, times and opaque bytes: elements whose bits Arrow has too, except for their width.
type number struct {
	info
	from, to int // bytes of an element in Arrow and in HDF5
	signed   bool
	bytes    bool                               // not a number: the byte order of the host does not matter
	convert  func(x uint64) (y uint64, ok bool) // nil: the same bits
	fill     []byte                             // of to bytes
	null     nullbitmap.Rule                    // stored values that are read as null
	nulls    bool                               // null is in use
	filled   bool                               // fill represents nulls also inside other types
}

func (b *planner) number(t arrow.DataType, depth int) (node, error) {
	own := t.(arrow.FixedWidthDataType).Bytes()
	w := own
	if depth == 0 && b.opt.Width != 0 {
		w = b.opt.Width
	}
	isFloat := arrow.IsFloating(t.ID())
	n := &number{from: own, to: w, fill: make([]byte, w)}
	n.delivery, n.arrow = dtype.Mapped, t
	switch {
	case isFloat:
		if n.typ = types.Float(w, h5.LittleEndian); n.typ == nil {
			return nil, h5err.New(h5err.Argument, "floats of %d bytes", w)
		}
		n.arrow = types.ArrowFloat(w)
		n.fill = nullbitmap.StoredFloat(math.NaN(), w, nullbitmap.LittleEndian)
	default:
		n.signed = arrow.IsSignedInteger(t.ID())
		n.typ = intOf(w, n.signed)
		n.arrow, _ = types.ArrowInt(n.signed, w)
	}
	if w != own {
		n.delivery, n.reason = dtype.Converted, fmt.Sprintf("stored in %d bytes", w)
		n.convert = n.intTo
		if isFloat {
			n.convert = n.floatTo
		}
	}
	if b.nulls == NullsSentinel && depth == 0 {
		return n, n.useSentinel(b.opt.Sentinel, isFloat)
	}
	return n, nil
}

// useSentinel makes a value of n mean null: s, or NaN without one.
func (n *number) useSentinel(s []byte, isFloat bool) (err error) {
	if s != nil && len(s) != n.to {
		return h5err.New(h5err.Argument, "a sentinel of %d bytes for elements of %d", len(s), n.to)
	}
	if isFloat && (s == nil || isNaN(s)) {
		if s != nil {
			n.fill = s
		}
		n.read.NaNAsNull = true
		n.nulls = true
		n.null, err = nullbitmap.NaN(n.to, nullbitmap.LittleEndian)
		return err
	}
	if s == nil {
		return h5err.New(h5err.Argument, "no sentinel for nulls of %s", n.arrow)
	}
	n.fill, n.sentinel, n.nulls = s, s, true
	if isFloat {
		n.null, err = nullbitmap.EqualFloat(n.to, nullbitmap.LittleEndian, storedFloat(s))
		return err
	}
	n.null, err = nullbitmap.Equal(s)
	return err
}

// time plans times, stored as numpy has them: int64 in the unit of Dataset.DType, or in an opaque type inside others.
func (b *planner) time(t arrow.DataType, depth int) (node, error) {
	kind, unit, zone := "datetime64", "", ""
	n := &number{to: 8, signed: true, fill: nullbitmap.Stored(1<<63, 8, nullbitmap.LittleEndian), nulls: true}
	n.from, n.arrow, n.delivery = t.(arrow.FixedWidthDataType).Bytes(), t, dtype.Mapped
	duration := func(u arrow.TimeUnit) {
		kind, unit, n.arrow = "timedelta64", u.String(), &arrow.DurationType{Unit: u}
	}
	switch t := t.(type) {
	case *arrow.TimestampType:
		unit, zone = t.Unit.String(), t.TimeZone
		if depth > 0 {
			n.arrow = &arrow.TimestampType{Unit: t.Unit}
		}
	case *arrow.DurationType:
		duration(t.Unit)
	case *arrow.Date32Type:
		unit = "D"
	case *arrow.Date64Type:
		b.lost = append(b.lost, "date64 is read back as timestamp[ms]")
		unit, n.arrow = "ms", &arrow.TimestampType{Unit: arrow.Millisecond}
	case *arrow.Time32Type:
		b.lost = append(b.lost, "the time of day is read back as a duration")
		duration(t.Unit)
	case *arrow.Time64Type:
		b.lost = append(b.lost, "the time of day is read back as a duration")
		duration(t.Unit)
	}
	if b.opt.Sentinel != nil && depth == 0 {
		return nil, h5err.New(h5err.Argument, "a sentinel for %s: it has NaT", n.arrow)
	}
	var err error
	if n.null, err = nullbitmap.Equal(n.fill); err != nil {
		return nil, err
	}
	if n.from != 8 {
		n.convert, n.delivery, n.reason = n.intTo, dtype.Converted, "stored in 64 bits"
	}
	name := kind + "[" + unit + "]"
	if depth > 0 {
		n.typ, n.filled = &h5.Type{Class: h5.ClassOpaque, Size: 8, Tag: numpy.TagPrefix + name}, true
		if zone != "" {
			b.lost = append(b.lost, "time zones inside other types are lost")
		}
		return n, nil
	}
	n.typ, n.dtype, n.zone = intOf(8, true), name, zone
	return n, nil
}

func (b *planner) opaque(t *arrow.FixedSizeBinaryType, md arrow.Metadata, depth int) (node, error) {
	if err := b.noSentinel(t, depth); err != nil {
		return nil, err
	}
	if t.ByteWidth < 1 {
		return nil, h5err.New(h5err.Unsupported, "%s", t)
	}
	tag, _ := md.GetValue(dtype.MetaOpaqueTag)
	if _, ok := numpy.Tag(tag); ok || strings.IndexByte(tag, 0) >= 0 || len(tag) > 255 {
		return nil, h5err.New(h5err.Unsupported, "the tag %.40q of opaque bytes", tag)
	}
	n := &number{from: t.ByteWidth, to: t.ByteWidth, fill: make([]byte, t.ByteWidth), bytes: true}
	n.typ, n.arrow, n.delivery = &h5.Type{Class: h5.ClassOpaque, Size: t.ByteWidth, Tag: tag}, t, dtype.Mapped
	return n, nil
}

func (n *number) takes(t arrow.DataType) bool {
	f, ok := t.(arrow.FixedWidthDataType)
	return ok && f.BitWidth() == 8*n.from && t.ID() != arrow.DICTIONARY
}

// stored returns the bytes of s's elements as Arrow has them.
func (n *number) stored(s *source) []byte {
	d := s.Data()
	b := d.Buffers()[1]
	if b == nil || d.Len() == 0 {
		return nil
	}
	return b.Bytes()[d.Offset()*n.from:][:d.Len()*n.from]
}

// share returns the array's own bytes; ok is false where they are not what is to be stored.
func (n *number) share(s *source) (b []byte, ok bool, err error) {
	if n.convert != nil || s.gaps() || !n.bytes && n.to > 1 && kernel.HostIsBig() {
		return nil, false, nil
	}
	b = n.stored(s)
	if err := n.ambiguous(b, n.to, s); err != nil {
		return nil, true, err
	}
	return b, true, nil
}

func (n *number) put(dst []byte, stride int, s *source) error {
	src, rows := n.stored(s), s.Len()
	switch {
	case src == nil: // no rows, or nulls without values
	case n.convert != nil:
		for i := range rows {
			y, ok := n.convert(hostInt(src[i*n.from:], n.from))
			if !ok && s.alive(i) && s.IsValid(i) {
				return element.New(i, h5err.Argument, "%s does not fit %d bytes", s.ValueStr(i), n.to)
			}
			putLittle(dst[i*stride:], n.to, y)
		}
	case stride == n.to:
		copy(dst, src)
	default:
		for i := range rows {
			copy(dst[i*stride:i*stride+n.to], src[i*n.from:])
		}
	}
	if n.convert == nil && !n.bytes && n.to > 1 && kernel.HostIsBig() {
		for i := range rows {
			cell := dst[i*stride : i*stride+n.to]
			kernel.Swap(cell, cell, n.to)
		}
	}
	if err := n.ambiguous(dst, stride, s); err != nil {
		return err
	}
	if !s.gaps() {
		return nil
	}
	there, err := s.there(n.arrow, n.filled)
	if err != nil {
		return err
	}
	if stride == n.to {
		nullbitmap.WriteSentinel(dst[:rows*stride], n.fill, there, 0)
	} else {
		nullbitmap.WriteSentinelStrided(dst, stride, rows, n.fill, there, 0)
	}
	return nil
}

// ambiguous returns an error when a valid element would be read as null.
func (n *number) ambiguous(dst []byte, stride int, s *source) error {
	if !n.nulls || s.Len() == 0 || len(dst) == 0 {
		return nil
	}
	bits := make([]byte, (s.Len()+7)/8)
	if n.null.ApplyStrided(bits, 0, dst, stride, s.Len(), nullbitmap.Overwrite) == 0 {
		return nil
	}
	for i := range s.Len() {
		if bits[i>>3]>>(i&7)&1 == 0 && s.alive(i) && s.IsValid(i) {
			return element.New(i, h5err.Unsupported, "the value %s means null in HDF5", s.ValueStr(i))
		}
	}
	return nil
}

// intTo converts an integer of from bytes to one of to bytes.
func (n *number) intTo(x uint64) (uint64, bool) {
	if n.signed {
		shift := 64 - 8*uint(n.from)
		x = uint64(int64(x<<shift) >> shift)
	}
	return x, fitsIn(x, n.to, n.signed)
}

// fitsIn reports whether an integer, sign-extended where it is signed, fits w bytes.
func fitsIn(x uint64, w int, signed bool) bool {
	shift := 64 - 8*uint(w)
	if signed {
		return uint64(int64(x<<shift)>>shift) == x
	}
	return x<<shift>>shift == x
}

// floatTo converts a float; ok is false when that would change it. NaN becomes any NaN.
func (n *number) floatTo(x uint64) (y uint64, ok bool) {
	v := floatFrom(x, n.from)
	y = types.FloatBits(n.to, v)
	return y, v != v || floatFrom(y, n.to) == v
}

func floatFrom(x uint64, w int) float64 {
	switch w {
	case 2:
		return float64(float16.FromBits(uint16(x)).Float32())
	case 4:
		return float64(math.Float32frombits(uint32(x)))
	}
	return math.Float64frombits(x)
}

// storedFloat returns a little-endian float.
func storedFloat(b []byte) float64 {
	x := uint64(0)
	for i := len(b) - 1; i >= 0; i-- {
		x = x<<8 | uint64(b[i])
	}
	return floatFrom(x, len(b))
}

func isNaN(b []byte) bool { v := storedFloat(b); return v != v }

// hostInt returns the integer of w bytes, in the host's order, at the start of b.
func hostInt(b []byte, w int) uint64 {
	switch w {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.NativeEndian.Uint16(b))
	case 4:
		return uint64(binary.NativeEndian.Uint32(b))
	}
	return binary.NativeEndian.Uint64(b)
}

func putLittle(dst []byte, w int, x uint64) {
	for i := range w {
		dst[i] = byte(x >> (8 * i))
	}
}
