package dtype

import "github.com/h5arrow/h5arrow/dtype/internal/kernel"

// maxGather is the size in bytes of the largest rows that GatherWidth offers.
const maxGather = 64

// GatherWidth is RowBytes where rows that stand apart need nothing but to be brought side by side, by Gather, to be what
// Build takes without copying; else 0.
func (p *Plan) GatherWidth() int {
	if _, ok := p.root.(*plain); !ok || p.tensor != nil || p.SourceRows != 1 || p.RowBytes > maxGather {
		return 0
	}
	return p.RowBytes
}

// Gather copies n rows of width bytes, stride bytes apart in src, side by side to dst.
func Gather(dst, src []byte, width, stride, n int) { kernel.Gather(dst, src, width, stride, n) }
