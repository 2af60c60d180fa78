package write

import (
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
)

// collectionBytes is the usual size of a collection of a heap.
const collectionBytes = 64 << 10

// heap fills collections of the global heap. Those of attributes are metadata and get their place with it; those of datasets are
// raw data, have their place from the start and are written when they are full.
type heap struct {
	f          *File
	attributes bool
	now        *format.Collection
	size       int // bytes of now in the file
	all        []*format.Collection
}

// add stores an object and appends what points to it: the address of its collection and its index in it.
func (h *heap) add(out *format.Block, body *format.Block) error {
	if h.now == nil || !h.now.Fits(len(body.Data), h.size) {
		if err := h.turn(len(body.Data)); err != nil {
			return err
		}
	}
	index := h.now.Add(body)
	out.Ref(&h.now.Block)
	out.U32(index)
	return nil
}

// turn starts a collection with room for an object.
func (h *heap) turn(n int) error {
	if err := h.flush(); err != nil {
		return err
	}
	h.now = format.NewCollection()
	h.size = max(format.CollectionBytes(format.ObjectBytes(n)), collectionBytes)
	if h.attributes {
		h.all = append(h.all, h.now)
		return nil
	}
	h.now.Addr = uint64(h.f.space.Data(int64(h.size), 8))
	return nil
}

// flush finishes the current collection. That of attributes gets as small as it can be.
func (h *heap) flush() error {
	if h.now == nil {
		return nil
	}
	c := h.now
	h.now = nil
	if h.attributes {
		c.Seal(format.CollectionBytes(len(c.Data) - 16))
		return nil
	}
	c.Seal(h.size)
	c.Link()
	return h.f.out.Put(c.Data, int64(c.Addr))
}
