package array_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/array"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

type walker func(r *meta.Reader, addr, max uint64, fn array.Func) error

// of returns what walks the array of a fixture, and where it is.
func of(tb testing.TB, f *indextest.File) (walker, uint64) {
	if strings.HasPrefix(f.Name, "fixed") {
		return array.Fixed, f.Find(tb, "FAHD", nil)
	}
	return array.Extensible, f.Find(tb, "EAHD", nil)
}

func collect(walk walker, r *meta.Reader, addr, max uint64) ([]indextest.Chunk, error) {
	var out []indextest.Chunk
	return out, walk(r, addr, max, func(i, addr, size uint64, mask uint32) error {
		out = append(out, indextest.Chunk{Number: i, Addr: addr, Size: size, Mask: mask})
		return nil
	})
}

func same(a, b indextest.Chunk) bool {
	return a.Number == b.Number && a.Addr == b.Addr && a.Size == b.Size && a.Mask == b.Mask
}

func TestFixtures(t *testing.T) {
	for _, name := range indextest.Names(t, "fixed_", "extensible_") {
		t.Run(name, func(t *testing.T) {
			f := indextest.Load(t, name)
			walk, at := of(t, f)
			want := slices.Clone(f.Want.Chunks)
			if !strings.HasSuffix(name, "filtered") {
				for i := range want {
					want[i].Size = 0 // they have their full size
				}
			}
			for _, max := range []uint64{1 << 40, want[len(want)-1].Number + 1, want[len(want)-1].Number, 1, 0} {
				got, err := collect(walk, f.R, at, max)
				if err != nil {
					t.Fatal(err)
				}
				w := slices.DeleteFunc(slices.Clone(want), func(c indextest.Chunk) bool { return c.Number >= max })
				if !slices.EqualFunc(got, w, same) {
					t.Errorf("below %d: got %v, want %v", max, got, w)
				}
			}
			stop := errors.New("stop")
			if err := walk(f.R, at, 1<<40, func(_, _, _ uint64, _ uint32) error { return stop }); err != stop {
				t.Errorf("got %v, want the caller's error", err)
			}
		})
	}
}

// TestDamage flips bytes of each block: the walk must fail.
func TestDamage(t *testing.T) {
	for _, name := range indextest.Names(t, "fixed_", "extensible_") {
		f := indextest.Load(t, name)
		walk, at := of(t, f)
		type extent struct{ off, n int64 }
		var all []extent
		kinds := map[string]bool{}
		f.R.OnExtent = func(off, n int64, what string) { all = append(all, extent{off, n}); kinds[what] = true }
		if _, err := collect(walk, f.R, at, 1<<40); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"fixed_2": 3, "extensible_1": 4, "extensible_2": 5}
		if n, ok := want[name]; ok && len(kinds) != n {
			t.Errorf("%s: %d kinds of structures, want %d: %v", name, len(kinds), n, kinds)
		}
		for _, e := range all {
			for i := e.off; i < e.off+e.n; i += 1 + e.n/20 {
				f.Data[i] ^= 0x20
				_, err := collect(walk, indextest.Reader(f.Data, f.R.OffsetSize, f.R.LengthSize), at, 1<<40)
				if !h5err.Is(err, h5err.Corrupt) {
					t.Fatalf("%s: byte %d: %v", name, i, err)
				}
				f.Data[i] ^= 0x20
			}
		}
	}
}

