package node

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Bands in any order, and wider than what is wanted, give what a loop over the rows gives.
func TestGatherBands(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		width := 1 + r.IntN(12)
		stride := width + r.IntN(20)
		offset := r.IntN(stride - width + 1)
		total, lo := int64(1+r.IntN(60)), int64(r.IntN(20)) // rows of the piece, whose first is number 100
		rows := r.Int64N(total) + 1
		src := make([]byte, int(total)*stride)
		for i := range src {
			src[i] = byte(r.Int())
		}
		g := &Gather{lo: 100 + min(lo, total-rows), rows: rows, offset: offset, stride: stride, width: width, buf: memory.NewBufferBytes(make([]byte, int(rows)*width))}
		var want []byte
		for i := g.lo - 100; i < g.lo-100+rows; i++ {
			at := int(i)*stride + offset
			want = append(want, src[at:at+width]...)
		}
		band := int64(1 + r.IntN(9))
		starts := r.Perm(int((total + band - 1) / band))
		for _, k := range starts {
			a := int64(k) * band
			b := min(total, a+band)
			g.Run(100+a, 100+b, src[int(a)*stride:int(b)*stride])
		}
		if !bytes.Equal(g.buf.Bytes(), want) {
			t.Fatalf("width %d of %d at %d, rows %d of %d in bands of %d: wrong", width, stride, offset, rows, total, band)
		}
	}
}
