package nullbitmap

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

// TestRulesEveryOffsetAndLength is the main property: each rule, by each set of kernels, against the naive loop.
func TestRulesEveryOffsetAndLength(t *testing.T) {
	cases := ruleCases()
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			rng := newRand(t)
			for i := range cases {
				c := &cases[i]
				// All pairs of offset and length for masks and sentinels; for the others all offsets and all lengths, but not all
				// pairs.
				every, oneIn := i < 32 && c.rule.Width()&(c.rule.Width()-1) == 0, 24
				if testing.Short() {
					every, oneIn = false, 200
				}
				for off := 0; off < 64; off++ {
					for n := 0; n <= 130; n++ {
						if !every && n%64 != off && rng.IntN(oneIn) != 0 {
							continue
						}
						checkApply(t, k, rng, c, off, n, Overwrite+Mode(rng.IntN(2)), c.values(rng, n))
					}
				}
			}
		})
	}
}

func TestRulesLong(t *testing.T) {
	cases := ruleCases()
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			rng := newRand(t)
			for i := range cases {
				for _, n := range []int{64*7 + 5, 20011} {
					checkApply(t, k, rng, &cases[i], rng.IntN(64), n, Overwrite+Mode(rng.IntN(2)), cases[i].values(rng, n))
				}
			}
		})
	}
}

func TestRulesStrided(t *testing.T) {
	cases := ruleCases()
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			rng := newRand(t)
			for i := range cases {
				c := &cases[i]
				w := c.rule.Width()
				for _, n := range []int{0, 1, 7, 8, 9, 63, 64, 65, 130, 9001} {
					stride, off, m := w+rng.IntN(5), rng.IntN(64), Overwrite+Mode(rng.IntN(2))
					packed := c.values(rng, n)
					spaced := randomBytes(rng, max(0, (n-1)*stride+w))
					for e := 0; e < n; e++ {
						copy(spaced[e*stride:], packed[e*w:(e+1)*w])
					}
					start := randomBytes(rng, (off+n+7)/8)
					want := bytes.Clone(start)
					nulls := naiveApply(want, off, n, m, func(i int) bool { return c.null(packed[i*w : (i+1)*w]) })
					src, srcIntact := guarded(rng, spaced)
					dst, dstIntact := guarded(rng, start)
					if got := k.applyStrided(c.rule, dst, off, src, stride, n, m); got != nulls || !bytes.Equal(dst, want) {
						t.Fatalf("%s, width %d, stride %d, length %d, %v: %d nulls, want %d", c.name, w, stride, n, m, got, nulls)
					}
					if !srcIntact() || !dstIntact() || !bytes.Equal(src, spaced) {
						t.Fatalf("%s, width %d, stride %d, length %d: wrote elsewhere", c.name, w, stride, n)
					}
				}
			}
		})
	}
}

func TestStridedWide(t *testing.T) {
	const w, n = gatherBytes/64 + 1, 70
	s := bytes.Repeat([]byte{7}, w)
	values := make([]byte, n*(w+3))
	for i := 0; i < n; i += 3 {
		copy(values[i*(w+3):], s)
	}
	dst := make([]byte, 10)
	if nulls := must(Equal(s)).ApplyStrided(dst, 5, values, w+3, n, Overwrite); nulls != 24 || bitAt(dst, 5) || !bitAt(dst, 6) || bitAt(dst, 8) {
		t.Fatalf("%d nulls in %x", nulls, dst)
	}
}

func TestIsNullAgreesWithNaive(t *testing.T) {
	rng := newRand(t)
	for _, c := range ruleCases() {
		w := c.rule.Width()
		values := c.values(rng, 300)
		for i := 0; i < 300; i++ {
			if e := values[i*w : (i+1)*w]; c.rule.IsNull(e) != c.null(e) {
				t.Fatalf("%s, width %d: IsNull(%x) = %v", c.name, w, e, c.rule.IsNull(e))
			}
		}
	}
}

// TestNetCDFDefaults: the default fill of each netCDF type is null, its neighbors are not.
func TestNetCDFDefaults(t *testing.T) {
	for _, c := range []struct {
		fill  uint64
		width int
	}{
		{uint64(0x81), 1}, {255, 1}, {uint64(0x8001), 2}, {65535, 2}, {0x80000001, 4}, {4294967295, 4},
		{0x8000000000000002, 8}, {18446744073709551614, 8}, {0x7cf00000, 4}, {0x479e000000000000, 8},
	} {
		for order := LittleEndian; order <= BigEndian; order++ {
			var values []byte
			for _, v := range []uint64{c.fill - 1, c.fill, c.fill ^ 1} {
				values = append(values, Stored(v, c.width, order)...)
			}
			dst := []byte{0}
			if n := must(Equal(Stored(c.fill, c.width, order))).Apply(dst, 0, values, Overwrite); n != 1 || dst[0] != 5 {
				t.Errorf("%#x, width %d, %v: %d nulls, %03b", c.fill, c.width, order, n, dst[0])
			}
		}
	}
	if got := StoredFloat(9.969209968386869e36, 4, BigEndian); !bytes.Equal(got, []byte{0x7c, 0xf0, 0, 0}) {
		t.Errorf("netCDF's float fill is stored as %x", got)
	}
}

