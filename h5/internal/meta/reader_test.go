package meta

import (
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// numbers is a large file in which each byte follows from its offset. What is past end was cut off.
type numbers struct {
	end  int64
	fail func(off int64) error
}

func numberAt(off int64) byte { return byte(off ^ off>>8*7 ^ off>>16*13) }

func (n numbers) ReadAt(p []byte, off int64) (int, error) {
	if n.fail != nil {
		if err := n.fail(off); err != nil {
			return 0, err
		}
	}
	for i := range p {
		if off+int64(i) >= n.end {
			return i, io.EOF
		}
		p[i] = numberAt(off + int64(i))
	}
	return len(p), nil
}

// What a reader of a local file caches.
const (
	blockSize = 16 << 10
	minBlocks = 64
	maxBlocks = 1024
)

// TestReaderBlocks reads all over a file that is larger than the cache, from several goroutines: what one of them got
// stays as it was when its block makes room for another.
func TestReaderBlocks(t *testing.T) {
	const size = 2*maxBlocks*blockSize + 12345
	const goroutines = 3
	r := NewReader(numbers{end: size}, size, Limits{})
	r.SetBase(100)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			type kept struct {
				at uint64
				b  []byte
			}
			var all []kept
			check := func(at uint64, b []byte) {
				for i, x := range b {
					if want := numberAt(100 + int64(at) + int64(i)); x != want {
						t.Errorf("byte %d is %d, want %d", at+uint64(i), x, want)
						return
					}
				}
			}
			for i := range 500 {
				n := 1 + rng.IntN(100)
				if i%50 == 0 {
					n = 1 + rng.IntN(5*blockSize)
				}
				at := rng.Uint64N(uint64(size - 100 - n + 1))
				if i%10 == 0 {
					at = uint64(size - 100 - n) // the last bytes
				}
				var small [100]byte
				if n <= len(small) {
					if err := r.Read(small[:n], at); err != nil {
						t.Error(err)
					}
					check(at, small[:n])
				}
				b, err := r.Bytes(at, n)
				if err != nil || len(b) != n {
					t.Errorf("%d bytes, %v; want %d", len(b), err, n)
				}
				all = append(all, kept{at, b})
			}
			for _, k := range all {
				check(k.at, k.b)
			}
		})
	}
	wg.Wait()
	if n := len(r.hand); n > maxBlocks+goroutines || n <= minBlocks {
		t.Errorf("%d blocks are cached", n)
	}
	for i, b := range r.blocks {
		if b.index != i || b.loading {
			t.Errorf("block %d is kept as %d, loading: %t", b.index, i, b.loading)
		}
	}
}

// TestReaderScan reads a file once from its start to its end: that takes no more than the smallest cache and a little.
func TestReaderScan(t *testing.T) {
	const size = 300 * blockSize
	r := NewReader(numbers{end: size}, size, Limits{})
	for at := uint64(0); at+10 <= size; at += blockSize / 2 {
		if _, err := r.Bytes(at, 10); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.hand); n < minBlocks || n > minBlocks+300/32+1 {
		t.Errorf("%d blocks are cached", n)
	}
}

func TestReaderFails(t *testing.T) {
	const size = 10 * blockSize
	broken := errors.New("broken")
	failing := true
	r := NewReader(numbers{end: 8*blockSize + 5, fail: func(off int64) error {
		if failing && off == 2*blockSize {
			return broken
		}
		return nil
	}}, size, Limits{})
	if _, err := r.Bytes(2*blockSize-5, 10); !h5err.Is(err, h5err.IO) || !errors.Is(err, broken) {
		t.Errorf("a failing read: %v", err)
	}
	failing = false
	if b, err := r.Bytes(2*blockSize-5, 10); err != nil || b[9] != numberAt(2*blockSize+4) {
		t.Errorf("the read after a failing one: %v, %v", b, err)
	}
	if _, err := r.Bytes(8*blockSize, 10); !h5err.Is(err, h5err.IO) {
		t.Errorf("a block that was cut: %v", err)
	}
	if _, err := r.Bytes(5*blockSize, 5*blockSize); !h5err.Is(err, h5err.IO) {
		t.Errorf("a read of what was cut, past the cache: %v", err)
	}
	if err := r.Read(make([]byte, 2), size-1); !h5err.Is(err, h5err.Corrupt) {
		t.Errorf("two bytes where one is left: %v", err)
	}
	if err := r.Read(nil, size); err != nil {
		t.Errorf("no bytes at the end: %v", err)
	}
	if _, err := r.Bytes(0, -1); !h5err.Is(err, h5err.Corrupt) {
		t.Errorf("a negative length: %v", err)
	}
}

// hinted is a file whose source asks for blocks of another size.
type hinted struct {
	numbers
	block int64
}

func (h hinted) Hints() source.Hints { return source.Hints{MetadataBlock: h.block} }

// TestBlockHint has the source choose the size of blocks.
func TestBlockHint(t *testing.T) {
	const size = 40<<20 + 99
	for _, block := range []int64{512, 64 << 10, 1 << 20, 4 << 20} {
		reads := map[int64]int{}
		src := hinted{numbers{end: size, fail: func(off int64) error {
			if reads[off]++; reads[off] > 1 || off%block != 0 {
				t.Errorf("blocks of %d: read %d at %d", block, reads[off], off)
			}
			return nil
		}}, block}
		r := NewReader(src, size, Limits{})
		for at := uint64(0); at+10 <= uint64(min(8*block, size)); at += uint64(block / 4) {
			if b, err := r.Bytes(at, 10); err != nil || b[9] != numberAt(int64(at)+9) {
				t.Fatalf("blocks of %d: 10 bytes at %d: %v, %v", block, at, b, err)
			}
		}
		if len(reads) != 8 {
			t.Errorf("blocks of %d: %d reads", block, len(reads))
		}
		if n := int64(r.maxBlocks) * block; n > max(maxCached, 8*block) {
			t.Errorf("blocks of %d: %d bytes may be cached", block, n)
		}
	}
}
