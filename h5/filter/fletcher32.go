package filter

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
)

// fletcher32 is filter 3: the data, then a checksum of four bytes.
type fletcher32 struct{}

func newFletcher32([]uint32) (decoder, error) { return fletcher32{}, nil }

func (fletcher32) bound(n int) (int, bool) { return n + 4, true }

func (f fletcher32) decode(_ *State, dst, src []byte) (int, error) {
	b, err := f.view(src)
	if err != nil {
		return 0, err
	}
	if len(b) > len(dst) {
		return 0, errTooLong
	}
	return copy(dst, b), nil
}

func (fletcher32) view(src []byte) ([]byte, error) {
	if len(src) < 4 {
		return nil, errShort
	}
	data := src[:len(src)-4]
	stored := binary.LittleEndian.Uint32(src[len(data):])
	sum := asm.Fletcher32(data)
	// Before 1.6.3 the library swapped the bytes of both halves on little-endian machines, and still accepts that.
	swapped := sum&0x00ff00ff<<8 | sum>>8&0x00ff00ff
	if stored != sum && stored != swapped {
		return nil, corrupt("the checksum differs")
	}
	return data, nil
}
