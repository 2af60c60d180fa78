package array_test

import (
	"testing"

	"github.com/h5arrow/h5arrow/h5/internal/array"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
)

// fuzz walks anything: it must end without a panic, with chunks in order and no more of them than the file has room
// for. A data block may be used twice where two of its places are accepted, see Extensible.
func fuzz(f *testing.F, sig string, walk walker) {
	indextest.Seed(f, sig, "fixed_", "extensible_0", "extensible_1")
	for _, filtered := range []bool{false, true} {
		w := writer{osize: 8, lsize: 8, filtered: filtered, maxBits: 12, inIndex: 1, smallest: 1, pointers: 2, pageBits: 2, set: map[uint64]indextest.Chunk{}}
		for i := range uint64(20) {
			w.set[i*i] = indextest.Chunk{Addr: i}
		}
		data := w.extensible()
		if sig == "FAHD" {
			data = w.fixed(401)
		}
		f.Add(data, uint32(0), byte(8), byte(8), byte(50))
	}
	f.Fuzz(func(t *testing.T, data []byte, at uint32, osize, lsize, max byte) {
		r := indextest.FuzzReader(data, osize, lsize)
		n := 0
		next := uint64(0)
		limit := uint64(1) << (max % 64)
		_ = walk(r, uint64(at), limit, func(i, addr, size uint64, mask uint32) error {
			if i < next || i >= limit {
				t.Fatalf("chunk %d after %d, below %d", i, next, limit)
			}
			next = i + 1
			if n++; n*r.OffsetSize > 2*len(data) {
				t.Fatalf("%d chunks in %d bytes", n, len(data))
			}
			return nil
		})
	})
}

func FuzzFixed(f *testing.F) { fuzz(f, "FAHD", array.Fixed) }

func FuzzExtensible(f *testing.F) { fuzz(f, "EAHD", array.Extensible) }
