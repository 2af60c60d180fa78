package ipc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Format is the form of the output.
type Format uint8

// The two forms of Arrow IPC.
const (
	_      Format = iota
	File          // random access: a footer lists the batches (.arrow, .feather)
	Stream        // one message after the other (.arrows, pipes)
)

var formatNames = [...]string{"invalid", "file", "stream"}

// String returns the format's name.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return fmt.Sprintf("format(%d)", uint8(f))
}

// Compression is the codec of the buffers.
type Compression uint8

// The codecs of Arrow IPC.
const (
	_    Compression = iota
	None             // buffers as they are
	LZ4              // LZ4 frames
	Zstd             // Zstandard frames
)

var compressionNames = []string{"invalid", "none", "lz4", "zstd"}

// String returns the name that ParseCompression takes.
func (c Compression) String() string {
	if int(c) < len(compressionNames) {
		return compressionNames[c]
	}
	return fmt.Sprintf("compression(%d)", uint8(c))
}

// ParseCompression returns the codec with that name: none, lz4 or zstd. Any other name is an error of kind Argument.
func ParseCompression(name string) (Compression, error) {
	if i := slices.Index(compressionNames, name); i > 0 {
		return Compression(i), nil
	}
	return 0, h5err.New(h5err.Argument, "unknown compression %q", name).
		WithHint("the known ones are %s", strings.Join(compressionNames[1:], ", "))
}

// options returns the options of arrow-go for the codec.
func (c Compression) options() []ipc.Option {
	switch c {
	case LZ4:
		return []ipc.Option{ipc.WithLZ4()}
	case Zstd:
		return []ipc.Option{ipc.WithZstd()}
	}
	return nil
}
