//go:build !(libdeflate && cgo)

package filter

// Libdeflate reports whether this build decodes deflate with the C library of that name.
const Libdeflate = false

// deflateC is the state of the C decoder, which this build does not have.
type deflateC struct{}

func (*deflateC) close() {}

// zlib decodes the zlib stream at the start of src.
func (st *State) zlib(dst, src []byte) (int, error) { return st.inflate(dst, src) }
