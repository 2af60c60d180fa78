package dtype

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/kernel"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// maxTable bounds the table that finds a member by its value; enumerations with values further apart use a map.
const maxTable = 1 << 16

// enumeration makes a dictionary column, whose labels are the members' names.
type enumeration struct {
	info
	codec  intCodec
	width  int // of an index
	labels []string
	direct bool // the values are the indices: 0..n-1 in integers that Arrow has

	minValue uint64           // table[value-minValue] is the index of a value, -1 without one
	table    []int32          // nil: index is used
	index    map[uint64]int32 // index of each value
}

func (b *planner) enum(t *h5.Type) (node, error) {
	base := t.Base
	if base == nil || base.Class != h5.ClassFixed || base.Size != t.Size || len(t.Values) != len(t.Names)*t.Size {
		return nil, h5err.New(h5err.Corrupt, "an enumeration of %d bytes with %d names and %d bytes of values", t.Size, len(t.Names), len(t.Values))
	}
	k, err := codec(base, base.Signed)
	if err != nil {
		return nil, err
	}
	values := make([]uint64, len(t.Names))
	labels := make([]string, len(t.Names))
	for i := range values {
		values[i] = k.get(t.Values[i*t.Size:])
		if labels[i], err = b.name("the name of a member", t.Names[i]); err != nil {
			return nil, err
		}
	}
	if types.IsBool(labels, values, t.Size) {
		return newBool(0xff), nil
	}
	if types.IsLogical(labels, values, t.Size) {
		return b.logical()
	}
	n, err := b.members(t, k, labels, values)
	if err != nil {
		return nil, err
	}
	return b.factor(n, t, values)
}

// members returns the node of an enumeration's values: integers or labels, as the options say.
func (b *planner) members(t *h5.Type, k intCodec, labels []string, values []uint64) (node, error) {
	if b.opt.Enum == EnumValues {
		n, err := b.integer(k)
		if err == nil {
			n.base().note(MetaEnum, members(labels, values, k.signed))
		}
		return n, err
	}
	w := k.width()
	if w == 0 {
		return nil, h5err.New(h5err.Unsupported, "enumerations of %d bytes", t.Size)
	}
	n := &enumeration{info: info{size: t.Size}, codec: k, labels: labels}
	n.width = w
	for n.width < 8 && uint64(len(labels)) > 1<<(8*n.width-types.One(k.signed)) {
		n.width *= 2
	}
	index, _ := types.ArrowInt(k.signed, n.width)
	n.arrow = &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}
	n.order(k.order, t.Size)
	n.direct = k.whole() && n.width == t.Size && n.arrange(values)
	if !n.direct {
		n.delivery, n.reason, n.swap = Converted, "the members' values are not indices", 0
	}
	n.note(MetaEnum, members(labels, values, k.signed))
	n.lookup(values)
	return n, nil
}

// members returns an enumeration's members as a JSON object in the file's order.
func members(labels []string, values []uint64, signed bool) string {
	b := []byte{'{'}
	for i, l := range labels {
		if i > 0 {
			b = append(b, ',')
		}
		name, _ := json.Marshal(l) // marshaling a string can't fail
		b = append(append(b, name...), ':')
		if signed {
			b = strconv.AppendInt(b, int64(values[i]), 10)
		} else {
			b = strconv.AppendUint(b, values[i], 10)
		}
	}
	return string(append(b, '}'))
}

// arrange puts the labels in the order of their values, and reports whether those are exactly 0..n-1.
func (n *enumeration) arrange(values []uint64) bool {
	sorted := make([]string, len(values))
	seen := make([]bool, len(values))
	for i, x := range values {
		if x >= uint64(len(values)) || seen[x] {
			return false
		}
		sorted[x], seen[x] = n.labels[i], true
	}
	n.labels = sorted
	return true
}

