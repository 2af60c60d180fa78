package nullbitmap

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"
)

// The naive twins: one value at a time, one bit at a time, nothing shared with the code under test.

func bitAt(b []byte, i int) bool { return b[i/8]>>(i%8)&1 != 0 }

func setBit(b []byte, i int, v bool) {
	if v {
		b[i/8] |= 1 << (i % 8)
	} else {
		b[i/8] &^= 1 << (i % 8)
	}
}

func msbAt(b []byte, i int) bool { return b[i/8]<<(i%8)&128 != 0 }

func setMSB(b []byte, i int, v bool) {
	if v {
		b[i/8] |= 128 >> (i % 8)
	} else {
		b[i/8] &^= 128 >> (i % 8)
	}
}

// naiveApply writes n validity bits as a mode says and counts the nulls.
func naiveApply(dst []byte, off, n int, m Mode, null func(i int) bool) (nulls int) {
	for i := 0; i < n; i++ {
		v := !null(i) && (m == Overwrite || bitAt(dst, off+i))
		setBit(dst, off+i, v)
		if !v {
			nulls++
		}
	}
	return nulls
}

func bigEndian(e []byte, order ByteOrder) uint64 {
	var v uint64
	for i := range e {
		if order == BigEndian {
			v = v<<8 | uint64(e[i])
		} else {
			v |= uint64(e[i]) << (8 * i)
		}
	}
	return v
}

func naiveInt(e []byte, order ByteOrder) int64 {
	v := bigEndian(e, order)
	if bits := 8 * len(e); bits < 64 && v>>(bits-1)&1 != 0 {
		return int64(v) - 1<<bits
	}
	return int64(v)
}

func naiveFloat(e []byte, order ByteOrder) float64 {
	v := bigEndian(e, order)
	switch len(e) {
	case 8:
		return math.Float64frombits(v)
	case 4:
		return float64(math.Float32frombits(uint32(v)))
	}
	exp, frac := int(v>>10&31), float64(v&1023)
	f := math.Ldexp(1+frac/1024, exp-15)
	switch {
	case exp == 0:
		f = math.Ldexp(frac/1024, -14)
	case exp == 31 && frac == 0:
		f = math.Inf(1)
	case exp == 31:
		f = math.NaN()
	}
	if v>>15 != 0 {
		f = -f
	}
	return f
}

// ruleCase is a rule, its meaning, and elements worth trying beside random ones.
type ruleCase struct {
	name     string
	rule     Rule
	null     func(e []byte) bool
	elements [][]byte
}

func must(r Rule, err error) Rule {
	if err != nil {
		panic(err)
	}
	return r
}

func anyNonzero(e []byte) bool {
	for _, b := range e {
		if b != 0 {
			return true
		}
	}
	return false
}

func ruleCases() []ruleCase {
	var c ruleList
	c.byteRules()
	for order := LittleEndian; order <= BigEndian; order++ {
		c.intRules(order)
		c.floatRules(order)
	}
	return c
}

type ruleList []ruleCase

func (c *ruleList) add(name string, r Rule, null func(e []byte) bool, elements ...[]byte) {
	*c = append(*c, ruleCase{name, r, null, elements})
}

