//go:build !(libdeflate && cgo)

package encode

import "hash/adler32"

// deflateC is the state of the C encoder, which this build does not have.
type deflateC struct{}

func (*deflateC) close() {}

func (st *State) deflate(dst, src []byte, level int) ([]byte, error) {
	return st.deflateGo(dst, src, level)
}

func adler(p []byte) uint32 { return adler32.Checksum(p) }
