package parquet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/parquet/compress"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Compression is the codec of the pages.
type Compression uint8

// The supported codecs, which current readers know.
const (
	_      Compression = iota
	None               // pages as they are
	Snappy             // fast, compresses little
	LZ4                // blocks (LZ4_RAW)
	Zstd               // the default
)

var compressionNames = []string{"invalid", "none", "snappy", "lz4", "zstd"}

// String returns the name that ParseCompression takes.
func (c Compression) String() string {
	if int(c) < len(compressionNames) {
		return compressionNames[c]
	}
	return fmt.Sprintf("compression(%d)", uint8(c))
}

// ParseCompression returns the codec with that name: none, snappy, lz4 or zstd. Any other name is an error of kind
// Argument.
func ParseCompression(name string) (Compression, error) {
	if i := slices.Index(compressionNames, name); i > 0 {
		return Compression(i), nil
	}
	return 0, h5err.New(h5err.Argument, "unknown compression %q", name).
		WithHint("the known ones are %s", strings.Join(compressionNames[1:], ", "))
}

// Compat is which readers are to read a file.
type Compat uint8

// The values of Compat.
const (
	FormatLatest Compat = iota // current readers: the default
	Format1                    // readers of format 1.0: its types and encodings, and no page index
)

// ParseCompat returns the Compat of the words 1.0 and latest. Any other word is an error of kind Argument.
func ParseCompat(word string) (Compat, error) {
	switch word {
	case "latest":
		return FormatLatest, nil
	case "1.0":
		return Format1, nil
	}
	return 0, h5err.New(h5err.Argument, "unknown version %q of the Parquet format", word).WithHint("known ones are 1.0 and latest")
}

func (c Compression) codec() compress.Compression {
	switch c {
	case Snappy:
		return compress.Codecs.Snappy
	case LZ4:
		return compress.Codecs.Lz4Raw
	case Zstd:
		return compress.Codecs.Zstd
	}
	return compress.Codecs.Uncompressed
}
