package encode

import (
	"github.com/klauspost/compress/zlib"
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

func (d deflate) encode(st *State, dst, src []byte) ([]byte, error) {
	return st.deflate(dst, src, int(d))
}

// deflateGo appends the zlib stream of src.
func (st *State) deflateGo(dst, src []byte, level int) ([]byte, error) {
	w := st.zlib[level]
	st.zlibOut.Reset()
	if w == nil {
		var err error
		if w, err = zlib.NewWriterLevel(&st.zlibOut, level); err != nil {
			return nil, err
		}
		if st.zlib == nil {
			st.zlib = map[int]*zlib.Writer{}
		}
		st.zlib[level] = w
	} else {
		w.Reset(&st.zlibOut)
	}
	if _, err := w.Write(src); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return append(dst, st.zlibOut.Bytes()...), nil
}
