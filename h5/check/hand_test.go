package check_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
	"github.com/h5arrow/h5arrow/h5/source"
)

// TestManyDefects has more defects than are remembered. All are reported, once.
func TestManyDefects(t *testing.T) {
	b := bytes.Clone(fixture(t, "chunks_v1.h5.gz"))
	var at []int64
	for i := 0; ; {
		k := bytes.Index(b[i:], []byte("TREE\x01\x00"))
		if k < 0 {
			break
		}
		i += k
		at = append(at, int64(i))
		i += 4
	}
	for _, p := range at {
		n := int64(get(b, p+nodeCount, 2))
		key := int64(8 + 8*3)
		for i := range n {
			put(b, p+nodeEntries+i*(key+8)+key, uint64(len(b))+uint64(i), 8)
		}
	}
	errs, _ := checkBytes(t, b, check.Options{})
	if len(at) == 0 || len(errs) < len(at) {
		t.Errorf("%d leaves, %d errors", len(at), len(errs))
	}
}

// TestLinear counts the bytes that are read and the structures that are met: four times as much in a file costs about
// four times as much.
func TestLinear(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(n int) []byte
	}{
		{"objects", manyObjects},
		{"chunks", manyChunks},
		{"references to one heap object", manyValues},
	} {
		cost := func(n int) float64 {
			b := c.make(n)
			r := &counting{b: b}
			f, err := r.open()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := check.File(t.Context(), f, check.Options{Deep: true, Workers: 1}, func(err error) { t.Errorf("%s: %v", c.name, err) }); err != nil {
				t.Fatal(err)
			}
			return float64(r.read)
		}
		one, four := cost(4000), cost(16000)
		if four > 6*one {
			t.Errorf("%s: %.0f bytes are read of four times as much, %.0f of one", c.name, four, one)
		}
	}
}

// counting is a file in memory that counts what is read of it.
type counting struct {
	b    []byte
	read int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.read += int64(len(p))
	return bytes.NewReader(c.b).ReadAt(p, off)
}

func (c *counting) open() (*h5.File, error) {
	src := source.FromReaderAt(c, int64(len(c.b)), "x.h5")
	f, err := h5.NewFile(src)
	if err != nil {
		src.Release()
	}
	return f, err
}

