package encode

import (
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// compression is one that Parse knows.
type compression struct {
	name                 string
	id                   uint16
	lowest, def, highest uint32 // levels; highest 0: there are none
}

var named = []compression{
	{"gzip", Deflate, 0, 4, 9},
	{"zstd", Zstd, 1, 3, 22},
	{"lz4", LZ4, 0, 0, 0},
	{"lzf", LZF, 0, 0, 0},
	{"blosc2", Blosc2, 1, 5, 9},
}

// Names lists the compressions that Parse takes, for people.
func Names() string {
	text := "none"
	for i, n := range named {
		if text += ", "; i == len(named)-1 {
			text = text[:len(text)-2] + " or "
		}
		if text += n.name; n.highest > 0 {
			text += "[:LEVEL]"
		}
	}
	return text
}

// Parse returns the filters for a compression such as gzip, zstd:9 or none, after a byte shuffle if shuffle is set; Blosc 2 always
// shuffles. Client data that depends on the values is left out, or 0. What is not in Names, and a shuffle without compression, are
// errors of kind Argument.
func Parse(text string, shuffle bool) ([]filter.Spec, error) {
	if text == "none" || text == "" {
		if shuffle {
			return nil, h5err.New(h5err.Argument, "a shuffle without compression does not make chunks smaller").WithOption("encode.Parse", "choose one")
		}
		return nil, nil
	}
	name, level, leveled := strings.Cut(text, ":")
	for _, n := range named {
		if n.name != name {
			continue
		}
		if leveled {
			v, err := strconv.ParseUint(level, 10, 32)
			if err != nil || n.highest == 0 || v < uint64(n.lowest) || v > uint64(n.highest) {
				return nil, n.noLevel(text)
			}
			n.def = uint32(v)
		}
		return n.specs(shuffle), nil
	}
	return nil, h5err.New(h5err.Argument, "compression %q is not known; it can be %s", text, Names())
}

func (c *compression) noLevel(text string) error {
	if c.highest == 0 {
		return h5err.New(h5err.Argument, "compression %q: %s has no levels", text, c.name)
	}
	return h5err.New(h5err.Argument, "compression %q: %s has levels from %d to %d", text, c.name, c.lowest, c.highest)
}

// specs returns the filters of a compression of level c.def.
func (c *compression) specs(shuffle bool) []filter.Spec {
	s := filter.Spec{ID: c.id, Optional: true}
	if c.id >= 256 { // the library writes no names for its own
		s.Name = c.name
	}
	switch {
	case c.id == Blosc2: // shuffled, with LZ4
		s.Values = []uint32{0, 0, 0, 0, c.def, 1, 1}
		shuffle = false
	case c.highest > 0:
		s.Values = []uint32{c.def}
	}
	if shuffle {
		return []filter.Spec{{ID: Shuffle, Optional: true}, s}
	}
	return []filter.Spec{s}
}