func TestConstructorsRefuse(t *testing.T) {
	one := func(r Rule, err error) error { return err }
	nan := math.NaN()
	for name, err := range map[string]error{
		"nonzero width":      one(Nonzero(0, SetIsNull)),
		"nonzero polarity":   one(Nonzero(1, 0)),
		"bits empty":         one(AnyBit(nil, SetIsNull)),
		"bits wide":          one(AnyBit(make([]byte, 9), SetIsNull)),
		"bits none set":      one(AnyBit(make([]byte, 4), SetIsNull)),
		"bits polarity":      one(AnyBit([]byte{1}, 9)),
		"equal none":         one(Equal()),
		"equal empty":        one(Equal([]byte{})),
		"equal mixed":        one(Equal([]byte{1}, []byte{1, 2})),
		"equal masked wide":  one(EqualMasked(make([]byte, 9), make([]byte, 9))),
		"equal masked mixed": one(EqualMasked([]byte{1}, []byte{1, 0})),
		"equal masked none":  one(EqualMasked([]byte{0}, []byte{0})),
		"equal masked more":  one(EqualMasked([]byte{1}, []byte{3})),
		"minus one wide":     one(MinusOne(9)),
		"minus one narrow":   one(MinusOne(0)),
		"nan width":          one(NaN(3, LittleEndian)),
		"nan order":          one(NaN(4, 0)),
		"float width":        one(EqualFloat(1, LittleEndian, 0)),
		"float order":        one(EqualFloat(4, 7, 0)),
		"float none":         one(EqualFloat(4, LittleEndian)),
		"int width":          one(OutsideInt(9, LittleEndian, 0, 1)),
		"int order":          one(OutsideInt(4, 0, 0, 1)),
		"uint width":         one(OutsideUint(0, LittleEndian, 0, 1)),
		"float range width":  one(OutsideFloat(1, LittleEndian, 0, 1)),
		"float range order":  one(OutsideFloat(8, 0, 0, 1)),
		"float range bounds": one(OutsideFloat(8, LittleEndian, nan, 1)),
		"float range upper":  one(OutsideFloat(8, LittleEndian, 0, nan)),
		"any none":           one(Any()),
		"any zero":           one(Any(Rule{})),
		"any widths":         one(Any(must(MinusOne(1)), must(MinusOne(2)))),
		"equal of no order":  one(Equal(Stored(1, 4, 0))),
		"equal of no width":  one(Equal(Stored(1, 9, LittleEndian))),
	} {
		if !errors.Is(err, ErrRule) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStored(t *testing.T) {
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{Stored(0x010203, 3, BigEndian), "\x01\x02\x03"},
		{Stored(0x010203, 3, LittleEndian), "\x03\x02\x01"},
		{Stored(0x0102030405060708, 8, BigEndian), "\x01\x02\x03\x04\x05\x06\x07\x08"},
		{Stored(^uint64(0), 2, BigEndian), "\xff\xff"},
		{StoredFloat(1, 8, BigEndian), "\x3f\xf0\x00\x00\x00\x00\x00\x00"},
		{StoredFloat(-2, 4, LittleEndian), "\x00\x00\x00\xc0"},
		{StoredFloat(1, 2, BigEndian), "\x3c\x00"},
		{StoredFloat(math.Inf(-1), 2, BigEndian), "\xfc\x00"},
		{StoredFloat(65519, 2, BigEndian), "\x7b\xff"},
		{StoredFloat(65520, 2, BigEndian), "\x7c\x00"},
		{StoredFloat(0x1p-24, 2, BigEndian), "\x00\x01"},
		{StoredFloat(0x1p-25, 2, BigEndian), "\x00\x00"},
		{StoredFloat(0x1.8p-25, 2, BigEndian), "\x00\x01"},
		{StoredFloat(0x1p-14-0x1p-26, 2, BigEndian), "\x04\x00"},
		{StoredFloat(1, 3, BigEndian), ""},
	} {
		if string(c.got) != c.want {
			t.Errorf("%x, want %x", c.got, c.want)
		}
	}
	// Every half survives the way through float64, but for the payload of a NaN.
	for h := 0; h < 1<<16; h++ {
		e := Stored(uint64(h), 2, LittleEndian)
		v := naiveFloat(e, LittleEndian)
		if got := StoredFloat(v, 2, LittleEndian); v == v && !bytes.Equal(got, e) {
			t.Fatalf("half %04x is stored as %x", h, got)
		}
	}
}
