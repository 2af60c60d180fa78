// The gen program writes the assembly of package nullbitmap and its stubs. It is a module of its own so that its
// dependencies are nobody else's.
//
// Every test kernel has the same skeleton: 64 elements a round are compared, the outcome becomes one word of bits, which
// is inverted where needed, and-ed with old|keep, stored and counted. The kernels differ in how a vector is compared, and
// in how comparison results of each width are pressed into bits.
package main

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")

	for _, w := range []int{1, 2, 4, 8} {
		shuffle := shuffleTable(w)
		masked2(w)
		masked512(w)
		inside2(w, shuffle)
		inside512(w, shuffle)
		if w >= 4 {
			float2(w, shuffle)
			float512(w, shuffle)
		}
		spread, pick := lanes2Tables(w)
		expand2(w, spread, pick)
		expand512(w)
		blend2(w, spread, pick)
		blend512(w)
	}
	readAll("AVX2", 32, func() reg.VecVirtual { return YMM() })
	readAll("AVX512", 64, func() reg.VecVirtual { return ZMM() })
	writeAll("AVX2", 32, func() reg.VecVirtual { return YMM() })
	writeAll("AVX512", 64, func() reg.VecVirtual { return ZMM() })
	Generate()
}

// suffix is the name of a lane of w bytes in instructions on integers.
var suffix = map[int]string{1: "B", 2: "W", 4: "D", 8: "Q"}

var pcmpeq = map[int]func(...Op){1: VPCMPEQB, 2: VPCMPEQW, 4: VPCMPEQD, 8: VPCMPEQQ}
var pcmpgt = map[int]func(...Op){1: VPCMPGTB, 2: VPCMPGTW, 4: VPCMPGTD, 8: VPCMPGTQ}
var pcmp = map[int]func(...Op){1: VPCMPB, 2: VPCMPW, 4: VPCMPD, 8: VPCMPQ}
var ptestm = map[int]func(...Op){1: VPTESTMB, 2: VPTESTMW, 4: VPTESTMD, 8: VPTESTMQ}
var pbroadcast = map[int]func(...Op){1: VPBROADCASTB, 2: VPBROADCASTW, 4: VPBROADCASTD, 8: VPBROADCASTQ}

// broadcast loads the parameter into every lane of w bytes.
func broadcast(name string, w int, v reg.VecVirtual) reg.VecVirtual {
	g := Load(Param(name), GP64())
	x := XMM()
	VMOVQ(g, x)
	pbroadcast[w](x, v)
	return v
}

// table lays out read-only bytes, a multiple of 8.
func table(name string, content []byte) Mem {
	t := GLOBL(name, RODATA|NOPTR)
	for i := 0; i < len(content); i += 8 {
		DATA(i, U64(binary.LittleEndian.Uint64(content[i:])))
	}
	return t
}

// shuffleTable has two 16-byte patterns: the identity, and the one that reverses the bytes of each element.
func shuffleTable(w int) Mem {
	content := make([]byte, 32)
	for i := 0; i < 16; i++ {
		content[i] = byte(i)
		content[16+i] = byte(i/w*w + w - 1 - i%w)
	}
	return table(fmt.Sprintf("shuffle%d", w), content)
}

// pattern broadcasts the pattern that the parameter swap (0 or 1) picks.
func pattern(table Mem, v reg.VecVirtual) reg.VecVirtual {
	i := Load(Param("swap"), GP64())
	SHLQ(Imm(4), i)
	base := GP64()
	LEAQ(table, base)
	at := Mem{Base: base, Index: i, Scale: 1}
	if v.Size() == 64 {
		VBROADCASTI32X4(at, v)
	} else {
		VBROADCASTI128(at, v)
	}
	return v
}

// ahead is how far before its use memory is asked for, in bytes. The processor's own prefetching stops at the borders of
// pages; this does not. Beyond the end of a buffer nothing happens, as prefetching never faults.
const ahead = 4096

