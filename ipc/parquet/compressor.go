package parquet

import (
	"slices"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/zstd"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// compressor compresses pages. It is for one goroutine at a time, and keeps its buffers. arrow-go's keeps an encoder with 16 MiB of
// tables for each level.
type compressor struct {
	codec compress.Compression
	zstd  *zstd.Encoder
	other compress.Codec
	buf   []byte
}

// zstdWindow is how far back matches are searched: pages are hardly longer.
const zstdWindow = 1 << 20

func newCompressor(c Compression) (*compressor, error) {
	z := &compressor{codec: c.codec()}
	var err error
	switch c {
	case None:
	case Zstd:
		z.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithWindowSize(zstdWindow), zstd.WithZeroFrames(true), zstd.WithLowerEncoderMem(true))
	default:
		z.other, err = compress.GetCodec(z.codec)
	}
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "%v", c)
	}
	return z, nil
}

// page returns b compressed, valid until the next call.
func (z *compressor) page(b []byte) []byte {
	switch {
	case z.zstd != nil:
		z.buf = z.zstd.EncodeAll(b, z.buf[:0])
		return z.buf
	case z.other != nil:
		z.buf = slices.Grow(z.buf[:0], int(z.other.CompressBound(int64(len(b)))))
		return z.other.Encode(z.buf[:cap(z.buf)], b)
	}
	return b
}

// size returns how many bytes b has when compressed.
func (z *compressor) size(b []byte) int { return len(z.page(b)) }
