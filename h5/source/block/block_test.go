package block_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/block"
)

// object is a Backend that notes what is asked for.
type object struct {
	data []byte
	gate chan struct{} // unless nil, each request waits for a value
	fail error         // of requests

	mu   sync.Mutex
	asks []source.Range
}

func (o *object) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	o.mu.Lock()
	o.asks = append(o.asks, source.Range{Off: off, Size: int64(len(p))})
	err := o.fail
	o.mu.Unlock()
	if o.gate != nil {
		select {
		case <-o.gate:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if err != nil {
		return 0, err
	}
	if off+int64(len(p)) > int64(len(o.data)) {
		return 0, errors.New("outside")
	}
	return copy(p, o.data[off:]), nil
}

func (o *object) asked() []source.Range {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := o.asks
	o.asks = nil
	return out
}

const kib = 1 << 10

// newCache returns a cache over n bytes: blocks of 1 KiB, gaps of 2 KiB, requests of at most 16 KiB, two at a time.
func newCache(t *testing.T, n int, change func(o *object, opts *block.Options)) (*block.Cache, *object) {
	rng := rand.New(rand.NewPCG(1, 1))
	o := &object{data: make([]byte, n)}
	for i := range o.data {
		o.data[i] = byte(rng.Uint32())
	}
	opts := block.Options{Block: kib, Gap: 2 * kib, Span: 16 * kib, InFlight: 2, Whole: 1}
	if change != nil {
		change(o, &opts)
	}
	c := block.New(context.Background(), o, int64(n), nil, opts)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, o
}

func check(t *testing.T, o *object, off, n int, read func(context.Context, []byte, int64) (int, error)) {
	t.Helper()
	p := make([]byte, n)
	m, err := read(context.Background(), p, int64(off))
	want := o.data[min(off, len(o.data)):min(off+n, len(o.data))]
	if m != len(want) || !bytes.Equal(p[:m], want) || (err != nil) != (m < n) || m < n && err != io.EOF {
		t.Errorf("%d bytes at %d: %d, %v", n, off, m, err)
	}
}

// TestRandom reads ranges with all limits small, by several goroutines.
func TestRandom(t *testing.T) {
	c, o := newCache(t, 1<<20+7, func(_ *object, opts *block.Options) { opts.Memory = 8 * kib })
	var all sync.WaitGroup
	for seed := range 4 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(2, uint64(seed)))
			for range 300 {
				off, n := rng.IntN(len(o.data)+2*kib), rng.IntN(4*kib)
				switch rng.IntN(3) {
				case 0:
					check(t, o, off, n+1, c.ReadMetadata)
				case 1:
					check(t, o, off%len(o.data), min(n+1, len(o.data)-off%len(o.data)), c.ReadAtContext)
				default:
					c.Expect([]source.Range{{Off: int64(off), Size: int64(n)}, {Off: -1, Size: 5}, {Off: 5, Size: -1}})
				}
			}
		})
	}
	all.Wait()
}

// TestExpect joins what lies close together, and asks for each block once.
func TestExpect(t *testing.T) {
	c, o := newCache(t, 100*kib, func(o *object, opts *block.Options) { opts.InFlight = 10 })
	c.Expect([]source.Range{{Off: 50 * kib, Size: 10}, {Off: 3, Size: 3}, {Off: 53 * kib, Size: 1}, {Off: 57 * kib, Size: 1}, {Off: 80*kib - 1, Size: 2},
		{Off: 3 * kib, Size: 1}, {Off: 100*kib - 1, Size: 1 << 40}, {Off: 100 * kib, Size: 1}})
	for _, off := range []int{50, 0, 51, 52, 53, 57, 79, 80, 3, 99} {
		check(t, o, off*kib, kib, c.ReadMetadata)
	}
	got := o.asked()
	slices.SortFunc(got, func(a, b source.Range) int { return int(a.Off - b.Off) })
	want := []source.Range{{Off: 0, Size: 4 * kib}, {Off: 50 * kib, Size: 4 * kib}, {Off: 57 * kib, Size: kib}, {Off: 79 * kib, Size: 2 * kib}, {Off: 99 * kib, Size: kib}}
	if !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}

// TestQueue has two requests under way, and joins what is wanted meanwhile.
func TestQueue(t *testing.T) {
	c, o := newCache(t, 100*kib, func(o *object, opts *block.Options) { o.gate = make(chan struct{}) })
	offs := []int{10, 20, 31, 30, 33, 32, 45, 34, 44}
	for _, off := range offs {
		c.Expect([]source.Range{{Off: int64(off) * kib, Size: 10}})
	}
	for range 4 {
		o.gate <- struct{}{}
	}
	for _, off := range offs {
		check(t, o, off*kib, 10, c.ReadAtContext)
	}
	if got := o.asked(); len(got) != 4 {
		t.Errorf("asked for %v", got)
	}
}

// TestSequential asks for more each time when a reader goes on.
func TestSequential(t *testing.T) {
	c, o := newCache(t, 100*kib, nil)
	for off := 0; off < 100*kib; off += 100 {
		check(t, o, off, min(100, 100*kib-off), c.ReadMetadata)
	}
	got := o.asked()
	for i, want := range []int64{1, 2, 4, 8, 8} {
		if got[i].Size != want*kib {
			t.Errorf("request %d is of %d bytes", i, got[i].Size)
		}
	}
	if len(got) > 16 {
		t.Errorf("%d requests", len(got))
	}
}