// unrolled writes a loop over n groups, of which several are done in one round when elements are small, and calls body
// for each group with its number within the round. next moves the pointers on by a number of groups.
func unrolled(w int, n reg.Register, body func(i int), next func(groups int)) {
	several := max(4/w, 1)
	if several > 1 {
		rest := GP64()
		MOVQ(n, rest)
		ANDQ(U8(several-1), rest)
		SHRQ(U8(bits.TrailingZeros(uint(several))), n)
		JZ(LabelRef("rest"))
		Label("loop")
		for i := 0; i < several; i++ {
			body(i)
		}
		next(several)
		DECQ(n)
		JNZ(LabelRef("loop"))
		Label("rest")
		n = rest
	}
	TESTQ(n, n)
	JZ(LabelRef("done"))
	Label("one")
	body(0)
	next(1)
	DECQ(n)
	JNZ(LabelRef("one"))
	Label("done")
	VZEROUPPER()
}

// fetch prefetches the lines of one group of elements of w bytes.
func fetch(base reg.Register, w, group int) {
	for i := 0; i < w; i++ {
		PREFETCHT0(Mem{Base: base, Disp: 64*(group*w+i) + ahead})
	}
}

// rounds writes the loop around a test kernel. body returns a register with one bit for each of the 64 elements from src on.
// With invert nil its complement is taken.
func rounds(w int, invert reg.GPVirtual, body func(src Mem) reg.GPVirtual) {
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n, keep := Load(Param("groups"), GP64()), Load(Param("keep"), GP64())
	ones := GP64()
	XORQ(ones, ones)
	unrolled(w, n, func(i int) {
		fetch(src, w, i)
		word := body(Mem{Base: src, Disp: 64 * w * i})
		if invert != nil {
			XORQ(invert, word)
		} else {
			NOTQ(word)
		}
		old, at := GP64(), Mem{Base: dst, Disp: 8 * i}
		MOVQ(at, old)
		ORQ(keep, old)
		ANDQ(old, word)
		MOVQ(word, at)
		count := GP64()
		POPCNTQ(word, count)
		ADDQ(count, ones)
	}, func(groups int) {
		ADDQ(U32(8*groups), dst)
		ADDQ(U32(64*w*groups), src)
	})
	Store(ones, ReturnIndex(0))
	RET()
}

// press2 makes a word of bits from 64 elements of w bytes. compare gives all ones in the lanes of the 32 bytes at m whose
// bit shall be set.
func press2(w int, src Mem, compare func(m Mem) reg.VecVirtual) reg.GPVirtual {
	at := func(i int) Mem { return src.Offset(32 * i) }
	word := GP64()
	// Parts of the word, each of 64/parts bits.
	join := func(parts int, part func(i int) reg.GPVirtual) {
		for i := 0; i < parts; i++ {
			p := part(i)
			if i == 0 {
				MOVQ(p.As64(), word)
				continue
			}
			SHLQ(Imm(uint64(64/parts*i)), p.As64())
			ORQ(p.As64(), word)
		}
	}
	switch w {
	case 1:
		join(2, func(i int) reg.GPVirtual {
			g := GP64()
			VPMOVMSKB(compare(at(i)), g.As32())
			return g
		})
	case 2:
		join(2, func(i int) reg.GPVirtual {
			a, b := compare(at(2*i)), compare(at(2*i+1))
			VPACKSSWB(b, a, a) // bytes of a and b, in turns of eight
			VPERMQ(Imm(0xd8), a, a)
			g := GP64()
			VPMOVMSKB(a, g.As32())
			return g
		})
	case 4:
		join(8, func(i int) reg.GPVirtual {
			g := GP64()
			VMOVMSKPS(compare(at(i)), g.As32())
			return g
		})
	case 8:
		join(16, func(i int) reg.GPVirtual {
			g := GP64()
			VMOVMSKPD(compare(at(i)), g.As32())
			return g
		})
	}
	return word
}

