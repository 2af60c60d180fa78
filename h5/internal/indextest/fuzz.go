package indextest

import (
	"testing"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Seed adds to a fuzz target the small fixtures whose names start with the prefixes: file, address of a structure with
// the signature, sizes of offsets and lengths, and a number for the target's own use.
func Seed(f *testing.F, sig string, prefixes ...string) {
	f.Helper()
	n := 0
	for _, name := range Names(f, prefixes...) {
		x := Load(f, name)
		if len(x.Data) > 32<<10 {
			continue
		}
		for _, at := range x.All(sig, nil) {
			f.Add(x.Data, uint32(at), byte(x.R.OffsetSize), byte(x.R.LengthSize), byte(3))
			n++
		}
	}
	if n == 0 {
		f.Fatalf("no seed has signature %q", sig)
	}
}

// FuzzReader returns a reader with legal sizes that ignores checksums.
func FuzzReader(data []byte, offsetSize, lengthSize byte) *meta.Reader {
	legal := func(n byte) int {
		switch n {
		case 2, 4, 16, 32:
			return int(n)
		}
		return 8
	}
	r := Reader(data, legal(offsetSize), legal(lengthSize))
	r.AnyChecksum = true
	return r
}
