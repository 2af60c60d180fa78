package filter

import (
	"errors"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
	"github.com/h5arrow/h5arrow/h5/filter/internal/inflate"
)

// deflate is filter 1: a zlib stream (RFC 1950).
type deflate struct{}

func newDeflate([]uint32) (decoder, error) { return deflate{}, nil }

func (deflate) bound(n int) (int, bool) { return n + n>>8 + 64, false }

func (deflate) decode(st *State, dst, src []byte) (int, error) { return st.zlib(dst, src) }

// inflate decodes the zlib stream at the start of src in Go.
func (st *State) inflate(dst, src []byte) (int, error) {
	if st.inflater == nil {
		st.inflater = new(inflate.Decoder)
	}
	n, err := st.inflater.Zlib(dst, src, asm.Adler32)
	if errors.Is(err, inflate.ErrLong) {
		err = errTooLong
	}
	return n, err
}
