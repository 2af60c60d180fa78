package dtype

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/nullbitmap"
)

// validity is an Arrow validity buffer that starts at bit 0 and whose bits past the end are zero, with its number of
// nulls. A nil buf means that all values are valid; buf is nil whenever nulls is 0.
type validity struct {
	buf   *memory.Buffer
	nulls int
}

// valid reports whether value i is valid.
func (v validity) valid(i int) bool {
	return v.buf == nil || v.buf.Bytes()[i>>3]>>(i&7)&1 != 0
}

// none reports whether nothing is null.
func (v validity) none() bool { return v.nulls == 0 }

// bitmap returns an uninitialized bitmap for n values whose last byte is zero.
func (c *ctx) bitmap(n int) *memory.Buffer {
	size := (n + 7) / 8
	b := c.buffer(size)
	if size > 0 {
		b.Bytes()[size-1] = 0
	}
	return b
}

// validityOf turns the caller's bitmap of n values into a validity.
func (c *ctx) validityOf(b Bitmap, ready *memory.Buffer, nulls, n int) validity {
	if n == 0 || nulls == 0 || b.Bits == nil && ready == nil {
		return validity{}
	}
	if ready != nil {
		if nulls < 0 {
			nulls = nullbitmap.CountNulls(ready.Bytes(), 0, n)
		}
		if nulls == 0 {
			return validity{}
		}
		return validity{c.slice(ready, 0, (n+7)/8), nulls}
	}
	if nulls < 0 {
		if nulls = nullbitmap.CountNulls(b.Bits, b.Offset, n); nulls == 0 {
			return validity{}
		}
	}
	buf := c.bitmap(n)
	nulls = nullbitmap.Copy(buf.Bytes(), 0, b.Bits, b.Offset, n)
	return validity{buf, nulls}
}

// without returns v with those of n values null, too, that are null by rule: elements of rule's width, stride bytes apart.
func (c *ctx) without(v validity, rule nullbitmap.Rule, values []byte, stride, n int) validity {
	if n == 0 {
		return v
	}
	if v.buf == nil {
		return c.firstNulls(rule, values, stride, n)
	}
	buf := c.bitmap(n)
	copy(buf.Bytes(), v.buf.Bytes())
	nulls := rule.ApplyStrided(buf.Bytes(), 0, values, stride, n, nullbitmap.Intersect)
	return validity{buf, nulls}
}

// probe is the number of values that firstNulls checks at a time before it allocates a bitmap.
const probe = 1 << 15

// firstNulls is without for values none of which is null yet. It allocates nothing until the rule finds a null.
func (c *ctx) firstNulls(rule nullbitmap.Rule, values []byte, stride, n int) validity {
	var head [probe / 8]byte
	for at := 0; at < n; at += probe {
		k := min(probe, n-at)
		if rule.ApplyStrided(head[:], 0, values[at*stride:], stride, k, nullbitmap.Overwrite) == 0 {
			continue
		}
		buf := c.bitmap(n)
		nullbitmap.Fill(buf.Bytes(), 0, at, true)
		return validity{buf, rule.ApplyStrided(buf.Bytes(), at, values[at*stride:], stride, n-at, nullbitmap.Overwrite)}
	}
	return validity{}
}

// repeat returns the validity of n*k items from that of their n owners.
func (c *ctx) repeat(v validity, n, k int) validity {
	if v.none() || k == 1 {
		return v
	}
	if k == 0 {
		return validity{}
	}
	buf := c.bitmap(n * k)
	return validity{buf, nullbitmap.Repeat(buf.Bytes(), 0, v.buf.Bytes(), 0, n, k, nullbitmap.Overwrite)}
}