// byteRules adds the rules for which elements are bytes without an order.
func (c *ruleList) byteRules() {
	for _, w := range []int{1, 2, 3, 4, 5, 7, 8, 11} {
		zero, low, high := make([]byte, w), make([]byte, w), make([]byte, w)
		low[0], high[w-1] = 1, 0x80
		c.add("nonzero null", must(Nonzero(w, SetIsNull)), anyNonzero, zero, low, high)
		c.add("nonzero valid", must(Nonzero(w, SetIsValid)), func(e []byte) bool { return !anyNonzero(e) }, zero, low, high)

		s1, s2 := make([]byte, w), bytes.Repeat([]byte{0xfe}, w)
		for i := range s1 {
			s1[i] = byte(200 - 31*i)
		}
		near := bytes.Clone(s1)
		near[w-1] ^= 0x80
		c.add("equal", must(Equal(s1)), func(e []byte) bool { return bytes.Equal(e, s1) }, s1, near)
		either := func(e []byte) bool { return bytes.Equal(e, s1) || bytes.Equal(e, s2) || !anyNonzero(e) }
		c.add("equal any", must(Equal(s1, s2, zero)), either, s1, s2, near, zero)
	}
	for _, w := range []int{1, 2, 4, 8} {
		mask := make([]byte, w)
		mask[w/2] = 0x12
		set := func(e []byte) bool { return e[w/2]&0x12 != 0 }
		only, other := bytes.Repeat([]byte{0}, w), bytes.Repeat([]byte{0xff}, w)
		only[w/2], other[w/2] = 0x02, 0xed
		c.add("bit null", must(AnyBit(mask, SetIsNull)), set, only, other)
		c.add("bit valid", must(AnyBit(mask, SetIsValid)), func(e []byte) bool { return !set(e) }, only, other)
		alone := func(e []byte) bool { return e[w/2]&0x12 == 0x02 }
		c.add("equal masked", must(EqualMasked(mask, only)), alone, only, other, mask)
	}
	for _, w := range []int{1, 2, 3, 4, 8} {
		minus := bytes.Repeat([]byte{0xff}, w)
		c.add("minus one", must(MinusOne(w)), func(e []byte) bool { return bytes.Equal(e, minus) }, minus, make([]byte, w))
	}
}

// intRules adds the ranges of integers.
func (c *ruleList) intRules(order ByteOrder) {
	for _, w := range []int{1, 2, 3, 4, 6, 8} {
		near := func(v uint64) [][]byte {
			return [][]byte{Stored(v-1, w, order), Stored(v, w, order), Stored(v+1, w, order)}
		}
		for _, b := range [][2]int64{{-5, 100}, {-100, -3}, {0, 0}, {5, 4}, {math.MinInt64, 7}, {-7, math.MaxInt64}, {1 << 40, 1 << 41}} {
			lo, hi := b[0], b[1]
			c.add("int", must(OutsideInt(w, order, lo, hi)), func(e []byte) bool {
				v := naiveInt(e, order)
				return v < lo || v > hi
			}, append(near(uint64(lo)), near(uint64(hi))...)...)
		}
		for _, b := range [][2]uint64{{3, 200}, {0, 127}, {128, 255}, {5, 4}, {0, math.MaxUint64}, {1 << 40, 1 << 63}, {7, 1 << 63}} {
			lo, hi := b[0], b[1]
			c.add("uint", must(OutsideUint(w, order, lo, hi)), func(e []byte) bool {
				v := bigEndian(e, order)
				return v < lo || v > hi
			}, append(near(lo), near(hi)...)...)
		}
	}
}

