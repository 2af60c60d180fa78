package chunk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/external"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// TestLinear reads storage that is not chunked, in pieces of any size.
func TestLinear(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	for seed := range 200 {
		rng := seeded(uint64(seed))
		kind := []h5.Storage{h5.StorageNone, h5.StorageCompact, h5.StorageContiguous}[seed%3]
		var dims []uint64
		for range rng.IntN(4) {
			dims = append(dims, 1+rng.Uint64N(25))
		}
		s := linearSynth(rng, kind, dims, 1+rng.IntN(9))
		r := s.reader(t, options{piece: 1 + rng.Int64N(500)})
		for range 5 {
			a := rng.Int64N(r.Rows() + 1)
			b := a + rng.Int64N(r.Rows()-a+1)
			want := s.rows(a, b)
			if len(dims) == 0 {
				a, b, want = 0, 1, s.want
			}
			got := dirty(len(want))
			rows := int64(0)
			var mu sync.Mutex
			err := start(r, p, a, b, got, StartOptions{Align: 1, Each: func(lo, hi int64, part []byte) error {
				mu.Lock()
				defer mu.Unlock()
				rows += hi - lo
				if !bytes.Equal(part, want[(lo-a)*r.RowBytes():(hi-a)*r.RowBytes()]) {
					t.Errorf("seed %d: band %d to %d is not complete", seed, lo, hi)
				}
				return nil
			}})
			if err != nil || !bytes.Equal(got, want) || rows != b-a {
				t.Fatalf("seed %d: rows %d to %d of %s: %v, %s, %d rows in bands", seed, a, b, s.name, err, diff(got, want), rows)
			}
		}
		if r.ChunkRows() != 0 {
			t.Errorf("%s has chunks of %d rows", s.name, r.ChunkRows())
		}
	}
}

