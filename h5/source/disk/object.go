package disk

import (
	"context"
	"io"
	"io/fs"
	"sort"
	"sync"
	"time"

	"github.com/h5arrow/h5arrow/h5/source"
)

// fresh is how long an object does not look again what other processes have added.
const fresh = time.Second

// object is the Backend of one version of an object.
type object struct {
	source.Backend
	c    *Cache
	key  [32]byte
	dir  string
	size int64
	hit  func(int64)

	mu      sync.Mutex
	extents []extent        // sorted by offset
	touched map[extent]bool // whose time of use was set
	scanned time.Time
	failed  bool // to write
}

// Hints returns the hints of the Backend below.
func (o *object) Hints() source.Hints {
	if b, ok := o.Backend.(source.Hinter); ok {
		return b.Hints()
	}
	return source.Hints{}
}

// Changed asks the Backend below.
func (o *object) Changed(ctx context.Context) error {
	if b, ok := o.Backend.(source.Changer); ok {
		return b.Changed(ctx)
	}
	return nil
}

// Version asks the Backend below.
func (o *object) Version() string {
	if b, ok := o.Backend.(source.Versioner); ok {
		return b.Version()
	}
	return ""
}

// Close closes the Backend below.
func (o *object) Close() error {
	if b, ok := o.Backend.(io.Closer); ok {
		return b.Close()
	}
	return nil
}

// ReadAtContext fills p from the directory from both ends, and reads and keeps what is between.
func (o *object) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	if err := o.Changed(ctx); err != nil {
		return 0, err
	}
	if off < 0 || off >= o.size {
		return o.Backend.ReadAtContext(ctx, p, off)
	}
	want := p[:min(int64(len(p)), o.size-off)]
	front, back := o.fill(want, off)
	if front < back && o.scan() {
		more, end := o.fill(want[front:back], off+int64(front))
		front, back = front+more, front+end
	}
	if front < back {
		n, err := o.Backend.ReadAtContext(ctx, want[front:back], off+int64(front))
		if n < back-front {
			return front + n, err
		}
		o.keep(want[front:back], off+int64(front))
	} else {
		o.hit(int64(len(want)))
	}
	if len(want) < len(p) {
		return len(want), io.EOF
	}
	return len(p), nil
}

// fill fills p from the directory up to front, and from back on.
func (o *object) fill(p []byte, off int64) (front, back int) {
	back = len(p)
	for front < back {
		e, ok := o.find(off + int64(front))
		if !ok {
			break
		}
		end := int(min(e.end()-off, int64(back)))
		if o.load(e, p[front:end], off+int64(front)) {
			front = end
		}
	}
	for front < back {
		e, ok := o.find(off + int64(back) - 1)
		if !ok {
			break
		}
		start := int(max(e.off-off, int64(front)))
		if o.load(e, p[start:back], off+int64(start)) {
			back = start
		}
	}
	return front, back
}

// find returns a range that holds the byte at an offset.
func (o *object) find(at int64) (extent, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := sort.Search(len(o.extents), func(i int) bool { return o.extents[i].off > at }) - 1
	for ; i >= 0 && at-o.extents[i].off < maxExtent; i-- {
		if e := o.extents[i]; e.end() > at {
			return e, true
		}
	}
	return extent{}, false
}

// load reads from a range, and drops it if it is damaged or gone: then it reports false.
func (o *object) load(e extent, p []byte, off int64) bool {
	name := o.dir + "/" + e.name()
	f, err := o.c.root.Open(name)
	if err != nil {
		o.forget(e)
		return false
	}
	defer f.Close() // read only: there is nothing to lose
	if err := e.read(f, o.key, p, off); err != nil {
		o.c.root.Remove(name)
		o.forget(e)
		return false
	}
	o.mu.Lock()
	first := !o.touched[e]
	o.touched[e] = true
	o.mu.Unlock()
	if first {
		now := time.Now()
		o.c.root.Chtimes(name, now, now) // it matters for what is dropped first
	}
	return true
}

func (o *object) forget(e extent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, x := range o.extents {
		if x == e {
			o.extents = append(o.extents[:i], o.extents[i+1:]...)
			return
		}
	}
}

// scan looks which ranges are there, and reports whether it did: not if the last time was just now.
func (o *object) scan() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.scanned) < fresh {
		return false
	}
	entries, _ := fs.ReadDir(o.c.root.FS(), o.dir) // none if it can't be read
	o.extents = o.extents[:0]
	for _, d := range entries[:min(len(entries), maxFiles)] {
		if e, ok := parseName(d.Name()); ok && d.Type().IsRegular() && e.end() <= o.size {
			o.extents = append(o.extents, e)
		}
	}
	sort.Slice(o.extents, func(i, j int) bool { return o.extents[i].off < o.extents[j].off })
	o.scanned = time.Now()
	return true
}

// keep writes a range that was read, unless that has failed before: then the disk is full, or worse.
func (o *object) keep(p []byte, off int64) {
	o.mu.Lock()
	failed := o.failed
	o.mu.Unlock()
	for len(p) > 0 && !failed {
		e := extent{off, min(int64(len(p)), o.c.extent)}
		o.c.reserve(e.n + int64(e.headerLen()))
		err := e.write(o.c.root, o.dir, o.key, p[:e.n])
		if err != nil { // the directory may not be there, or was empty and was removed
			o.c.root.Mkdir(o.dir, 0o700)
			err = e.write(o.c.root, o.dir, o.key, p[:e.n])
		}
		o.mu.Lock()
		if failed = err != nil; failed {
			o.failed = true
		} else {
			i := sort.Search(len(o.extents), func(i int) bool { return o.extents[i].off > e.off })
			o.extents = append(o.extents, extent{})
			copy(o.extents[i+1:], o.extents[i:])
			o.extents[i] = e
		}
		o.mu.Unlock()
		p, off = p[e.n:], off+e.n
	}
}
