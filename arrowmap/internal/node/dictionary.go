package node

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// dictionary is indices of labels, and the labels. Labels that are null are in no array: their rows are null.
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

// labelSet is the labels of a dictionary.
type labelSet struct {
	all   arrow.Array // as they are stored
	known arrow.Array // without nulls; all where there are none
	at    []int64     // of each of all in known, -1 for a null; nil where there are none
}

// Release implements Releaser.
func (l *labelSet) Release() {
	l.all.Release()
	l.known.Release()
}

// read returns the labels, which are read once in a pass. They belong to the pass.
func (n *dictionary) read(x *Part) (*labelSet, error) {
	r, err := x.Pass.Keep(n, func() (Releaser, error) {
		all, err := x.array(n.labels, 0, n.labels.Describe().Rows)
		if err != nil {
			return nil, err
		}
		return newLabelSet(all, x.Alloc)
	})
	if err != nil {
		return nil, err
	}
	return r.(*labelSet), nil
}

// newLabelSet takes over all.
func newLabelSet(all arrow.Array, mem memory.Allocator) (Releaser, error) {
	known, at, err := values.WithoutNulls(all, mem)
	if err != nil {
		all.Release()
		return nil, err
	}
	return &labelSet{all, known, at}, nil
}

// Wants implements Node.
func (n *dictionary) Wants(a, b int64, want Want) { n.indices.Wants(a, b, want) }

// Fits implements Node.
func (n *dictionary) Fits(x *Part, a, b int64) int64 {
	fit := n.indices.Fits(x, a, b)
	if n.dense {
		if labels, err := n.read(x); err == nil { // Build reports it
			fit = min(fit, math.MaxInt32/values.Longest(labels.all))
		}
	}
	return fit
}

// Build implements Node.
func (n *dictionary) Build(x *Part, a, b int64) (arrow.Array, error) {
	labels, err := n.read(x)
	if err != nil {
		return nil, err
	}
	idx, err := n.indices.Build(x, a, b)
	if err != nil {
		return nil, err
	}
	defer idx.Release()
	arr, err := dtype.BuildDictionary(idx, labels.all, n.typ.Ordered, a, n.data.Path())
	if err == nil && n.dense {
		defer arr.Release()
		arr, err = values.Expand(arr.(*array.Dictionary), x.Alloc)
	} else if err == nil && labels.at != nil {
		defer arr.Release()
		arr = labels.moved(arr.(*array.Dictionary), x.Alloc)
	}
	return arr, h5err.About(err, n.data)
}

// moved returns a dictionary array of all labels as one of the known ones: rows of a label that is null are null.
func (l *labelSet) moved(d *array.Dictionary, mem memory.Allocator) arrow.Array {
	width := d.DataType().(*arrow.DictionaryType).IndexType.(arrow.FixedWidthDataType).Bytes()
	n, nulls := d.Len(), 0
	valid, indices := memory.NewResizableBuffer(mem), memory.NewResizableBuffer(mem)
	defer valid.Release()
	defer indices.Release()
	valid.Resize((n + 7) / 8)
	indices.Resize(n * width)
	bits, out := valid.Bytes(), indices.Bytes()
	clear(bits)
	clear(out)
	for i := range n {
		if d.IsNull(i) || l.at[d.GetValueIndex(i)] < 0 {
			nulls++
			continue
		}
		bitutil.SetBit(bits, i)
		for k, at := 0, l.at[d.GetValueIndex(i)]; k < width; k, at = k+1, at>>8 {
			out[i*width+k] = byte(at)
		}
	}
	data := array.NewDataWithDictionary(d.DataType(), n, []*memory.Buffer{valid, indices}, nulls, 0, l.known.Data().(*array.Data))
	defer data.Release()
	return array.NewDictionaryData(data)
}
