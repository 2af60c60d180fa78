package encode

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/h5"
)

// node encodes the elements of one type. Every node is either fixed or flat.
type node interface {
	base() *info
	takes(t arrow.DataType) bool // reports whether arrays of type t can be encoded
}

// fixed is a node whose elements all have the same size.
type fixed interface {
	node
	// put writes all elements of s to dst, stride bytes from one to the next.
	put(dst []byte, stride int, s *source) error
}

// flat is a node whose elements point to the heap.
type flat interface {
	node
	// add appends element i of s in flat form.
	add(dst []byte, s *source, i int) ([]byte, error)
}

// info is what all nodes have.
type info struct {
	typ      *h5.Type
	arrow    arrow.DataType // what reading gives
	read     dtype.Options  // with these options
	delivery dtype.Delivery
	reason   string
	elements uint64 // elements that make a value, where they are a dimension of the dataset; else 0

	dtype, zone string // Dataset.DType and Dataset.Zone
	sentinel    []byte // Dataset.Sentinel
}

func (n *info) base() *info               { return n }
func (n *info) takes(arrow.DataType) bool { return true } // the nodes of nested types check arrays themselves

// inherit takes over what reading the node of a member needs.
func (n *info) inherit(in *info) {
	if in.read.Strings != dtype.StringsUTF8 {
		n.read.Strings = in.read.Strings
	}
}

// appendElement appends element i of s in flat form.
func appendElement(n node, dst []byte, s *source, i int) ([]byte, error) {
	switch n := n.(type) {
	case flat:
		return n.add(dst, s, i)
	case fixed:
		v := s.value(i)
		defer v.Release()
		size := n.base().typ.Size
		dst = append(dst, make([]byte, size)...)
		err := n.put(dst[len(dst)-size:], size, &v)
		return dst, element.Owner(err, func(int) int { return i })
	}
	return dst, nil
}
