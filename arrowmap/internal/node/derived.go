package node

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// derived is what a function makes of another node's arrays.
type derived struct {
	Info
	of  Node
	def *convention.Derived
}

func (p *Planner) derived(v *convention.Derived) (Node, error) {
	of, err := p.New(v.Of)
	if err != nil {
		return nil, err
	}
	n := &derived{Info: *of.Describe(), of: of, def: v}
	if n.Pure = false; v.Type != nil {
		n.Type = v.Type
	}
	if n.Nulls != nil {
		nulls := *n.Nulls
		nulls.Words = "stored " + nulls.Words // the values are others
		n.Nulls = &nulls
	}
	if v.Nulls != "" {
		n.Nulls = n.Nulls.and(v.Nulls)
	}
	reason := v.Reason
	if n.Reason != "" {
		reason += "; " + n.Reason
	}
	n.deliver(dtype.Converted, reason)
	return n, nil
}

func (n *derived) Wants(a, b int64, want Want)    { n.of.Wants(a, b, want) }
func (n *derived) Fits(x *Part, a, b int64) int64 { return n.of.Fits(x, a, b) }
func (n *derived) Build(x *Part, a, b int64) (arrow.Array, error) {
	in, err := n.of.Build(x, a, b)
	if err != nil {
		return nil, err
	}
	defer in.Release()
	d := n.def.Main()
	out, err := n.def.Compute(in, a, x.Alloc)
	switch {
	case err != nil && out == nil:
		return nil, h5err.About(err, d)
	case err != nil && x.Note != nil:
		x.Note(h5err.About(err, d))
	}
	out, err = checked(out, int64(in.Len()), n.Type, n.def.Reason)
	return out, h5err.About(err, d)
}

// empty is a column without rows.
type empty struct{ Info }

func newEmpty(v *convention.Empty) Node {
	return &empty{Info{Type: v.Type, Delivery: dtype.Converted, Reason: "there are no rows"}}
}

func (n *empty) Wants(_, _ int64, _ Want)       {}
func (n *empty) Fits(_ *Part, a, b int64) int64 { return b - a }
func (n *empty) Build(x *Part, _, _ int64) (arrow.Array, error) {
	b := array.NewBuilder(x.Alloc, n.Type)
	defer b.Release()
	return b.NewArray(), nil
}