func le(v uint64, n int) []byte {
	b := make([]byte, 8)
	binary.LittleEndian.PutUint64(b, v)
	return b[:n]
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func sum(b []byte) []byte { return append(b, le(uint64(meta.Checksum(b)), 4)...) }

// hand makes files.
type hand struct{ b []byte }

func (w *hand) put(b []byte) uint64 {
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
	w.b = append(w.b, b...)
	return uint64(len(w.b) - len(b))
}

type message struct {
	typ  byte
	body []byte
}

func (w *hand) object(msgs ...message) uint64 {
	var b []byte
	for _, m := range msgs {
		b = append(b, cat([]byte{m.typ}, le(uint64(len(m.body)), 2), []byte{0}, m.body)...)
	}
	return w.put(sum(cat([]byte("OHDR\x02\x02"), le(uint64(len(b)), 4), b)))
}

func (w *hand) file(root uint64) []byte {
	copy(w.b, sum(cat([]byte("\x89HDF\r\n\x1a\n\x02\x08\x08\x00"), le(0, 8), le(meta.Undefined, 8), le(uint64(len(w.b)), 8), le(root, 8))))
	return w.b
}

func link(name string, addr uint64) message {
	return message{6, cat([]byte{1, 0, byte(len(name))}, []byte(name), le(addr, 8))}
}

var (
	integer = message{3, []byte{0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0}}
	text    = message{3, []byte{0x19, 1, 1, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0}}
)

func shape(n uint64) message { return message{1, cat([]byte{2, 1, 0, 1}, le(n, 8))} }

func contiguous(at, n uint64) message { return message{8, cat([]byte{3, 1}, le(at, 8), le(n, 8))} }

// manyObjects has n datasets in groups of a hundred.
func manyObjects(n int) []byte {
	w := &hand{b: make([]byte, 64)}
	var groups []message
	for i := 0; i < n; i += 100 {
		var links []message
		for k := range 100 {
			links = append(links, link(fmt.Sprintf("%03d", k), w.object(integer, shape(4), contiguous(w.put(make([]byte, 16)), 16))))
		}
		groups = append(groups, link(fmt.Sprintf("%06d", i), w.object(links...)))
	}
	return w.file(w.object(groups...))
}

// manyChunks has a dataset of n chunks, under a B-tree of leaves of a hundred.
func manyChunks(n int) []byte {
	w := &hand{b: make([]byte, 64)}
	var leaves []uint64
	key := func(i int, element uint64) []byte {
		return cat(le(16, 4), le(0, 4), le(uint64(4*i), 8), le(element, 8))
	}
	first := uint64(0)
	at := func(leaf int) uint64 { return first + uint64(leaf)*(24+100*32+24) }
	var nodes []byte
	data := w.put(make([]byte, 16*n))
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
	first = uint64(len(w.b))
	for i := 0; i < n; i += 100 {
		left, right := meta.Undefined, meta.Undefined
		if i > 0 {
			left = at(i/100 - 1)
		}
		if i+100 < n {
			right = at(i/100 + 1)
		}
		nodes = append(nodes, cat([]byte("TREE\x01\x00"), le(100, 2), le(left, 8), le(right, 8))...)
		for k := range 100 {
			nodes = append(nodes, cat(key(i+k, 0), le(data+uint64(16*(i+k)), 8))...)
		}
		nodes = append(nodes, key(i+100, 0)...)
		leaves = append(leaves, at(i/100))
	}
	w.put(nodes)
	root := cat([]byte("TREE\x01\x01"), le(uint64(len(leaves)), 2), le(meta.Undefined, 8), le(meta.Undefined, 8))
	for i, l := range leaves {
		root = append(root, cat(key(100*i, 0), le(l, 8))...)
	}
	tree := w.put(append(root, key(n, 4)...))
	d := w.object(integer, shape(uint64(4*n)), message{8, cat([]byte{3, 2, 2}, le(tree, 8), le(4, 4), le(4, 4))})
	return w.file(w.object(link("d", d)))
}

// manyValues has n strings that are one object of the heap, of the size of all references to it.
func manyValues(n int) []byte {
	w := &hand{b: make([]byte, 64)}
	heap := w.put(cat([]byte("GCOL\x01\x00\x00\x00"), le(uint64(16+16+16*n), 8), le(1, 2), le(1, 2), le(0, 4), le(uint64(16*n), 8), make([]byte, 16*n)))
	var values []byte
	for range n {
		values = append(values, cat(le(uint64(16*n), 4), le(heap, 8), le(1, 4))...)
	}
	at := w.put(values)
	return w.file(w.object(link("d", w.object(text, shape(uint64(n)), contiguous(at, uint64(16*n))))))
}

func TestNotes(t *testing.T) {
	run := func(name string, change func(b []byte) []byte) []string {
		b := change(bytes.Clone(fixture(t, name)))
		p := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, other := range []string{"vds_a.h5", "vds_b.h5"} { // but not vds_p0.h5
			if err := os.WriteFile(filepath.Join(filepath.Dir(p), other), fixture(t, other), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var notes []string
		errs, _ := run(t, p, check.Options{Note: func(n check.Note) { notes = append(notes, strings.TrimPrefix(n.String(), p+": ")) }})
		for _, e := range errs {
			t.Errorf("%s: %v", name, e)
		}
		return notes
	}
	same := func(b []byte) []byte { return b }
	for _, c := range []struct {
		name   string
		change func(b []byte) []byte
		want   []string
	}{
		{"old.h5", same, []string{
			"/links/dangling: soft link to /nowhere, which leads nowhere",
			"/links/loop: soft link to /links/loop, which leads nowhere",
			"/links/outside: external link to /inside/values in linked.h5, which leads nowhere",
			"/links/outside_dangling: external link to /x in missing.h5, which leads nowhere"}},
		{"vds.h5", same, []string{"/missing: the source data in vds_missing.h5 is missing: it reads as the fill value"}},
		{"linked.h5", func(b []byte) []byte { return append(b, "more"...) }, []string{"4 bytes after the end that the superblock names"}},
		{"new.h5", func(b []byte) []byte {
			b[superblockVersion], b[superblockFlags] = 3, 5
			resum(b, structure{0, superblockSize, ""})
			return b
		}, []string{"a writer has the file open, or did not close it", "/compact/outside: external link to /inside/values in linked.h5, which leads nowhere"}},
		{"userblock.h5", same, nil},
		{"linked.h5", func(b []byte) []byte {
			o, _ := header(t, b, "/inside/values", 8)
			put(b, int64(o.Address())+headerLinks, 3, 4)
			return b
		}, []string{"/inside/values: 1 hard links lead here, the object header says 3"}},
	} {
		if got := run(c.name, c.change); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestFilterNobodyNeeds has a filter that nobody knows, which was applied to none of the chunks.
func TestFilterNobodyNeeds(t *testing.T) {
	const path = "/layouts/deflate"
	b := bytes.Clone(fixture(t, "old.h5"))
	o, m := header(t, b, path, 11)
	d := o.(*h5.Dataset)
	list, err := d.Chunks()
	if err != nil {
		t.Fatal(err)
	}
	put(b, m.Offset+filterID, 4711, 2)
	for needed := range 2 {
		for i := range list {
			mask := uint64(1)
			if needed == 1 && i == len(list)-1 {
				mask = 0
			}
			put(b, chunkEntry(t, b, path, i)-int64(8*(len(d.Dims())+1))-4, mask, 4)
		}
		errs, _ := checkBytes(t, b, check.Options{})
		if len(errs) != needed || needed == 1 && (errs[0].Kind != h5err.Unsupported || !strings.Contains(errs[0].Msg, "filter 4711")) {
			t.Errorf("needed by %d chunks: %v", needed, errs)
		}
	}
}
