package dtype

import (
	"encoding/binary"
	"math"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// arrowField returns the Arrow field of a node.
func arrowField(name string, n node) arrow.Field {
	in := n.base()
	f := arrow.Field{Name: name, Type: in.arrow, Nullable: true}
	if len(in.meta) > 0 {
		f.Metadata = arrow.MetadataFrom(in.meta)
	}
	return f
}

// member is one field of a record.
type member struct {
	off  int
	node node
}

// record is a compound, or a complex number.
type record struct {
	info
	members []member
}

func (b *planner) compound(t *h5.Type, depth int) (node, error) {
	if len(t.Members) == 0 {
		return nil, h5err.New(h5err.Corrupt, "a compound without members")
	}
	n := &record{info: info{size: t.Size}}
	fields := make([]arrow.Field, 0, len(t.Members))
	for _, m := range t.Members {
		child, err := b.node(m.Type, depth+1)
		if err != nil {
			return nil, element.Member(err, m.Name)
		}
		size := child.base().size
		if m.Offset < 0 || m.Offset > t.Size || size > t.Size-m.Offset {
			return nil, h5err.New(h5err.Corrupt, "member %q of %d bytes at %d in a compound of %d", m.Name, size, m.Offset, t.Size)
		}
		name, err := b.name("the name of a member", m.Name)
		if err != nil {
			return nil, err
		}
		n.members = append(n.members, member{m.Offset, child})
		fields = append(fields, arrowField(name, child))
	}
	n.arrow = arrow.StructOf(fields...)
	n.gathered("members of a compound")
	return n, nil
}

// gathered sets the delivery of a record: that of its only member when the member fills it.
func (n *record) gathered(what string) {
	n.delivery, n.reason = Gathered, what
	if in := n.members[0].node.base(); len(n.members) == 1 && in.size == n.size {
		n.delivery, n.reason = in.delivery, in.reason
	}
}

func (b *planner) complex(t *h5.Type, depth int) (node, error) {
	if t.Base == nil || t.Base.Class != h5.ClassFloat || t.Size != 2*t.Base.Size {
		return nil, h5err.New(h5err.Corrupt, "a complex type of %d bytes without floats of half of it", t.Size)
	}
	parts := *b
	parts.opt.NaNAsNull = false // half of a number can't be missing
	part, err := parts.node(t.Base, depth+1)
	if err != nil {
		return nil, err
	}
	b.nodes = parts.nodes // a float changes no other count
	n := &record{info: info{size: t.Size}, members: []member{{0, part}, {t.Base.Size, part}}}
	n.arrow = arrow.StructOf(arrowField("r", part), arrowField("i", part))
	n.gathered("real and imaginary parts")
	return n, nil
}

func (n *record) build(c *ctx, v *view) (*array.Data, error) {
	children := make([]arrow.ArrayData, len(n.members))
	for i, m := range n.members {
		part := v.sub(m.off, m.node.base().size)
		part.mutable = v.mutable && len(n.members) == 1
		d, err := m.node.build(c, &part)
		if err != nil {
			return nil, err
		}
		children[i] = d
	}
	return c.make(n.arrow, v.n, v.valid, nil, children...), nil
}

// block is an array type: items of one type in a shape.
type block struct {
	info
	item  node
	lists []*arrow.FixedSizeListType
	items int
}

func (b *planner) array(t *h5.Type, depth int) (node, error) {
	item, err := b.node(t.Base, depth+1)
	if err != nil {
		return nil, err
	}
	in := item.base()
	lists, items, err := types.Nest(in.arrow, t.Dims)
	if err != nil {
		return nil, err
	}
	if size, ok := types.Product(items, int64(in.size)); !ok || size != t.Size || len(lists) == 0 {
		return nil, h5err.New(h5err.Corrupt, "an array of shape %v over %d bytes in %d", t.Dims, in.size, t.Size)
	}
	n := &block{
		info: info{arrow: lists[0], size: t.Size, delivery: in.delivery, reason: in.reason, swap: in.swap, meta: in.meta},
		item: item, lists: lists, items: int(items),
	}
	return n, nil
}

func (n *block) build(c *ctx, v *view) (*array.Data, error) {
	p := c.pack(v)
	p.swapped = v.swapped
	p.n *= n.items
	p.size = n.item.base().size
	p.stride = p.size
	p.valid = c.repeat(v.valid, v.n, n.items)
	d, err := n.item.build(c, &p)
	if err != nil {
		return nil, element.Owner(err, func(i int) int { return i / n.items })
	}
	k := p.n
	for i := len(n.lists) - 1; i >= 0; i-- {
		k /= int(n.lists[i].Len())
		var valid validity
		switch {
		case i == 0:
			valid = v.valid
		case v.valid.nulls > 0:
			valid = c.repeat(v.valid, v.n, k/v.n)
		}
		d = c.make(n.lists[i], k, valid, nil, d)
	}
	return d, nil
}

// heapRef is a variable-length element as stored: a length, and an object of the global heap (specification, IV.A.2.d,
// class 9 and III.E).
type heapRef struct {
	length uint32
	addr   uint64
	index  uint32
}

// offsetSize returns the bytes of an address in elements of size bytes.
func (c *ctx) offsetSize(size int) (int, error) { return offsetSize(c.env, size) }

func offsetSize(env *Env, size int) (int, error) {
	n := env.OffsetSize
	if n == 0 {
		n = size - 8
	}
	if n < 1 || n > 8 || size < 8+n {
		return 0, h5err.New(h5err.Corrupt, "variable-length elements of %d bytes with addresses of %d", size, n)
	}
	return n, nil
}

// heapRefOf reads an element whose address has n bytes.
func heapRefOf(b []byte, n int) heapRef {
	le := binary.LittleEndian
	r := heapRef{length: le.Uint32(b), index: le.Uint32(b[4+n:])}
	if n == 8 {
		r.addr = le.Uint64(b[4:])
		return r
	}
	for i := n - 1; i >= 0; i-- {
		r.addr = r.addr<<8 | uint64(b[4+i])
	}
	return r
}

// object returns the size bytes that r points to; none for a null pointer. size is r's length in bytes.
func (r heapRef) object(env *Env, size uint64) ([]byte, error) {
	if r.addr == 0 || size == 0 {
		return nil, nil
	}
	if env.Heap == nil {
		return nil, h5err.New(h5err.Argument, "no heap to read variable-length data from")
	}
	b, err := env.Heap.Object(r.addr, r.index)
	if err != nil {
		return nil, err
	}
	if uint64(len(b)) < size {
		return nil, h5err.At(h5err.Corrupt, int64(r.addr&math.MaxInt64), "a value of %d bytes in a heap object of %d", size, len(b))
	}
	return b[:size], nil
}

// varText is text in the global heap.
type varText struct {
	info
	latin1 bool
	whole  bool // NULs are text
	id     int
}

func (b *planner) varText(t *h5.Type) (node, error) {
	b.variable = true
	return &varText{
		id:     b.counter(),
		info:   info{arrow: textType(b.opt.Strings), size: t.Size, delivery: Converted, reason: "strings in the heap"},
		latin1: b.opt.Strings == StringsLatin1,
		whole:  b.wholeText,
	}, nil
}

// eager is the number of bytes that are allocated on the elements' declared lengths alone.
const eager = 1 << 20

func (n *varText) build(c *ctx, v *view) (*array.Data, error) {
	addr, err := c.offsetSize(n.size)
	if err != nil {
		return nil, err
	}
	offsets := c.buffer(4 * (v.n + 1))
	off := offsets.Bytes()
	g := c.grower(n.claim(v, addr))
	putOffset32(off, 0, 0)
	for i := range v.n {
		if v.valid.valid(i) {
			r := heapRefOf(v.at(i), addr)
			text, err := r.object(c.env, uint64(r.length))
			if err != nil {
				return nil, element.Wrap(i, err)
			}
			if !n.whole {
				text = trim(text, h5.NullTerm)
			}
			if n.latin1 {
				g.bytes = latin1(g.room(2*len(text)), text)
			} else {
				g.bytes = append(g.room(len(text)), text...)
			}
			if len(g.bytes) > math.MaxInt32 {
				return nil, tooLong(i)
			}
		}
		putOffset32(off, i+1, len(g.bytes))
	}
	return c.textData(n.arrow, v.n, v.valid, offsets, g.buf, len(g.bytes))
}

// claim returns the sum of the lengths that the elements declare, up to a limit: the heap may have fewer bytes.
func (n *varText) claim(v *view, addr int) int {
	limit := 64*v.n + eager
	sum := int64(0)
	for i := range v.n {
		if v.valid.valid(i) {
			if r := heapRefOf(v.at(i), addr); r.addr != 0 {
				sum += int64(r.length)
			}
		}
		if sum > int64(limit) {
			return limit
		}
	}
	return int(sum)
}

// grower is a buffer that is appended to.
type grower struct {
	buf   *memory.Buffer
	bytes []byte // what was appended, inside buf
}

func (c *ctx) grower(size int) *grower {
	b := c.buffer(size)
	return &grower{b, b.Bytes()[:0]}
}

// room returns g.bytes with the capacity for n more.
func (g *grower) room(n int) []byte {
	used := len(g.bytes)
	if n > g.buf.Len()-used {
		g.buf.Resize(max(used+n, g.buf.Len()+g.buf.Len()/2))
		g.bytes = g.buf.Bytes()[:used]
	}
	return g.bytes
}

// sequence is a variable-length sequence in the global heap.
type sequence struct {
	info
	item node
	id   int
}

func (b *planner) sequence(t *h5.Type, depth int) (node, error) {
	item, err := b.node(t.Base, depth+1)
	if err != nil {
		return nil, err
	}
	b.variable = true
	f := arrowField("item", item)
	l := arrow.ListOfField(f)
	return &sequence{info: info{arrow: l, size: t.Size, delivery: Converted, reason: "sequences in the heap"}, item: item, id: b.counter()}, nil
}

func (n *sequence) build(c *ctx, v *view) (*array.Data, error) {
	addr, err := c.offsetSize(n.size)
	if err != nil {
		return nil, err
	}
	in := n.item.base()
	offsets := c.buffer(4 * (v.n + 1))
	off := offsets.Bytes()
	g := c.grower(0)
	items := 0
	putOffset32(off, 0, 0)
	for i := range v.n {
		if v.valid.valid(i) {
			r := heapRefOf(v.at(i), addr)
			values, err := r.object(c.env, uint64(r.length)*uint64(in.size))
			if err != nil {
				return nil, element.Wrap(i, err)
			}
			g.bytes = append(g.room(len(values)), values...)
			if items += len(values) / in.size; items > math.MaxInt32 {
				return nil, tooLong(i)
			}
		}
		putOffset32(off, i+1, items)
	}
	g.buf.Resize(len(g.bytes))
	all := view{b: g.buf.Bytes(), n: items, size: in.size, stride: in.size, owner: g.buf, mutable: true}
	d, err := n.item.build(c, &all)
	if err != nil {
		return nil, element.Owner(err, func(k int) int {
			return sort.Search(v.n, func(i int) bool { return offset32(off, i+1) > k })
		})
	}
	return c.make(n.arrow, v.n, v.valid, []*memory.Buffer{offsets}, d), nil
}
