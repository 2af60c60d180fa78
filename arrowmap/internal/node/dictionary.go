package node

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// dictionary is indices of labels, and the labels.
type dictionary struct {
	Info
	indices Node
	data    *h5.Dataset // of the indices
	labels  Node
	typ     *arrow.DictionaryType
	dense   bool // rows are labels, not indices
}

func (p *Planner) dictionary(v *convention.Dictionary) (Node, error) {
	indices, err := p.New(v.Indices)
	if err != nil {
		return nil, err
	}
	in := indices.Describe()
	if !arrow.IsInteger(in.Type.ID()) {
		return nil, h5err.New(h5err.Corrupt, "dictionary indices of %s: they must be integers", v.Main().Type())
	}
	labels, err := p.New(v.Labels)
	if err != nil {
		return nil, err
	}
	n := &dictionary{Info: *in, indices: indices, data: v.Main(), labels: labels, dense: v.Dense,
		typ: &arrow.DictionaryType{IndexType: in.Type, ValueType: labels.Describe().Type, Ordered: v.Ordered}}
	n.Type, n.Slow, n.Pure = n.typ, false, false
	if n.dense {
		n.Type, n.RowBytes = labels.Describe().Type, labels.Describe().RowBytes
		n.deliver(dtype.Converted, "every row gets the label of its index")
	}
	return n, nil
}

// array returns the labels, which are read once in a pass. The array belongs to the pass.
func (n *dictionary) array(x *Part) (arrow.Array, error) {
	r, err := x.Pass.Keep(n, func() (Releaser, error) { return x.array(n.labels, 0, n.labels.Describe().Rows) })
	if err != nil {
		return nil, err
	}
	return r.(arrow.Array), nil
}

// Wants implements Node.
func (n *dictionary) Wants(a, b int64, want Want) { n.indices.Wants(a, b, want) }

// Fits implements Node.
func (n *dictionary) Fits(x *Part, a, b int64) int64 {
	fit := n.indices.Fits(x, a, b)
	if n.dense {
		if labels, err := n.array(x); err == nil { // Build reports it
			fit = min(fit, math.MaxInt32/longest(labels))
		}
	}
	return fit
}

// Build implements Node.
func (n *dictionary) Build(x *Part, a, b int64) (arrow.Array, error) {
	labels, err := n.array(x)
	if err != nil {
		return nil, err
	}
	idx, err := n.indices.Build(x, a, b)
	if err != nil {
		return nil, err
	}
	defer idx.Release()
	arr, err := dtype.BuildDictionary(idx, labels, n.typ.Ordered, a, n.data.Path())
	if err == nil && n.dense {
		defer arr.Release()
		arr, err = expand(arr.(*array.Dictionary), x.Alloc)
	}
	return arr, h5err.About(err, n.data)
}