func TestTruncated(t *testing.T) {
	for _, name := range indextest.Names(t, "fixed_2", "extensible_2") {
		f := indextest.Load(t, name)
		walk, at := of(t, f)
		want, err := collect(walk, f.R, at, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		for n := 0; n < len(f.Data); n += 1 + n/100 {
			got, err := collect(walk, indextest.Reader(f.Data[:n], f.R.OffsetSize, f.R.LengthSize), at, 1<<40)
			switch {
			case h5err.Is(err, h5err.Corrupt):
				failed++
			case err != nil || !slices.EqualFunc(got, want, same):
				t.Errorf("%s cut to %d bytes: %d chunks, %v", name, n, len(got), err)
			}
		}
		if failed == 0 {
			t.Errorf("%s: no cut was noticed", name)
		}
	}
}

func TestLimit(t *testing.T) {
	for _, name := range []string{"fixed_1", "extensible_1"} {
		f := indextest.Load(t, name)
		walk, at := of(t, f)
		r := meta.NewReader(bytes.NewReader(f.Data), int64(len(f.Data)), meta.Limits{Chunks: 2})
		if _, err := collect(walk, r, at, 1<<40); !h5err.Is(err, h5err.Limit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// writer makes extensible and fixed arrays of parameters that no library offers, from a set of chunks. It asks of
// each block which elements it holds, where the reader walks blocks in order.
type writer struct {
	data                                           []byte
	osize, lsize                                   int
	filtered                                       bool
	maxBits, inIndex, smallest, pointers, pageBits int
	set                                            map[uint64]indextest.Chunk
}

// uint writes an integer of n bytes; Undefined is all bits set, however many they are.
func (w *writer) uint(v uint64, n int) {
	for i := range n {
		if v == meta.Undefined {
			w.data = append(w.data, 0xff)
		} else {
			w.data = append(w.data, byte(v>>(8*i))) // 0 where i is over 7
		}
	}
}

func (w *writer) addr(v uint64) { w.uint(v, w.osize) }

func (w *writer) seal(from int) { w.uint(uint64(meta.Checksum(w.data[from:])), 4) }

const sizeWidth = 3 // bytes of a stored size

func (w *writer) elementSize() int {
	if w.filtered {
		return w.osize + sizeWidth + 4
	}
	return w.osize
}

func (w *writer) elements(first, n uint64) {
	for i := first; i < first+n; i++ {
		c, ok := w.set[i]
		if !ok {
			c.Addr = meta.Undefined
		}
		w.addr(c.Addr)
		if w.filtered {
			w.uint(c.Size, sizeWidth)
			w.uint(uint64(c.Mask), 4)
		}
	}
}

// any reports whether one of n elements is set.
func (w *writer) any(first, n uint64) bool {
	for i := range w.set {
		if i >= first && i-first < n {
			return true
		}
	}
	return false
}

func (w *writer) block(sig string) (at int) {
	at = len(w.data)
	w.data = append(w.data, sig...)
	w.data = append(w.data, 0, 0)
	if w.filtered {
		w.data[len(w.data)-1] = 1
	}
	w.addr(0) // the header
	return at
}

// pages sets the bits of the pages of n elements that hold one, from a bit of the bitmap on.
func (w *writer) pages(bitmap []byte, bit, first, n uint64) {
	per := uint64(1) << w.pageBits
	for p := uint64(0); p*per < n; p++ {
		if at := bit + p; w.any(first+p*per, min(per, n-p*per)) {
			bitmap[at/8] |= 0x80 >> (at % 8)
		}
	}
}

func (w *writer) writePages(first, n uint64) {
	per := uint64(1) << w.pageBits
	for p := uint64(0); p*per < n; p++ {
		at, count := len(w.data), min(per, n-p*per)
		w.elements(first+p*per, count)
		w.seal(at)
		if !w.any(first+p*per, count) {
			clear(w.data[at:]) // never written
		}
	}
}

func (w *writer) fixed(n uint64) []byte {
	head := 12 + w.lsize + w.osize
	w.data = make([]byte, head)
	at := w.block("FADB")
	if n <= 1<<w.pageBits {
		w.elements(0, n)
		w.seal(at)
	} else {
		pages := (n-1)>>w.pageBits + 1
		bitmap := make([]byte, (pages+7)/8)
		w.pages(bitmap, 0, 0, n)
		w.data = append(w.data, bitmap...)
		w.seal(at)
		w.writePages(0, n)
	}
	body := w.data
	w.data = append([]byte("FAHD\x00"), 0, byte(w.elementSize()), byte(w.pageBits))
	if w.filtered {
		w.data[5] = 1
	}
	w.uint(n, w.lsize)
	w.addr(uint64(at))
	w.seal(0)
	copy(body, w.data)
	return body
}

func (w *writer) dataBlock(start, n uint64, paged bool) uint64 {
	at := w.block("EADB")
	w.uint(start, (w.maxBits+7)/8)
	first := start + uint64(w.inIndex)
	if !paged {
		w.elements(first, n)
		w.seal(at)
		return uint64(at)
	}
	w.seal(at)
	w.writePages(first, n)
	return uint64(at)
}

func (w *writer) extensible() []byte {
	head := 16 + 6*w.lsize + w.osize
	w.data = make([]byte, head)
	log2 := func(v int) (n int) {
		for ; v > 1; v /= 2 {
			n++
		}
		return n
	}
	var dataAddrs, superAddrs []uint64
	start := uint64(0)
	for s := range 1 + w.maxBits - log2(w.smallest) {
		n, per := uint64(1)<<(s/2), uint64(w.smallest)<<((s+1)/2)
		direct := s < 2*log2(w.pointers)
		paged := per > 1<<w.pageBits
		var blocks []uint64
		var bitmap []byte // room for whole bytes for each block, but the bits run on
		pages := per >> w.pageBits
		if paged {
			bitmap = make([]byte, n*((pages+7)/8))
		}
		if !direct && !w.any(start+uint64(w.inIndex), n*per) {
			superAddrs = append(superAddrs, meta.Undefined)
			start += n * per
			continue
		}
		first := start
		for i := range n {
			a := meta.Undefined
			if paged {
				w.pages(bitmap, i*pages, start+uint64(w.inIndex), per)
			}
			if w.any(start+uint64(w.inIndex), per) {
				a = w.dataBlock(start, per, paged)
			}
			blocks = append(blocks, a)
			start += per
		}
		if direct {
			dataAddrs = append(dataAddrs, blocks...)
			continue
		}
		at := w.block("EASB")
		w.uint(first, (w.maxBits+7)/8)
		w.data = append(w.data, bitmap...)
		for _, a := range blocks {
			w.addr(a)
		}
		w.seal(at)
		superAddrs = append(superAddrs, uint64(at))
	}
	at := w.block("EAIB")
	w.elements(0, uint64(w.inIndex))
	for _, a := range append(dataAddrs, superAddrs...) {
		w.addr(a)
	}
	w.seal(at)
	body := w.data
	w.data = append([]byte("EAHD\x00"), 0, byte(w.elementSize()), byte(w.maxBits), byte(w.inIndex), byte(w.smallest), byte(w.pointers), byte(w.pageBits))
	if w.filtered {
		w.data[5] = 1
	}
	top := uint64(0)
	for i := range w.set {
		top = max(top, i+1)
	}
	for i := range 6 {
		v := uint64(0)
		if i == 4 {
			v = top
		}
		w.uint(v, w.lsize)
	}
	w.addr(uint64(at))
	w.seal(0)
	copy(body, w.data)
	return body
}

// TestParameters reads arrays of many parameters and random chunks.
func TestParameters(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range []writer{
		{osize: 8, lsize: 8, maxBits: 32, inIndex: 4, smallest: 16, pointers: 4, pageBits: 10}, // as the HDF5 library makes them
		{osize: 8, lsize: 8, maxBits: 12, inIndex: 0, smallest: 1, pointers: 2, pageBits: 2},
		{osize: 4, lsize: 2, maxBits: 14, inIndex: 255, smallest: 2, pointers: 8, pageBits: 4},
		{osize: 2, lsize: 8, maxBits: 13, inIndex: 1, smallest: 4, pointers: 4, pageBits: 4},
		{osize: 16, lsize: 16, maxBits: 16, inIndex: 7, smallest: 8, pointers: 2, pageBits: 4},
		{osize: 32, lsize: 4, maxBits: 11, inIndex: 3, smallest: 128, pointers: 16, pageBits: 9},
		{osize: 8, lsize: 8, maxBits: 3, inIndex: 2, smallest: 8, pointers: 4, pageBits: 5}, // one super block
	} {
		for _, filtered := range []bool{false, true} {
			for round := range 9 {
				w := p
				w.filtered = filtered
				w.set = map[uint64]indextest.Chunk{}
				room := min(uint64(w.inIndex)+1<<w.maxBits, 2000)
				for range rng.IntN(1 + round*round) {
					i := rng.Uint64N(room)
					if round%3 == 0 {
						i = rng.Uint64N(1 + room/uint64(1+rng.IntN(40)))
					}
					c := indextest.Chunk{Number: i, Addr: rng.Uint64N(60000)}
					if filtered {
						c.Size, c.Mask = rng.Uint64N(1<<(8*sizeWidth)), rng.Uint32()
					}
					w.set[i] = c
				}
				var want []indextest.Chunk
				for _, c := range w.set {
					want = append(want, c)
				}
				slices.SortFunc(want, func(a, b indextest.Chunk) int { return int(a.Number) - int(b.Number) })
				name := fmt.Sprintf("%d %d %d %v %d", w.osize, w.lsize, w.maxBits, filtered, round)
				data := w.extensible()
				if len(data) < 1<<16 || w.osize > 2 {
					got, err := collect(array.Extensible, indextest.Reader(data, w.osize, w.lsize), 0, 1<<40)
					if err != nil || !slices.EqualFunc(got, want, same) {
						t.Fatalf("extensible %s: %v\ngot  %v\nwant %v", name, err, got, want)
					}
				}
				// A fixed array that has just these, with a last page of any size.
				n := uint64(1)
				if len(want) > 0 {
					n += want[len(want)-1].Number + rng.Uint64N(50)
				}
				data = w.fixed(n)
				got, err := collect(array.Fixed, indextest.Reader(data, w.osize, w.lsize), 0, n)
				if err != nil || !slices.EqualFunc(got, want, same) {
					t.Fatalf("fixed %s: %v\ngot  %v\nwant %v", name, err, got, want)
				}
			}
		}
	}
}

func BenchmarkFixed(b *testing.B) {
	const n = 160 * 1024
	w := writer{osize: 8, lsize: 8, filtered: true, pageBits: 10, set: map[uint64]indextest.Chunk{}}
	for i := range uint64(1024) {
		w.set[i] = indextest.Chunk{Addr: i}
	}
	w.elements(0, 1024)
	w.seal(0)
	page := w.data // is repeated
	w.data = make([]byte, 28)
	at := w.block("FADB")
	w.data = append(w.data, bytes.Repeat([]byte{0xff}, n/1024/8)...)
	w.seal(at)
	w.data = append(w.data, bytes.Repeat(page, n/1024)...)
	body := w.data
	w.data = append([]byte("FAHD\x00\x01"), byte(w.elementSize()), 10)
	w.uint(n, 8)
	w.addr(uint64(at))
	w.seal(0)
	copy(body, w.data)
	r := indextest.Reader(body, 8, 8)
	b.ReportAllocs()
	for b.Loop() {
		chunks := 0
		if err := array.Fixed(r, 0, n, func(_, addr, _ uint64, _ uint32) error { chunks++; return nil }); err != nil || chunks != n {
			b.Fatal(chunks, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/chunk")
}

// TestContradictions changes fields whose block has a sound checksum all the same.
func TestContradictions(t *testing.T) {
	for _, tt := range []struct {
		name, file, sig string
		at              int
		v               byte
		want            h5err.Kind
	}{
		{"version", "fixed_1", "FAHD", 4, 1, h5err.Unsupported},
		{"client", "fixed_1", "FAHD", 5, 2, h5err.Unsupported},
		{"client of the block", "fixed_1", "FADB", 5, 1, h5err.Corrupt},
		{"element size", "fixed_1", "FAHD", 6, 7, h5err.Corrupt},
		{"filtered element size", "fixed_1_filtered", "FAHD", 6, 8, h5err.Corrupt},
		{"page bits", "fixed_1", "FAHD", 7, 60, h5err.Corrupt},
		{"elements", "fixed_1", "FAHD", 14, 1, h5err.Corrupt},
		{"elements of a page", "fixed_0", "FAHD", 12, 1, h5err.Corrupt},
		{"block version", "fixed_1", "FADB", 4, 1, h5err.Unsupported},
		{"block of another array", "fixed_1", "FADB", 7, 99, h5err.Corrupt},
		{"block address", "fixed_1", "FAHD", 20, 1, h5err.Corrupt},

		{"version", "extensible_1", "EAHD", 4, 1, h5err.Unsupported},
		{"client", "extensible_1", "EAHD", 5, 7, h5err.Unsupported},
		{"element size", "extensible_1", "EAHD", 6, 9, h5err.Corrupt},
		{"bits of the number of elements", "extensible_1", "EAHD", 7, 64, h5err.Corrupt},
		{"fewer bits than a block", "extensible_1", "EAHD", 7, 3, h5err.Corrupt},
		{"elements of the smallest block", "extensible_1", "EAHD", 9, 15, h5err.Corrupt},
		{"no elements in the smallest block", "extensible_1", "EAHD", 9, 0, h5err.Corrupt},
		{"data blocks of a super block", "extensible_1", "EAHD", 10, 1, h5err.Corrupt},
		{"page bits", "extensible_1", "EAHD", 11, 60, h5err.Corrupt},
		{"pages in the index block", "extensible_1", "EAHD", 11, 2, h5err.Corrupt},
		{"index block of another array", "extensible_1", "EAIB", 7, 99, h5err.Corrupt},
		{"place of a secondary block", "extensible_1", "EASB", 14, 99, h5err.Corrupt},
		{"place of a data block", "extensible_1", "EADB", 14, 99, h5err.Corrupt},
	} {
		f := indextest.Load(t, tt.file)
		f.R.AnyChecksum = true
		walk, at := of(t, f)
		if _, err := collect(walk, f.R, at, 1<<40); err != nil {
			t.Fatal(err)
		}
		f.Data[f.All(tt.sig, nil)[0]+uint64(tt.at)] = tt.v
		r := indextest.Reader(f.Data, f.R.OffsetSize, f.R.LengthSize)
		r.AnyChecksum = true
		if _, err := collect(walk, r, at, 1<<40); !h5err.Is(err, tt.want) {
			t.Errorf("%s, %s: %v", tt.file, tt.name, err)
		}
	}
}

// TestOverlap has data blocks that start inside one another, each with a sound checksum: they have many times the chunks
// that fit the file. In a file that is large enough for all of
// them, that is accepted: nothing else is wrong.
func TestOverlap(t *testing.T) {
	const (
		super  = 10 // has 2^5 data blocks of 2^5 elements
		blocks = 1 << (super / 2)
		n      = 1 << ((super + 1) / 2)
		head   = 4 + 2 + 8 + 2 // without the checksum
	)
	for _, tt := range []struct {
		name     string
		pageBits int
		step     int   // from one data block to the next: where one starts is not the checksum of another
		sums     []int // where the checksums of a data block end
	}{
		{"data blocks", 10, 28, []int{head + 8*n + 4}},
		{"pages", 4, 32, []int{head + 4, head + 4 + 8*16 + 4, head + 4 + 2*(8*16+4)}},
	} {
		w := writer{osize: 8, lsize: 8, maxBits: 16, smallest: 1, pointers: 2, pageBits: tt.pageBits}
		paged := len(tt.sums) > 1
		w.data = make([]byte, 16+6*8+8)
		secondary, start := w.block("EASB"), uint64(1<<super-1)
		w.uint(start, 2)
		if paged {
			w.data = append(w.data, bytes.Repeat([]byte{0xff}, blocks)...) // two pages of each, in room for eight
		}
		first := len(w.data) + 8*blocks + 4
		for i := range blocks {
			w.addr(uint64(first + tt.step*i))
		}
		w.seal(secondary)
		size := tt.sums[len(tt.sums)-1]
		type sum struct{ from, end int }
		var sums []sum
		w.data = append(w.data, make([]byte, tt.step*(blocks-1)+size)...)
		all := w.data
		for i := range blocks {
			at, from := first+tt.step*i, first+tt.step*i
			w.data = all[:at]
			w.block("EADB")
			w.uint(start+uint64(n*i), 2)
			for _, end := range tt.sums {
				sums = append(sums, sum{from, at + end})
				from = at + end
			}
		}
		slices.SortFunc(sums, func(a, b sum) int { return a.end - b.end }) // one covers those that end before it
		for _, s := range sums {
			w.data = all[:s.end-4][s.from:]
			w.seal(0)
		}
		w.data = all
		index := w.block("EAIB")
		for range 2 { // data blocks of the first two super blocks
			w.addr(meta.Undefined)
		}
		for s := 2; s <= w.maxBits; s++ {
			if s == super {
				w.addr(uint64(secondary))
			} else {
				w.addr(meta.Undefined)
			}
		}
		w.seal(index)
		all = w.data
		w.data = append([]byte("EAHD\x00\x00"), 8, byte(w.maxBits), 0, byte(w.smallest), byte(w.pointers), byte(w.pageBits))
		for _, v := range []uint64{0, 0, 0, 0, 1 << 16, 0, uint64(index)} {
			w.uint(v, 8)
		}
		w.seal(0)
		copy(all, w.data)

		large := append(bytes.Clone(all), make([]byte, blocks*size)...)
		if got, err := collect(array.Extensible, indextest.Reader(large, 8, 8), 0, 1<<40); err != nil || len(got) != blocks*n {
			t.Errorf("%s, a large file: %d chunks of %d, %v", tt.name, len(got), blocks*n, err)
		}
		got, err := collect(array.Extensible, indextest.Reader(all, 8, 8), 0, 1<<40)
		if !h5err.Is(err, h5err.Corrupt) || !strings.Contains(err.Error(), "overlap") || len(got) == 0 || 8*len(got) > len(all) {
			t.Errorf("%s: %d chunks in %d bytes, then %v", tt.name, len(got), len(all), err)
		}
	}
}
