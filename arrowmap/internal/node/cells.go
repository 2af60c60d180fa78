package node

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// cells is a dataset for each row.
type cells struct {
	Info
	p    *Planner
	def  *convention.Cells
	plan *dtype.Plan
	sum  []int64 // items before each row, and all of them
}

// maxItems bounds the items of all cells of a column, so that their number of bytes can't overflow.
const maxItems = 1 << 50

func (p *Planner) cells(v *convention.Cells) (Node, error) {
	plan, err := dtype.New(dtype.Source{Type: v.Type, NoConvention: true}, p.Types)
	if err != nil {
		return nil, err
	}
	if plan.Refs {
		return nil, h5err.New(h5err.Unsupported, "references in cells")
	}
	n := &cells{p: p, def: v, plan: plan, sum: make([]int64, 1, len(v.Rows)+1)}
	total := int64(0)
	for _, c := range v.Rows {
		items := max(0, c.Items)
		if v.Single && items != 1 && c.Items != convention.NoItems {
			return nil, h5err.New(h5err.Corrupt, "a cell of %d items where one is expected", items)
		}
		if items > math.MaxInt32 || total > maxItems {
			return nil, h5err.New(h5err.Limit, "a cell of %d items", items)
		}
		total += items
		n.sum = append(n.sum, total)
	}
	n.Type, n.Rows, n.Slow, n.RowBytes = plan.Arrow, int64(len(v.Rows)), true, int64(max(1, plan.RowBytes))
	if !v.Single {
		n.Type = arrow.ListOf(plan.Arrow)
	}
	if n.Rows > 0 {
		n.RowBytes = n.RowBytes*(total/n.Rows+1) + 4
	}
	n.deliver(dtype.Gathered, "each row is a dataset of its own")
	return n, nil
}

// Wants asks for nothing: each row is read by itself.
func (n *cells) Wants(_, _ int64, _ Want) {}

func (n *cells) Fits(x *Part, a, b int64) int64 {
	limit := min(x.TextBytes, math.MaxInt32) / int64(max(1, n.def.Type.Size))
	for b > a+1 && n.sum[b]-n.sum[a] > limit {
		b = a + (b-a)/2
	}
	return b - a
}

func (n *cells) Build(x *Part, a, b int64) (arrow.Array, error) {
	arr, err := n.array(x, a, b)
	return arr, h5err.About(err, n.def.Data)
}

func (n *cells) array(x *Part, a, b int64) (arrow.Array, error) {
	size := int64(n.def.Type.Size)
	rows := int(b - a)
	items := n.sum[b] - n.sum[a]
	if n.def.Single {
		items = b - a // null cells take room too
	}
	bytes := items * size
	if bytes > math.MaxInt32 || x.MaxMemory > 0 && bytes > x.MaxMemory {
		return nil, h5err.New(h5err.Memory, "%d bytes of %d cells at once", bytes, rows).WithOption("arrowmap.WithBatchRows", "ask for smaller batches").WithOption("arrowmap.WithMaxMemory", "allow more")
	}
	buf := memory.NewResizableBuffer(x.Alloc)
	defer buf.Release()
	buf.Resize(int(bytes))
	bits := make([]byte, (rows+7)/8)
	offsets := memory.NewResizableBuffer(x.Alloc)
	defer offsets.Release()
	offsets.Resize(4 * (rows + 1))
	to := arrow.Int32Traits.CastFromBytes(offsets.Bytes())
	to[0] = 0
	at, nulls := int64(0), 0
	for i := range rows {
		c := n.def.Rows[a+int64(i)]
		if c.Items == convention.NoItems {
			nulls++
		} else {
			bits[i/8] |= 1 << (i % 8)
		}
		k := max(0, c.Items)
		if n.def.Single {
			k = 1
		}
		into := buf.Bytes()[at*size : (at+k)*size]
		if c.Items > 0 {
			if err := n.read(x.Context, c, into); err != nil {
				return nil, err
			}
		} else {
			clear(into)
		}
		at += k
		to[i+1] = int32(at)
	}
	raw := dtype.Raw{Bytes: buf.Bytes(), Rows: int(items), Owner: buf, Mutable: true}
	if !n.def.Single {
		raw.Row0 = n.sum[a]
	} else if raw.Row0 = a; nulls > 0 {
		raw.Valid, raw.Nulls = dtype.Bitmap{Bits: bits}, nulls
	}
	values, err := n.plan.Build(raw, x.env(n.p, n.def.Data))
	if err != nil || n.def.Single {
		return values, err
	}
	defer values.Release()
	var valid *memory.Buffer
	if nulls > 0 {
		valid = memory.NewResizableBuffer(x.Alloc)
		defer valid.Release()
		valid.Resize(len(bits))
		copy(valid.Bytes(), bits)
	}
	data := array.NewData(n.Type, rows, []*memory.Buffer{valid, offsets}, []arrow.ArrayData{values.Data()}, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// read reads the elements of one cell.
func (n *cells) read(ctx context.Context, c convention.Cell, into []byte) error {
	src := n.def.Data.File()
	o, err := src.ObjectAt(c.Address, n.def.Data.Path())
	if err != nil {
		return err
	}
	d, ok := o.(*h5.Dataset)
	if !ok {
		return h5err.New(h5err.Corrupt, "a cell that is not a dataset")
	}
	count, ok := d.Space().Elements()
	if !ok || int64(count) != c.Items || d.Type().Size != n.def.Type.Size {
		return h5err.New(h5err.Corrupt, "a cell of %s of shape %v", d.Type(), d.Dims())
	}
	r, err := chunk.NewReader(d)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Read(ctx, 0, r.Rows(), into)
}