// TestWhole reads small objects as a whole, and pages of metadata.
func TestWhole(t *testing.T) {
	c, o := newCache(t, 100*kib, func(_ *object, opts *block.Options) { opts.Whole, opts.Span = 100*kib, 100*kib })
	check(t, o, 50*kib, 10, c.ReadMetadata)
	check(t, o, 0, 100*kib, c.ReadAtContext)
	if got := o.asked(); len(got) != 1 {
		t.Errorf("asked for %v", got)
	}
	c, o = newCache(t, 100*kib, func(_ *object, opts *block.Options) { opts.Memory = 100 * kib })
	c.Paged(8 * kib)
	check(t, o, 17*kib, 10, c.ReadMetadata)
	check(t, o, 23*kib, 10, c.ReadMetadata)
	check(t, o, 97*kib, 10, c.ReadMetadata)
	if got := o.asked(); !slices.Equal(got, []source.Range{{Off: 16 * kib, Size: 8 * kib}, {Off: 96 * kib, Size: 4 * kib}}) {
		t.Errorf("asked for %v", got)
	}
}

// TestShared asks once for data that several want at the same time, and again if the first of them gave up.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, o := newCache(t, 100*kib, func(o *object, _ *block.Options) { o.gate = make(chan struct{}) })
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() {
			_, err := c.ReadAtContext(ctx, make([]byte, 20*kib), 10*kib)
			first <- err
		}()
		synctest.Wait()
		if len(o.asked()) == 0 {
			t.Error("nothing is asked for")
		}
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() { check(t, o, (10+i%10)*kib, 10*kib, c.ReadAtContext) })
		}
		synctest.Wait() // all of them wait
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		done := make(chan struct{})
		go func() { all.Wait(); close(done) }()
		for {
			select {
			case o.gate <- struct{}{}:
				continue
			case <-done:
			}
			break
		}
		if got := o.asked(); len(got) > 20 {
			t.Errorf("%d requests for 50 readers of 10 ranges", len(got))
		}
	})
}

// TestErrors passes errors on and asks again afterward.
func TestErrors(t *testing.T) {
	c, o := newCache(t, 100*kib, nil)
	o.fail = errors.New("no luck")
	for _, read := range []func(context.Context, []byte, int64) (int, error){c.ReadMetadata, c.ReadAtContext} {
		if _, err := read(context.Background(), make([]byte, 2*kib), 5*kib); err != o.fail {
			t.Error(err)
		}
	}
	o.mu.Lock()
	o.fail = nil
	o.mu.Unlock()
	check(t, o, 5*kib, 2*kib, c.ReadMetadata)
	check(t, o, 50*kib, 2*kib, c.ReadAtContext)
}

// TestMemory keeps what is used and no more than allowed: what was dropped is asked for again.
func TestMemory(t *testing.T) {
	hits := 0
	c, o := newCache(t, 100*kib, func(_ *object, opts *block.Options) {
		opts.Memory = 10 * kib
		opts.Hit = func(int64) { hits++ }
	})
	for i := 0; i < 100; i += 2 {
		check(t, o, 99*kib, 10, c.ReadMetadata) // used all the time
		check(t, o, i*kib, 10, c.ReadMetadata)
	}
	n := len(o.asked())
	check(t, o, 99*kib, 10, c.ReadMetadata)
	check(t, o, 0, 10, c.ReadMetadata)
	if again := o.asked(); len(again) != 1 || again[0].Off != 0 || n < 50 || hits < 49 {
		t.Errorf("%d requests, %d hits, then %v", n, hits, again)
	}
}

// TestPages reads a part of a page the first time that metadata in it is wanted, and then the rest.
func TestPages(t *testing.T) {
	const mib = 1 << 20
	c, o := newCache(t, 9*mib, func(_ *object, opts *block.Options) { opts.Block, opts.Span, opts.Memory = 64*kib, 4*mib, 64*mib })
	c.Paged(4 * mib)
	check(t, o, 6*mib+5*kib, 10, c.ReadMetadata)
	check(t, o, 7*mib-10, 10, c.ReadMetadata)
	want := []source.Range{{Off: 6 * mib, Size: mib}}
	if got := o.asked(); !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
	if !c.Holds(source.Range{Off: 6 * mib, Size: mib}) || c.Holds(source.Range{Off: 6 * mib, Size: mib + 1}) || c.Holds(source.Range{Off: 9*mib - 1, Size: 2}) {
		t.Error("Holds is wrong")
	}
	c.Expect([]source.Range{{Off: 5 * mib, Size: 1}})
	for _, off := range []int{4, 5, 7} {
		check(t, o, off*mib, mib, c.ReadMetadata)
	}
	check(t, o, 8*mib+100*kib, 10, c.ReadMetadata) // the last page is not complete
	want = []source.Range{{Off: 4 * mib, Size: 2 * mib}, {Off: 7 * mib, Size: mib}, {Off: 8 * mib, Size: mib}}
	got := o.asked()
	slices.SortFunc(got, func(a, b source.Range) int { return int(a.Off - b.Off) })
	if !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}
