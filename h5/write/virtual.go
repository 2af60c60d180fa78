package write

import (
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
)

// virtual is the store of a dataset that is mapped from others. The list of mappings is an object of the global heap.
type virtual struct {
	d    *Dataset
	heap *format.Block // what points to the list
}

func newVirtual(d *Dataset) (*virtual, error) {
	if d.f.o.version != V110 {
		return nil, h5err.New(h5err.Unsupported, "a virtual dataset in a file for version %v of HDF5", d.f.o.version)
	}
	list, err := format.Mappings(d.spec.Virtual, len(d.spec.Space.Dims))
	if err != nil {
		return nil, err
	}
	v := &virtual{d: d, heap: &format.Block{}}
	return v, d.f.notes.add(v.heap, list)
}

func (v *virtual) write([]byte) error {
	return h5err.New(h5err.Argument, "the values are those of other datasets")
}

func (v *virtual) finish() error { return nil }

func (v *virtual) abandon() {}

func (v *virtual) layout() (*format.Block, []*format.Block) {
	b := &format.Block{}
	b.U8(4)
	b.U8(3)
	b.Block(v.heap)
	return b, nil
}
