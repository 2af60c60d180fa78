package heap_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/hextest"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

var le = binary.LittleEndian

// localHeap builds a local heap with the names at address 0 of a file.
func localHeap(names []string) (data []byte, at []uint64) {
	data = make([]byte, 32)
	copy(data, "HEAP")
	for _, n := range names {
		at = append(at, uint64(len(data)-32))
		data = append(append(data, n...), 0)
	}
	le.PutUint64(data[8:], uint64(len(data)-32))
	le.PutUint64(data[24:], 32)
	return data, at
}

func TestLocal(t *testing.T) {
	for _, n := range []int{1, 100, 3000, 30_000} { // the larger ones are not read at once
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("name %d%s", i, strings.Repeat("x", i%150)))
		}
		data, at := localHeap(names)
		h, err := heap.OpenLocal(indextest.Reader(data, 8, 8), 0)
		if err != nil {
			t.Fatal(err)
		}
		if h.Size() != int64(len(data)-32) {
			t.Errorf("size %d, want %d", h.Size(), len(data)-32)
		}
		for i := range names {
			i = i * 7919 % n
			got, err := h.String(at[i])
			if err != nil || string(got) != names[i] {
				t.Fatalf("name %d of %d is %q, %v", i, n, got, err)
			}
		}
		for _, off := range []uint64{uint64(h.Size()), uint64(h.Size()) + 1, meta.Undefined} {
			if _, err := h.String(off); !h5err.Is(err, h5err.Corrupt) {
				t.Errorf("offset %d: %v", off, err)
			}
		}
	}
}

// TestLocalEnd reads names that have no end, at once and from a large heap.
func TestLocalEnd(t *testing.T) {
	for _, n := range []int{10, 1000, 70_000, 200_000} {
		data, _ := localHeap([]string{strings.Repeat("a", n)})
		le.PutUint64(data[8:], uint64(n)) // without the NUL
		h, err := heap.OpenLocal(indextest.Reader(data, 8, 8), 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			if s, err := h.String(uint64(i)); !h5err.Is(err, h5err.Corrupt) {
				t.Errorf("%d bytes: got %d, %v", n, len(s), err)
			}
		}
		if _, err := h.String(uint64(n - 1)); !h5err.Is(err, h5err.Corrupt) {
			t.Errorf("the last byte: %v", err)
		}
	}
}

func TestLocalDamage(t *testing.T) {
	g := hextest.Load(t, "local")
	for _, tt := range []struct {
		field string
		value []byte
		want  h5err.Kind
	}{
		{"signature", []byte("h"), h5err.Corrupt},
		{"version", []byte{1}, h5err.Unsupported},
		{"size of the data", []byte{0, 0, 0, 0, 0, 0, 1}, h5err.Corrupt},
		{"address of the data", []byte{0, 0, 0, 0, 0, 0, 1}, h5err.Corrupt},
	} {
		if _, err := heap.OpenLocal(indextest.Reader(g.Patch(t, "header: "+tt.field, tt.value...), 8, 8), 0); !h5err.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.field, err)
		}
	}
}

// objects returns all objects of all collections of a file.
func objects(t *testing.T, f *indextest.File) (all []string, collections int) {
	t.Helper()
	for _, at := range f.All("GCOL", nil) {
		c, err := heap.ReadCollection(f.R, at)
		if err != nil {
			t.Fatal(err)
		}
		collections++
		for i := range uint32(1000) {
			n, err := c.ObjectSize(i)
			p, err2 := c.Object(i)
			if (err == nil) != (err2 == nil) || int(n) != len(p) {
				t.Fatalf("object %d: size %d, %v; %d bytes, %v", i, n, err, len(p), err2)
			}
			if err == nil {
				all = append(all, string(p))
			} else if !h5err.Is(err, h5err.Corrupt) {
				t.Fatal(err)
			}
		}
		if _, err := c.Object(0); err == nil {
			t.Error("free space is an object")
		}
		if _, err := c.Object(1<<16 + 1); err == nil {
			t.Error("there is an object 65,537")
		}
	}
	return all, collections
}

