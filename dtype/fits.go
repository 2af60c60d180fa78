package dtype

import (
	"math"

	"github.com/h5arrow/h5arrow/dtype/internal/types"
)

// weights has the sums, over the rows so far, of what the 32-bit offsets of a plan's strings and sequences count, and of
// the bytes from the heap.
type weights struct {
	env   *Env
	sums  []int64 // by counted node
	bytes int64
	limit int64 // of bytes
	over  bool  // a sum is above its limit
}

// add counts n bytes or items for node id, and that many bytes from the heap.
func (w *weights) add(id int, n, bytes int64) {
	w.over = w.over || n > math.MaxInt32-w.sums[id] || bytes > w.limit-w.bytes
	w.sums[id] += n
	w.bytes += bytes
}

// counted is a node with 32-bit offsets, or with such nodes inside.
type counted interface {
	// maxWeight returns the largest number that an element adds to any one sum; ok is false where it depends on the
	// elements.
	maxWeight() (n int64, ok bool)
	// weigh adds the element stored in b. It may stop early once w.over is set.
	weigh(w *weights, b []byte) error
}

// Fits returns how many of raw's leading rows fit in one array, with 32-bit offsets for strings and sequences: nearly
// always all of them. It is at least 1 unless raw has no rows, so that Build reports a row that is too long or corrupt.
func (p *Plan) Fits(raw Raw, env *Env) int { return p.FitsBytes(raw, env, math.MaxInt64) }

// FitsBytes is Fits with a limit of the bytes that the rows read from the heap; a single row may have more.
func (p *Plan) FitsBytes(raw Raw, env *Env, limit int64) int {
	if p.counters == 0 || p.check(&raw) != nil || raw.Rows <= 1 {
		return raw.Rows
	}
	root, ok := p.root.(counted)
	if !ok {
		return raw.Rows
	}
	if weight, ok := root.maxWeight(); ok {
		n, ok := types.Product(weight, p.Items)
		if !ok {
			return 1
		}
		return max(1, min(raw.Rows, math.MaxInt32/max(n, 1)))
	}
	w := &weights{env: env, sums: make([]int64, p.counters), limit: limit}
	items, size := int(p.Items), p.root.base().size
	bits := raw.Valid
	if raw.ValidBuf != nil {
		bits = Bitmap{Bits: raw.ValidBuf.Bytes()}
	}
	valid := func(i int) bool {
		i += bits.Offset
		return raw.Nulls == 0 || bits.Bits == nil || bits.Bits[i>>3]>>(i&7)&1 != 0
	}
	for r := range raw.Rows {
		row := raw.Bytes[r*raw.Stride:]
		for k := range items {
			if !valid(r*items + k) {
				continue
			}
			if err := root.weigh(w, row[k*size:(k+1)*size]); err != nil {
				return max(1, r)
			}
			if w.over {
				return max(1, r)
			}
		}
	}
	return raw.Rows
}

func (n *fixedText) maxWeight() (int64, bool)         { return int64(n.width()), true }
func (n *fixedText) weigh(w *weights, b []byte) error { w.add(n.id, int64(n.width()), 0); return nil }

func (n *utf32Text) maxWeight() (int64, bool)         { return int64(n.size), true }
func (n *utf32Text) weigh(w *weights, b []byte) error { w.add(n.id, int64(n.size), 0); return nil }

func (n *varText) maxWeight() (int64, bool) { return 0, false }

func (n *varText) weigh(w *weights, b []byte) error {
	addr, err := offsetSize(w.env, n.size)
	if err != nil {
		return err
	}
	if r := heapRefOf(b, addr); r.addr != 0 {
		k := int64(r.length) * int64(1+types.One(n.latin1))
		w.add(n.id, k, k)
	}
	return nil
}

func (n *reference) maxWeight() (int64, bool) { return 0, false }

func (n *reference) weigh(w *weights, b []byte) error {
	if w.env.RefPath == nil {
		return nil
	}
	path, null, err := n.path(w.env, b)
	if err == nil && !null {
		w.add(n.id, int64(len(path)), int64(len(path)))
	}
	return err
}

func (n *record) maxWeight() (int64, bool) {
	var weight int64
	for _, m := range n.members {
		if c, ok := m.node.(counted); ok {
			k, ok := c.maxWeight()
			if !ok {
				return 0, false
			}
			weight = max(weight, k)
		}
	}
	return weight, true
}

func (n *record) weigh(w *weights, b []byte) error {
	for _, m := range n.members {
		if c, ok := m.node.(counted); ok {
			if err := c.weigh(w, b[m.off:m.off+m.node.base().size]); err != nil || w.over {
				return err
			}
		}
	}
	return nil
}

func (n *block) maxWeight() (int64, bool) {
	c, ok := n.item.(counted)
	if !ok {
		return 0, true
	}
	weight, ok := c.maxWeight()
	if !ok {
		return 0, false
	}
	k, ok := types.Product(weight, int64(n.items))
	if !ok {
		return math.MaxInt64, true
	}
	return int64(k), true
}

func (n *block) weigh(w *weights, b []byte) error {
	c, ok := n.item.(counted)
	if !ok {
		return nil
	}
	return weighAll(w, c, b, n.item.base().size)
}

// weighAll adds the adjacent elements of size bytes in b.
func weighAll(w *weights, c counted, b []byte, size int) error {
	for ; len(b) >= size; b = b[size:] {
		if err := c.weigh(w, b[:size]); err != nil || w.over {
			return err
		}
	}
	return nil
}

func (n *sequence) maxWeight() (int64, bool) { return 0, false }

func (n *sequence) weigh(w *weights, b []byte) error {
	addr, err := offsetSize(w.env, n.size)
	if err != nil {
		return err
	}
	r := heapRefOf(b, addr)
	if r.addr == 0 {
		return nil
	}
	size := n.item.base().size
	w.add(n.id, int64(r.length), int64(r.length)*int64(size)) // below 2^63: sizes of types are below 2^31
	c, ok := n.item.(counted)
	if !ok || w.over {
		return nil
	}
	if weight, ok := c.maxWeight(); ok && weight == 0 {
		return nil
	}
	values, err := r.object(w.env, uint64(r.length)*uint64(size))
	if err != nil {
		return err
	}
	return weighAll(w, c, values, size)
}
