package filter

// lossy is a filter that only rounded the data when they were written (BitGroom, 32022; Granular BitRound, 32023):
// there is nothing to undo.
type lossy struct{}

func newLossy([]uint32) (decoder, error) { return lossy{}, nil }

func (lossy) bound(n int) (int, bool) { return n, true }

func (lossy) view(src []byte) ([]byte, error) { return src, nil }

func (lossy) decode(_ *State, dst, src []byte) (int, error) {
	if len(src) > len(dst) {
		return 0, errTooLong
	}
	return copy(dst, src), nil
}
