package btree_test

import (
	"encoding/binary"
	"testing"

	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
)

// elsewhere is where the trees of v1Tree lead.
const elsewhere uint64 = 1 << 40

// v1Tree builds a version 1 B-tree of n records in nodes of 64, the keys being given, and returns file and root.
func v1Tree(typ byte, n, keySize int, key func(p []byte, i int)) (data []byte, root uint64) {
	const per = 64
	size := 24 + per*(keySize+8) + keySize
	data = make([]byte, 64)
	child := func(i int) uint64 { return elsewhere + uint64(i) }
	span := 1 // records under a child
	for level := 0; ; level++ {
		var addrs []uint64
		for first := 0; first < n; first += per * span {
			at := len(data)
			data = append(data, make([]byte, size)...)
			p := data[at:]
			copy(p, "TREE")
			p[4], p[5] = typ, byte(level)
			k := 0
			for q := p[24:]; k < per && first+k*span < n; k++ {
				key(q, first+k*span)
				binary.LittleEndian.PutUint64(q[keySize:], child((first+k*span)/span))
				q = q[keySize+8:]
			}
			binary.LittleEndian.PutUint16(p[6:], uint16(k))
			addrs = append(addrs, uint64(at))
		}
		if len(addrs) == 1 {
			return data, addrs[0]
		}
		child = func(i int) uint64 { return addrs[i] }
		span *= per
	}
}

const benchChunks = 160_000

func chunkTree() ([]byte, uint64) {
	return v1Tree(1, benchChunks, 8+8*3, func(p []byte, i int) {
		binary.LittleEndian.PutUint32(p, 4096)
		binary.LittleEndian.PutUint64(p[8:], uint64(i/400*100))
		binary.LittleEndian.PutUint64(p[16:], uint64(i%400*10))
	})
}

// TestV1Large also sees that the records of a tree cost no memory each.
func TestV1Large(t *testing.T) {
	data, root := chunkTree()
	r := indextest.Reader(data, 8, 8)
	n := 0
	walk := func() {
		n = 0
		err := btree.V1Chunks(r, root, 3, func(size, _ uint32, offset []uint64, addr uint64) error {
			if size != 4096 || offset[0] != uint64(n/400*100) || offset[1] != uint64(n%400*10) || addr != elsewhere+uint64(n) {
				t.Fatalf("record %d is %d %v %d", n, size, offset, addr)
			}
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if walk(); n != benchChunks {
		t.Fatalf("%d records", n)
	}
	if a := testing.AllocsPerRun(3, walk); a > benchChunks/20 {
		t.Errorf("%v allocations for %d records", a, benchChunks)
	}
}

func BenchmarkV1Chunks(b *testing.B) {
	data, root := chunkTree()
	r := indextest.Reader(data, 8, 8)
	b.ReportAllocs()
	for b.Loop() {
		var sum uint64
		if err := btree.V1Chunks(r, root, 3, func(_, _ uint32, _ []uint64, addr uint64) error { sum += addr; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchChunks, "ns/chunk")
}

func BenchmarkV1Group(b *testing.B) {
	const links, per = 10_000, 8
	data, root := v1Tree(0, links/per, 8, func(p []byte, i int) {})
	// The symbol table nodes follow the tree.
	base := uint64(len(data))
	for i := range links / per {
		node := make([]byte, 8+per*40)
		copy(node, "SNOD\x01\x00\x08\x00")
		for k := range per {
			binary.LittleEndian.PutUint64(node[8+40*k:], uint64(i*per+k))
		}
		data = append(data, node...)
	}
	r := indextest.Reader(data, 8, 8)
	b.ReportAllocs()
	for b.Loop() {
		n, room := 0, r.Room()
		err := btree.V1Group(r, root, func(snod uint64) error {
			return btree.Symbols(r, base+(snod-elsewhere)*(8+per*40), &room, func(s btree.Symbol) error { n++; return nil })
		})
		if err != nil || n != links {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkV2(b *testing.B) {
	f := indextest.Load(b, "chunks_v2")
	tree := f.Find(b, "BTHD", nil)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := btree.V2(f.R, tree, -1, func([]byte) error { n++; return nil }); err != nil || n != len(f.Want.Chunks) {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(f.Want.Chunks)), "ns/chunk")
}
