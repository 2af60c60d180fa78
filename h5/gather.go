package h5

import (
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// What makes files that are far away quick to walk: their metadata is in many places, and each waits for an answer. So the
// members of a group are asked for together, and before a walk many objects are opened at a time. What was read remains in the
// cache of the source; results and errors do not, and a walk meets them in its own order.

const (
	gatherers    = 64      // objects that are opened at a time
	maxAhead     = 8       // groups in a group for which more is asked than where they are
	maxGathered  = 1 << 16 // objects of one gathering: the cache holds no more
	firstHeader  = 512     // bytes of an object header that are asked for
	maxAnnounced = 1 << 16 // members of a group that are asked for together
)

// expectMembers says that the members of a group will be opened.
func (f *File) expectMembers(links []Link) {
	if !f.r.Far() || len(links) < 2 {
		return
	}
	addrs := make([]uint64, 0, min(len(links), maxAnnounced))
	for i := range links {
		if links[i].Kind == LinkHard && len(addrs) < maxAnnounced {
			addrs = append(addrs, links[i].Address)
		}
	}
	f.r.Expect(firstHeader, addrs...)
}

// lookAhead asks for the names and nodes of the groups in an old group, whose symbol table nodes are given, as far as it is known without
// a request where they are: while the names of the group itself are on their way, it is not known yet which of them is wanted.
func (f *File) lookAhead(nodes []uint64) {
	left, room := maxAhead, f.r.Room()
	for _, node := range nodes {
		if !f.r.Holds(node, btree.SymbolNode(f.r)) {
			continue
		}
		_ = btree.Symbols(f.r, node, &room, func(s btree.Symbol) error { // an error is met again
			tree, names := s.Group(f.r)
			if left > 0 && tree != meta.Undefined && f.r.Holds(tree, firstHeader) && f.r.Holds(names, firstHeader) {
				left--
				heap.ExpectLocal(f.r, names)
				btree.ExpectV1Group(f.r, tree)
			}
			return nil
		})
	}
}

// Gather reads ahead for callers that are about to visit all objects: if the file is far away (source.MetadataReader), it opens
// all that hard links reach from the root, many at a time, so that their metadata is in the cache of the source. Only the
// first call has an effect, and none for other files. Walk calls it.
func (f *File) Gather() {
	if !f.r.Far() {
		return
	}
	f.gathered.Do(func() {
		g := gathering{f: f, seen: map[uint64]struct{}{f.root.addr: {}}, groups: []*Group{f.root}}
		g.more.L = &g.mu
		var all sync.WaitGroup
		for range gatherers {
			all.Go(g.work)
		}
		all.Wait()
	})
}

// GatherPaths is Gather for callers that are about to open the objects at absolute paths, and to read datasets among them.
func (f *File) GatherPaths(paths ...string) {
	f.inParallel(len(paths), func(i int) {
		o, _ := f.Lookup(paths[i]) // an error is met again
		if d, ok := o.(*Dataset); ok {
			d.expectIndex()
		}
	})
}

// expectIndex says that the index of the dataset's chunks will be read.
func (d *Dataset) expectIndex() {
	l, err := d.Layout()
	if err == nil && l.Storage == StorageChunked && l.Index != IndexImplicit && l.Index != IndexSingle && d.index.addr != meta.Undefined {
		d.f.r.Expect(firstHeader, d.index.addr)
	}
}

// GatherChunks is Gather for callers that are about to read datasets of the file: it reads the indexes of their chunks.
func (f *File) GatherChunks(sets ...*Dataset) {
	f.inParallel(len(sets), func(i int) { sets[i].Chunks() }) // an error is met again
}

// inParallel calls fn for several of 0 to n-1 at a time if the file is far away.
func (f *File) inParallel(n int, fn func(i int)) {
	if !f.r.Far() || n < 1 {
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, gatherers) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				fn(i)
			}
		})
	}
	all.Wait()
}

// gathering is a walk by many goroutines. Each takes a group or an address from the list, and adds what it leads to.
type gathering struct {
	f      *File
	mu     sync.Mutex
	more   sync.Cond
	seen   map[uint64]struct{}
	groups []*Group // whose links are to be read
	addrs  []uint64 // of objects that are to be opened
	busy   int
}

func (g *gathering) work() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		for len(g.addrs) == 0 && len(g.groups) == 0 {
			if g.busy == 0 {
				return
			}
			g.more.Wait()
		}
		g.busy++
		if n := len(g.groups); n > 0 { // first what leads on
			next := g.groups[n-1]
			g.groups = g.groups[:n-1]
			g.mu.Unlock()
			links := g.links(next)
			g.mu.Lock()
			g.add(links)
		} else {
			addr := g.addrs[0]
			g.addrs = g.addrs[1:]
			g.mu.Unlock()
			next := g.open(addr)
			g.mu.Lock()
			if next != nil {
				g.groups = append(g.groups, next)
			}
		}
		g.busy--
		g.more.Broadcast()
	}
}

// links returns the links of a group, and says that the members will be opened.
func (g *gathering) links(of *Group) []Link {
	links := newGroup(of.object)
	links.load() // an error is met again, with the path of the walk
	g.f.expectMembers(links.links)
	return links.links
}

// add notes the targets of links. g.mu is held.
func (g *gathering) add(links []Link) {
	for i := range links {
		l := &links[i]
		if l.Kind != LinkHard || len(g.seen) >= min(maxGathered, g.f.r.Limits.Links) {
			continue
		}
		if _, ok := g.seen[l.Address]; !ok {
			g.seen[l.Address] = struct{}{}
			g.addrs = append(g.addrs, l.Address)
		}
	}
}

// open opens an object, and reads attributes that are not in its header. It returns a group, and nil for anything else.
func (g *gathering) open(addr uint64) *Group {
	o, err := g.f.object(addr, "/")
	if err != nil {
		return nil
	}
	h := headerOf(o)
	if h.find(msgAttributeInfo) != nil {
		attrs := object{f: g.f, addr: addr, path: "/", h: h, attrState: &attrState{}}
		attrs.Attributes()
	}
	next, _ := o.(*Group)
	return next
}

// readFileSpace looks for metadata in pages of its own (IV.A.2.x, "File Space Info"), which are then read as a whole. What is
// wrong here does not matter to anything else.
func (f *File) readFileSpace(m *message) {
	const paged = 1
	c := f.r.CursorOver(m.body, m.at)
	version, strategy := c.U8(), c.U8()
	c.Skip(1 + f.r.LengthSize) // whether free space is kept, and its least size
	size := c.Length()
	if c.Err() == nil && version == 1 && strategy == paged && size <= 1<<30 {
		f.src.Paged(int64(size))
	}
}
