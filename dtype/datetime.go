package dtype

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
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

// TimeUnit reads the name of a unit of constant length, such as "hours" (CF conventions, 4.4): it is that many ticks of
// an Arrow unit. ok is false for other names.
func TimeUnit(name string) (ticks int64, unit arrow.TimeUnit, ok bool) {
	switch strings.ToLower(name) {
	case "weeks", "week":
		return 7 * 86400, arrow.Second, true
	case "days", "day", "d":
		return 86400, arrow.Second, true
	case "hours", "hour", "hrs", "hr", "h":
		return 3600, arrow.Second, true
	case "minutes", "minute", "mins", "min":
		return 60, arrow.Second, true
	case "seconds", "second", "secs", "sec", "s":
		return 1, arrow.Second, true
	case "milliseconds", "millisecond", "millisecs", "millisec", "msecs", "msec", "ms":
		return 1, arrow.Millisecond, true
	case "microseconds", "microsecond", "microsecs", "microsec", "us":
		return 1, arrow.Microsecond, true
	case "nanoseconds", "nanosecond", "nsecs", "nsec", "ns":
		return 1, arrow.Nanosecond, true
	}
	return 0, 0, false
}

// unitNames are names that TimeUnit reads.
var unitNames = [...]string{arrow.Second: "seconds", arrow.Millisecond: "milliseconds", arrow.Microsecond: "microseconds", arrow.Nanosecond: "nanoseconds"}

// spans is numbers of any width that count a unit of time, as durations. NaT, NaN and what is out of range is null.
type spans struct {
	info
	of    node
	ticks int64 // of the duration's unit in one of the stored unit
	nat   nullbitmap.Rule
}

// spans returns the node of numbers in the unit that b.units names, which numpy had in memory as t. It is nil where the
// elements are not numbers, or the unit is not one of time. The durations have the unit of t, or the stored one where
// that is shorter.
func (b *planner) spans(in numpy.Instant, t *h5.Type) (node, error) {
	ticks, unit, ok := TimeUnit(strings.TrimSpace(b.units))
	if !ok || t.Class != h5.ClassFixed && t.Class != h5.ClassFloat {
		return nil, nil
	}
	for u, known := timeUnits[in.Unit]; known && unit < u.unit; unit++ {
		ticks *= 1000
	}
	of, err := b.node(t, 0)
	if err != nil {
		return nil, err
	}
	nat, err := nullbitmap.Equal(natBytes())
	if err != nil {
		return nil, err
	}
	inner := of.base()
	n := &spans{info: info{arrow: &arrow.DurationType{Unit: unit}, size: inner.size}, of: of, ticks: ticks, nat: nat}
	n.note(MetaAttribute+"units", unitNames[unit]) // of the values as they are delivered
	if ticks == 1 && int64Of(t) {
		p := &plain{info: n.info, null: nat, nulls: true}
		p.info.order(t.Order, 8)
		return p, nil
	}
	n.delivery, n.reason = Converted, "durations are stored in "+strings.TrimSpace(b.units)
	return n, nil
}

func (n *spans) build(c *ctx, v *view) (*array.Data, error) {
	d, err := n.of.build(c, v)
	if err != nil {
		return nil, err
	}
	buf := c.buffer(8 * v.n)
	n.convert(arrow.Int64Traits.CastFromBytes(buf.Bytes()), d)
	valid := c.without(v.valid, n.nat, buf.Bytes(), 8, v.n)
	for i := range v.n {
		if p := buf.Bytes()[8*i:]; binary.NativeEndian.Uint64(p) == 1<<63 {
			clear(p[:8])
		}
	}
	return c.make(n.arrow, v.n, valid, []*memory.Buffer{buf}), nil
}

// convert computes the durations of numbers.
func (n *spans) convert(out []int64, d *array.Data) {
	switch d.DataType().ID() {
	case arrow.INT8:
		wholeSpans(out, arrow.GetValues[int8](d, 1), n.ticks)
	case arrow.INT16:
		wholeSpans(out, arrow.GetValues[int16](d, 1), n.ticks)
	case arrow.INT32:
		wholeSpans(out, arrow.GetValues[int32](d, 1), n.ticks)
	case arrow.INT64:
		wholeSpans(out, arrow.GetValues[int64](d, 1), n.ticks)
	case arrow.UINT8:
		wholeSpans(out, arrow.GetValues[uint8](d, 1), n.ticks)
	case arrow.UINT16:
		wholeSpans(out, arrow.GetValues[uint16](d, 1), n.ticks)
	case arrow.UINT32:
		wholeSpans(out, arrow.GetValues[uint32](d, 1), n.ticks)
	case arrow.UINT64:
		wholeSpans(out, arrow.GetValues[uint64](d, 1), n.ticks)
	case arrow.FLOAT16:
		half := arrow.GetValues[float16.Num](d, 1)
		for i := range out {
			out[i] = roundSpan(float64(half[i].Float32()) * float64(n.ticks))
		}
	case arrow.FLOAT32:
		floatSpans(out, arrow.GetValues[float32](d, 1), n.ticks)
	case arrow.FLOAT64:
		floatSpans(out, arrow.GetValues[float64](d, 1), n.ticks)
	}
}

func wholeSpans[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](out []int64, in []T, ticks int64) {
	maxCount := math.MaxInt64 / ticks
	for i := range out {
		switch v := in[i]; {
		case v > 0 && uint64(v) > uint64(maxCount), v < 0 && int64(v) < -maxCount:
			out[i] = math.MinInt64
		default:
			out[i] = int64(v) * ticks
		}
	}
}

func floatSpans[T float32 | float64](out []int64, in []T, ticks int64) {
	for i := range out {
		out[i] = roundSpan(float64(in[i]) * float64(ticks))
	}
}

// roundSpan rounds to an integer, half to even; what is out of range gives NaT.
func roundSpan(x float64) int64 {
	if x = math.RoundToEven(x); x > -1<<63 && x < 1<<63 {
		return int64(x)
	}
	return math.MinInt64
}
