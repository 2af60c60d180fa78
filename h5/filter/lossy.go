package filter

// lossy is a filter that rounded the data when it was written (BitGroom, 32022; Granular BitRound, 32023). There is nothing to
// undo.
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
