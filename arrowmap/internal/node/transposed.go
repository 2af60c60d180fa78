package node

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// transposed is a dataset whose last dimension counts the rows.
type transposed struct {
	Info
	p     *Planner
	ds    *h5.Dataset
	plan  *dtype.Plan // of one row
	nulls []nullSource
}

// maxTransposed bounds the elements of a dataset that is read whole.
const maxTransposed = 1 << 40

func (p *Planner) transposed(v *convention.Transposed) (Node, error) {
	dims := v.Data.Dims()
	if len(dims) < 2 {
		plain := convention.NewStored(v.Data)
		plain.As, plain.DType, plain.Nulls = v.As, v.DType, v.Nulls
		return p.plain(plain)
	}
	if err := p.readable(v.Data); err != nil {
		return nil, err
	}
	row := slices.Clone(dims[:len(dims)-1])
	slices.Reverse(row)
	if _, ok := bytesOf(row, v.Data.Type()); !ok {
		return nil, fail(v.Data, h5err.Limit, "a row of %v elements of %d bytes", row, v.Data.Type().Size)
	}
	if n, ok := v.Data.Space().Elements(); !ok || n > maxTransposed {
		return nil, fail(v.Data, h5err.Limit, "a shape of %v elements", dims)
	}
	for _, null := range v.Nulls {
		if null.Kind != convention.NullRule {
			return nil, fail(v.Data, h5err.Unsupported, "a mask over column-major values")
		}
	}
	t := v.Data.Type()
	if v.As != nil && v.As.Size == t.Size {
		t = v.As
	}
	plan, err := dtype.New(dtype.Source{Type: t, Dims: row, DType: v.DType}, p.Types)
	if err != nil {
		return nil, h5err.About(err, v.Data)
	}
	n := &transposed{p: p, ds: v.Data, plan: plan}
	n.Rows = int64(dims[len(dims)-1])
	if n.nulls, err = p.nullSources(v.Nulls, v.Data, n.Rows, plan.Items, false); err != nil {
		return nil, err
	}
	if err = checkRules(n.nulls, plan.RowBytes/int(plan.Items), v.Data); err != nil {
		return nil, err
	}
	n.Type, n.Metadata, n.RowBytes, n.Nulls = plan.Arrow, plan.Metadata, int64(plan.RowBytes), describeNulls(n.nulls)
	if plan.Variable {
		n.RowBytes = max(n.RowBytes, 32)
	}
	n.deliver(dtype.Gathered, "the dimensions are reversed: rows are gathered")
	return n, nil
}

// Wants asks for nothing: what a row needs is all over the dataset.
func (n *transposed) Wants(_, _ int64, _ Want)       {}
func (n *transposed) Fits(_ *Part, a, b int64) int64 { return b - a }

// Build implements Node.
func (n *transposed) Build(x *Part, a, b int64) (arrow.Array, error) {
	whole, err := x.whole(n.ds)
	if err != nil {
		return nil, err
	}
	dims, size := n.ds.Dims(), n.ds.Type().Size
	items := 1
	for _, d := range dims[:len(dims)-1] {
		items *= int(d)
	}
	buf := memory.NewResizableBuffer(x.Alloc)
	defer buf.Release()
	buf.Resize(int(b-a) * items * size)
	gatherColumns(buf.Bytes(), whole.Bytes, dims, size, int(a), int(b))
	raw := dtype.Raw{Bytes: buf.Bytes(), Rows: int(b - a), Row0: a, Owner: buf, Mutable: true}
	v, err := x.validity(n.nulls, a, b, n.plan.Items, raw)
	if err != nil {
		return nil, err
	}
	defer v.release()
	raw.Valid, raw.Nulls, raw.ValidBuf = v.bits, v.nulls, v.buf
	arr, err := n.plan.Build(raw, x.env(n.p, n.ds))
	return arr, h5err.About(err, n.ds)
}

// gatherColumns copies the rows [a,b) of a column-major array to row-major order. dims are those of the file; its last
// counts the rows, and a row's items are in the reversed order of the others.
func gatherColumns(dst, src []byte, dims []uint64, size, a, b int) {
	rank := len(dims) - 1
	rows := int(dims[rank])
	items := 1
	for _, d := range dims[:rank] {
		items *= int(d)
	}
	index := make([]int, rank) // of an item, in the reversed order: the first of the file's dimensions varies fastest
	for k := range items {
		at := 0
		for i := range rank {
			at = at*int(dims[i]) + index[i]
		}
		from := src[(at*rows+a)*size:]
		for r := range b - a {
			copy(dst[(r*items+k)*size:(r*items+k+1)*size], from[r*size:(r+1)*size])
		}
		for i := 0; i < rank; i++ {
			if index[i]++; index[i] < int(dims[i]) {
				break
			}
			index[i] = 0
		}
	}
}
