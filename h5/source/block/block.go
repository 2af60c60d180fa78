// Package block reads the metadata of objects that are far away in few requests: a Cache, which is a source.Backend over
// another one, asks for blocks and keeps them.
//
// Blocks that are wanted at the same time are sorted, and those that lie close to each other are asked for at once. A reader that
// goes on where it stopped gets twice as much with each request. Blocks for which a request is under way are never asked for
// again, however many goroutines want them, and neither are ranges of data. The memory of blocks is bounded; data is read to where
// it is needed, except for what is smaller than a block.
//
// # What is not promised
//
// Which bytes are asked for, beyond those that are wanted: that may change.
package block

import (
	"context"
	"io"
	"math/bits"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Options say how a Cache reads. A zero field means its default.
type Options struct {
	Block    int64         // bytes of a block, rounded up to a power of two: 64 KiB
	Gap      int64         // bytes that nobody asked for and that are read along to make one request of two: 256 KiB
	Span     int64         // the largest request for blocks: 4 MiB
	Memory   int64         // bytes of blocks that are kept: 64 MiB
	InFlight int           // requests for blocks that may be under way at once: 64
	Whole    int64         // objects up to this size are read as a whole: 1 MiB
	Hit      func(n int64) // called for each read of n bytes that needed no request; may be nil
}

func (o Options) resolved() Options {
	for _, f := range []struct {
		p        *int64
		def, min int64
	}{
		{&o.Block, 64 << 10, 512},
		{&o.Gap, 256 << 10, 1},
		{&o.Span, 4 << 20, 1},
		{&o.Memory, 64 << 20, 1},
		{&o.Whole, 1 << 20, 1},
	} {
		if *f.p == 0 {
			*f.p = f.def
		}
		*f.p = max(*f.p, f.min)
	}
	o.Block = 1 << bits.Len64(uint64(min(o.Block, 16<<20)-1))
	if o.InFlight <= 0 {
		o.InFlight = 64
	}
	if o.Hit == nil {
		o.Hit = func(int64) {}
	}
	return o
}

// maxAhead bounds how much a reader gets that goes on and on, as a share of Span.
const maxAhead = 2

// Cache is a source.Backend and a source.MetadataReader over another Backend. It may be used by several goroutines.
type Cache struct {
	b     source.Backend
	o     Options
	size  int64
	shift uint
	ctx   context.Context // of requests for blocks, which serve several callers
	stop  context.CancelFunc

	mu      sync.Mutex
	page    int64            // metadata is in pages of this size; 0: it is not
	pages   map[int64]bool   // those of which metadata was read
	blocks  map[int64]*entry // those that are here, on their way or wanted
	ring    []int64          // those that are here, in the order of the clock that evicts
	hand    int
	wanted  []int64 // sorted, without a request yet
	running int
	flights []*flight // of data
	wait    sync.WaitGroup
}

// entry is a block.
type entry struct {
	data  []byte // nil until done
	done  chan struct{}
	err   error
	ahead int64 // blocks of the request that a reader who goes on has caused, 1 for others
	used  bool
}

// New returns a Cache over the size bytes of b. first, which may be nil, are the first bytes of it, which New keeps. ctx ends
// all requests for blocks.
func New(ctx context.Context, b source.Backend, size int64, first []byte, o Options) *Cache {
	c := &Cache{b: b, o: o.resolved(), size: size, blocks: map[int64]*entry{}}
	c.ctx, c.stop = context.WithCancel(ctx)
	c.shift = uint(bits.Len64(uint64(c.o.Block)) - 1)
	if int64(len(first)) > size {
		first = first[:size]
	}
	for i := int64(0); i<<c.shift < int64(len(first)); i++ {
		end := min((i+1)<<c.shift, size)
		if end > int64(len(first)) {
			break
		}
		c.arrive(i, first[i<<c.shift:end:end], nil)
	}
	return c
}

// Hints returns the hints of the Backend below, with blocks of metadata as large as the cache's.
func (c *Cache) Hints() source.Hints {
	var h source.Hints
	if b, ok := c.b.(source.Hinter); ok {
		h = b.Hints()
	}
	h.MetadataBlock = c.o.Block
	return h
}

// Changed asks the Backend below.
func (c *Cache) Changed(ctx context.Context) error {
	if b, ok := c.b.(source.Changer); ok {
		return b.Changed(ctx)
	}
	return nil
}

// Version asks the Backend below.
func (c *Cache) Version() string {
	if b, ok := c.b.(source.Versioner); ok {
		return b.Version()
	}
	return ""
}

// Close ends the requests for blocks, waits for them, and closes the Backend below.
func (c *Cache) Close() error {
	c.stop()
	c.wait.Wait()
	if b, ok := c.b.(io.Closer); ok {
		return b.Close()
	}
	return nil
}

// Paged makes the cache read pages of size bytes: the first time a MiB around what is wanted, and the second time the rest.
func (c *Cache) Paged(size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size > c.o.Block && size <= max(c.o.Memory/4, c.o.Block) {
		c.page, c.pages = size, map[int64]bool{0: c.blocks[0] != nil}
	}
}

// wantAround wants block i, and what is read with it where metadata is in pages. It returns how many blocks that are. c.mu is held.
func (c *Cache) wantAround(i int64) (n int64) {
	from, to := i, i+1
	if c.page > 0 {
		from, to = c.inPage(i)
	}
	for k := from; k < to; k++ {
		if c.blocks[k] == nil {
			c.want(k)
			n++
		}
	}
	return n
}

// inPage returns the blocks that are read for block i where metadata is in pages. c.mu is held.
func (c *Cache) inPage(i int64) (from, to int64) {
	k := i << c.shift / c.page
	a, b := k*c.page, min((k+1)*c.page, c.size)
	if !c.pages[k] && len(c.pages) < maxPages {
		c.pages[k] = true
		piece := max(pagePiece, c.o.Block)
		at := a + (i<<c.shift-a)/piece*piece
		a, b = max(a, at), min(b, at+piece)
	}
	return a >> c.shift, (b + c.o.Block - 1) >> c.shift
}

const (
	pagePiece = 1 << 20
	maxPages  = 1 << 16 // that are noted
)

// Expect starts requests for blocks that will be wanted, unless they would fill more than half of the memory.
func (c *Cache) Expect(ranges []source.Range) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := c.o.Memory/2>>c.shift - int64(len(c.wanted))
	for _, r := range ranges {
		if r.Off < 0 || r.Off >= c.size || r.Size <= 0 {
			continue
		}
		last := (r.Off + min(r.Size, c.size-r.Off) - 1) >> c.shift
		for i := r.Off >> c.shift; i <= last && room > 0; i++ {
			if c.blocks[i] == nil {
				room -= c.wantAround(i)
			}
		}
	}
	c.start()
}

