// Command gen writes the assembly of packages asm and inflate: see the go:generate lines there. It is a separate
// module, so that its dependencies are not dependencies of the main one.
package main

import (
	"flag"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	loops := flag.Bool("inflate", false, "write package inflate's loop, not package asm's kernels")
	flag.Parse()
	ConstraintExpr("!purego")
	if *loops {
		inflate()
		Generate()
		return
	}
	unshuffle2()
	unshuffle4()
	unshuffle8()
	unshuffle4Strided()
	unshuffle8Strided()
	bitPlane()
	adler()
	fletcher()
	Generate()
}

// loop is the frame of a kernel that takes 32 bytes from each of so many planes in a turn: dst, src, n bytes in all
// from each plane, planes being step bytes apart.
func loop(name, doc string, planes int, stride bool, body func(in []VecVirtual, dst, width Register), out int) {
	args := "func(dst, src *byte, n, step int)"
	if stride {
		args = "func(dst, src *byte, n, step, width int)"
	}
	TEXT(name, NOSPLIT, args)
	Doc(doc)
	Pragma("noescape")
	dst, n := Load(Param("dst"), GP64()), Load(Param("n"), GP64())
	src, step := Load(Param("src"), GP64()), Load(Param("step"), GP64())
	var width Register
	if stride {
		width = Load(Param("width"), GP64())
	}
	// Planes 0, 1, 2, 4 by the first pointer and the last by a second: multiples of 3, 5, 6, 7 can't be scaled.
	var triple, high Register
	if planes > 2 {
		triple = GP64()
		LEAQ(Mem{Base: step.(GPVirtual), Index: step.(GPVirtual), Scale: 2}, triple.(GPVirtual))
	}
	if planes > 4 {
		high = GP64()
		LEAQ(Mem{Base: src.(GPVirtual), Index: step.(GPVirtual), Scale: 4}, high.(GPVirtual))
	}
	plane := func(i int) Mem {
		base := src
		if i >= 4 {
			base, i = high, i-4
		}
		switch i {
		case 0:
			return Mem{Base: base}
		case 3:
			return Mem{Base: base, Index: triple, Scale: 1}
		}
		return Mem{Base: base, Index: step, Scale: uint8(i)}
	}
	Label("loop")
	in := make([]VecVirtual, planes)
	for i := range in {
		in[i] = YMM()
		VMOVDQU(plane(i), in[i])
	}
	body(in, dst, width)
	ADDQ(Imm(32), src.(GPVirtual))
	if planes > 4 {
		ADDQ(Imm(32), high.(GPVirtual))
	}
	if !stride {
		ADDQ(U32(out), dst.(GPVirtual))
	}
	SUBQ(Imm(32), n.(GPVirtual))
	JNE(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// pair interleaves a and b in pieces of a size by the two instructions given.
func pair(lo, hi func(ops ...Op), a, b VecVirtual) (VecVirtual, VecVirtual) {
	l, h := YMM(), YMM()
	lo(b, a, l)
	hi(b, a, h)
	return l, h
}

func bytes(a, b VecVirtual) (VecVirtual, VecVirtual) { return pair(VPUNPCKLBW, VPUNPCKHBW, a, b) }
func words(a, b VecVirtual) (VecVirtual, VecVirtual) { return pair(VPUNPCKLWD, VPUNPCKHWD, a, b) }
func dwords(a, b VecVirtual) (VecVirtual, VecVirtual) {
	return pair(VPUNPCKLDQ, VPUNPCKHDQ, a, b)
}

// store writes the vectors, each of which holds two consecutive pieces in its lower half and the two that are half of
// everything later in its upper half, in order.
func store(v []VecVirtual, dst Register) {
	at := 0
	for _, half := range []uint64{0x20, 0x31} {
		for i := 0; i < len(v); i += 2 {
			t := YMM()
			VPERM2I128(Imm(half), v[i+1], v[i], t)
			VMOVDQU(t, Mem{Base: dst, Disp: at})
			at += 32
		}
	}
}

// four interleaves the bytes of four planes: elements 0-3 and 16-19, 4-7 and 20-23, and so on.
func four(in []VecVirtual) []VecVirtual {
	a0, a1 := bytes(in[0], in[1])
	b0, b1 := bytes(in[2], in[3])
	c0, c1 := words(a0, b0)
	c2, c3 := words(a1, b1)
	return []VecVirtual{c0, c1, c2, c3}
}

// eight interleaves the bytes of eight planes: elements 0-1 and 16-17, 2-3 and 18-19, and so on.
func eight(in []VecVirtual) []VecVirtual {
	low, high := four(in[:4]), four(in[4:])
	var out []VecVirtual
	for i := range low {
		a, b := dwords(low[i], high[i])
		out = append(out, a, b)
	}
	return out
}

func unshuffle2() {
	loop("unshuffle2AVX2", "unshuffle2AVX2 makes n elements of 2 bytes; n is a positive multiple of 32.", 2, false, func(in []VecVirtual, dst, _ Register) {
		a, b := bytes(in[0], in[1])
		store([]VecVirtual{a, b}, dst)
	}, 64)
}

func unshuffle4() {
	loop("unshuffle4AVX2", "unshuffle4AVX2 makes n elements of 4 bytes; n is a positive multiple of 32.", 4, false, func(in []VecVirtual, dst, _ Register) {
		store(four(in), dst)
	}, 128)
}

func unshuffle8() {
	loop("unshuffle8AVX2", "unshuffle8AVX2 makes n elements of 8 bytes; n is a positive multiple of 32.", 8, false, func(in []VecVirtual, dst, _ Register) {
		store(eight(in), dst)
	}, 256)
}

// strided writes pieces at dst, dst+width, and so on; each vector's halves are as many pieces as put writes.
func strided(v []VecVirtual, dst, width Register, put func(x Register)) {
	for half := range 2 {
		for _, x := range v {
			var low Register = x.AsX()
			if half == 1 {
				t := XMM()
				VEXTRACTI128(Imm(1), x, t)
				low = t
			}
			put(low)
		}
	}
}

func unshuffle4Strided() {
	loop("unshuffle4StridedAVX2", "unshuffle4StridedAVX2 makes 4 bytes each of n elements that are width bytes apart; n is a positive multiple of 32.", 4, true, func(in []VecVirtual, dst, width Register) {
		strided(four(in), dst, width, func(x Register) {
			for k := range uint64(4) {
				if k == 0 {
					VMOVD(x, Mem{Base: dst})
				} else {
					VPEXTRD(Imm(k), x, Mem{Base: dst})
				}
				ADDQ(width, dst)
			}
		})
	}, 0)
}

func unshuffle8Strided() {
	loop("unshuffle8StridedAVX2", "unshuffle8StridedAVX2 makes 8 bytes each of n elements that are width bytes apart; n is a positive multiple of 32.", 8, true, func(in []VecVirtual, dst, width Register) {
		strided(eight(in), dst, width, func(x Register) {
			VMOVQ(x, Mem{Base: dst})
			VMOVHPS(x, Mem{Base: dst, Index: width, Scale: 1})
			LEAQ(Mem{Base: dst, Index: width, Scale: 2}, dst)
		})
	}, 0)
}

// bitPlane interleaves eight rows of bits like planes of bytes, and then turns each matrix of 8 by 8 bits.
func bitPlane() {
	var masks [3]Mem
	for i, m := range []uint64{0x00aa00aa00aa00aa, 0x0000cccc0000cccc, 0x00000000f0f0f0f0} {
		masks[i] = GLOBL([]string{"mask7", "mask14", "mask28"}[i], RODATA|NOPTR)
		for k := range 4 {
			DATA(8*k, U64(m))
		}
	}
	loop("bitPlaneAVX2", "bitPlaneAVX2 makes 8*n bytes from eight rows of bits of n bytes each, step bytes apart; n is a positive multiple of 32.", 8, false, func(in []VecVirtual, dst, _ Register) {
		v := eight(in)
		for i, shift := range []uint64{7, 14, 28} {
			for _, x := range v {
				t, u := YMM(), YMM()
				VPSRLQ(Imm(shift), x, t)
				VPXOR(x, t, t)
				VPAND(masks[i], t, t)
				VPSLLQ(Imm(shift), t, u)
				VPXOR(t, x, x)
				VPXOR(u, x, x)
			}
		}
		store(v, dst)
	}, 256)
}

// constant makes a read-only vector.
func constant(name string, value func(i int) uint8) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 32 {
		DATA(i, U8(value(i)))
	}
	return m
}

// total adds up the four integers of a vector.
func total(v VecVirtual) GPVirtual {
	t := XMM()
	VEXTRACTI128(Imm(1), v, t)
	VPADDQ(t, v.AsX(), v.AsX())
	VPSHUFD(Imm(0xee), v.AsX(), t)
	VPADDQ(t, v.AsX(), v.AsX())
	g := GP64()
	VMOVQ(v.AsX(), g)
	return g
}

// widen turns eight integers into the four sums of neighbors, of 64 bits.
func widen(v, zero VecVirtual) VecVirtual {
	lo, hi := YMM(), YMM()
	VPUNPCKLDQ(zero, v, lo)
	VPUNPCKHDQ(zero, v, hi)
	VPADDQ(hi, lo, lo)
	return lo
}

func adler() {
	weights := constant("adlerWeights", func(i int) uint8 { return uint8(32 - i) })
	ones := GLOBL("ones16", RODATA|NOPTR)
	for i := range 16 {
		DATA(2*i, U16(1))
	}
	TEXT("adlerAVX2", NOSPLIT, "func(p *byte, n int) (sum, weighted uint64)")
	Doc("adlerAVX2 returns the sum of n bytes, and the sum of each times how many are left, itself included; n is a positive multiple of 32, at most 1 MiB.")
	Pragma("noescape")
	p, n := Load(Param("p"), GP64()), Load(Param("n"), GP64())
	zero, sum, before, within := YMM(), YMM(), YMM(), YMM()
	w, o := YMM(), YMM()
	for _, v := range []VecVirtual{zero, sum, before, within} {
		VPXOR(v, v, v)
	}
	VMOVDQU(weights, w)
	VMOVDQU(ones, o)
	Label("loop")
	x, t := YMM(), YMM()
	VMOVDQU(Mem{Base: p}, x)
	VPADDQ(sum, before, before)
	VPSADBW(zero, x, t)
	VPADDQ(t, sum, sum)
	VPMADDUBSW(w, x, t)
	VPMADDWD(o, t, t)
	VPADDD(t, within, within)
	ADDQ(Imm(32), p)
	SUBQ(Imm(32), n)
	JNE(LabelRef("loop"))
	b, s := total(before), total(sum)
	in := total(widen(within, zero))
	SHLQ(Imm(5), b)
	ADDQ(in, b)
	Store(s, ReturnIndex(0))
	Store(b, ReturnIndex(1))
	VZEROUPPER()
	RET()
}

func fletcher() {
	high := constant("fletcherHigh", func(i int) uint8 {
		if i%2 == 0 {
			return uint8(16 - i/2)
		}
		return 0
	})
	low := constant("fletcherLow", func(i int) uint8 {
		if i%2 == 1 {
			return uint8(16 - i/2)
		}
		return 0
	})
	mask := constant("evenBytes", func(i int) uint8 { return uint8(i%2) - 1 })
	ones := NewDataAddr(Symbol{Name: "ones16", Static: true}, 0)
	TEXT("fletcherAVX2", NOSPLIT, "func(p *byte, n int) (high, low, weightedHigh, weightedLow uint64)")
	Doc("fletcherAVX2 returns, for the upper and the lower bytes of big-endian 16-bit words in n bytes, the sums, and the sums of each times how many words are left, its own included; n is a positive multiple of 32, at most 1 MiB.")
	Pragma("noescape")
	p, n := Load(Param("p"), GP64()), Load(Param("n"), GP64())
	zero, o, m, wh, wl := YMM(), YMM(), YMM(), YMM(), YMM()
	var sum, before, within [2]VecVirtual
	VPXOR(zero, zero, zero)
	for i := range 2 {
		sum[i], before[i], within[i] = YMM(), YMM(), YMM()
		VPXOR(sum[i], sum[i], sum[i])
		VPXOR(before[i], before[i], before[i])
		VPXOR(within[i], within[i], within[i])
	}
	VMOVDQU(ones, o)
	VMOVDQU(mask, m)
	VMOVDQU(high, wh)
	VMOVDQU(low, wl)
	Label("loop")
	x := YMM()
	VMOVDQU(Mem{Base: p}, x)
	for i := range 2 {
		t := YMM()
		VPADDQ(sum[i], before[i], before[i])
		if i == 0 {
			VPAND(x, m, t)
		} else {
			VPANDN(x, m, t)
		}
		VPSADBW(zero, t, t)
		VPADDQ(t, sum[i], sum[i])
		VPMADDUBSW([]VecVirtual{wh, wl}[i], x, t)
		VPMADDWD(o, t, t)
		VPADDD(t, within[i], within[i])
	}
	ADDQ(Imm(32), p)
	SUBQ(Imm(32), n)
	JNE(LabelRef("loop"))
	for i := range 2 {
		b, s := total(before[i]), total(sum[i])
		in := total(widen(within[i], zero))
		SHLQ(Imm(4), b)
		ADDQ(in, b)
		Store(s, ReturnIndex(i))
		Store(b, ReturnIndex(2+i))
	}
	VZEROUPPER()
	RET()
}
