//go:build !(libzstd && cgo)

package filter

// Libzstd reports whether this build decodes Zstandard with the C library of that name.
const Libzstd = false

// zstdC is the state of the C decoder, which this build does not have.
type zstdC struct{}

func (*zstdC) close() {}

// unzstd decodes the frames in src.
func (st *State) unzstd(dst, src []byte) (int, error) { return st.unzstdGo(dst, src) }
