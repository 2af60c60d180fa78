//go:build !purego

package nullbitmap

import (
	"math"

	"golang.org/x/sys/cpu"

	"github.com/h5arrow/h5arrow/nullbitmap/internal/asm"
)

// available returns all sets that this machine runs, the portable one first, the fastest last.
func available() []*kernels {
	sets := []*kernels{portableKernels()}
	if cpu.X86.HasAVX2 && cpu.X86.HasPOPCNT {
		sets = append(sets, avx2Kernels())
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasPOPCNT {
		sets = append(sets, avx512Kernels())
	}
	return sets
}

func avx2Kernels() *kernels {
	k := portableKernels()
	k.name = "avx2"
	k.add(opMasked, 1, maskedBy(asm.Masked1AVX2))
	k.add(opMasked, 2, maskedBy(asm.Masked2AVX2))
	k.add(opMasked, 4, maskedBy(asm.Masked4AVX2))
	k.add(opMasked, 8, maskedBy(asm.Masked8AVX2))
	k.add(opInside, 1, insideBy(asm.Inside1AVX2))
	k.add(opInside, 2, insideBy(asm.Inside2AVX2))
	k.add(opInside, 4, insideBy(asm.Inside4AVX2))
	k.add(opInside, 8, insideBy(asm.Inside8AVX2))
	k.add(opFloat, 4, floatBy(asm.Float4AVX2))
	k.add(opFloat, 8, floatBy(asm.Float8AVX2))
	k.addExpand(1, asm.Expand1AVX2)
	k.addExpand(2, asm.Expand2AVX2)
	k.addExpand(4, asm.Expand4AVX2)
	k.addExpand(8, asm.Expand8AVX2)
	k.blend[1] = blendBy(asm.Blend1AVX2)
	k.blend[2] = blendBy(asm.Blend2AVX2)
	k.blend[4] = blendBy(asm.Blend4AVX2)
	k.blend[8] = blendBy(asm.Blend8AVX2)
	return k
}

func avx512Kernels() *kernels {
	k := portableKernels()
	k.name = "avx512"
	k.add(opMasked, 1, maskedBy(asm.Masked1AVX512))
	k.add(opMasked, 2, maskedBy(asm.Masked2AVX512))
	k.add(opMasked, 4, maskedBy(asm.Masked4AVX512))
	k.add(opMasked, 8, maskedBy(asm.Masked8AVX512))
	k.add(opInside, 1, insideBy(asm.Inside1AVX512))
	k.add(opInside, 2, insideBy(asm.Inside2AVX512))
	k.add(opInside, 4, insideBy(asm.Inside4AVX512))
	k.add(opInside, 8, insideBy(asm.Inside8AVX512))
	k.add(opFloat, 4, floatBy(asm.Float4AVX512))
	k.add(opFloat, 8, floatBy(asm.Float8AVX512))
	k.addExpand(1, asm.Expand1AVX512)
	k.addExpand(2, asm.Expand2AVX512)
	k.addExpand(4, asm.Expand4AVX512)
	k.addExpand(8, asm.Expand8AVX512)
	k.blend[1] = blendBy(asm.Blend1AVX512)
	k.blend[2] = blendBy(asm.Blend2AVX512)
	k.blend[4] = blendBy(asm.Blend4AVX512)
	k.blend[8] = blendBy(asm.Blend8AVX512)
	return k
}

// groupKernel runs a test over groups of 64 elements.
type groupKernel func(dst, src *byte, groups int, t *test, keep uint64) (ones int)

// add puts f before the kernel that is there, which is left with what makes no group.
func (k *kernels) add(o op, width int, f groupKernel) {
	rest := k.test[o][width]
	k.test[o][width] = func(dst, src []byte, t *test, keep uint64) (ones int) {
		src = src[:len(dst)*8*width]
		if groups := len(dst) / 8; groups > 0 {
			ones = f(&dst[0], &src[0], groups, t, keep)
			dst, src = dst[groups*8:], src[groups*64*width:]
		}
		return ones + rest(dst, src, t, keep)
	}
}

func maskedBy(f func(dst, src *byte, groups int, and, cmp, flip, keep uint64) int) groupKernel {
	return func(dst, src *byte, groups int, t *test, keep uint64) int {
		return f(dst, src, groups, t.and, t.cmp, t.flip, keep)
	}
}

func insideBy(f func(dst, src *byte, groups int, swap, and, bias, lo, hi, keep uint64) int) groupKernel {
	return func(dst, src *byte, groups int, t *test, keep uint64) int {
		return f(dst, src, groups, swapNumber(t), t.and, t.bias, uint64(t.lo), uint64(t.hi), keep)
	}
}

func floatBy(f func(dst, src *byte, groups int, swap, lo, hi, keep uint64) int) groupKernel {
	return func(dst, src *byte, groups int, t *test, keep uint64) int {
		lo, hi := math.Float64bits(t.flo), math.Float64bits(t.fhi)
		if t.width == 4 {
			lo, hi = uint64(math.Float32bits(float32(t.flo))), uint64(math.Float32bits(float32(t.fhi)))
		}
		return f(dst, src, groups, swapNumber(t), lo, hi, keep)
	}
}

func swapNumber(t *test) uint64 {
	if t.swap {
		return 1
	}
	return 0
}

func (k *kernels) addExpand(width int, f func(dst, src *byte, groups int, flip, one uint64)) {
	rest := k.expand[width]
	k.expand[width] = func(dst, src []byte, flip byte, one uint64) {
		dst = dst[:len(src)*8*width]
		if groups := len(src) / 8; groups > 0 {
			f(&dst[0], &src[0], groups, uint64(flip)*0x0101010101010101, one)
			dst, src = dst[groups*64*width:], src[groups*8:]
		}
		rest(dst, src, flip, one)
	}
}

func blendBy(f func(values, bitmap *byte, groups int, sentinel uint64) int) blendKernel {
	return func(values, bitmap []byte, groups int, sentinel uint64) (ones int) {
		if groups == 0 {
			return 0
		}
		return f(&values[0], &bitmap[0], groups, sentinel)
	}
}
