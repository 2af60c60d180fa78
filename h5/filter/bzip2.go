package filter

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"io"
)

// hdfBzip2 is filter 307: a bzip2 stream.
type hdfBzip2 struct{}

func newBzip2([]uint32) (decoder, error) { return hdfBzip2{}, nil }

func (hdfBzip2) bound(n int) (int, bool) { return n + n>>6 + 1024, false }

func (hdfBzip2) decode(_ *State, dst, src []byte) (int, error) {
	r := bzip2.NewReader(bytes.NewReader(src))
	n, err := io.ReadFull(r, dst)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		// Both are also what a stream that ends early gives, which a second read does not tell apart.
		return n, nil
	case err != nil:
		return n, err
	}
	var more [1]byte
	if n, err := r.Read(more[:]); n > 0 {
		return 0, errTooLong
	} else if !errors.Is(err, io.EOF) {
		return 0, err
	}
	return n, nil
}
