package encode

import (
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// hdfZstd is filter 32015: a Zstandard frame (RFC 8878).
type hdfZstd zstd.EncoderLevel

func newZstd(values []uint32) (codec, error) {
	level := 3
	if len(values) > 0 && values[0] != 0 {
		level = int(int32(values[0]))
	}
	if level < -131072 || level > 22 {
		return nil, argument("level %d; at most 22 are possible", level)
	}
	return hdfZstd(zstd.EncoderLevelFromZstd(level)), nil
}

func (z hdfZstd) encode(st *State, dst, src []byte) ([]byte, error) {
	return st.zstdFrame(dst, src, zstd.EncoderLevel(z))
}

// zstdFrame appends one frame that states its decoded size.
func (st *State) zstdFrame(dst, src []byte, level zstd.EncoderLevel) ([]byte, error) {
	e := st.zstd[level]
	if e == nil {
		var err error
		e, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return nil, err
		}
		if st.zstd == nil {
			st.zstd = map[zstd.EncoderLevel]*zstd.Encoder{}
		}
		st.zstd[level] = e
	}
	return e.EncodeAll(src, dst), nil
}

// hdfLZ4 is filter 32004; package filter describes its format.
type hdfLZ4 int

func newLZ4(values []uint32) (codec, error) {
	block := uint32(1 << 30)
	if len(values) > 0 && values[0] != 0 {
		block = values[0]
	}
	if block > 1<<30 {
		return nil, argument("blocks of %d bytes; at most %d are possible", block, 1<<30)
	}
	return hdfLZ4(block), nil
}

func (h hdfLZ4) encode(st *State, dst, src []byte) ([]byte, error) {
	block := max(min(int(h), len(src)), 1)
	dst = binary.BigEndian.AppendUint64(dst, uint64(len(src)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(block))
	for len(src) > 0 {
		n := min(block, len(src))
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		dst = st.lz4Block(dst, src[:n])
		if len(dst)-at-4 >= n { // stored
			dst = append(dst[:at+4], src[:n]...)
		}
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
		src = src[n:]
	}
	return dst, nil
}

// lz4Block appends an LZ4 block, which may be longer than src.
func (st *State) lz4Block(dst, src []byte) []byte {
	at := len(dst)
	dst = extend(dst, lz4.CompressBlockBound(len(src)))
	n, err := st.lz4.CompressBlock(src, dst[at:])
	if err != nil || n == 0 {
		return lz4Literals(dst[:at], src)
	}
	return dst[:at+n]
}

// lz4Literals appends an LZ4 block without matches.
func lz4Literals(dst, src []byte) []byte {
	n := len(src)
	if n < 15 {
		dst = append(dst, byte(n<<4))
	} else {
		dst = append(dst, 15<<4)
		for n -= 15; n >= 255; n -= 255 {
			dst = append(dst, 255)
		}
		dst = append(dst, byte(n))
	}
	return append(dst, src...)
}

// lzf is filter 32000: Marc Lehmann's LZF.
type lzf struct{}

func newLZF([]uint32) (codec, error) { return lzf{}, nil }

func (lzf) encode(st *State, dst, src []byte) ([]byte, error) { return st.lzfBlock(dst, src), nil }

const (
	lzfBits     = 14
	lzfDistance = 1 << 13
	lzfLongest  = 264
	lzfLiterals = 32
)

// lzfBlock appends src in LZF, whose format package filter describes.
func (st *State) lzfBlock(dst, src []byte) []byte {
	if st.lzf == nil {
		st.lzf = make([]int32, 1<<lzfBits)
	}
	table := st.lzf
	clear(table)
	literals := 0 // first byte that was not encoded yet
	flush := func(to int) {
		for literals < to {
			n := min(to-literals, lzfLiterals)
			dst = append(append(dst, byte(n-1)), src[literals:literals+n]...)
			literals += n
		}
	}
	for i := 0; i+4 <= len(src); {
		v := binary.LittleEndian.Uint32(src[i:]) & 0xffffff
		h := v * 0x9e3779b1 >> (32 - lzfBits)
		from := int(table[h]) - 1 // 0 is empty
		table[h] = int32(i + 1)
		if from < 0 || i-from > lzfDistance || binary.LittleEndian.Uint32(src[from:])&0xffffff != v {
			i++
			continue
		}
		n := 3
		for maxLen := min(len(src)-i, lzfLongest); n < maxLen && src[from+n] == src[i+n]; {
			n++
		}
		flush(i)
		dist := i - from - 1
		if n < 9 {
			dst = append(dst, byte((n-2)<<5|dist>>8))
		} else {
			dst = append(dst, byte(7<<5|dist>>8), byte(n-9))
		}
		dst = append(dst, byte(dist))
		i += n
		literals = i
	}
	flush(len(src))
	return dst
}
