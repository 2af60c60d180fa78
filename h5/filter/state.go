package filter

import (
	"github.com/klauspost/compress/zstd"

	"github.com/h5arrow/h5arrow/h5/filter/internal/bunzip"
	"github.com/h5arrow/h5arrow/h5/filter/internal/inflate"
)

// State is what decoding keeps from chunk to chunk: scratch buffers and tables of the codecs. Only one goroutine may use it at a
// time, for any number of pipelines.
type State struct {
	stages [2][]byte // results between two filters of a pipeline, in turn
	turn   int
	tmp    [5][]byte // scratch inside one filter

	samples  []uint32
	inflater *inflate.Decoder
	deflateC deflateC
	bunzip   *bunzip.Decoder
	zstd     *zstd.Decoder
	zstdC    zstdC
}

// NewState returns an empty state. What a codec needs is allocated at its first use.
func NewState() *State { return new(State) }

// Close frees the C memory of the state. The state may be used again afterwards.
func (st *State) Close() {
	if st.zstd != nil {
		st.zstd.Close()
		st.zstd = nil
	}
	st.deflateC.close()
	st.zstdC.close()
}

// between returns a buffer of n bytes for a result between two filters. The one before it stays valid.
func (st *State) between(n int) []byte {
	st.turn ^= 1
	return grow(&st.stages[st.turn], n)
}

// scratch returns buffer k with n bytes of any content, for use inside one filter.
func (st *State) scratch(k, n int) []byte { return grow(&st.tmp[k], n) }

func grow(b *[]byte, n int) []byte {
	if cap(*b) < n {
		*b = make([]byte, n, n+n/8+64)
	}
	return (*b)[:n]
}

// pixels returns a buffer of n integers of any content.
func (st *State) pixels(n int) []uint32 {
	if cap(st.samples) < n {
		st.samples = make([]uint32, n, n+n/8+64)
	}
	return st.samples[:n]
}