// TestEmpty reads shapes without rows, and rows without elements.
func TestEmpty(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	for _, dims := range [][]uint64{{0}, {0, 5}, {7, 0}, {7, 0, 3}, {0, 0}} {
		for _, kind := range []h5.Storage{h5.StorageNone, h5.StorageContiguous, h5.StorageChunked, h5.StorageVirtual} {
			ds := linearSynth(seeded(1), kind, dims, 4).dataset
			ds.mappings = func() ([]h5.VirtualMapping, error) { return nil, nil }
			ds.chunks = func() ([]h5.Chunk, error) { return nil, nil }
			ds.layout.ChunkBytes = 4
			for range dims {
				ds.layout.ChunkDims = append(ds.layout.ChunkDims, 3)
				ds.layout.ChunkBytes *= 3
			}
			r, err := newReader(ds, options{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Rows() != int64(dims[0]) {
				t.Errorf("%v: %d rows", dims, r.Rows())
			}
			calls := 0
			err = start(r, p, 0, r.Rows(), []byte{}, StartOptions{Each: func(lo, hi int64, rows []byte) error {
				calls += int(hi - lo)
				return nil
			}})
			if err != nil || calls != int(dims[0]) {
				t.Errorf("%v %v: %v, %d rows were passed on", kind, dims, err, calls)
			}
			if _, _, ok := r.View(0, r.Rows()); ok {
				t.Errorf("%v %v: a view of nothing", kind, dims)
			}
			if err := r.Read(context.Background(), 0, r.Rows(), nil); err != nil {
				t.Errorf("%v %v: %v", kind, dims, err)
			}
			r.Close()
		}
	}
}

// TestExternal reads extents of files that are too short, absent, or many.
func TestExternal(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	dir := t.TempDir()
	rng := seeded(3)
	var want []byte
	l := &h5.Layout{Storage: h5.StorageExternal}
	for i := range 200 { // more files than are kept open
		b := make([]byte, 10+rng.IntN(20))
		content(rng, b)
		name := fmt.Sprint("part", i)
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		e := h5.ExternalExtent{Name: name, Offset: int64(rng.IntN(30)), Size: int64(1 + rng.IntN(30))}
		if i == 199 {
			e.Size = -1
		}
		for k := range max(e.Size, 30) {
			if e.Size >= 0 && k >= e.Size {
				break
			}
			x := byte(0) // beyond the end of the file
			if e.Offset+k < int64(len(b)) {
				x = b[e.Offset+k]
			}
			want = append(want, x)
		}
		l.External = append(l.External, e)
	}
	opened := 0
	ds := &dataset{file: "f.h5", path: "/x", dims: []uint64{uint64(len(want))}, elem: 1, layout: l,
		fill: func() ([]byte, error) { return []byte{9}, nil },
		external: func(name string) (*source.Source, error) {
			opened++
			return source.Open(filepath.Join(dir, name))
		}}
	r, err := newReader(ds, options{piece: 100})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got := dirty(len(want))
		if err := r.Read(context.Background(), 0, r.Rows(), got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v, %s", err, diff(got, want))
		}
	}
	if n := source.LiveMappings(); n > external.MaxOpenFiles+1 {
		t.Errorf("%d files are open", n)
	}
	a := r.Rows() / 2
	got := dirty(10)
	if err := r.Read(context.Background(), a, a+10, got); err != nil || !bytes.Equal(got, want[a:a+10]) {
		t.Errorf("rows in the middle: %v, %s", err, diff(got, want[a:a+10]))
	}
	r.Close()

	l.External = l.External[:1]
	l.External[0].Size = 5
	r, _ = newReader(ds, options{})
	if err := r.Read(context.Background(), 0, 6, make([]byte, 6)); h5err.KindOf(err) != h5err.Corrupt {
		t.Errorf("extents that end before the data: %v", err)
	}
	r.Close()
	l.External[0].Name = "gone"
	r, _ = newReader(ds, options{})
	if err := r.Read(context.Background(), 0, 5, make([]byte, 5)); h5err.KindOf(err) != h5err.IO {
		t.Errorf("a file that is gone: %v", err)
	}
	r.Close()
}

// TestArguments checks what a caller may ask for.
func TestArguments(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	s := newSynth(seeded(1), shape{dims: []uint64{10, 3}, chunk: []uint64{4, 3}, elem: 2})
	r := s.reader(t, options{pool: p})
	if r.RowBytes() != 6 || r.Rows() != 10 || r.ChunkRows() != 4 {
		t.Errorf("%d rows of %d bytes in chunks of %d rows", r.Rows(), r.RowBytes(), r.ChunkRows())
	}
	for _, c := range []struct {
		a, b int64
		n    int
	}{{-1, 2, 18}, {3, 2, 0}, {0, 11, 66}, {0, 2, 11}, {0, 2, 13}, {math.MinInt64, math.MaxInt64, 0}} {
		if err := r.Read(context.Background(), c.a, c.b, make([]byte, c.n)); h5err.KindOf(err) != h5err.Argument {
			t.Errorf("rows %d to %d into %d bytes: %v", c.a, c.b, c.n, err)
		}
	}
	if err := start(r, p, 0, 1, make([]byte, 6), StartOptions{Align: -1}); h5err.KindOf(err) != h5err.Argument {
		t.Errorf("a negative alignment: %v", err)
	}
	if err := r.Read(context.Background(), 10, 10, nil); err != nil {
		t.Errorf("no rows: %v", err)
	}
	got := dirty(60)
	if err := r.Read(context.Background(), 0, 10, got); err != nil || !bytes.Equal(got, s.want) {
		t.Errorf("by a pool: %v", err)
	}
}

// TestDescriptions checks datasets that contradict themselves, as hostile files do.
func TestDescriptions(t *testing.T) {
	good := func() *dataset {
		return newSynth(seeded(1), shape{dims: []uint64{10, 3}, chunk: []uint64{4, 3}, elem: 2, deflate: true}).dataset
	}
	for name, c := range map[string]struct {
		change func(*dataset)
		kind   h5err.Kind
	}{
		"no element":        {func(d *dataset) { d.elem = 0 }, h5err.Corrupt},
		"rank":              {func(d *dataset) { d.layout.ChunkDims = []uint64{4} }, h5err.Corrupt},
		"many dimensions":   {func(d *dataset) { d.dims = make([]uint64, 33) }, h5err.Corrupt},
		"empty chunk":       {func(d *dataset) { d.layout.ChunkDims = []uint64{4, 0} }, h5err.Corrupt},
		"chunk bytes":       {func(d *dataset) { d.layout.ChunkBytes = 25 }, h5err.Corrupt},
		"huge row":          {func(d *dataset) { d.dims = []uint64{1, math.MaxInt64} }, h5err.Limit},
		"huge rows":         {func(d *dataset) { d.dims = []uint64{1 << 63, 1} }, h5err.Limit},
		"huge grid":         {func(d *dataset) { d.dims = []uint64{1 << 62, 1 << 60} }, h5err.Limit},
		"no storage":        {func(d *dataset) { d.layout.Storage = 0 }, h5err.Unsupported},
		"unknown filter":    {func(d *dataset) { d.each = eachOf(d); d.filters = []h5.Filter{{ID: 9999, Name: "nobody's"}} }, h5err.Unsupported},
		"outside the file":  {func(d *dataset) { change(d, func(c *h5.Chunk) { c.Offset = 1 << 40 }) }, h5err.Corrupt},
		"beyond the file":   {func(d *dataset) { change(d, func(c *h5.Chunk) { c.Size = math.MaxInt64 }) }, h5err.Corrupt},
		"negative offset":   {func(d *dataset) { change(d, func(c *h5.Chunk) { c.Offset = -1 }) }, h5err.Corrupt},
		"unfiltered, short": {func(d *dataset) { change(d, func(c *h5.Chunk) { c.FilterMask = 1 }) }, h5err.Corrupt},
		"too large":         {func(d *dataset) { d.decoded = 23 }, h5err.Limit},
		"fill value":        {func(d *dataset) { change(d, nil); d.fill = func() ([]byte, error) { return []byte{1}, nil } }, h5err.Corrupt},
		"no index":          {func(d *dataset) { d.chunks = func() ([]h5.Chunk, error) { return nil, errors.New("broken") } }, h5err.IO},
	} {
		d := good()
		c.change(d)
		r, err := newReader(d, options{})
		if err == nil {
			err = r.Read(context.Background(), 0, min(r.Rows(), 10), make([]byte, min(r.Rows(), 10)*r.RowBytes()))
			r.Close()
		}
		if h5err.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want an error of kind %v", name, err, c.kind)
		}
	}
	d := good()
	d.elem, d.layout.ChunkBytes = 2, 24
	r, _ := newReader(d, options{budget: NewBudget(23)})
	if err := r.Read(context.Background(), 0, 10, make([]byte, 60)); h5err.KindOf(err) != h5err.Memory {
		t.Errorf("a chunk larger than the budget: %v", err)
	}
	r.Close()
}

