package stats

import (
	"math"
	"math/big"
	"math/bits"
)

// sum is the sum of numbers: an integer of 128 bits, or a float with what rounding lost.
type sum struct {
	high int64
	low  uint64

	float, lost float64
	isFloat     bool
}

// plus adds an integer.
func (s *sum) plus(high int64, low uint64) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, low, 0)
	s.high += high + int64(carry)
}

// plusHalves adds upper*2^32 + lower.
func (s *sum) plusHalves(upper int64, lower uint64) {
	s.plus(upper>>32, uint64(upper)<<32)
	s.plus(0, lower)
}

// plusFloat adds a float (Neumaier's compensated sum).
func (s *sum) plusFloat(v float64) {
	t := s.float + v
	if math.Abs(s.float) >= math.Abs(v) {
		s.lost += (s.float - t) + v
	} else {
		s.lost += (v - t) + s.float
	}
	s.float, s.isFloat = t, true
}

// integer is the sum of integers.
func (s *sum) integer() *big.Int {
	x := new(big.Int).Lsh(big.NewInt(s.high), 64)
	return x.Add(x, new(big.Int).SetUint64(s.low))
}

// mean is the sum over n, which is above 0.
func (s *sum) mean(n int64) float64 {
	if !s.isFloat {
		m, _ := new(big.Rat).SetFrac(s.integer(), big.NewInt(n)).Float64()
		return m
	}
	if math.IsInf(s.float, 0) || math.IsNaN(s.float) { // then lost is NaN
		return s.float / float64(n)
	}
	return (s.float + s.lost) / float64(n)
}

// rounded is the mean of integers, rounded to the nearest integer, halves away from zero.
func (s *sum) rounded(n int64) int64 {
	x, d := s.integer(), big.NewInt(n)
	half := new(big.Int).Rsh(d, 1)
	if x.Sign() < 0 {
		half.Neg(half)
	}
	return x.Quo(x.Add(x, half), d).Int64()
}

func signed[T int8 | int16 | int32 | int64]() kind[T] {
	return kind[T]{hashes: hashIntegers[T], sum: func(block []T, s *sum) {
		upper, lower := int64(0), uint64(0)
		for _, v := range block {
			upper += int64(v) >> 32
			lower += uint64(uint32(v))
		}
		s.plusHalves(upper, lower)
	}}
}

func unsigned[T uint8 | uint16 | uint32 | uint64]() kind[T] {
	return kind[T]{hashes: hashIntegers[T], sum: func(block []T, s *sum) {
		upper, lower := int64(0), uint64(0)
		for _, v := range block {
			upper += int64(uint64(v) >> 32)
			lower += uint64(uint32(v))
		}
		s.plusHalves(upper, lower)
	}}
}

func floats[T float32 | float64]() kind[T] {
	return kind[T]{float: true, hashes: hashFloats[T], sum: func(block []T, s *sum) {
		var lanes, lost [4]float64 // sums that do not wait for each other
		i := 0
		for ; i+4 <= len(block); i += 4 {
			lanes[0], lost[0] = twoSum(lanes[0], lost[0], float64(block[i]))
			lanes[1], lost[1] = twoSum(lanes[1], lost[1], float64(block[i+1]))
			lanes[2], lost[2] = twoSum(lanes[2], lost[2], float64(block[i+2]))
			lanes[3], lost[3] = twoSum(lanes[3], lost[3], float64(block[i+3]))
		}
		for ; i < len(block); i++ {
			lanes[0], lost[0] = twoSum(lanes[0], lost[0], float64(block[i]))
		}
		for i := range lanes {
			s.plusFloat(lanes[i])
			s.lost += lost[i]
		}
	}}
}

// twoSum adds v to a sum, and what rounding loses to lost (Knuth's TwoSum).
func twoSum(sum, lost, v float64) (float64, float64) {
	t := sum + v
	z := t - sum
	return t, lost + ((sum - (t - z)) + (v - z))
}

func hashIntegers[T integer](block []T, out []uint64) {
	for i, v := range block {
		out[i] = mix(uint64(v))
	}
}

func hashFloats[T float32 | float64](block []T, out []uint64) {
	for i, v := range block {
		out[i] = mix(math.Float64bits(float64(v) + 0)) // -0 becomes 0
	}
}

// mix is the finalizer of MurmurHash3.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
