package stats

import "math/rand/v2"

const (
	maxSample    = 1 << 16 // values of a column
	minSample    = 1 << 11
	sampledBytes = 32 << 20 // of all columns, where values have 8 bytes
)

// sampleSize returns how many values of each column are kept: a power of two.
func sampleSize(columns int) int {
	size := maxSample
	for size > minSample && size*8*columns > sampledBytes {
		size /= 2
	}
	return size
}

// sample keeps values of a long sequence: all of them, or one of each run of stride values, chosen at random. Where it is full,
// it drops one of each pair and doubles the stride.
type sample[T any] struct {
	values []T
	size   int // even
	stride int
	left   int // values to come of the current run
	pick   int // of these, the one to take; -1 where it has been taken
	random *rand.Rand
}

func newSample[T any](size int) sample[T] {
	return sample[T]{size: size, stride: 1, random: rand.New(rand.NewPCG(1, 2))}
}

func (s *sample[T]) add(block []T) {
	if s.stride == 1 {
		n := min(s.size-len(s.values), len(block))
		s.values = append(s.values, block[:n]...)
		if block = block[n:]; len(block) == 0 {
			return
		}
		s.thin()
	}
	for len(block) > 0 {
		n := min(s.left, len(block))
		if s.pick >= 0 && s.pick < n {
			s.values = append(s.values, block[s.pick])
			s.pick = -1
		} else if s.pick >= 0 {
			s.pick -= n
		}
		block = block[n:]
		switch s.left -= n; {
		case s.left > 0:
		case len(s.values) == s.size:
			s.thin()
		default:
			s.start()
		}
	}
}

// start starts a run.
func (s *sample[T]) start() { s.left, s.pick = s.stride, s.random.IntN(s.stride) }

// thin drops one of each pair of values, whose runs become one.
func (s *sample[T]) thin() {
	n := len(s.values) / 2
	for i := range n {
		s.values[i] = s.values[2*i+s.random.IntN(2)]
	}
	s.values = s.values[:n]
	s.stride *= 2
	s.start()
}