// lookup fills table or index.
func (n *enumeration) lookup(values []uint64) {
	if n.direct || len(values) == 0 {
		return
	}
	lo, hi := values[0], values[0]
	for _, x := range values {
		if n.codec.signed {
			lo, hi = uint64(min(int64(lo), int64(x))), uint64(max(int64(hi), int64(x)))
		} else {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	n.minValue = lo
	if span := hi - lo; span < maxTable {
		n.table = make([]int32, span+1)
		for i := range n.table {
			n.table[i] = -1
		}
	} else {
		n.index = make(map[uint64]int32, len(values))
	}
	for i := len(values) - 1; i >= 0; i-- { // of two names for one value the first counts
		if n.table != nil {
			n.table[values[i]-lo] = int32(i)
		} else {
			n.index[values[i]] = int32(i)
		}
	}
}

// find returns the index of the member with a value, -1 when there is none.
func (n *enumeration) find(x uint64) int32 {
	if n.index != nil {
		if i, ok := n.index[x]; ok {
			return i
		}
		return -1
	}
	if d := x - n.minValue; d < uint64(len(n.table)) {
		return n.table[d]
	}
	return -1
}

func (n *enumeration) build(c *ctx, v *view) (*array.Data, error) {
	var indices *memory.Buffer
	if n.direct {
		indices = c.values(v, n.swap != 0)
		if i := outside(indices.Bytes(), n.width, uint64(len(n.labels)), v.n, v.valid.valid); i >= 0 {
			return nil, n.unnamed(v, i, loadInt(indices.Bytes(), n.width, i))
		}
	} else {
		indices = c.buffer(v.n * n.width)
		err := n.codec.each(v, func(first int, xs []uint64) error {
			for i, x := range xs {
				at := n.find(x)
				if at < 0 {
					if v.valid.valid(first + i) {
						return n.unnamed(v, first+i, x)
					}
					at = 0
				}
				xs[i] = uint64(at)
			}
			putInts(indices.Bytes()[first*n.width:], n.width, xs)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	dict := c.labels(n.labels)
	d := array.NewDataWithDictionary(n.arrow, v.n, []*memory.Buffer{v.valid.buf, indices}, v.valid.nulls, 0, dict)
	c.data = append(c.data, d)
	return d, nil
}

// unnamed is the error about a value without a member.
func (n *enumeration) unnamed(v *view, i int, x uint64) error {
	text := strconv.FormatUint(x, 10)
	if n.codec.signed {
		shift := 64 - 8*uint(n.width)
		text = strconv.FormatInt(int64(x<<shift)>>shift, 10)
		if !n.direct {
			text = strconv.FormatInt(int64(x), 10)
		}
	}
	e := h5err.New(h5err.Corrupt, "%s is not a member of the enumeration", text).WithOption("dtype.Options.Enum", "read the integers")
	return element.Wrap(i, e)
}

// labels returns the dictionary of an enumeration.
func (c *ctx) labels(labels []string) *array.Data {
	size := 0
	for _, l := range labels {
		size += len(l)
	}
	offsets, data := c.buffer(4*(len(labels)+1)), c.buffer(size)
	at := 0
	putOffset32(offsets.Bytes(), 0, 0)
	for i, l := range labels {
		at += copy(data.Bytes()[at:], l)
		putOffset32(offsets.Bytes(), i+1, at)
	}
	return c.make(arrow.BinaryTypes.String, len(labels), validity{}, []*memory.Buffer{offsets, data})
}

// loadInt returns element i, without its sign, of integers of width bytes in the host's order.
func loadInt(b []byte, width, i int) uint64 {
	switch width {
	case 1:
		return uint64(b[i])
	case 2:
		return uint64(binary.NativeEndian.Uint16(b[2*i:]))
	case 4:
		return uint64(binary.NativeEndian.Uint32(b[4*i:]))
	}
	return binary.NativeEndian.Uint64(b[8*i:])
}

// outside returns the first of n integers, of width bytes in the host's order, that is not null and not below limit
// (negative ones are not below), or -1. limit is at most 2^63.
func outside(b []byte, width int, limit uint64, n int, valid func(i int) bool) int {
	b = b[:n*width]
	if limit > 0 && !kernel.Reaches(b, width, limit) {
		return -1
	}
	for i := range n {
		if loadInt(b, width, i) >= limit && valid(i) {
			return i
		}
	}
	return -1
}

// logical returns the node of hdf5r's logical: a byte of 0, 1, or 2 for NA, which is null.
func (b *planner) logical() (node, error) {
	b.nulls = true
	n := newBool(0xff)
	var err error
	n.null, err = nullbitmap.Equal([]byte{2})
	n.nulls = err == nil
	return n, err
}

// factorNode is an enumeration of 1..n over an unsigned integer, as hdf5r writes R's factors. NA has no member: its bytes
// are all ones, padding included, for 1 to 127 levels and from 256 on, and 0 for 128 to 255.
type factorNode struct {
	node
	null nullbitmap.Rule // over stored bytes
}

// factor wraps the node of an enumeration whose members are those of a factor; others are returned as they are.
func (b *planner) factor(n node, t *h5.Type, values []uint64) (node, error) {
	if t.Base.Signed || t.Size > 8 || t.Size&(t.Size-1) != 0 || !oneToN(values) {
		return n, nil
	}
	absent := [][]byte{make([]byte, t.Size)}
	ones := bytes.Repeat([]byte{0xff}, t.Size)
	named := false // all ones is a member
	for i := range values {
		named = named || bytes.Equal(t.Values[i*t.Size:(i+1)*t.Size], ones)
	}
	if !named {
		absent = append(absent, ones)
	}
	r, err := nullbitmap.Equal(absent...)
	if err != nil {
		return nil, err
	}
	b.nulls = true
	return &factorNode{n, r}, nil
}

// oneToN reports whether values are 1 to their number, in any order, at least one.
func oneToN(values []uint64) bool {
	seen := make([]bool, len(values))
	for _, x := range values {
		if x < 1 || x > uint64(len(values)) || seen[x-1] {
			return false
		}
		seen[x-1] = true
	}
	return len(values) > 0
}

func (n *factorNode) build(c *ctx, v *view) (*array.Data, error) {
	w := *v
	w.valid = c.without(v.valid, n.null, v.b, max(v.stride, 1), v.n)
	return n.node.build(c, &w)
}
