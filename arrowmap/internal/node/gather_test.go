package node

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/internal/records"
)

// Bands in any order, and wider than what is wanted, give what a loop over the rows gives.
func TestGatherBands(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		parts := make([]records.Column, 1+r.IntN(5))
		stride := 1 + r.IntN(40)
		for i := range parts {
			width := 1 + r.IntN(stride)
			parts[i] = records.Column{Offset: r.IntN(stride - width + 1), Width: width}
		}
		total, first := int64(1+r.IntN(60)), int64(r.IntN(20)) // rows of the piece, whose first is number 100
		rows := r.Int64N(total) + 1
		src := make([]byte, int(total)*stride)
		for i := range src {
			src[i] = byte(r.Int())
		}
		g := &Gathers{lo: 100 + min(first, total-rows), rows: rows, stride: int64(stride), plan: records.New(stride, parts)}
		for i, p := range parts {
			c := &Gather{lo: g.lo, width: p.Width, buf: memory.NewBufferBytes(make([]byte, int(rows)*p.Width))}
			if i == 1 {
				c.swap = func(b []byte) bool { // any change that must be made once
					for i := range b {
						b[i]++
					}
					return true
				}
			}
			g.columns = append(g.columns, c)
		}
		band := int64(1 + r.IntN(9))
		for _, k := range r.Perm(int((total + band - 1) / band)) {
			a := int64(k) * band
			b := min(total, a+band)
			g.Run(100+a, 100+b, src[int(a)*stride:int(b)*stride])
		}
		for k, p := range parts {
			var want []byte
			for i := g.lo - 100; i < g.lo-100+rows; i++ {
				at := int(i)*stride + p.Offset
				want = append(want, src[at:at+p.Width]...)
			}
			if k == 1 {
				g.columns[k].swap(want)
			}
			if !bytes.Equal(g.Column(k).buf.Bytes(), want) {
				t.Fatalf("%+v of %d bytes, rows %d of %d in bands of %d: wrong", p, stride, rows, total, band)
			}
		}
	}
}
