package filter

import "github.com/h5arrow/h5arrow/h5/filter/internal/bits"

// nbit is filter 5: only the significant bits of each number are stored, one number after another, highest bits first. Client
// data: the number of values in it, whether there is nothing to do, the number of elements, and a description of the element
// type, a tree in preorder.
type nbit struct {
	n   int
	typ nbitType
	raw bool // nothing to do
}

// nbitType is an element, an item, or a member.
type nbitType struct {
	kind   uint32
	offset int // in its parent
	size   int
	big    bool // atomic: big-endian
	low    int  // atomic: bits below the significant ones
	bits   int  // atomic: significant bits
	empty  bool // nothing is stored
	parts  []nbitType
}

// Kinds of types in nbit's client data.
const (
	nbitAtomic   = 1
	nbitArray    = 2
	nbitCompound = 3
	nbitNoop     = 4

	maxNbitDepth = 32
	maxNbitTypes = 1 << 16
)

func newNbit(values []uint32) (decoder, error) {
	if len(values) < 2 {
		return nil, corrupt("too little client data")
	}
	if values[1] != 0 {
		return nbit{raw: true}, nil
	}
	if len(values) < 5 {
		return nil, corrupt("too little client data")
	}
	if values[2] > 1<<31-1 {
		return nil, corrupt("bad number of elements")
	}
	p := nbitParser{values: values[3:]}
	t := p.parse(maxNbitDepth)
	if p.bad != "" {
		return nil, p.bad
	}
	if t.kind == nbitNoop {
		return nil, corrupt("bad kind of type")
	}
	return nbit{n: int(values[2]), typ: t}, nil
}

type nbitParser struct {
	values []uint32
	count  int // of types: by going back, a description could grow without end
	bad    corrupt
}

func (p *nbitParser) next() uint32 {
	if len(p.values) == 0 {
		p.bad = "too little client data"
		return 0
	}
	v := p.values[0]
	p.values = p.values[1:]
	return v
}

// parse reads one type and checks that its parts are inside it.
func (p *nbitParser) parse(depth int) (t nbitType) {
	if p.count++; depth == 0 || p.count > maxNbitTypes {
		p.bad = "types nested too deeply"
		return t
	}
	t.kind = p.next()
	size := p.next()
	if size == 0 || size > 1<<31-1 {
		p.bad = "bad size of a type"
		return t
	}
	t.size = int(size)
	switch t.kind {
	case nbitAtomic:
		order, n, low := p.next(), p.next(), p.next()
		if order > 1 {
			p.bad = "bad byte order"
		}
		if n == 0 || n > 8*size || low > 8*size-n || size > 1<<20 {
			p.bad = "bad precision or offset of a type"
			return t
		}
		t.big, t.bits, t.low = order == 1, int(n), int(low)
	case nbitArray:
		// For each item that is an array or a compound type, the library goes back to the head of the item's
		// description when it writes and reads, even after the last item, and takes the description of what follows
		// from there. So members after such an array are stored with the wrong type, and are lost.
		var item nbitType
		if rest := p.values; len(rest) > 0 && (rest[0] == nbitArray || rest[0] == nbitCompound) {
			item = p.parse(depth - 1)
			p.values = rest[1:]
		} else {
			item = p.parse(depth - 1)
		}
		if item.kind == nbitNoop {
			item.size = t.size // whatever the description contains
		}
		t.parts = []nbitType{item}
		t.empty = item.empty || item.size > t.size
	case nbitCompound:
		n, used := p.next(), uint64(0)
		t.empty = true
		for ; n > 0 && p.bad == ""; n-- {
			offset := p.next()
			m := p.parse(depth - 1)
			used += uint64(m.size)
			if used > uint64(t.size) || uint64(offset)+uint64(m.size) > uint64(t.size) {
				p.bad = "a member outside its compound type"
			}
			m.offset = int(offset)
			t.parts = append(t.parts, m)
			t.empty = t.empty && m.empty
		}
	case nbitNoop:
	default:
		p.bad = "bad kind of type"
	}
	return t
}

func (d nbit) bound(n int) (int, bool) {
	if d.raw {
		return n, true
	}
	return n + 1, false
}

func (d nbit) decode(_ *State, dst, src []byte) (int, error) {
	if d.raw {
		if len(src) > len(dst) {
			return 0, errTooLong
		}
		return copy(dst, src), nil
	}
	if d.n > len(dst)/d.typ.size {
		return 0, errTooLong
	}
	dst = dst[:d.n*d.typ.size]
	clear(dst)
	r := bits.NewReader(src)
	for at := 0; at < len(dst); at += d.typ.size {
		if !d.typ.decode(dst[at:at+d.typ.size], &r) {
			return 0, errShort
		}
	}
	return len(dst), nil
}

// decode fills dst, which has the type's size and is zero.
func (t *nbitType) decode(dst []byte, r *bits.Reader) bool {
	if t.empty {
		return true // without a loop for its parts
	}
	switch t.kind {
	case nbitAtomic:
		if r.Left() < t.bits {
			return false
		}
		if t.size <= 8 {
			v := r.Take(t.bits) << t.low
			if t.big {
				for i := len(dst) - 1; i >= 0; i-- {
					dst[i] = byte(v)
					v >>= 8
				}
			} else {
				for i := range dst {
					dst[i] = byte(v)
					v >>= 8
				}
			}
			return true
		}
		// Bytes from the highest, of which the first and the last may be used in part.
		for high := t.low + t.bits; high > t.low; {
			low := max((high-1)&^7, t.low)
			k := low / 8
			if t.big {
				k = len(dst) - 1 - k
			}
			dst[k] = byte(r.Take(high-low) << (low & 7))
			high = low
		}
	case nbitArray:
		item := &t.parts[0]
		for at := 0; at+item.size <= len(dst); at += item.size {
			if !item.decode(dst[at:at+item.size], r) {
				return false
			}
		}
	case nbitCompound:
		for i := range t.parts {
			m := &t.parts[i]
			if !m.decode(dst[m.offset:m.offset+m.size], r) {
				return false
			}
		}
	case nbitNoop:
		if r.Left()/8 < len(dst) {
			return false
		}
		for i := range dst {
			dst[i] = byte(r.Take(8))
		}
	}
	return true
}
