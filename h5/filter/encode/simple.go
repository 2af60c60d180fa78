package encode

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

func argument(format string, args ...any) error { return h5err.New(h5err.Argument, format, args...) }

// shuffle is filter 2.
type shuffle int

func newShuffle(values []uint32) (codec, error) {
	if len(values) < 1 || values[0] == 0 || values[0] > 1<<31-1 {
		return nil, argument("no element size")
	}
	return shuffle(values[0]), nil
}

func (s shuffle) encode(_ *State, dst, src []byte) ([]byte, error) {
	dst = extend(dst, len(src))
	asm.Shuffle(dst, src, int(s))
	return dst, nil
}

// fletcher32 is filter 3: the data, then a checksum of four bytes.
type fletcher32 struct{}

func newFletcher32([]uint32) (codec, error) { return fletcher32{}, nil }

func (fletcher32) encode(_ *State, dst, src []byte) ([]byte, error) {
	return binary.LittleEndian.AppendUint32(append(dst, src...), asm.Fletcher32(src)), nil
}