// Holds reports whether all blocks of a range are there.
func (c *Cache) Holds(r source.Range) bool {
	if r.Off < 0 || r.Size <= 0 || r.Off >= c.size || r.Size > c.size-r.Off {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := r.Off >> c.shift; i <= (r.Off+r.Size-1)>>c.shift; i++ {
		if e := c.blocks[i]; e == nil || e.data == nil {
			return false
		}
	}
	return true
}

// ReadMetadata fills p from blocks.
func (c *Cache) ReadMetadata(ctx context.Context, p []byte, off int64) (int, error) {
	return c.copyBlocks(ctx, p, off, true)
}

// ReadAtContext fills p from blocks if all of them are there or it is small, and else with a request of its own.
func (c *Cache) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	if int64(len(p)) < c.o.Block || c.here(off, int64(len(p))) {
		return c.copyBlocks(ctx, p, off, false)
	}
	return c.share(ctx, p, off)
}

// here reports whether all blocks of a range are there or on their way.
func (c *Cache) here(off, n int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := off >> c.shift; i <= (off+n-1)>>c.shift; i++ {
		if c.blocks[i] == nil {
			return false
		}
	}
	return true
}

// copyBlocks fills p from blocks, and asks for those that are missing. A reader of metadata that goes on gets more.
func (c *Cache) copyBlocks(ctx context.Context, p []byte, off int64, metadata bool) (n int, err error) {
	if off < 0 || off >= c.size {
		return 0, io.EOF
	}
	want := min(int64(len(p)), c.size-off)
	hit := true
	for int64(n) < want {
		at := off + int64(n)
		i := at >> c.shift
		c.mu.Lock()
		e := c.blocks[i]
		if e == nil {
			e = c.need(i, (off+want-1)>>c.shift, metadata)
		}
		e.used = true
		c.mu.Unlock()
		select {
		case <-e.done:
		default:
			hit = false
			select {
			case <-e.done:
			case <-ctx.Done():
				return n, ctx.Err()
			}
		}
		if e.err != nil {
			return n, e.err
		}
		n += copy(p[n:want], e.data[at-i<<c.shift:])
	}
	if hit {
		c.o.Hit(int64(n))
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// need asks for block i, for those up to last that the caller wants too, and for what is likely to be wanted next. It returns
// block i. c.mu is held.
func (c *Cache) need(i, last int64, metadata bool) *entry {
	from, to := i, last+1
	ahead := int64(1)
	blocks := (c.size-1)>>c.shift + 1
	switch {
	case c.size <= c.o.Whole:
		from, to = 0, blocks
	case metadata && c.page > 0:
		var end int64
		from, end = c.inPage(i)
		to = max(to, end)
	case metadata && i > 0:
		if before := c.blocks[i-1]; before != nil {
			ahead = min(2*before.ahead, max(1, c.o.Span/maxAhead>>c.shift))
			to = max(to, min(i+ahead, blocks))
		}
	}
	for k := from; k < to; k++ {
		if c.blocks[k] == nil {
			c.want(k).ahead = ahead
		}
	}
	e := c.blocks[i]
	c.start()
	return e
}

// want notes that block i is wanted. c.mu is held.
func (c *Cache) want(i int64) *entry {
	e := &entry{done: make(chan struct{}), ahead: 1}
	c.blocks[i] = e
	c.wanted = append(c.wanted, i)
	return e
}

// arrive gives block i its bytes. c.mu is held, or c is not shared yet.
func (c *Cache) arrive(i int64, data []byte, err error) {
	e := c.blocks[i]
	if e == nil {
		e = &entry{done: make(chan struct{}), ahead: 1}
		c.blocks[i] = e
	}
	e.data, e.err = data, err
	close(e.done)
	if err != nil {
		delete(c.blocks, i) // the next reader asks again
		return
	}
	for int64(len(c.ring)) >= max(c.o.Memory>>c.shift, 1) {
		c.evict()
	}
	c.ring = append(c.ring, i)
}

// evict drops the block that was not used for longest, by a clock. Those who wait for it have it. c.mu is held.
func (c *Cache) evict() {
	for {
		c.hand %= len(c.ring)
		i := c.ring[c.hand]
		if e := c.blocks[i]; e.used {
			e.used = false
			c.hand++
			continue
		}
		delete(c.blocks, i)
		last := len(c.ring) - 1
		c.ring[c.hand] = c.ring[last]
		c.ring = c.ring[:last]
		return
	}
}

// failed returns the error of a request that was given up.
func failed(err error, off int64) error {
	if err == nil || err == io.EOF {
		return h5err.At(h5err.IO, off, "the object ends early")
	}
	return err
}
