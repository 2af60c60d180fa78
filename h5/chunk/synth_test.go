package chunk

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/selectiontest"
	"github.com/h5arrow/h5arrow/h5/source"
)

// synth is a dataset that was laid out by hand: its description, and all its elements in row-major order.
type synth struct {
	*dataset
	want   []byte
	reads  *readCounter
	stored []byte // the file
	name   string
}

// readCounter is a file in memory that counts what is read of it.
type readCounter struct {
	*bytes.Reader
	calls, bytes atomic.Int64
}

func (r *readCounter) ReadAt(p []byte, off int64) (int, error) {
	r.calls.Add(1)
	r.bytes.Add(int64(len(p)))
	return r.Reader.ReadAt(p, off)
}

type shape struct {
	dims, chunk []uint64
	elem        int
	deflate     bool
	shuffle     bool
	rawEdges    bool
	missing     float64 // share of the chunks that are not there
	masked      float64 // share of the chunks that skip some filter
	fill        []byte
	shuffled    bool // chunks lie in the file in any order
	gap         int  // most bytes between chunks
	smooth      bool // elements of 8 bytes are like measured values
}

func product(dims []uint64) int {
	n := 1
	for _, d := range dims {
		n *= int(d)
	}
	return n
}

// deflater keeps the compressor's large tables from one chunk to the next.
var deflater struct {
	sync.Mutex
	w *zlib.Writer
}

func deflated(b []byte) []byte {
	deflater.Lock()
	defer deflater.Unlock()
	var out bytes.Buffer
	if deflater.w == nil {
		deflater.w, _ = zlib.NewWriterLevel(nil, 1)
	}
	deflater.w.Reset(&out)
	deflater.w.Write(b)
	deflater.w.Close()
	return out.Bytes()
}

func shuffled(b []byte, elem int) []byte {
	out := make([]byte, len(b))
	n := len(b) / elem
	for i := range n {
		for k := range elem {
			out[k*n+i] = b[i*elem+k]
		}
	}
	return out
}

// content fills b with bytes that compress, and that tell one place from another.
func content(rng *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(i >> (i % 3 * 4))
		if i%5 == 0 {
			b[i] = byte(rng.Uint32())
		}
	}
}

// newSynth lays a chunked dataset out, element by element.
func newSynth(rng *rand.Rand, s shape) *synth {
	want := wanted(rng, s)
	grid := make([]uint64, len(s.dims))
	for d := range grid {
		grid[d] = (s.dims[d] + s.chunk[d] - 1) / s.chunk[d]
	}
	chunkBytes := product(s.chunk) * s.elem
	var filters []h5.Filter
	if s.shuffle {
		filters = append(filters, h5.Filter{ID: 2, Values: []uint32{uint32(s.elem)}})
	}
	if s.deflate {
		filters = append(filters, h5.Filter{ID: 1, Values: []uint32{1}})
	}
	numbers := rng.Perm(product(grid))
	if !s.shuffled {
		for i := range numbers {
			numbers[i] = i
		}
	}
	file := make([]byte, 100+rng.IntN(100))
	content(rng, file)
	chunks := make([]h5.Chunk, 0, len(numbers))
	origin := make([]uint64, len(grid))
	for _, n := range numbers {
		rest := uint64(n)
		partial := false
		for d := len(grid) - 1; d >= 0; d-- {
			origin[d] = rest % grid[d] * s.chunk[d]
			rest /= grid[d]
			partial = partial || origin[d]+s.chunk[d] > s.dims[d]
		}
		gone := rng.Float64() < s.missing
		raw := make([]byte, chunkBytes)
		content(rng, raw) // what is outside the shape is rubbish
		s.cut(want, raw, origin, gone)
		if gone {
			continue
		}
		mask := uint32(0)
		if rng.Float64() < s.masked {
			mask = rng.Uint32() // bits beyond the pipeline mean nothing
		}
		stored := raw
		if !(s.rawEdges && partial) {
			stored = s.filtered(raw, mask)
		}
		if s.gap > 0 {
			file = append(file, make([]byte, rng.IntN(s.gap))...)
		}
		chunks = append(chunks, h5.Chunk{Number: uint64(n), Offset: int64(len(file)), Size: int64(len(stored)), FilterMask: mask})
		file = append(file, stored...)
	}
	sortChunks(chunks)
	r := &readCounter{Reader: bytes.NewReader(file)}
	ds := &dataset{
		file: "synth.h5", path: "/x", dims: s.dims, elem: s.elem, filters: filters, decoded: 1 << 32,
		layout: &h5.Layout{Storage: h5.StorageChunked, ChunkDims: s.chunk, ChunkBytes: int64(chunkBytes), RawEdges: s.rawEdges},
		src:    source.FromReaderAt(r, int64(len(file)), "synth.h5"),
		fill:   func() ([]byte, error) { return s.fill, nil },
		chunks: func() ([]h5.Chunk, error) { return chunks, nil },
	}
	return &synth{dataset: ds, want: want, reads: r, stored: file, name: fmt.Sprintf("%+v", s)}
}

