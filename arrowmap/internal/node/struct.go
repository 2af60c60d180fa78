package node

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// fields is several nodes of as many rows as one.
type fields struct {
	Info
	of    []Node
	names []string
}

func (p *Planner) fields(v *convention.Struct) (Node, error) {
	n := &fields{}
	var of []arrow.Field
	for i, c := range v.Fields {
		if c.Err != nil {
			return nil, c.Err
		}
		f, err := p.New(c.Values)
		if err != nil {
			return nil, err
		}
		in := f.Describe()
		if in.Err != nil {
			return nil, in.Err
		}
		if i == 0 {
			n.Rows = in.Rows
			n.deliver(in.Delivery, in.Reason)
		}
		if in.Rows != n.Rows {
			return nil, fail(v.Data, h5err.Corrupt, "fields of unequal lengths: %s of %d, %s of %d", v.Fields[0].Name, n.Rows, c.Name, in.Rows)
		}
		if in.Delivery > n.Delivery {
			n.deliver(in.Delivery, in.Reason)
		}
		n.RowBytes += in.RowBytes
		n.Slow = n.Slow || in.Slow
		n.of, n.names = append(n.of, f), append(n.names, c.Name)
		of = append(of, arrow.Field{Name: c.Name, Type: in.Type, Nullable: true})
	}
	if len(of) == 0 {
		return nil, fail(v.Data, h5err.Unsupported, "a struct without fields")
	}
	n.Type = arrow.StructOf(of...)
	return n, nil
}

// Wants implements Node.
func (n *fields) Wants(a, b int64, want Want) {
	for _, f := range n.of {
		f.Wants(a, b, want)
	}
}

// Fits implements Node.
func (n *fields) Fits(x *Part, a, b int64) int64 {
	fit := b - a
	for _, f := range n.of {
		fit = min(fit, f.Fits(x, a, a+fit))
	}
	return fit
}

// Build implements Node.
func (n *fields) Build(x *Part, a, b int64) (arrow.Array, error) {
	arrays := make([]arrow.Array, 0, len(n.of))
	defer func() {
		for _, arr := range arrays {
			arr.Release()
		}
	}()
	for _, f := range n.of {
		arr, err := f.Build(x, a, b)
		if err != nil {
			return nil, err
		}
		arrays = append(arrays, arr)
	}
	return array.NewStructArray(arrays, n.names)
}
