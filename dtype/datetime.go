package dtype

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/numpy"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// timeUnits maps numpy's units to Arrow's, with the factor between them.
var timeUnits = map[string]struct {
	unit   arrow.TimeUnit
	factor int64
}{
	"ns": {arrow.Nanosecond, 1}, "us": {arrow.Microsecond, 1}, "μs": {arrow.Microsecond, 1}, "ms": {arrow.Millisecond, 1},
	"s": {arrow.Second, 1}, "m": {arrow.Second, 60}, "h": {arrow.Second, 3600}, "D": {arrow.Second, 86400}, "W": {arrow.Second, 7 * 86400},
}

// moments is instants in int64 that need a conversion. NaT is null.
type moments struct {
	info
	order  h5.ByteOrder
	factor int64 // to Arrow's unit
	days   bool  // date32
	nat    nullbitmap.Rule
}

// instant returns the node of int64 instants in a byte order.
func (b *planner) instant(t numpy.Instant, order h5.ByteOrder) (node, error) {
	what := "datetime64"
	if t.Delta {
		what = "timedelta64"
	}
	u, ok := timeUnits[t.Unit]
	if !ok {
		if t.Unit == "" {
			return nil, h5err.New(h5err.Unsupported, "%s without a unit", what)
		}
		return nil, h5err.New(h5err.Unsupported, "%s in units of %q", what, t.Unit)
	}
	nat, err := nullbitmap.Equal(natBytes())
	if err != nil {
		return nil, err
	}
	n := &moments{info: info{size: 8}, order: order, factor: u.factor, nat: nat}
	switch {
	case t.Delta:
		n.arrow = &arrow.DurationType{Unit: u.unit}
	case u.factor >= 86400:
		n.arrow, n.days, n.factor = arrow.FixedWidthTypes.Date32, true, u.factor/86400
	default:
		n.arrow = &arrow.TimestampType{Unit: u.unit}
	}
	if n.days || n.factor != 1 {
		n.delivery, n.reason = Converted, "no such unit in Arrow: "+t.Unit
		return n, nil
	}
	p := &plain{info: n.info, null: nat, nulls: true}
	p.info.order(order, 8)
	return p, nil
}

// natBytes returns numpy's NaT as in Arrow buffers: the smallest integer.
func natBytes() []byte {
	b := make([]byte, 8)
	binary.NativeEndian.PutUint64(b, 1<<63)
	return b
}

func (n *moments) build(c *ctx, v *view) (*array.Data, error) {
	ticks := c.values(v, (n.order == h5.BigEndian) == (hostOrder() == nullbitmap.LittleEndian))
	src := ticks.Bytes()
	valid := c.without(v.valid, n.nat, src, 8, v.n)
	width := 8
	if n.days {
		width = 4
	}
	buf := c.buffer(v.n * width)
	dst := buf.Bytes()
	limit := int64(math.MaxInt64)
	if n.days {
		limit = math.MaxInt32
	}
	maxTicks, minTicks, factor := limit/n.factor, (-limit-1)/n.factor, n.factor
	for i := range v.n {
		x := int64(binary.NativeEndian.Uint64(src[8*i:]))
		if x < minTicks || x > maxTicks {
			if valid.valid(i) {
				return nil, corruptAt(i, "%d of a unit that makes %d of %v is out of range", x, n.factor, n.arrow)
			}
			x = 0
		}
		if width == 4 {
			binary.NativeEndian.PutUint32(dst[4*i:], uint32(x*factor))
		} else {
			binary.NativeEndian.PutUint64(dst[8*i:], uint64(x*factor))
		}
	}
	return c.make(n.arrow, v.n, valid, []*memory.Buffer{buf}), nil
}

// int64Of reports whether t is a plain signed integer of eight bytes.
func int64Of(t *h5.Type) bool {
	return t.Class == h5.ClassFixed && t.Signed && t.Size == 8 && t.BitOffset == 0 && t.Precision == 64 && t.Order != h5.VAX
}
