package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Places in the array that package inflate gives to its loop, and numbers of its tables.
const (
	fieldIn       = 0
	fieldOut      = 8
	fieldInLimit  = 16
	fieldOutLimit = 24
	fieldBuf      = 32
	fieldHave     = 40

	litBits  = 11
	litMask  = 4096 - 1
	distBits = 8
	distMask = 512 - 1

	isSpecial = 15 // bits of an entry
	isLink    = 14
)

// inflate generates the loop over the symbols of a block. It stops before a symbol that ends the block, or that is
// wrong, and where input or room for output come to their limits; what it returns then is the state before that
// symbol, so that all decisions but the usual ones are the Go code's.
func inflate() {
	TEXT("decodeBMI2", NOSPLIT, "func(lit, dist *uint32, dst, src *byte, state *[6]uint64)")
	Doc("decodeBMI2 decodes symbols as long as input and output are below their limits, and up to one that is the end of the block or wrong. The state is how far input and output are, their limits, the bits that are read and not used, and their number.")
	Pragma("noescape")
	state := Load(Param("state"), GP64())
	field := func(off int) Mem { return Mem{Base: state, Disp: off} }
	arg := func(name string) GPVirtual { return Load(Param(name), GP64()).(GPVirtual) }
	get := func(off int) GPVirtual {
		r := GP64()
		MOVQ(field(off), r)
		return r
	}
	lit, dist := arg("lit"), arg("dist")
	ip, op := arg("src"), arg("dst")
	ADDQ(field(fieldIn), ip)
	ADDQ(field(fieldOut), op)
	buf, have := get(fieldBuf), get(fieldHave)
	// The limits become addresses.
	inLimit, outLimit := arg("src"), arg("dst")
	ADDQ(field(fieldInLimit), inLimit)
	ADDQ(field(fieldOutLimit), outLimit)

	e, t := GP64(), GP64()
	buf0, have0 := GP64(), GP64()

	// Only the lowest 6 bits of have count.
	refill := func() {
		u := GP64()
		SHLXQ(have, Mem{Base: ip}, u)
		ORQ(u, buf)
		MOVL(have.As32(), t.As32())
		SHRL(Imm(3), t.As32())
		ANDL(Imm(7), t.As32())
		ADDQ(Imm(7), ip)
		SUBQ(t, ip)
		ORL(Imm(56), have.As32())
	}
	lookup := func(table GPVirtual, bits int, to GPVirtual) {
		MOVL(buf.As32(), t.As32())
		ANDL(U32(uint32(1)<<bits-1), t.As32())
		MOVL(Mem{Base: table, Index: t, Scale: 4}, to.As32())
	}
	take := func(entry GPVirtual) {
		SHRXQ(entry, buf, buf)
		SUBL(entry.As32(), have.As32())
	}
	// put writes the literal of e, which is taken, and makes e the next entry.
	put := func() {
		v := GP64()
		take(e)
		MOVL(e.As32(), v.As32())
		lookup(lit, litBits, e)
		SHRL(Imm(16), v.As32())
		MOVB(v.As8(), Mem{Base: op})
		INCQ(op)
	}
	save := func() {
		MOVQ(buf, buf0)
		MOVL(have.As32(), have0.As32())
	}
	// second replaces a link in entry by the entry it leads to; buf starts with the code.
	second := func(table GPVirtual, bits int, mask uint32, entry GPVirtual) {
		n, base := GP64(), GP64()
		SHRQ(Imm(uint64(bits)), buf)
		SUBL(Imm(uint64(bits)), have.As32())
		MOVL(entry.As32(), base.As32())
		SHRL(Imm(16), base.As32())
		SHRL(Imm(8), entry.As32())
		ANDL(Imm(15), entry.As32())
		BZHIQ(entry, buf, n)
		ADDL(n.As32(), base.As32())
		ANDL(U32(mask), base.As32())
		MOVL(Mem{Base: table, Index: base, Scale: 4}, entry.As32())
	}
	// value turns a length or distance entry and the extra bits into the number, and takes both.
	value := func(entry GPVirtual) {
		extra := GP64()
		BZHIQ(entry, buf, extra)
		take(entry)
		MOVL(entry.As32(), t.As32())
		SHRL(Imm(8), t.As32())
		SHRXQ(t, extra, extra)
		SHRL(Imm(16), entry.As32())
		ADDQ(extra, entry)
	}

	CMPQ(ip, inLimit)
	JA(LabelRef("done"))
	refill()
	lookup(lit, litBits, e)

	// Here buf has at least 56 bits, and e is the entry of the first ones.
	Label("loop")
	CMPQ(ip, inLimit)
	JA(LabelRef("done"))
	CMPQ(op, outLimit)
	JA(LabelRef("done"))
	TESTL(e.As32(), e.As32())
	JNS(LabelRef("match"))
	put()
	TESTL(e.As32(), e.As32())
	JNS(LabelRef("refillMatch"))
	put()
	TESTL(e.As32(), e.As32())
	JNS(LabelRef("refillMatch"))
	put()
	refill()
	JMP(LabelRef("loop"))

	Label("refillMatch")
	refill()
	Label("match")
	save()
	BTL(Imm(isSpecial), e.As32())
	JCS(LabelRef("special"))

	Label("length")
	value(e)
	d := GP64()
	lookup(dist, distBits, d)
	BTL(Imm(isSpecial), d.As32())
	JCS(LabelRef("distSpecial"))

	Label("distance")
	value(d)
	from := GP64()
	MOVQ(op, from)
	SUBQ(d, from)
	JCS(LabelRef("undo"))
	CMPQ(from, NewParamAddr("dst", 16))
	JCS(LabelRef("undo"))
	end := GP64()
	LEAQ(Mem{Base: op, Index: e, Scale: 1}, end)
	refill()
	lookup(lit, litBits, e)

	CMPQ(d, Imm(16))
	JCS(LabelRef("near"))
	x := XMM()
	Label("copy16")
	MOVUPS(Mem{Base: from}, x)
	MOVUPS(x, Mem{Base: op})
	ADDQ(Imm(16), from)
	ADDQ(Imm(16), op)
	CMPQ(op, end)
	JCS(LabelRef("copy16"))
	MOVQ(end, op)
	JMP(LabelRef("loop"))

	Label("near")
	w := GP64()
	CMPQ(d, Imm(1))
	JEQ(LabelRef("run"))
	CMPQ(d, Imm(8))
	JCS(LabelRef("nearer"))
	Label("copy8")
	MOVQ(Mem{Base: from}, w)
	MOVQ(w, Mem{Base: op})
	ADDQ(Imm(8), from)
	ADDQ(Imm(8), op)
	CMPQ(op, end)
	JCS(LabelRef("copy8"))
	MOVQ(end, op)
	JMP(LabelRef("loop"))

	// Of eight bytes copied only as many are right as the distance is: the others are copied again.
	Label("nearer")
	MOVQ(Mem{Base: from}, w)
	MOVQ(w, Mem{Base: op})
	ADDQ(d, from)
	ADDQ(d, op)
	CMPQ(op, end)
	JCS(LabelRef("nearer"))
	MOVQ(end, op)
	JMP(LabelRef("loop"))

	Label("run")
	MOVBQZX(Mem{Base: from}, w)
	MOVQ(U64(0x0101010101010101), from)
	IMULQ(from, w)
	Label("run8")
	MOVQ(w, Mem{Base: op})
	ADDQ(Imm(8), op)
	CMPQ(op, end)
	JCS(LabelRef("run8"))
	MOVQ(end, op)
	JMP(LabelRef("loop"))

	Label("special")
	BTL(Imm(isLink), e.As32())
	JCC(LabelRef("undo"))
	second(lit, litBits, litMask, e)
	TESTL(e.As32(), e.As32())
	JNS(LabelRef("noLiteral"))
	put()
	refill()
	JMP(LabelRef("loop"))
	Label("noLiteral")
	BTL(Imm(isSpecial), e.As32())
	JCC(LabelRef("length"))
	JMP(LabelRef("undo"))

	Label("distSpecial")
	BTL(Imm(isLink), d.As32())
	JCC(LabelRef("undo"))
	second(dist, distBits, distMask, d)
	BTL(Imm(isSpecial), d.As32())
	JCC(LabelRef("distance"))

	Label("undo")
	MOVQ(buf0, buf)
	MOVL(have0.As32(), have.As32())

	Label("done")
	SUBQ(NewParamAddr("src", 24), ip)
	SUBQ(NewParamAddr("dst", 16), op)
	ANDL(Imm(63), have.As32())
	MOVQ(ip, field(fieldIn))
	MOVQ(op, field(fieldOut))
	MOVQ(buf, field(fieldBuf))
	MOVQ(have, field(fieldHave))
	RET()
}
