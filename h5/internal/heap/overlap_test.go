package heap_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// TestFractalOverlap has blocks that start inside one another, each with a sound checksum if it has one. In a file that is large
// enough for all of them, that is accepted: nothing else is wrong.
func TestFractalOverlap(t *testing.T) {
	const head = 13 + 4 // of a block
	var data []byte
	block := func(at uint64, sig string, place uint64) {
		copy(data[at:], sig)
		le.PutUint32(data[at+13:], uint32(place))
	}
	seal := func(at, n uint64) { le.PutUint32(data[at+n-4:], meta.Checksum(data[at:at+n-4])) }
	// The header of a heap whose root, of some entries, follows it.
	begin := func(b *builder, entries, more uint64) (entry func(i uint64) []byte) {
		data = append(b.build()[:headSize:headSize], bytes.Repeat([]byte{0xff}, int(head+8*entries+4+more))...)
		le.PutUint64(data[132:], headSize)
		seal(0, headSize)
		clear(data[headSize : headSize+head])
		block(headSize, "FHIB", 0)
		return func(i uint64) []byte { return data[headSize+head+8*i:] }
	}
	check := func(name string, b *builder, n int, room uint64, off func(i int) uint64) {
		for _, large := range []bool{true, false} {
			p := data
			if large {
				p = append(bytes.Clone(data), make([]byte, room)...)
			}
			h, err := heap.OpenFractal(indextest.Reader(p, 8, 8), 0)
			if err != nil {
				t.Fatal(err)
			}
			read := 0
			for ; read < n && err == nil; read++ {
				_, err = h.Object(b.id(off(read), 8))
			}
			if large && err != nil {
				t.Errorf("%s, a large file: object %d: %v", name, read, err)
			}
			if !large && (!h5err.Is(err, h5err.Corrupt) || !strings.Contains(err.Error(), "overlap") || read == 1) {
				t.Errorf("%s: %d of %d objects are read, then %v", name, read, n, err)
			}
		}
	}

	const n, size = 32, 4096
	b := &builder{start: size, width: n, largest: size, maxBits: 32, rows: 1, idLen: 12, maxManaged: 32}
	entry := begin(b, n, size+n*head)
	first := uint64(headSize + head + 8*n + 4)
	for i := range uint64(n) {
		clear(data[first+head*i:][:head])
		block(first+head*i, "FHDB", i*size)
		le.PutUint64(entry(i), first+head*i)
	}
	seal(headSize, head+8*n+4)
	check("direct blocks", b, n, n*size, func(i int) uint64 { return uint64(i)*size + head })

	// The last of eight rows has blocks of one row, with a direct block each.
	const width, row, small, blocks, step = 64, 7 * 64, 64, 16, 32
	b = &builder{start: small, width: width, largest: small, maxBits: 32, rows: 8, idLen: 12, maxManaged: 32}
	entry = begin(b, 8*width, blocks*step+head+8*width+4+blocks*small)
	first = headSize + head + 8*8*width + 4
	direct := first + blocks*step + head + 8*width + 4
	at := func(i uint64) uint64 { return small*width*64 + small*width*i } // as much is covered by the rows before
	for i := range uint64(blocks) {
		clear(data[first+step*i:][:head])
		block(first+step*i, "FHIB", at(i))
		le.PutUint64(data[first+step*i+head:], direct+small*i)
		clear(data[direct+small*i:][:small])
		block(direct+small*i, "FHDB", at(i))
		le.PutUint64(entry(row+i), first+step*i)
	}
	for i := range uint64(blocks) {
		seal(first+step*i, head+8*width+4)
	}
	seal(headSize, head+8*8*width+4)
	check("indirect blocks", b, blocks, blocks*(head+8*width+4), func(i int) uint64 { return at(uint64(i)) + head })
}

// TestHugeIndex has an index of huge objects that is one large leaf: a search reads all of it. All its records have one number,
// of which the first counts.
func TestHugeIndex(t *testing.T) {
	const (
		records = 20_000
		leaf    = headSize + 38
		size    = 10 + 24*records
	)
	b := &builder{start: 64, width: 4, largest: 64, maxBits: 32, rows: 1, idLen: 8, maxManaged: 32}
	data := append(b.build()[:headSize:headSize], make([]byte, 38+size)...)
	seal := func(at, n int) { le.PutUint32(data[at+n-4:], meta.Checksum(data[at:at+n-4])) }
	le.PutUint64(data[22:], headSize)
	seal(0, headSize)
	p := data[headSize:]
	copy(p, "BTHD\x00\x01")
	le.PutUint32(p[6:], size)
	le.PutUint16(p[10:], 24)
	le.PutUint64(p[16:], leaf)
	le.PutUint16(p[24:], records)
	le.PutUint64(p[26:], records)
	seal(headSize, 38)
	p = data[leaf:]
	copy(p, "BTLF\x00\x01")
	for i := range uint64(records) {
		rec := p[6+24*i:]
		le.PutUint64(rec, i%4) // the heap's signature, or what is left of it
		le.PutUint64(rec[8:], 4-i%4)
		le.PutUint64(rec[16:], 5)
	}
	seal(leaf, size)
	h, err := heap.OpenFractal(indextest.Reader(data, 8, 8), 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; err == nil && n < 100; n++ {
		var got []byte
		if got, err = h.Object([]byte{0x10, 5, 0, 0, 0, 0, 0, 0}); err == nil && string(got) != "FRHP" {
			t.Errorf("object is %q", got)
		}
	}
	if want := 1 + 16*(len(data)+1<<20)/size; !h5err.Is(err, h5err.Limit) || n != want {
		t.Errorf("%d searches, then %v, want %d", n, err, want)
	}
}
