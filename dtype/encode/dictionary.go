package encode

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// dictionary is a dictionary column as datasets of indices and of labels.
type dictionary struct{ indices, labels *Plan }

func (b *planner) dictionary(p *Plan, f arrow.Field, t *arrow.DictionaryType) error {
	if b.nulls == NullsSentinel {
		return h5err.New(h5err.Unsupported, "dictionary indices have no sentinel for nulls")
	}
	o := b.opt
	o.Nulls = b.nulls
	indices, err := newPlan(arrow.Field{Name: f.Name, Type: t.IndexType}, Options{Nulls: o.Nulls}, 1)
	if err != nil {
		return err
	}
	if _, ok := t.ValueType.(*arrow.FixedSizeListType); ok {
		return unsupportedType(t.ValueType, "as labels of a dictionary")
	}
	labels, err := newPlan(arrow.Field{Name: f.Name, Type: t.ValueType, Metadata: f.Metadata}, o, 1)
	if err != nil {
		return err
	}
	p.Delivery, p.Reason, p.Read = indices.Delivery, labels.Reason, labels.Read
	p.Arrow = &arrow.DictionaryType{IndexType: t.IndexType, ValueType: labels.Arrow, Ordered: t.Ordered}
	for _, d := range indices.Datasets {
		d.Part = PartIndices
		p.Datasets = append(p.Datasets, d)
	}
	for _, d := range labels.Datasets {
		d.Part = PartLabels
		p.Datasets = append(p.Datasets, d)
	}
	p.root = &dictionary{indices: indices, labels: labels}
	return nil
}

func (c *dictionary) encode(a arrow.Array) ([]Contents, error) {
	d, ok := a.(*array.Dictionary)
	if !ok {
		return nil, h5err.New(h5err.Argument, "%s where a dictionary was planned", a.DataType())
	}
	for i := range d.Len() {
		if d.IsValid(i) {
			if _, err := labelOf(d, i); err != nil {
				return nil, err
			}
		}
	}
	indices, err := c.indices.root.encode(d.Indices())
	if err != nil {
		return nil, err
	}
	labels, err := c.labels.Encode(d.Dictionary(), 0)
	if err != nil {
		return nil, h5err.Wrap(h5err.KindOf(err), err, "the labels of a dictionary")
	}
	return append(indices, labels...), nil
}

// labelOf returns the number of the label of row i, which is not null.
func labelOf(d *array.Dictionary, i int) (int, error) {
	k := d.GetValueIndex(i)
	if k < 0 || k >= d.Dictionary().Len() {
		return 0, element.New(i, h5err.Corrupt, "index %d into a dictionary of %d", k, d.Dictionary().Len())
	}
	return k, nil
}