// press512 is press2 for 64-byte vectors: compare puts one bit a lane into k.
func press512(w int, src Mem, compare func(m Mem, k reg.OpmaskVirtual)) reg.GPVirtual {
	word := GP64()
	for i := 0; i < w; i++ {
		k := K()
		compare(src.Offset(64*i), k)
		if i == 0 {
			KMOVQ(k, word)
			continue
		}
		g := GP64()
		KMOVQ(k, g)
		SHLQ(Imm(uint64(64/w*i)), g)
		ORQ(g, word)
	}
	return word
}

func masked2(w int) {
	TEXT(fmt.Sprintf("Masked%dAVX2", w), NOSPLIT, "func(dst, src *byte, groups int, and, cmp, flip, keep uint64) int")
	Doc(fmt.Sprintf("Masked%dAVX2 sets a bit where an element of %d bytes, and-ed with and, differs from cmp; flip inverts.", w, w))
	Pragma("noescape")
	and, cmp := broadcast("and", w, YMM()), broadcast("cmp", w, YMM())
	flip := Load(Param("flip"), GP64()).(reg.GPVirtual)
	NOTQ(flip) // the comparison is for equality
	rounds(w, flip, func(src Mem) reg.GPVirtual {
		return press2(w, src, func(m Mem) reg.VecVirtual {
			x := YMM()
			VPAND(m, and, x)
			pcmpeq[w](cmp, x, x)
			return x
		})
	})
}

func masked512(w int) {
	TEXT(fmt.Sprintf("Masked%dAVX512", w), NOSPLIT, "func(dst, src *byte, groups int, and, cmp, flip, keep uint64) int")
	Doc(fmt.Sprintf("Masked%dAVX512 sets a bit where an element of %d bytes, and-ed with and, differs from cmp; flip inverts.", w, w))
	Pragma("noescape")
	and, cmp := broadcast("and", w, ZMM()), broadcast("cmp", w, ZMM())
	flip := Load(Param("flip"), GP64()).(reg.GPVirtual)
	rounds(w, flip, func(src Mem) reg.GPVirtual {
		return press512(w, src, func(m Mem, k reg.OpmaskVirtual) {
			x := ZMM()
			VPANDQ(m, and, x)
			pcmp[w](Imm(4), cmp, x, k) // not equal
		})
	})
}

const insideSignature = "func(dst, src *byte, groups int, swap, and, bias, lo, hi, keep uint64) int"

func insideDoc(w int, isa string) {
	Doc(fmt.Sprintf("Inside%d%s sets a bit where lo <= x <= hi, signed, of x = element & and ^ bias, the element of %d", w, isa, w),
		"bytes being swapped first where swap is 1.")
	Pragma("noescape")
}

func inside2(w int, shuffle Mem) {
	TEXT(fmt.Sprintf("Inside%dAVX2", w), NOSPLIT, insideSignature)
	insideDoc(w, "AVX2")
	pat := pattern(shuffle, YMM())
	and, bias := broadcast("and", w, YMM()), broadcast("bias", w, YMM())
	lo, hi := broadcast("lo", w, YMM()), broadcast("hi", w, YMM())
	rounds(w, nil, func(src Mem) reg.GPVirtual {
		return press2(w, src, func(m Mem) reg.VecVirtual {
			x, y := YMM(), YMM()
			VMOVDQU(m, x)
			VPSHUFB(pat, x, x)
			VPAND(and, x, x)
			VPXOR(bias, x, x)
			pcmpgt[w](x, lo, y) // lo > x
			pcmpgt[w](hi, x, x) // x > hi
			VPOR(y, x, x)
			return x
		})
	})
}

func inside512(w int, shuffle Mem) {
	TEXT(fmt.Sprintf("Inside%dAVX512", w), NOSPLIT, insideSignature)
	insideDoc(w, "AVX512")
	pat := pattern(shuffle, ZMM())
	and, bias := broadcast("and", w, ZMM()), broadcast("bias", w, ZMM())
	lo, hi := broadcast("lo", w, ZMM()), broadcast("hi", w, ZMM())
	same := GP64()
	XORQ(same, same)
	rounds(w, same, func(src Mem) reg.GPVirtual {
		return press512(w, src, func(m Mem, k reg.OpmaskVirtual) {
			x, k1 := ZMM(), K()
			VMOVDQU64(m, x)
			VPSHUFB(pat, x, x)
			VPANDQ(and, x, x)
			VPXORQ(bias, x, x)
			pcmp[w](Imm(5), lo, x, k1)    // x >= lo
			pcmp[w](Imm(2), hi, x, k1, k) // x <= hi
		})
	})
}

