package encode

// Bytes of noise, such as the low bytes of measured numbers after a shuffle, take most of the time of a deflate encoder and get no
// smaller. They are found beforehand, and stored.

const (
	noiseUnit   = 16 << 10 // bytes that are judged at a time
	noiseWindow = 32 << 10 // the distance that deflate reaches
	noiseSlack  = 2        // about 370 bits, a thousandth, that codes for the bytes of a unit might save
	noiseFound  = 2        // sequences of a unit that may occur twice
	noiseHashes = 12       // bits of the table of places
	noiseSample = 15       // of the hashes, those with these bits 0 are looked at
)

// noise returns the length of the start of src that deflate would not make smaller: in whole units, the bytes are about equally
// frequent, and hardly any sequence of four occurs a second time within the distance that deflate reaches. What follows does not
// repeat it either.
func noise(src []byte) int {
	var last [1 << noiseHashes]uint32 // places and one of sampled sequences, by hash
	n := 0
	for len(src)-n >= noiseUnit && even(src[n:n+noiseUnit]) && !repeats(src[:n+noiseUnit], n, len(src), &last) {
		n += noiseUnit
	}
	if n > 0 && n < len(src) && repeats(src[:min(n+noiseUnit, len(src))], n, n, &last) {
		n -= min(n, noiseWindow)
	}
	return n
}

// even reports whether codes of fewer bits for frequent bytes would save next to nothing. The expected sum of squares of
// counts of n random bytes is n + n*n/256.
func even(unit []byte) bool {
	var a, b [256]uint32
	for i := 0; i+1 < len(unit); i += 2 {
		a[unit[i]]++
		b[unit[i+1]]++
	}
	sum := uint64(0)
	for i := range a {
		c := uint64(a[i] + b[i])
		sum += c * c
	}
	n := uint64(len(unit))
	return sum < n+n*n/256+noiseSlack*n
}

// repeats reports whether more than noiseFound sampled sequences of four bytes that end at from+3 or later occur a second time, the
// first time before a place. Which sequences are sampled depends on their bytes only, so that both occurrences are, or neither is.
func repeats(src []byte, from, before int, last *[1 << noiseHashes]uint32) bool {
	if len(src)-from < 4 {
		return false
	}
	found := 0
	x := uint32(src[from])<<8 | uint32(src[from+1])<<16 | uint32(src[from+2])<<24
	for i := from + 3; i < len(src); i++ {
		x = x>>8 | uint32(src[i])<<24
		h := x * 0x9e3779b1
		if h>>28&noiseSample != 0 {
			continue
		}
		p := &last[h>>(28-noiseHashes)&(1<<noiseHashes-1)]
		if at := int(*p) - 1; at >= 0 && at < before && i-at <= noiseWindow && x == uint32(src[at-3])|uint32(src[at-2])<<8|uint32(src[at-1])<<16|uint32(src[at])<<24 {
			if found++; found > noiseFound {
				return true
			}
		}
		*p = uint32(i) + 1
	}
	return false
}