func TestCollection(t *testing.T) {
	for _, name := range indextest.Names(t, "sizes_", "heap_global") {
		f := indextest.Load(t, name)
		all, n := objects(t, f)
		want := slices.Clone(f.Want.Words)
		if name == "heap_global" {
			want = append(want, strings.Repeat("z", 400_000))
			if n < 2 {
				t.Errorf("%d collections", n)
			}
		}
		slices.Sort(want)
		slices.Sort(all)
		if !slices.Equal(all, want) {
			t.Errorf("%s: %d objects, want %d", name, len(all), len(want))
		}
	}
}

// collection builds a collection at address 0 of objects of an index and data each.
func collection(size int, objects ...any) []byte {
	data := make([]byte, 16, size)
	copy(data, "GCOL\x01")
	for i := 0; i < len(objects); i += 2 {
		head := make([]byte, 16)
		body := []byte(objects[i+1].(string))
		le.PutUint16(head, uint16(objects[i].(int)))
		le.PutUint64(head[8:], uint64(len(body)))
		data = append(append(data, head...), body...)
		data = append(data, make([]byte, -len(data)&7)...)
	}
	data = append(data, make([]byte, size-len(data))...)
	le.PutUint64(data[8:], uint64(size))
	return data
}

func TestCollectionOrder(t *testing.T) {
	large := strings.Repeat("L", 300<<10)
	for _, tt := range []struct {
		name string
		data []byte
		want map[uint32]string
	}{
		{"empty", collection(4096), nil},
		{"in order", collection(4096, 1, "a", 2, "", 3, "cccccccc"), map[uint32]string{1: "a", 2: "", 3: "cccccccc"}},
		{"any order", collection(4096, 7, "a", 65535, "b", 3, "c"), map[uint32]string{7: "a", 65535: "b", 3: "c"}},
		{"twice", collection(4096, 7, "a", 2, "b", 7, "c"), nil},
		{"large", collection(400<<10, 2, "x", 1, large, 3, "y"), map[uint32]string{1: large, 2: "x", 3: "y"}},
		{"full", collection(16+32+24, 1, "0123456789abcdef", 2, "01234567"), map[uint32]string{1: "0123456789abcdef", 2: "01234567"}},
		{"tiny rest", collection(16+24+8, 1, "01234567"), map[uint32]string{1: "01234567"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := heap.ReadCollection(indextest.Reader(tt.data, 8, 8), 0)
			if tt.name == "twice" {
				if !h5err.Is(err, h5err.Corrupt) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.Size != int64(len(tt.data)) {
				t.Errorf("size %d", c.Size)
			}
			for i := range uint32(70_000) {
				p, err := c.Object(i)
				want, ok := tt.want[i]
				if (err == nil) != ok || string(p) != want {
					t.Fatalf("object %d is %.20q, %v", i, p, err)
				}
			}
		})
	}
}

func TestCollectionDamage(t *testing.T) {
	g := hextest.Load(t, "global")
	for _, tt := range []struct {
		name, field string
		value       []byte
		want        h5err.Kind
	}{
		{"signature", "signature", []byte("GCOX"), h5err.Corrupt},
		{"version", "version", []byte{2}, h5err.Unsupported},
		{"beyond the file", "size", []byte{0, 0x11}, h5err.Corrupt},
		{"less than a header", "size", []byte{0}, h5err.Corrupt},
		{"object beyond the end", "first object's size", []byte{5, 0x20}, h5err.Corrupt},
		{"huge object", "first object's size", []byte{5, 0, 0, 0, 0, 0, 0, 0xff}, h5err.Corrupt},
		{"free space beyond the end", "free space's size", []byte{0x20, 1}, h5err.Corrupt},
	} {
		if _, err := heap.ReadCollection(indextest.Reader(g.Patch(t, "collection: "+tt.field, tt.value...), 8, 8), 0); !h5err.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
