// Package records takes columns out of rows of a fixed number of bytes, as members of a compound type or columns of a
// matrix are stored. Every function is exact for any number of rows, any width and any alignment.
package records

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Column is where a column's values are in each row.
type Column struct {
	Offset int // of its first byte
	Width  int // bytes of a value
}

// Plan is how the columns of rows are gathered. It is immutable.
type Plan struct {
	stride int
	step   int // rows that are gathered at a time
	runs   []run
}

// run is columns of one width that are next to each other in a row, in that order: one of any width, or as many as a
// kernel takes together.
type run struct {
	Column       // the first
	cols   []int // their numbers
}

// bandBytes is the size of rows that stay in a first-level cache until all columns were taken from them, with the next ones and
// what the columns get.
const bandBytes = 8 << 10

// New returns a plan for columns of rows of stride bytes. It panics when a column is not inside a row.
func New(stride int, cols []Column) *Plan {
	order := make([]int, len(cols))
	for i, c := range cols {
		if c.Offset < 0 || c.Width < 1 || c.Width > stride || c.Offset > stride-c.Width {
			panic(fmt.Sprintf("records: %d bytes at %d of rows of %d", c.Width, c.Offset, stride))
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cols[a].Offset - cols[b].Offset })
	p := &Plan{stride: stride, step: max(blockRows, bandBytes/max(1, stride)&^(blockRows-1))}
	for len(order) > 0 {
		n := together(cols, order)
		p.runs = append(p.runs, run{cols[order[0]], order[:n:n]})
		order = order[n:]
	}
	return p
}

// together is the number of columns from the first of order on that a kernel takes at once.
func together(cols []Column, order []int) int {
	first := cols[order[0]]
	n := blockColumns(first.Width)
	if len(order) < n {
		return 1
	}
	for k, c := range order[:n] {
		if cols[c] != (Column{first.Offset + k*first.Width, first.Width}) {
			return 1
		}
	}
	return n
}

// Gather copies the values of n rows, stored one after the other in rows, to adjacent bytes of dst, which has a slice for
// each column. It panics where those or rows are too short.
func (p *Plan) Gather(dst [][]byte, rows []byte, n int) {
	for at := 0; at < n; at += p.step {
		k := min(p.step, n-at)
		band := rows[at*p.stride : (at+k)*p.stride]
		for i := range p.runs {
			p.runs[i].gather(dst, at, band, p.stride, k)
		}
	}
}

// gather gathers n rows, which are those from row at on of dst.
func (r *run) gather(dst [][]byte, at int, rows []byte, stride, n int) {
	done, w := 0, r.Width
	if len(r.cols) > 1 {
		done = transpose(dst, r.cols, at, rows[r.Offset:], w, stride, n)
	}
	if done == n {
		return
	}
	for k, c := range r.cols {
		Gather(dst[c][(at+done)*w:(at+n)*w], rows[done*stride+r.Offset+k*w:], w, stride, n-done)
	}
}

// Gather copies n elements of width bytes, stride bytes apart in src, to adjacent bytes of dst.
func Gather(dst, src []byte, width, stride, n int) {
	if n < 1 {
		return
	}
	dst, src = dst[:n*width], src[:(n-1)*stride+width]
	if stride == width {
		copy(dst, src)
		return
	}
	if done := gatherVector(dst, src, width, stride, n); done < n {
		gatherPortable(dst[done*width:], src[done*stride:], width, stride, n-done)
	}
}

// gatherPortable is Gather, an element at a time.
func gatherPortable(dst, src []byte, width, stride, n int) {
	ne := binary.NativeEndian
	switch width {
	case 1:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			dst[i] = src[o]
		}
	case 2:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			ne.PutUint16(dst[i*2:], ne.Uint16(src[o:]))
		}
	case 4:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			ne.PutUint32(dst[i*4:], ne.Uint32(src[o:]))
		}
	case 8:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			ne.PutUint64(dst[i*8:], ne.Uint64(src[o:]))
		}
	default:
		gatherBytes(dst, src, width, stride, n)
	}
}

// gatherBytes is gatherPortable for any width: up to 16 bytes as two words, the second of which ends where the element does.
func gatherBytes(dst, src []byte, width, stride, n int) {
	ne := binary.NativeEndian
	switch {
	case 4 < width && width < 8:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			to, from := dst[i*width:(i+1)*width], src[o:o+width]
			a, b := ne.Uint32(from), ne.Uint32(from[width-4:])
			ne.PutUint32(to, a)
			ne.PutUint32(to[width-4:], b)
		}
	case 8 < width && width <= 16:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			to, from := dst[i*width:(i+1)*width], src[o:o+width]
			a, b := ne.Uint64(from), ne.Uint64(from[width-8:])
			ne.PutUint64(to, a)
			ne.PutUint64(to[width-8:], b)
		}
	default:
		for i, o := 0, 0; i < n; i, o = i+1, o+stride {
			copy(dst[i*width:(i+1)*width], src[o:o+width])
		}
	}
}
