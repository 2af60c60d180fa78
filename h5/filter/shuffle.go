package filter

import "github.com/h5arrow/h5arrow/h5/filter/internal/asm"

// shuffle is filter 2: the first bytes of all elements, then the second bytes of all, and so on.
type shuffle int

func newShuffle(values []uint32) (decoder, error) {
	if len(values) < 1 || values[0] == 0 || values[0] > 1<<31-1 {
		return nil, corrupt("bad element size")
	}
	return shuffle(values[0]), nil
}

func (shuffle) bound(n int) (int, bool) { return n, true }

func (s shuffle) decode(_ *State, dst, src []byte) (int, error) {
	if len(src) > len(dst) {
		return 0, errTooLong
	}
	asm.Unshuffle(dst[:len(src)], src, int(s))
	return len(src), nil
}
