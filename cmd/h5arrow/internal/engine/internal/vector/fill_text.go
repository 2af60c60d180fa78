//go:build duckdb_arrow && cgo

package vector

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// textFiller copies text and bytes.
type textFiller struct {
	nulls
	width   int // bytes of an offset
	fixed   int // bytes of each value, where there are no offsets
	text    bool
	offsets []int64
	narrow  []int32
	bytes   []byte
}

func (f *textFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	if err := f.read(arr, off, n); err != nil {
		return err
	}
	f.write(arr, off, n, up, v)
	f.put(n, v)
	return nil
}

// put writes the n values that read has read.
func (f *textFiller) put(n int, v duck.Vector) {
	if n == 0 {
		return
	}
	f.bytes = append(f.bytes, 0) // so that there is an address
	writeText(v, f.bytes, f.offsets, n)
}

// read copies rows [off,off+n) to offsets and bytes, and checks them.
func (f *textFiller) read(arr arrow.Array, off, n int) error {
	at := arr.Data().Offset() + off
	f.offsets = Room(f.offsets, n+1)
	if f.width == 0 {
		for i := range f.offsets {
			f.offsets[i] = int64(i * f.fixed)
		}
		f.bytes = append(f.bytes[:0], Buffer(arr, 1)[at*f.fixed:(at+n)*f.fixed]...)
		return nil
	}
	all := Buffer(arr, 2)
	if err := readOffsets(f.offsets, &f.narrow, Buffer(arr, 1), at, f.width, int64(len(all))); err != nil {
		return err
	}
	first := f.offsets[0]
	f.bytes = append(f.bytes[:0], all[first:f.offsets[n]]...)
	for i := range f.offsets {
		f.offsets[i] -= first
	}
	if f.text {
		return f.check()
	}
	return nil
}

// check reports an error if the values are no longer text, as they were when the array was created.
func (f *textFiller) check() error {
	ok := utf8.Valid(f.bytes)
	for _, o := range f.offsets {
		ok = ok && (o == int64(len(f.bytes)) || utf8.RuneStart(f.bytes[o]))
	}
	if !ok {
		return h5err.New(h5err.Corrupt, "text that is not UTF-8")
	}
	return nil
}

// readOffsets copies the offsets of len(dst)-1 values, starting with value at, and checks that they do not decrease and do
// not exceed limit.
func readOffsets(dst []int64, narrow *[]int32, src []byte, at, width int, limit int64) error {
	n := len(dst)
	if len(src) == 0 && n == 1 { // an array without rows needs no offsets
		dst[0] = 0
		return nil
	}
	if width == 8 {
		copy(Raw(dst), src[at*8:(at+n)*8])
	} else {
		*narrow = Room(*narrow, n)
		copy(Raw(*narrow), src[at*4:(at+n)*4])
		for i, o := range *narrow {
			dst[i] = int64(o)
		}
	}
	last := int64(0)
	for _, o := range dst {
		if o < last || o > limit {
			return h5err.New(h5err.Corrupt, "offset %d after %d, of %d values", o, last, limit)
		}
		last = o
	}
	return nil
}
