package flight

import (
	"context"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// codingHeader is the metadata of a DoGet by which a client asks for compressed buffers.
const codingHeader = "h5arrow-compression"

// coding is how the buffers of record batches are compressed (Arrow's Message.fbs, BodyCompression).
type coding uint8

const (
	plainCoding coding = iota
	lz4Coding
	zstdCoding
)

// codingOf returns what a client asks for. An unknown codec is an INVALID_ARGUMENT.
func codingOf(ctx context.Context) (coding, error) {
	asked := metadata.ValueFromIncomingContext(ctx, codingHeader)
	if len(asked) == 0 {
		return plainCoding, nil
	}
	if len(asked) == 1 {
		switch asked[0] {
		case "none":
			return plainCoding, nil
		case "lz4":
			return lz4Coding, nil
		case "zstd":
			return zstdCoding, nil
		}
	}
	return 0, status.Errorf(codes.InvalidArgument, "%s is one of none, lz4 and zstd", codingHeader)
}

// minSavings is the part of a buffer that compression has to save: others are sent as they are, for readers to use them so.
const minSavings = 0.05

// options are those of a writer that compresses on the goroutine that writes, which source.Guard protects.
func (c coding) options() []ipc.Option {
	switch c {
	case lz4Coding:
		return []ipc.Option{ipc.WithLZ4(), ipc.WithCompressConcurrency(1), ipc.WithMinSpaceSavings(minSavings)}
	case zstdCoding:
		return []ipc.Option{ipc.WithZstd(), ipc.WithCompressConcurrency(1), ipc.WithMinSpaceSavings(minSavings)}
	}
	return nil
}

// memory is what the compressor of a stream takes, in bytes.
func (c coding) memory() int64 {
	switch c {
	case lz4Coding:
		return 1 << 20
	case zstdCoding:
		return 24<<20 + int64(runtime.GOMAXPROCS(0))<<21 // a window of 8 MiB twice, and tables, which short buffers need for each processor
	}
	return 0
}
