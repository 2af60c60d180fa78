package dtype

import "github.com/h5arrow/h5arrow/dtype/internal/kernel"

// maxGather is the largest GatherWidth in bytes.
const maxGather = 64

// GatherWidth returns RowBytes where rows with other bytes between them only need Gather to become what Build takes
// without copying; else 0.
func (p *Plan) GatherWidth() int {
	if _, ok := p.root.(*plain); !ok || p.tensor != nil || p.SourceRows != 1 || p.RowBytes > maxGather {
		return 0
	}
	return p.RowBytes
}

// Gather copies n rows of width bytes, stride bytes apart in src, to adjacent bytes of dst.
func Gather(dst, src []byte, width, stride, n int) { kernel.Gather(dst, src, width, stride, n) }
