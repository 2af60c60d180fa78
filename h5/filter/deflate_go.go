//go:build !(libdeflate && cgo)

package filter

import (
	"errors"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
	"github.com/h5arrow/h5arrow/h5/filter/internal/inflate"
)

const inflatesInC = false

// deflateC is the state of the C decoder, which this build does not have.
type deflateC struct{}

func (*deflateC) close() {}

// zlib decodes the zlib stream at the beginning of src.
func (st *State) zlib(dst, src []byte) (int, error) {
	n, err := st.inflater.Zlib(dst, src, asm.Adler32)
	if err != nil && errors.Is(err, inflate.ErrLong) {
		err = errTooLong
	}
	return n, err
}