// wanted returns the elements of a dataset.
func wanted(rng *rand.Rand, s shape) []byte {
	want := make([]byte, product(s.dims)*s.elem)
	content(rng, want)
	if s.smooth && s.elem == 8 {
		v := 100.0
		for i := 0; i < len(want); i += 8 {
			v += rng.NormFloat64()
			binary.LittleEndian.PutUint64(want[i:], math.Float64bits(math.Round(v*100)/100))
		}
	}
	return want
}

// cut copies the elements of the chunk at an origin to raw, or makes them the fill value where the chunk is gone.
func (s *shape) cut(want, raw []byte, origin []uint64, gone bool) {
	at := make([]uint64, len(s.dims))
	for i := 0; ; i++ {
		inside := true
		pos := 0
		for d := range at {
			x := origin[d] + at[d]
			inside = inside && x < s.dims[d]
			pos = pos*int(s.dims[d]) + int(x)
		}
		if inside {
			cell := want[pos*s.elem : (pos+1)*s.elem]
			if gone {
				clear(cell)
				copy(cell, s.fill)
			} else {
				copy(raw[i*s.elem:], cell)
			}
		}
		if !selectiontest.Next(at, s.chunk) {
			return
		}
	}
}

// filtered applies the filters that a mask leaves.
func (s *shape) filtered(stored []byte, mask uint32) []byte {
	i := 0
	if s.shuffle {
		if mask&(1<<i) == 0 {
			stored = shuffled(stored, s.elem)
		}
		i++
	}
	if s.deflate && mask&(1<<i) == 0 {
		stored = deflated(stored)
	}
	return stored
}

func sortChunks(c []h5.Chunk) {
	for i := 1; i < len(c); i++ {
		for k := i; k > 0 && c[k].Number < c[k-1].Number; k-- {
			c[k], c[k-1] = c[k-1], c[k]
		}
	}
}

// randomShape draws a dataset of at most some ten thousand bytes.
func randomShape(rng *rand.Rand) shape {
	s := shape{elem: []int{1, 2, 3, 4, 8, 16, 24}[rng.IntN(7)]}
	rank := 1 + rng.IntN(4)
	left := 3000
	for range rank {
		d := 1 + rng.IntN(max(1, min(left, 60)))
		left /= d
		s.dims = append(s.dims, uint64(d))
	}
	if rng.IntN(4) == 0 {
		s.dims[0] = uint64(1 + rng.IntN(200))
	}
	left = 2000
	for _, d := range s.dims {
		c := 1 + rng.IntN(max(1, min(int(d)+2, left)))
		if rng.IntN(3) == 0 {
			c = min(int(d), left)
		}
		c = max(c, 1)
		left /= c
		s.chunk = append(s.chunk, uint64(c))
	}
	if rng.IntN(3) > 0 {
		s.deflate = true
		s.shuffle = rng.IntN(2) == 0
		s.rawEdges = rng.IntN(4) == 0
		if rng.IntN(3) == 0 {
			s.masked = 0.3
		}
	}
	if rng.IntN(3) == 0 {
		s.missing = rng.Float64()
	}
	if rng.IntN(2) == 0 {
		s.fill = make([]byte, s.elem)
		content(rng, s.fill)
	}
	s.shuffled = rng.IntN(3) == 0
	if rng.IntN(2) == 0 {
		s.gap = 50
	}
	return s
}

func (s *synth) reader(t testing.TB, o options) *Reader {
	t.Helper()
	r, err := newReader(s.dataset, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// rows is what rows [a,b) must read as.
func (s *synth) rows(a, b int64) []byte {
	n := int64(len(s.want))
	if len(s.dims) > 0 {
		n /= int64(s.dims[0])
	}
	return s.want[a*n : b*n]
}
