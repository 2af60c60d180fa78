package encode

import (
	"bytes"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// State is what encoding keeps from chunk to chunk: scratch buffers and tables of the codecs. Only one goroutine may use it at a
// time, for any number of encoders.
type State struct {
	stages [2][]byte // results between two filters, in turn
	turn   int
	tmp    [3][]byte

	deflateC deflateC
	flate    map[int]*flate.Writer
	flateOut bytes.Buffer
	zstd     map[zstd.EncoderLevel]*zstd.Encoder
	lz4      lz4.Compressor
	lzf      []int32
}

// NewState returns an empty state. What a codec needs is allocated at its first use.
func NewState() *State { return new(State) }

// Close frees the C memory of the state. The state may be used again afterwards.
func (st *State) Close() {
	st.deflateC.close()
	for _, e := range st.zstd {
		e.Close()
	}
	st.zstd = nil
}

// between returns a buffer with room for n bytes of a result. The one before it stays valid.
func (st *State) between(n int) []byte {
	st.turn ^= 1
	return grow(&st.stages[st.turn], n)
}

// keep remembers the buffer of a result, which may have grown.
func (st *State) keep(out []byte) {
	if cap(out) > cap(st.stages[st.turn]) {
		st.stages[st.turn] = out
	}
}

// scratch returns buffer k with n bytes of any content, for use inside one filter.
func (st *State) scratch(k, n int) []byte { return grow(&st.tmp[k], n) }

func grow(b *[]byte, n int) []byte {
	if cap(*b) < n {
		*b = make([]byte, n, n+n/8+64)
	}
	return (*b)[:n]
}

// extend returns b with n more bytes of any content.
func extend(b []byte, n int) []byte {
	if cap(b)-len(b) < n {
		b = append(make([]byte, 0, len(b)+n+n/8), b...)
	}
	return b[:len(b)+n]
}