// change alters the first chunk; without a function it removes it.
func change(d *dataset, fn func(*h5.Chunk)) {
	cs, _ := d.chunks()
	if fn == nil {
		cs = cs[1:]
	} else {
		fn(&cs[0])
	}
	d.chunks = func() ([]h5.Chunk, error) { return cs, nil }
}

// TestVastGrids reads a little of shapes that no memory could list the chunks of.
func TestVastGrids(t *testing.T) {
	for _, c := range []struct{ dims, chunk []uint64 }{
		{[]uint64{1 << 47}, []uint64{1}},
		{[]uint64{1 << 30, 16}, []uint64{1, 4}},
		{[]uint64{1 << 20, 16}, []uint64{1, 1 << 20}}, // chunks far wider than the rows
		{[]uint64{100, 1 << 14, 1}, []uint64{100, 1, 1 << 12}},
		{[]uint64{1 << 16}, []uint64{1 << 40}},
	} {
		s := linearSynth(seeded(1), h5.StorageChunked, []uint64{1}, 1)
		chunkBytes := int64(1)
		for _, n := range c.chunk {
			chunkBytes *= int64(n)
		}
		if chunkBytes > math.MaxInt {
			continue // no chunk is as large where int has 32 bits
		}
		s.dataset.dims = c.dims
		s.dataset.layout = &h5.Layout{Storage: h5.StorageChunked, ChunkDims: c.chunk, ChunkBytes: chunkBytes}
		s.dataset.decoded = math.MaxInt64
		s.dataset.fill = func() ([]byte, error) { return nil, nil }
		s.dataset.chunks = func() ([]h5.Chunk, error) { return nil, nil }
		r := s.reader(t, options{})
		rows := min(r.Rows(), (1<<20)/r.RowBytes())
		got := dirty(int(rows * r.RowBytes()))
		if err := r.Read(context.Background(), r.Rows()-rows, r.Rows(), got); err != nil {
			t.Errorf("%v in %v: %v", c.dims, c.chunk, err)
		}
		for i, x := range got {
			if x != 0 {
				t.Errorf("%v in %v: byte %d is %#x", c.dims, c.chunk, i, x)
				break
			}
		}
		var p plan
		if err := r.plan(&p, 0, rows, got); err != nil || len(p.pieces) > 20 {
			t.Errorf("%v in %v: %v, %d pieces for a megabyte", c.dims, c.chunk, err, len(p.pieces))
		}
		p.abandon()
	}
}
