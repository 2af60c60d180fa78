package dtype

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// unixTime is a time of PyTables: four bytes are seconds since 1970. Eight bytes are one integer, whose upper half is
// seconds and whose lower half is microseconds, both signed.
type unixTime struct {
	info
	codec intCodec
}

func newUnixTime(k intCodec) *unixTime {
	n := &unixTime{info: info{size: k.size, delivery: Converted}, codec: k}
	n.arrow, n.reason = &arrow.TimestampType{Unit: arrow.Second}, "seconds become timestamps of 64 bits"
	if k.size == 8 {
		n.arrow, n.reason = &arrow.TimestampType{Unit: arrow.Microsecond}, "seconds and microseconds become timestamps"
	}
	return n
}

func (n *unixTime) build(c *ctx, v *view) (*array.Data, error) {
	buf := c.buffer(8 * v.n)
	dst, k := buf.Bytes(), n.codec
	for i := range v.n {
		x := int64(k.get(v.at(i)))
		if k.size == 8 {
			x = x>>32*1e6 + int64(int32(x))
		}
		binary.NativeEndian.PutUint64(dst[8*i:], uint64(x))
	}
	return c.make(n.arrow, v.n, v.valid, []*memory.Buffer{buf}), nil
}
