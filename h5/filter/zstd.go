package filter

import (
	"errors"

	"github.com/klauspost/compress/zstd"
)

// hdfZstd is filter 32015: a Zstandard frame (RFC 8878).
type hdfZstd struct{}

func newZstd([]uint32) (decoder, error) { return hdfZstd{}, nil }

func (hdfZstd) bound(n int) (int, bool) { return n + n>>7 + 1024, false }

func (hdfZstd) decode(st *State, dst, src []byte) (int, error) { return st.unzstd(dst, src) }

// unzstdGo decodes the frames in src in Go.
func (st *State) unzstdGo(dst, src []byte) (int, error) {
	if st.zstd == nil {
		var err error
		// If the result is one slice, that slice is the window, so the size of the window costs nothing.
		st.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(1<<31), zstd.WithDecoderLowmem(true))
		if err != nil {
			return 0, err
		}
	}
	out, err := st.zstd.DecodeAll(src, dst[:0:len(dst)])
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return 0, errTooLong
	case err != nil:
		return 0, err
	}
	return len(out), nil
}
