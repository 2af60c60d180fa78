//go:build !purego

package records

import "golang.org/x/sys/cpu"

// blockRows is the multiple of rows that kernels take.
const blockRows = 8

// blockBytes is the bytes of a row that transpose takes at once.
const blockBytes = 32

// gather1 to gather8 copy n elements, a multiple of 8 and not 0, of 1 to 8 bytes.
//
//go:noescape
func gather1(dst, src *byte, stride, n int)

//go:noescape
func gather2(dst, src *byte, stride, n int)

//go:noescape
func gather4(dst, src *byte, stride, n int)

//go:noescape
func gather8(dst, src *byte, stride, n int)

// pair4 copies n elements, a multiple of 8 and not 0, of width bytes, 4 to 8.
//
//go:noescape
func pair4(dst, src *byte, stride, n, width int)

// pair8 copies n elements, a multiple of 8 and not 0, of width bytes, 8 to 16.
//
//go:noescape
func pair8(dst, src *byte, stride, n, width int)

// transpose4 copies eight columns of four bytes next to each other from n rows, a multiple of 8 and not 0. It prefetches the
// same columns of the rows ahead bytes further on, and what each column gets from them: no processor follows as many streams
// as a wide matrix has columns.
//
//go:noescape
func transpose4(dst *[8]*byte, src *byte, stride, n, ahead int)

// transpose8 is transpose4 of four columns of eight bytes, the first four of dst.
//
//go:noescape
func transpose8(dst *[8]*byte, src *byte, stride, n, ahead int)

// blockColumns is the number of columns of a width that transpose takes at once, 1 for none.
func blockColumns(width int) int {
	if cpu.X86.HasAVX2 && (width == 4 || width == 8) {
		return blockBytes / width
	}
	return 1
}

// transpose gathers as many leading rows of columns next to each other as vector instructions can, and returns their number.
// Row 0 is row at of dst.
func transpose(dst [][]byte, cols []int, at int, rows []byte, width, stride, n int) int {
	if n &^= blockRows - 1; n == 0 {
		return 0
	}
	var to [8]*byte
	for k, c := range cols {
		to[k] = &dst[c][at*width : (at+n)*width][0]
	}
	src := &rows[:(n-1)*stride+blockBytes][0]
	if width == 4 {
		transpose4(&to, src, stride, n, n*stride)
	} else {
		transpose8(&to, src, stride, n, n*stride)
	}
	return n
}

// gatherVector gathers as many leading elements as assembly can, and returns their number.
func gatherVector(dst, src []byte, width, stride, n int) int {
	if n &^= blockRows - 1; n == 0 {
		return 0
	}
	switch {
	case width == 1:
		gather1(&dst[0], &src[0], stride, n)
	case width == 2:
		gather2(&dst[0], &src[0], stride, n)
	case width == 4:
		gather4(&dst[0], &src[0], stride, n)
	case width == 8:
		gather8(&dst[0], &src[0], stride, n)
	case 4 < width && width < 8:
		pair4(&dst[0], &src[0], stride, n, width)
	case 8 < width && width <= 16:
		pair8(&dst[0], &src[0], stride, n, width)
	default:
		return 0
	}
	return n
}
