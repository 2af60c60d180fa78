package h5

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/hextest"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
	"github.com/h5arrow/h5arrow/h5/source"
)

// hx decodes bytes in hex.
func hx(s string) []byte { return hextest.Bytes(s) }

// le is v as n little-endian bytes.
func le(v uint64, n int) []byte {
	b := make([]byte, max(n, 8))
	binary.LittleEndian.PutUint64(b, v)
	if v == meta.Undefined { // of any width
		for i := range b {
			b[i] = 0xff
		}
	}
	return b[:n]
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// sum appends the checksum.
func sum(b []byte) []byte { return append(b, le(uint64(meta.Checksum(b)), 4)...) }

// builder makes files by hand.
type builder struct {
	b            []byte
	osize, lsize int
	extension    uint64
}

func newBuilder() *builder { return newBuilderOf(8, 8) }

func newBuilderOf(osize, lsize int) *builder {
	w := &builder{osize: osize, lsize: lsize, extension: meta.Undefined}
	w.b = make([]byte, 256) // for a superblock
	return w
}

// put appends a structure and returns its address.
func (w *builder) put(b []byte) uint64 {
	for len(w.b)%8 != 0 {
		w.b = append(w.b, 0)
	}
	at := uint64(len(w.b))
	w.b = append(w.b, b...)
	return at
}

func (w *builder) addr(a uint64) []byte { return le(a, w.osize) }
func (w *builder) len(n uint64) []byte  { return le(n, w.lsize) }

// msg is a header message.
type msg struct {
	typ   uint16
	flags uint8
	body  []byte
}

// header2 appends a version 2 object header.
func (w *builder) header2(msgs ...msg) uint64 { return w.put(header2(msgs...)) }

func header2(msgs ...msg) []byte {
	b := messages2(msgs)
	return sum(cat([]byte("OHDR\x02\x02"), le(uint64(len(b)), 4), b))
}

func messages2(msgs []msg) []byte {
	var b []byte
	for _, m := range msgs {
		b = append(b, cat(le(uint64(m.typ), 1), le(uint64(len(m.body)), 2), []byte{m.flags}, m.body)...)
	}
	return b
}

// header1 appends a version 1 object header.
func (w *builder) header1(msgs ...msg) uint64 {
	b := messages1(msgs)
	return w.put(cat(hx("01 00"), le(uint64(len(msgs)), 2), hx("01 00 00 00"), le(uint64(len(b)), 4), hx("00**4"), b))
}

func messages1(msgs []msg) []byte {
	var b []byte
	for _, m := range msgs {
		body := bytes.Clone(m.body)
		for len(body)%8 != 0 {
			body = append(body, 0)
		}
		b = append(b, cat(le(uint64(m.typ), 2), le(uint64(len(body)), 2), []byte{m.flags, 0, 0, 0}, body)...)
	}
	return b
}

// file puts a version 2 superblock in front, whose root group is at an address.
func (w *builder) file(root uint64) []byte {
	s := sum(cat([]byte(signature), []byte{2, byte(w.osize), byte(w.lsize), 0},
		w.addr(0), w.addr(w.extension), w.addr(uint64(len(w.b))), w.addr(root)))
	copy(w.b, s)
	return w.b
}

// hard, soft and external are link messages.
func (w *builder) hard(name string, addr uint64) msg {
	return msg{typ: msgLink, body: cat(hx("01 00"), le(uint64(len(name)), 1), []byte(name), w.addr(addr))}
}

func soft(name, target string) msg {
	return msg{typ: msgLink, body: cat(hx("01 08 01"), le(uint64(len(name)), 1), []byte(name), le(uint64(len(target)), 2), []byte(target))}
}

func external(name, file, target string) msg {
	v := cat([]byte{0}, []byte(file), []byte{0}, []byte(target), []byte{0})
	return msg{typ: msgLink, body: cat(hx("01 08 40"), le(uint64(len(name)), 1), []byte(name), le(uint64(len(v)), 2), v)}
}

// group is a group of links in a version 2 header.
func (w *builder) group(links ...msg) uint64 {
	info := msg{typ: msgLinkInfo, body: cat(hx("00 00"), w.addr(meta.Undefined), w.addr(meta.Undefined))}
	return w.header2(append([]msg{info}, links...)...)
}

// single is a file of one group.
func (w *builder) single(links ...msg) []byte { return w.file(w.group(links...)) }

// Messages that most tests need.
var (
	i32    = hx("10 08 00 00 04 00 00 00  00 00 20 00") // signed, little-endian, 4 bytes, 32 bits at 0
	scalar = hx("02 00 00 00")
)

func simple(dims ...uint64) []byte {
	b := []byte{2, byte(len(dims)), 0, 1}
	for _, d := range dims {
		b = append(b, le(d, 8)...)
	}
	return b
}

// dataset is a dataset of 32-bit integers with further messages.
func (w *builder) dataset(space []byte, more ...msg) uint64 {
	return w.header2(append([]msg{{typ: msgDatatype, body: i32}, {typ: msgDataspace, body: space}}, more...)...)
}

// globalHeap is a collection of objects, numbered from 1.
func (w *builder) globalHeap(objects ...[]byte) uint64 {
	var b []byte
	for i, o := range objects {
		b = append(b, cat(le(uint64(i+1), 2), hx("01 00 00**4"), w.len(uint64(len(o))), o)...)
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
	}
	head := cat([]byte("GCOL\x01\x00\x00\x00"), w.len(uint64(len(b)+8+w.lsize)))
	return w.put(cat(head, b))
}

// localHeap is a local heap; it returns its address and those of the names in it.
func (w *builder) localHeap(names ...string) (heap uint64, at []uint64) {
	data := hx("00**8")
	for _, n := range names {
		at = append(at, uint64(len(data)))
		data = append(data, n...)
		data = append(data, 0)
		for len(data)%8 != 0 {
			data = append(data, 0)
		}
	}
	seg := w.put(data)
	return w.put(cat([]byte("HEAP\x00\x00\x00\x00"), w.len(uint64(len(data))), w.len(meta.Undefined), w.addr(seg))), at
}

// fractalHeap is a heap with one direct block that holds the objects; it returns their IDs of 8 bytes too. IDs are
// short, so objects are below 64 KiB.
func (w *builder) fractalHeap(objects ...[]byte) (heap uint64, ids [][]byte) {
	const blockSize = 1 << 16
	heap = w.put(make([]byte, 26+3*w.osize+12*w.lsize))
	block := cat([]byte("FHDB\x00"), w.addr(heap), hx("00 00 00 00"))
	for _, o := range objects {
		ids = append(ids, cat([]byte{0}, le(uint64(len(block)), 4), le(uint64(len(o)), 3)))
		block = append(block, o...)
	}
	if len(block) > blockSize {
		panic("a test's heap is too large")
	}
	block = append(block, make([]byte, blockSize-len(block))...)
	at := w.put(block)
	head := cat([]byte("FRHP\x00"), le(8, 2), le(0, 2), []byte{0}, le(blockSize, 4),
		w.len(0), w.addr(meta.Undefined), w.len(0), w.addr(meta.Undefined),
		w.len(blockSize), w.len(blockSize), w.len(0), w.len(uint64(len(objects))), w.len(0), w.len(0), w.len(0), w.len(0),
		le(4, 2), w.len(blockSize), w.len(blockSize), le(32, 2), le(1, 2), w.addr(at), le(0, 2))
	copy(w.b[heap:], sum(head))
	return heap, ids
}

// btree2 is a version 2 B-tree of one leaf.
func (w *builder) btree2(typ byte, records ...[]byte) uint64 {
	size := len(records[0])
	leaf := w.put(sum(cat([]byte("BTLF\x00"), []byte{typ}, cat(records...))))
	node := max(512, 64+size*len(records))
	return w.put(sum(cat([]byte("BTHD\x00"), []byte{typ}, le(uint64(node), 4), le(uint64(size), 2), le(0, 2), []byte{100, 40},
		w.addr(leaf), le(uint64(len(records)), 2), w.len(uint64(len(records))))))
}

// oldGroup is a group of the old kind: one symbol table node, names in a local heap.
func (w *builder) oldGroup(names []string, addrs []uint64) uint64 {
	heap, at := w.localHeap(names...)
	node := cat([]byte("SNOD\x01\x00"), le(uint64(len(names)), 2))
	for i := range names {
		node = append(node, cat(w.len(at[i]), w.addr(addrs[i]), hx("00**24"))...)
	}
	snod := w.put(node)
	tree := w.put(cat([]byte("TREE\x00\x00"), le(1, 2), w.addr(meta.Undefined), w.addr(meta.Undefined),
		w.len(0), w.addr(snod), w.len(at[len(at)-1])))
	return w.header1(msg{typ: msgSymbolTable, body: cat(w.addr(tree), w.addr(heap))})
}

// openBytes opens a file in memory.
func openBytes(tb testing.TB, b []byte, opts ...Option) *File {
	tb.Helper()
	f, err := tryBytes(b, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

func tryBytes(b []byte, opts ...Option) (*File, error) {
	src := source.FromReaderAt(bytes.NewReader(b), int64(len(b)), "test.h5")
	f, err := NewFile(src, opts...)
	if err != nil {
		src.Release()
	}
	return f, err
}

// needError fails unless err is of a kind, holds a text and, unless off is negative, has an offset.
func needError(tb testing.TB, err error, k h5err.Kind, text string, off int64) {
	tb.Helper()
	var e *h5err.Error
	if !errors.As(err, &e) {
		tb.Errorf("error is %v, want %v: %s", err, k, text)
		return
	}
	if e.Kind != k || !strings.Contains(e.Error(), text) || off >= 0 && e.Offset != off {
		tb.Errorf("error is of kind %v at %d: %v; want %v at %d: %s", e.Kind, e.Offset, e, k, off, text)
	}
}

// lookup opens an object that must be there.
func lookup[T Object](tb testing.TB, f *File, path string) T {
	tb.Helper()
	o, err := f.Lookup(path)
	if err != nil {
		tb.Fatal(err)
	}
	t, ok := o.(T)
	if !ok {
		tb.Fatalf("%s is a %T", path, o)
	}
	return t
}

// unpack reads a file of the index packages' fixtures.
func unpack(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join("internal", "testdata", name))
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

var indexWants = sync.OnceValues(func() (map[string]indextest.Want, error) {
	b, err := unpack("expected.json.gz")
	if err != nil {
		return nil, err
	}
	var all map[string]indextest.Want
	return all, json.Unmarshal(b, &all)
})

// indexFixture reads a fixture of the index packages, and what h5py reads from it.
func indexFixture(tb testing.TB, name string) ([]byte, indextest.Want) {
	tb.Helper()
	data, err := unpack(name + ".h5.gz")
	if err != nil {
		tb.Fatal(err)
	}
	all, err := indexWants()
	want, ok := all[name]
	if err != nil || !ok {
		tb.Fatalf("nothing is expected of %s: %v", name, err)
	}
	return data, want
}
