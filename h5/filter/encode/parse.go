package encode

import (
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// named are the compressions that Parse knows, their highest level (0: they have none), and the level that is used by default.
var named = []struct {
	name         string
	id           uint16
	highest, def uint32
}{
	{"gzip", Deflate, 9, 4},
	{"zstd", Zstd, 22, 3},
	{"lz4", LZ4, 0, 0},
	{"lzf", LZF, 0, 0},
	{"blosc2", Blosc2, 0, 0},
}

// Names returns the compressions that Parse takes, besides none.
func Names() []string {
	var all []string
	for _, n := range named {
		if n.highest > 0 {
			n.name += "[:LEVEL]"
		}
		all = append(all, n.name)
	}
	return all
}

// Parse returns the filters for a compression such as gzip, zstd:9 or none, after a byte shuffle if shuffle is set. Client data that
// depends on the values is left out. Anything else is an error of kind Argument.
func Parse(text string, shuffle bool) ([]filter.Spec, error) {
	var specs []filter.Spec
	if shuffle {
		specs = append(specs, filter.Spec{ID: Shuffle, Optional: true})
	}
	if text == "none" || text == "" {
		return specs, nil
	}
	name, level, leveled := strings.Cut(text, ":")
	for _, n := range named {
		if n.name != name {
			continue
		}
		s := filter.Spec{ID: n.id, Optional: true}
		if n.id >= 256 {
			s.Name = n.name
		}
		if n.highest > 0 {
			s.Values = []uint32{n.def}
		}
		if leveled {
			v, err := strconv.ParseUint(level, 10, 32)
			if err != nil || v < 1 || v > uint64(n.highest) {
				return nil, h5err.New(h5err.Argument, "compression %q: %s has levels from 1 to %d", text, name, n.highest)
			}
			s.Values = []uint32{uint32(v)}
		}
		return append(specs, s), nil
	}
	return nil, h5err.New(h5err.Argument, "compression %q; there are none, %s", text, strings.Join(Names(), ", "))
}
