package check

import (
	"bytes"
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// dense describes how links or attributes are stored in a heap with two indexes.
type dense struct {
	what      string
	byName    int // types of B-trees
	byOrder   int
	id        int // offset of the heap's ID in a record of the index by name
	idSize    int
	hash      int // and of the hash of the name
	flags     int // and of flags; 0 if there are none
	order     int // offset of the creation order in a record of the index by order
	orderSize int
	orderID   int // offset of the ID
	maxOrder  int // bytes of the maximum order in the message
	name      func(k *meta.Cursor) (name []byte, order uint64, tracked bool)
}

var denseLinks = dense{what: "links", byName: btree.TypeLinkName, byOrder: btree.TypeLinkOrder, id: 4, idSize: 7, hash: 0,
	order: 0, orderSize: 8, orderID: 8, maxOrder: 8, name: linkName}

var denseAttributes = dense{what: "attributes", byName: btree.TypeAttrName, byOrder: btree.TypeAttrOrder, id: 0, idSize: 8, hash: 13, flags: 8,
	order: 9, orderSize: 4, orderID: 0, maxOrder: 2, name: attributeName}

// linkName reads the name and the creation order in a link message (IV.A.2.g).
func linkName(k *meta.Cursor) (name []byte, order uint64, tracked bool) {
	k.Skip(1)
	flags := k.U8()
	if flags&8 != 0 {
		k.Skip(1)
	}
	if tracked = flags&4 != 0; tracked {
		order = k.U64()
	}
	if flags&16 != 0 {
		k.Skip(1)
	}
	n := k.Uint(1 << (flags & 3))
	if n > uint64(k.Len()) {
		return nil, 0, false // reported when the link is read
	}
	return k.Bytes(int(n)), order, tracked
}

// attributeName reads the name in an attribute message (IV.A.2.m).
func attributeName(k *meta.Cursor) (name []byte, order uint64, tracked bool) {
	version := k.U8()
	k.Skip(1)
	n := int(k.U16())
	k.Skip(4)
	if version == 3 {
		k.Skip(1)
	}
	name, _, _ = bytes.Cut(k.Bytes(n), []byte{0})
	return name, 0, false
}

// denseInfo checks the heap and the indexes of links or attributes (IV.A.2.c, IV.A.2.v).
func (c *checker) denseInfo(m *inspect.Message, d *dense) error {
	r, k := c.r, c.cursor(m)
	k.Skip(1)
	flags := k.U8()
	if flags&1 != 0 {
		k.Skip(d.maxOrder)
	}
	heapAddr, byName, byOrder := k.Address(), k.Address(), meta.Undefined
	if flags&2 != 0 {
		byOrder = k.Address()
	}
	if k.Err() != nil || heapAddr == meta.Undefined {
		return nil // reported when they are read, or there are none
	}
	hp, err := heap.OpenFractal(r, heapAddr)
	if err != nil {
		return nil // as above
	}
	c.report(hp.Verify(), c.path)
	w := denseWalk{dense: d, r: r, heap: hp, heapAddr: heapAddr, room: 8*min(r.Size(), 1<<59) + 32<<20} // as much as readers allow, for each of two indexes
	named, own, err := w.names(byName)
	if err != nil {
		return err
	}
	if n := hp.Managed + hp.Huge + hp.Tiny; n != own {
		c.report(r.Corrupt(heapAddr, "a fractal heap of %d objects, %d %s are indexed", n, own, d.what), c.path)
	}
	if byOrder == meta.Undefined {
		return nil
	}
	ordered, err := w.orders(byOrder)
	if err == nil && ordered != named {
		err = r.Corrupt(byOrder, "%d %s are indexed by name, %d by creation order", named, d.what, ordered)
	}
	return err
}

// denseWalk compares the indexes of links or attributes with the objects of their heap.
type denseWalk struct {
	*dense
	r        *meta.Reader
	heap     *heap.Fractal
	heapAddr uint64
	room     int64 // bytes of objects that may still be read: records may share an object
}

// find reads the object of an ID.
func (w *denseWalk) find(id []byte) (*meta.Cursor, error) {
	if w.room < 0 {
		return nil, w.r.Corrupt(w.heapAddr, "the %s in a fractal heap are larger than the file", w.what)
	}
	b, at, err := w.heap.Find(id)
	w.room -= int64(len(b))
	if err != nil {
		return nil, err
	}
	return w.r.CursorOver(b, at), nil
}

// inShared reports whether a record is of a message in the heap of shared messages.
func (w *denseWalk) inShared(rec []byte) bool {
	return w.flags > 0 && rec[w.flags]&inspect.FlagShared != 0
}

// names checks the index by name. It returns how many records there are, and how many of them are in this heap.
func (w *denseWalk) names(addr uint64) (all int, own uint64, err error) {
	r, last := w.r, uint32(0)
	err = btree.V2(r, addr, w.byName, func(rec []byte) error {
		if len(rec) < w.hash+4 || len(rec) < w.id+w.idSize {
			return r.Corrupt(addr, "B-tree record of %d bytes for %s", len(rec), w.what)
		}
		all++
		hash := binary.LittleEndian.Uint32(rec[w.hash:])
		if hash < last {
			return r.Corrupt(addr, "the index of %s by name is out of order", w.what)
		}
		last = hash
		if w.inShared(rec) {
			return nil
		}
		own++
		k, err := w.find(rec[w.id : w.id+w.idSize])
		if err != nil {
			return err
		}
		name, _, _ := w.name(k)
		if name != nil && meta.Checksum(name) != hash {
			return r.Corrupt(addr, "%q of the %s is indexed by %#08x, its hash is %#08x", name, w.what, hash, meta.Checksum(name))
		}
		return nil
	})
	return all, own, err
}

// orders checks the index by creation order, and returns how many records there are.
func (w *denseWalk) orders(addr uint64) (all int, err error) {
	r, next := w.r, uint64(0)
	err = btree.V2(r, addr, w.byOrder, func(rec []byte) error {
		if len(rec) < w.order+w.orderSize || len(rec) < w.orderID+w.idSize {
			return r.Corrupt(addr, "B-tree record of %d bytes for %s", len(rec), w.what)
		}
		all++
		order := meta.LE(rec[w.order : w.order+w.orderSize])
		if all > 1 && order < next {
			return r.Corrupt(addr, "the index of %s by creation order is out of order", w.what)
		}
		next = order + 1
		if w.inShared(rec) {
			return nil
		}
		k, err := w.find(rec[w.orderID : w.orderID+w.idSize])
		if err != nil {
			return err
		}
		if name, got, tracked := w.name(k); tracked && got != order {
			return r.Corrupt(addr, "%q of the %s is indexed by creation order %d, it has %d", name, w.what, order, got)
		}
		return nil
	})
	return all, err
}
