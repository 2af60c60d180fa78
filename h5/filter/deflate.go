package filter

// deflate is filter 1: a zlib stream (RFC 1950).
type deflate struct{}

func newDeflate([]uint32) (decoder, error) { return deflate{}, nil }

func (deflate) bound(n int) (int, bool) { return n + n>>8 + 64, false }

func (deflate) inC() bool { return inflatesInC }

func (deflate) decode(st *State, dst, src []byte) (int, error) { return st.zlib(dst, src) }
