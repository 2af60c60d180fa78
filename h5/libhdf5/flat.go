package libhdf5

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// SplitFlat splits variable strings in flat form (see the package's doc).
func SplitFlat(flat []byte) ([]string, error) {
	var out []string
	for len(flat) > 0 {
		if len(flat) < 8 {
			return nil, h5err.New(h5err.Argument, "flat form ends inside a length")
		}
		n := binary.LittleEndian.Uint64(flat)
		flat = flat[8:]
		if n > uint64(len(flat)) {
			return nil, h5err.New(h5err.Argument, "flat form ends inside a string")
		}
		out = append(out, string(flat[:n]))
		flat = flat[n:]
	}
	return out, nil
}

// JoinFlat returns strings in the flat form of variable strings.
func JoinFlat(s ...string) []byte {
	var out []byte
	for _, v := range s {
		out = binary.LittleEndian.AppendUint64(out, uint64(len(v)))
		out = append(out, v...)
	}
	return out
}
