//go:build !(libdeflate && cgo)

package encode

// deflateC is the state of the C encoder, which this build does not have.
type deflateC struct{}

func (*deflateC) close() {}

func (st *State) deflate(dst, src []byte, level int) ([]byte, error) {
	return st.deflateGo(dst, src, level)
}