const floatSignature = "func(dst, src *byte, groups int, swap, lo, hi, keep uint64) int"

func floatDoc(w int, isa string) {
	Doc(fmt.Sprintf("Float%d%s sets a bit unless x < lo or x > hi as IEEE floats, x being the element of %d bytes, swapped", w, isa, w),
		"first where swap is 1; lo and hi are the bounds' bits.")
	Pragma("noescape")
}

var cmpp = map[int]func(...Op){4: VCMPPS, 8: VCMPPD}

// Predicates, ordered and quiet: false for NaN.
const (
	lessThan    = 0x11
	greaterThan = 0x1e
)

func float2(w int, shuffle Mem) {
	TEXT(fmt.Sprintf("Float%dAVX2", w), NOSPLIT, floatSignature)
	floatDoc(w, "AVX2")
	pat := pattern(shuffle, YMM())
	lo, hi := broadcast("lo", w, YMM()), broadcast("hi", w, YMM())
	rounds(w, nil, func(src Mem) reg.GPVirtual {
		return press2(w, src, func(m Mem) reg.VecVirtual {
			x, y := YMM(), YMM()
			VMOVDQU(m, x)
			VPSHUFB(pat, x, x)
			cmpp[w](Imm(lessThan), lo, x, y)
			cmpp[w](Imm(greaterThan), hi, x, x)
			VPOR(y, x, x)
			return x
		})
	})
}

func float512(w int, shuffle Mem) {
	TEXT(fmt.Sprintf("Float%dAVX512", w), NOSPLIT, floatSignature)
	floatDoc(w, "AVX512")
	pat := pattern(shuffle, ZMM())
	lo, hi := broadcast("lo", w, ZMM()), broadcast("hi", w, ZMM())
	rounds(w, nil, func(src Mem) reg.GPVirtual {
		return press512(w, src, func(m Mem, k reg.OpmaskVirtual) {
			x, k1 := ZMM(), K()
			VMOVDQU64(m, x)
			VPSHUFB(pat, x, x)
			cmpp[w](Imm(lessThan), lo, x, k)
			cmpp[w](Imm(greaterThan), hi, x, k1)
			KORQ(k1, k, k)
		})
	})
}

const expandSignature = "func(dst, src *byte, groups int, flip, one uint64)"

func expandDoc(w int, isa string) {
	Doc(fmt.Sprintf("Expand%d%s writes an element of %d bytes for each bit of src ^ flip: one where it is 1, else zero.", w, isa, w))
	Pragma("noescape")
}

// expandRounds writes the loop around an expanding kernel. body gets the address of the 64 elements and that of their bits.
func expandRounds(w int, body func(dst, src Mem)) {
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("groups"), GP64())
	unrolled(w, n, func(i int) {
		fetch(dst, w, i)
		body(Mem{Base: dst, Disp: 64 * w * i}, Mem{Base: src, Disp: 8 * i})
	}, func(groups int) {
		ADDQ(U32(8*groups), src)
		ADDQ(U32(64*w*groups), dst)
	})
	RET()
}

// lanes2 makes, for AVX2, vectors out of bits: all ones in a lane whose bit is 1.
type lanes2 struct {
	w, vectors, period int
	spread             []Op             // which byte of the bits goes to each byte of a vector
	pick               []reg.VecVirtual // the bit that each lane looks at there
}

// lanes2Tables lays out the constants for lanes of w bytes.
func lanes2Tables(w int) (spread, pick Mem) {
	// Bits repeat after 8 lanes, so after one vector, or for w = 8 after two.
	spreadBytes, pickBytes := make([]byte, 64*w), make([]byte, max(32, 8*w))
	for i := range spreadBytes {
		spreadBytes[i] = byte(i / w / 8)
	}
	for i := range pickBytes {
		pickBytes[i] = 1 << (i / w % 8)
	}
	return table(fmt.Sprintf("spread%d", w), spreadBytes), table(fmt.Sprintf("pick%d", w), pickBytes)
}

