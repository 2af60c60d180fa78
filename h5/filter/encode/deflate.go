package encode

import (
	"encoding/binary"

	"github.com/klauspost/compress/flate"
)

// deflate is filter 1: a zlib stream (RFC 1950).
type deflate int

func newDeflate(values []uint32) (codec, error) {
	if len(values) == 0 {
		return deflate(6), nil
	}
	if values[0] > 9 {
		return nil, argument("level %d; it may be 0 to 9", values[0])
	}
	return deflate(values[0]), nil
}

// Parts of streams (RFC 1950, 2.2; RFC 1951, 3.2.4).
const (
	zlibWindow = 0x78      // deflate with a window of 32 KiB
	maxStored  = 1<<16 - 1 // bytes of a block without compression
)

// zlibLevels are the second bytes of streams, by level, as zlib writes them.
var zlibLevels = [10]byte{0x01, 0x01, 0x5e, 0x5e, 0x5e, 0x5e, 0x9c, 0xda, 0xda, 0xda}

// encode writes noise at the start in blocks without compression, and leaves the rest to the encoder.
func (d deflate) encode(st *State, dst, src []byte) ([]byte, error) {
	dst = append(dst, zlibWindow, zlibLevels[d])
	rest := src
	if d > 0 {
		head := src[:noise(src)]
		rest = src[len(head):]
		for len(head) > 0 {
			n := min(len(head), maxStored)
			dst = append(dst, 0, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8))
			dst = append(dst, head[:n]...)
			head = head[n:]
		}
	}
	dst, err := st.deflate(dst, rest, int(d))
	if err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint32(dst, adler(src)), nil
}

// deflateGo appends a deflate stream of src.
func (st *State) deflateGo(dst, src []byte, level int) ([]byte, error) {
	w := st.flate[level]
	st.flateOut.Reset()
	if w == nil {
		var err error
		if w, err = flate.NewWriter(&st.flateOut, level); err != nil {
			return nil, err
		}
		if st.flate == nil {
			st.flate = map[int]*flate.Writer{}
		}
		st.flate[level] = w
	} else {
		w.Reset(&st.flateOut)
	}
	if _, err := w.Write(src); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return append(dst, st.flateOut.Bytes()...), nil
}
