package importing

import (
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Numbers of filters (The HDF Group's list of registered filters).
const (
	deflate = 1
	shuffle = 2
	lzf     = 32000
	lz4     = 32004
	zstd    = 32015
	blosc2  = 32026
)

// codec is a way to compress chunks.
type codec struct {
	id       uint16
	level    int // by default; -1: there are none
	min, max int
	values   func(size, level int) []uint32
}

var codecs = map[string]codec{
	"gzip": {deflate, 4, 0, 9, func(_, level int) []uint32 { return []uint32{uint32(level)} }},
	"zstd": {zstd, 3, 1, 22, func(_, level int) []uint32 { return []uint32{uint32(level)} }},
	"lz4":  {lz4, -1, 0, 0, func(int, int) []uint32 { return []uint32{0} }},
	"lzf":  {lzf, -1, 0, 0, func(int, int) []uint32 { return nil }},
	// Version, version of the format, size of an element, size of a chunk (of the library's own choice), level, shuffle, LZ4.
	"blosc2": {blosc2, 5, 1, 9, func(size, level int) []uint32 { return []uint32{1, 5, uint32(size), 0, uint32(level), 1, 1} }},
}

// Codecs is the words of --compression in help texts.
const Codecs = "none, gzip[:LEVEL], zstd[:LEVEL], lz4, lzf or blosc2[:LEVEL]"

// Filters returns the filters of chunks of elements of a size in bytes, nil for none.
func Filters(compression string, shuffled bool) (func(size int) []h5.Filter, error) {
	name, text, leveled := strings.Cut(compression, ":")
	if name == "none" && !leveled {
		if !shuffled {
			return nil, nil
		}
		return nil, h5err.New(h5err.Argument, "--shuffle without --compression does not make chunks smaller").WithHint("choose a --compression: %s", Codecs)
	}
	c, known := codecs[name]
	level := c.level
	if leveled {
		n, err := strconv.Atoi(text)
		if known = known && c.level >= 0 && err == nil && n >= c.min && n <= c.max; known {
			level = n
		}
	}
	if !known {
		return nil, h5err.New(h5err.Argument, "--compression %s is not known", compression).WithHint("it is %s", Codecs)
	}
	return func(size int) []h5.Filter {
		var out []h5.Filter
		if shuffled && size > 1 && c.id != blosc2 {
			out = append(out, h5.Filter{ID: shuffle, Values: []uint32{uint32(size)}})
		}
		return append(out, h5.Filter{ID: c.id, Values: c.values(size, level)})
	}, nil
}
