package btree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/hextest"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
)

// TestGolden reads small trees of which every byte is known.
func TestGolden(t *testing.T) {
	for name, walk := range map[string]func(t *testing.T, b []byte, printf func(format string, args ...any)) error{
		"v1_group": func(_ *testing.T, b []byte, printf func(string, ...any)) error {
			r := indextest.Reader(b, 8, 8)
			room := r.Room()
			return btree.V1Group(r, 0, func(snod uint64) error {
				printf("symbol table node at %#x", snod)
				return btree.Symbols(r, snod, &room, func(s btree.Symbol) error {
					tree, heap := s.Tree(r)
					printf("  name at %d, object header at %#x, cache %d: tree %#x, heap %#x, target at %d", s.Name, s.Header, s.Cache, tree, heap, s.Target())
					return nil
				})
			})
		},
		"v1_chunks": func(_ *testing.T, b []byte, printf func(string, ...any)) error {
			return btree.V1Chunks(indextest.Reader(b, 8, 8), 0, 3, func(size, mask uint32, offset []uint64, addr uint64) error {
				printf("chunk at %v: %d bytes at %#x, filter mask %b", offset, size, addr, mask)
				return nil
			})
		},
		"v2": func(t *testing.T, b []byte, printf func(string, ...any)) error {
			r := indextest.Reader(b, 8, 8)
			h, err := btree.V2Header(r, 0)
			if err != nil {
				t.Fatal(err)
			}
			printf("type %d, records of %d bytes, nodes of %d, depth %d, root at %#x, %d records", h.Type, h.RecordSize, h.NodeSize, h.Depth, h.Root, h.Records)
			return btree.V2(r, 0, btree.TypeLinkName, func(rec []byte) error {
				printf("record % x", rec)
				return nil
			})
		},
	} {
		g := hextest.Load(t, name)
		var out strings.Builder
		if err := walk(t, g.Bytes, func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		g.Check(t, out.String())
	}
}
