package filter

import (
	"errors"

	"github.com/h5arrow/h5arrow/h5/filter/internal/bunzip"
)

// hdfBzip2 is filter 307: a bzip2 stream.
type hdfBzip2 struct{}

func newBzip2([]uint32) (decoder, error) { return hdfBzip2{}, nil }

func (hdfBzip2) bound(n int) (int, bool) { return n + n>>6 + 1024, false }

func (hdfBzip2) decode(st *State, dst, src []byte) (int, error) {
	if st.bunzip == nil {
		st.bunzip = new(bunzip.Decoder)
	}
	n, err := st.bunzip.Decode(dst, src)
	if errors.Is(err, bunzip.ErrLong) {
		err = errTooLong
	}
	return n, err
}