func newLanes2(w int, spread, pick Mem) *lanes2 {
	l := &lanes2{w: w, vectors: 2 * w, period: max(1, w/4)}
	for i := 0; i < l.period; i++ {
		y := YMM()
		VMOVDQU(pick.Offset(32*i), y)
		l.pick = append(l.pick, y)
	}
	for i := 0; i < l.vectors; i++ {
		l.spread = append(l.spread, spread.Offset(32*i))
		if l.vectors <= 8 { // few enough to stay in registers
			y := YMM()
			VMOVDQU(spread.Offset(32*i), y)
			l.spread[i] = y
		}
	}
	return l
}

// vector makes the i-th vector of 64 lanes out of the word of bits that is in each quarter of word.
func (l *lanes2) vector(word reg.VecVirtual, i int) reg.VecVirtual {
	x, p := YMM(), l.pick[i%l.period]
	VPSHUFB(l.spread[i], word, x)
	VPAND(p, x, x)
	VPCMPEQB(p, x, x)
	return x
}

func expand2(w int, spread, pick Mem) {
	TEXT(fmt.Sprintf("Expand%dAVX2", w), NOSPLIT, expandSignature)
	expandDoc(w, "AVX2")
	flip, one := broadcast("flip", 8, YMM()), broadcast("one", w, YMM())
	lanes := newLanes2(w, spread, pick)
	expandRounds(w, func(dst, src Mem) {
		word := YMM()
		VPBROADCASTQ(src, word)
		VPXOR(flip, word, word)
		for i := 0; i < lanes.vectors; i++ {
			x := lanes.vector(word, i)
			VPAND(one, x, x)
			VMOVDQU(x, dst.Offset(32*i))
		}
	})
}

func expand512(w int) {
	move := map[int]func(Op, Op, Op){1: VMOVDQU8_Z, 2: VMOVDQU16_Z, 4: VMOVDQU32_Z, 8: VMOVDQU64_Z}[w]
	TEXT(fmt.Sprintf("Expand%dAVX512", w), NOSPLIT, expandSignature)
	expandDoc(w, "AVX512")
	flip := Load(Param("flip"), GP64())
	one := broadcast("one", w, ZMM())
	expandRounds(w, func(dst, src Mem) {
		word := GP64()
		MOVQ(src, word)
		XORQ(flip, word)
		for i := 0; i < w; i++ {
			k, x := K(), ZMM()
			KMOVQ(word, k)
			move(one, k, x)
			VMOVDQU64(x, dst.Offset(64*i))
			if i < w-1 {
				SHRQ(Imm(uint64(64/w)), word)
			}
		}
	})
}

// blendRounds writes the loop around a blending kernel, which returns the number of ones among the bits.
func blendRounds(w int, isa string, vec func() reg.VecVirtual, prepare func() any, body func(state any, sentinel reg.VecVirtual, values, bitmap Mem)) {
	TEXT(fmt.Sprintf("Blend%d%s", w, isa), NOSPLIT, "func(values, bitmap *byte, groups int, sentinel uint64) int")
	Doc(fmt.Sprintf("Blend%d%s writes sentinel over the elements of %d bytes whose bit is 0 and returns the number of ones.", w, isa, w))
	Pragma("noescape")
	sentinel := broadcast("sentinel", w, vec())
	state := prepare()
	values, bitmap, n := Load(Param("values"), GP64()), Load(Param("bitmap"), GP64()), Load(Param("groups"), GP64())
	ones := GP64()
	XORQ(ones, ones)
	unrolled(w, n, func(i int) {
		fetch(values, w, i)
		at, count := Mem{Base: bitmap, Disp: 8 * i}, GP64()
		body(state, sentinel, Mem{Base: values, Disp: 64 * w * i}, at)
		POPCNTQ(at, count)
		ADDQ(count, ones)
	}, func(groups int) {
		ADDQ(U32(8*groups), bitmap)
		ADDQ(U32(64*w*groups), values)
	})
	Store(ones, ReturnIndex(0))
	RET()
}