// floatRules adds the rules about floats.
func (c *ruleList) floatRules(order ByteOrder) {
	for _, w := range []int{2, 4, 8} {
		f := func(v float64) []byte { return StoredFloat(v, w, order) }
		quiet, payload := f(math.NaN()), Stored(map[int]uint64{2: 0xfc01, 4: 0x7f8007a2, 8: 0x7ff00000000007a2}[w], w, order)
		zeros := [][]byte{f(0), f(math.Copysign(0, -1)), f(1), f(-1), f(math.Inf(1)), f(math.Inf(-1)), quiet, payload,
			Stored(1, w, order), f(0.1), f(9.969209968386869e36), f(2.5), f(-2.5), f(65504)}
		isNaN := func(e []byte) bool { return math.IsNaN(naiveFloat(e, order)) }
		c.add("nan", must(NaN(w, order)), isNaN, zeros...)
		if w == 8 {
			c.add("NA of R", must(EqualMasked(Stored(0x7ff00000ffffffff, 8, order), payload)), func(e []byte) bool {
				return isNaN(e) && uint32(bigEndian(e, order)) == 1954
			}, append(zeros, Stored(0xfff80000000007a2, 8, order), Stored(0x7ff80000000007a2, 8, order), Stored(1954, 8, order), Stored(0x7fe00000000007a2, 8, order))...)
		}
		c.add("nan payload", must(Equal(payload)), func(e []byte) bool { return bytes.Equal(e, payload) }, zeros...)
		for _, v := range []float64{0, math.Copysign(0, -1), 1, -2.5, math.Inf(-1), 0.1, 9.969209968386869e36} {
			c.add("float", must(EqualFloat(w, order, v)), func(e []byte) bool { return naiveFloat(e, order) == v }, zeros...)
		}
		c.add("floats", must(EqualFloat(w, order, 1, math.NaN(), 0)), func(e []byte) bool {
			v := naiveFloat(e, order)
			return v != v || v == 1 || v == 0
		}, zeros...)
		for _, b := range [][2]float64{{-1, 1}, {0, math.Inf(1)}, {math.Copysign(0, -1), 2.5}, {math.Inf(-1), 0.1}, {0.1, 1e300}, {1, -1}, {math.Inf(-1), math.Inf(1)}} {
			lo, hi := b[0], b[1]
			out := func(e []byte) bool {
				v := naiveFloat(e, order)
				return v < lo || v > hi
			}
			c.add("float range", must(OutsideFloat(w, order, lo, hi)), out, zeros...)
			c.add("float range or nan", must(Any(must(OutsideFloat(w, order, lo, hi)), must(NaN(w, order)))), func(e []byte) bool {
				return out(e) || isNaN(e)
			}, zeros...)
		}
	}
}

// values makes n elements: listed ones and random ones.
func (c *ruleCase) values(rng *rand.Rand, n int) []byte {
	w := c.rule.Width()
	b := randomBytes(rng, n*w)
	for i := 0; i < n; i++ {
		e := b[i*w : (i+1)*w]
		if k := rng.IntN(len(c.elements) + 2); k < len(c.elements) {
			copy(e, c.elements[k])
		}
	}
	return b
}

func newRand(t testing.TB) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(h.Sum64(), 0))
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n+8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], rng.Uint64())
	}
	return b[:n:n]
}

// guarded returns a copy of content inside random bytes, at an odd address, and a function that says whether what is
// around it was changed.
func guarded(rng *rand.Rand, content []byte) (inner []byte, intact func() bool) {
	lead := 65 + rng.IntN(8)
	outer := randomBytes(rng, lead+len(content)+72)
	copy(outer[lead:], content)
	before := string(outer)
	inner = outer[lead : lead+len(content) : lead+len(content)]
	return inner, func() bool {
		return string(outer[:lead]) == before[:lead] && string(outer[lead+len(content):]) == before[lead+len(content):]
	}
}

// checkApply runs one set of kernels over one input and compares all of dst, the count and the surroundings.
func checkApply(t *testing.T, k *kernels, rng *rand.Rand, c *ruleCase, off, n int, m Mode, values []byte) {
	t.Helper()
	w := c.rule.Width()
	start := randomBytes(rng, (off+n+7)/8+rng.IntN(3))
	dst, dstIntact := guarded(rng, start)
	src, srcIntact := guarded(rng, values)
	want := bytes.Clone(start)
	nulls := naiveApply(want, off, n, m, func(i int) bool { return c.null(values[i*w : (i+1)*w]) })
	got := k.apply(c.rule, dst, off, src, m)
	if got != nulls || !bytes.Equal(dst, want) {
		t.Fatalf("%s: %s, width %d, offset %d, length %d, %v: %d nulls, want %d\n got %x\nwant %x\nfrom %x", k.name, c.name, w, off, n, m, got, nulls, dst, want, values)
	}
	if !dstIntact() || !srcIntact() || !bytes.Equal(src, values) {
		t.Fatalf("%s: %s, width %d, offset %d, length %d, %v: wrote elsewhere", k.name, c.name, w, off, n, m)
	}
}
