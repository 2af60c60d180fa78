package heap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/hextest"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
)

// TestGolden reads small heaps of which every byte is known.
func TestGolden(t *testing.T) {
	for name, read := range map[string]func(t *testing.T, g *hextest.File, printf func(format string, args ...any)) error{
		"local": func(t *testing.T, g *hextest.File, printf func(string, ...any)) error {
			h, err := heap.OpenLocal(indextest.Reader(g.Bytes, 8, 8), 0)
			if err != nil {
				return err
			}
			printf("%d bytes", h.Size())
			data := g.At(t, "data: empty name")
			for _, field := range []string{"empty name", "first name", "second name"} {
				off := uint64(g.At(t, "data: "+field) - data)
				s, err := h.String(off)
				printf("string at %d: %q, %v", off, s, err)
			}
			return h.Verify()
		},
		"global": func(_ *testing.T, g *hextest.File, printf func(string, ...any)) error {
			c, err := heap.ReadCollection(indextest.Reader(g.Bytes, 8, 8), 0)
			if err != nil {
				return err
			}
			printf("%d bytes", c.Size)
			for i := range uint32(4) {
				p, err := c.Object(i)
				printf("object %d: %q, %v", i, p, err)
			}
			return nil
		},
		"fractal": func(t *testing.T, g *hextest.File, printf func(string, ...any)) error {
			h, err := heap.OpenFractal(indextest.Reader(g.Bytes, 8, 8), 0)
			if err != nil {
				return err
			}
			printf("%d managed objects, %d huge, %d tiny", h.Managed, h.Huge, h.Tiny)
			for _, field := range []string{"first", "second", "third"} {
				id := g.Field(t, "IDs: "+field)
				p, at, err := h.Find(id)
				printf("ID % x: %q at %#x, %v", id, p, at, err)
			}
			return h.Verify()
		},
	} {
		g := hextest.Load(t, name)
		var out strings.Builder
		if err := read(t, g, func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		g.Check(t, out.String())
	}
}
