package encode

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// boolean is booleans, a byte each.
type boolean struct{ info }

func (b *planner) boolean(depth int) (node, error) {
	if err := b.noSentinel(arrow.FixedWidthTypes.Boolean, depth); err != nil {
		return nil, err
	}
	return &boolean{info{typ: types.Bool(), arrow: arrow.FixedWidthTypes.Boolean, delivery: dtype.Packed, reason: "bits become byte booleans"}}, nil
}

func (*boolean) takes(t arrow.DataType) bool { return t.ID() == arrow.BOOL }

func (n *boolean) put(dst []byte, stride int, s *source) error {
	d := s.Data()
	bits := d.Buffers()[1]
	switch {
	case bits == nil || d.Len() == 0:
	case stride == 1:
		nullbitmap.UnpackBools(dst[:d.Len()], bits.Bytes(), d.Offset())
	default:
		for i := range d.Len() {
			at := d.Offset() + i
			dst[i*stride] = bits.Bytes()[at>>3] >> (at & 7) & 1
		}
	}
	if !s.gaps() {
		return nil
	}
	for i := range d.Len() {
		gone, err := s.absent(i, n.arrow)
		if err != nil {
			return err
		}
		if gone {
			dst[i*stride] = 0
		}
	}
	return nil
}