func blend2(w int, spread, pick Mem) {
	blendRounds(w, "AVX2", func() reg.VecVirtual { return YMM() }, func() any { return newLanes2(w, spread, pick) },
		func(state any, sentinel reg.VecVirtual, values, bitmap Mem) {
			lanes, word := state.(*lanes2), YMM()
			VPBROADCASTQ(bitmap, word)
			for i := 0; i < lanes.vectors; i++ {
				x, at := lanes.vector(word, i), values.Offset(32*i)
				VPBLENDVB(x, at, sentinel, x)
				VMOVDQU(x, at)
			}
		})
}

func blend512(w int) {
	move := map[int]func(...Op){1: VMOVDQU8, 2: VMOVDQU16, 4: VMOVDQU32, 8: VMOVDQU64}[w]
	blendRounds(w, "AVX512", func() reg.VecVirtual { return ZMM() }, func() any { return nil },
		func(_ any, sentinel reg.VecVirtual, values, bitmap Mem) {
			word := GP64()
			MOVQ(bitmap, word)
			NOTQ(word)
			for i := 0; i < w; i++ {
				k := K()
				KMOVQ(word, k)
				move(sentinel, k, values.Offset(64*i))
				if i < w-1 {
					SHRQ(Imm(uint64(64/w)), word)
				}
			}
		})
}

// readAll and writeAll are yardsticks for benchmarks: the same kind of loop with nothing in it.
func readAll(isa string, size int, vec func() reg.VecVirtual) {
	TEXT("Read"+isa, NOSPLIT, "func(src *byte, n int) uint64")
	Doc("Read" + isa + " loads n bytes, a multiple of 256, and does nothing with them but or them: what benchmarks compare with.")
	Pragma("noescape")
	src, n := Load(Param("src"), GP64()), Load(Param("n"), GP64())
	acc := make([]reg.VecVirtual, 4)
	for i := range acc {
		acc[i] = vec()
		if size == 64 {
			VPXORQ(acc[i], acc[i], acc[i])
		} else {
			VPXOR(acc[i], acc[i], acc[i])
		}
	}
	or := func(a, b, c Op) {
		if size == 64 {
			VPORQ(a, b, c)
		} else {
			VPOR(a, b, c)
		}
	}
	SHRQ(Imm(8), n)
	JZ(LabelRef("done"))
	Label("loop")
	fetch(src, 4, 0)
	for i := 0; i < 256/size; i++ {
		or(Mem{Base: src, Disp: size * i}, acc[i%4], acc[i%4])
	}
	ADDQ(U32(256), src)
	DECQ(n)
	JNZ(LabelRef("loop"))
	Label("done")
	or(acc[1], acc[0], acc[0])
	or(acc[3], acc[2], acc[2])
	or(acc[2], acc[0], acc[0])
	g := GP64()
	VMOVQ(acc[0].AsX(), g)
	VZEROUPPER()
	Store(g, ReturnIndex(0))
	RET()
}

func writeAll(isa string, size int, vec func() reg.VecVirtual) {
	TEXT("Write"+isa, NOSPLIT, "func(dst *byte, n int, v uint64)")
	Doc("Write" + isa + " stores n bytes, a multiple of 256, all of them v: what benchmarks compare with.")
	Pragma("noescape")
	x := broadcast("v", 8, vec())
	dst, n := Load(Param("dst"), GP64()), Load(Param("n"), GP64())
	SHRQ(Imm(8), n)
	JZ(LabelRef("done"))
	Label("loop")
	fetch(dst, 4, 0)
	for i := 0; i < 256/size; i++ {
		m := Mem{Base: dst, Disp: size * i}
		if size == 64 {
			VMOVDQU64(x, m)
		} else {
			VMOVDQU(x, m)
		}
	}
	ADDQ(U32(256), dst)
	DECQ(n)
	JNZ(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}
