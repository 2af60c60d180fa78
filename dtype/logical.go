package dtype

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

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
