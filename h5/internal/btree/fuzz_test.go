package btree_test

import (
	"testing"

	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
)

// FuzzV1 sees that walking anything ends, without a panic, after a number of records that the file can hold.
func FuzzV1(f *testing.F) {
	indextest.Seed(f, "TREE", "sizes_", "chunks_v1")
	f.Fuzz(func(t *testing.T, data []byte, at uint32, osize, lsize, ndims byte) {
		r := indextest.FuzzReader(data, osize, lsize)
		n := 0
		count := func() error {
			if n++; n > len(data) {
				t.Fatalf("%d records in %d bytes", n, len(data))
			}
			return nil
		}
		group := btree.V1Group(r, uint64(at), func(snod uint64) error { return count() })
		if group == nil {
			room, symbols := r.Room(), 0
			_ = btree.V1Group(r, uint64(at), func(snod uint64) error {
				return btree.Symbols(r, snod, &room, func(btree.Symbol) error { symbols++; return nil })
			})
			if symbols*btree.SymbolSize(r) > len(data) {
				t.Fatalf("%d symbols in %d bytes", symbols, len(data))
			}
		}
		n = 0
		chunks := btree.V1Chunks(r, uint64(at), int(ndims), func(_, _ uint32, offset []uint64, _ uint64) error {
			if len(offset) != int(ndims)-1 {
				t.Fatalf("%d offsets", len(offset))
			}
			return count()
		})
		if len(data) > 0 && group == nil && chunks == nil {
			t.Fatal("a tree is one of groups and one of chunks")
		}
	})
}

// FuzzV2 is FuzzV1 for version 2 trees, and sees that a range that takes everything is the walk.
func FuzzV2(f *testing.F) {
	indextest.Seed(f, "BTHD", "chunks_v2_filtered", "links_")
	f.Fuzz(func(t *testing.T, data []byte, at uint32, osize, lsize, _ byte) {
		r := indextest.FuzzReader(data, osize, lsize)
		n, m := 0, 0
		err := btree.V2(r, uint64(at), -1, func(rec []byte) error {
			if n++; n*len(rec) > len(data) {
				t.Fatalf("%d records of %d bytes in %d", n, len(rec), len(data))
			}
			return nil
		})
		err2 := btree.V2Range(r, uint64(at), -1, func([]byte) int { return 0 }, func([]byte) error { m++; return nil })
		if err == nil && err2 != nil || n != m {
			t.Fatalf("walk: %d, %v; range: %d, %v", n, err, m, err2)
		}
	})
}
