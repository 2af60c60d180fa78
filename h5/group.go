package h5

import (
	"cmp"
	"slices"
	"sort"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// LinkKind is the kind of a link.
type LinkKind uint8

// The kinds of links (specification, IV.A.2.g).
const (
	_ LinkKind = iota
	LinkHard
	LinkSoft
	LinkExternal
	LinkUser
)

var linkKindNames = [...]string{"invalid", "hard", "soft", "external", "user-defined"}

// String returns the kind's name.
func (k LinkKind) String() string { return name(linkKindNames[:], int(k)) }

// Link is one entry of a group (specification, IV.A.2.g).
type Link struct {
	Name    string
	Kind    LinkKind
	Address uint64 // Hard: the object's address
	Target  string // Soft, External: path
	File    string // External: file name, as stored
	Class   uint8  // User: the number of its class, 65 to 255 unless it is reserved
	Data    string // User: what its class has stored

	order int64 // creation order, 0 if it isn't tracked

	tree, heap uint64 // Hard, in a file that is far away: what an old group will need, 0 if that is not known
}

// Group is a set of named links.
type Group struct {
	object
	*groupState
}

// groupState is shared by the group's names.
type groupState struct {
	once    sync.Once
	walked  sync.Once // the members were announced
	links   []Link
	err     error
	ordered bool           // links are in creation order
	byName  map[string]int // of a large group in creation order
	packed  *packed        // the links of a very large group; links is empty then
	room    int64          // bytes left for further links
}

func newGroup(o object) *Group {
	g := &struct {
		Group
		groupState
	}{}
	g.Group = Group{object: o, groupState: &g.groupState}
	return &g.Group
}

// knownCache bounds the bytes of the objects that a file caches. A dataset counts little: only a weak pointer is cached.
const (
	knownCache   = 64 << 20
	knownDataset = 256
)

// at returns the group under another path.
func (g *Group) at(p string) *Group {
	if g.path == p {
		return g
	}
	return &Group{object: g.object.renamed(p), groupState: g.groupState}
}

// keepGroup caches a group, or returns the one that is cached.
func (f *File) keepGroup(g *Group) *Group {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.known[g.addr].g; old != nil {
		return old.at(g.path)
	}
	f.charge(int64(1024 + len(g.path) + 4*int(g.h.bytes))) // its links are charged when they are read
	f.known[g.addr] = known{g: g}
	return g
}

// charge adds to the bytes of cached objects, and drops all of them if they are too many, but for the large group that was
// read last: its members are being visited, and its links would be read again for each of them. f.mu is held.
func (f *File) charge(n int64) {
	if f.knownBytes += n; f.knownBytes > knownCache {
		large := f.known[f.large]
		clear(f.known)
		if large.g != nil {
			f.known[f.large] = large
		}
		f.knownBytes = n
	}
}

// symbolTable is a symbol table message (IV.A.2.r), which old groups have.
type symbolTable struct{ tree, heap uint64 }

// Links returns the group's links: in creation order if the file tracks it, else sorted bytewise by name. The slice is shared
// and read-only.
func (g *Group) Links() ([]Link, error) {
	err := g.load()
	g.announce()
	if g.packed == nil {
		return g.links, err
	}
	links := make([]Link, g.size())
	for i := range links {
		links[i] = g.packed.link(i)
	}
	return links, err
}

// load reads the links.
func (g *Group) load() error {
	g.once.Do(func() { g.err = h5err.About(g.read(), g) })
	return g.err
}

// announce says that the members will be opened.
func (g *Group) announce() { g.walked.Do(func() { g.f.expectMembers(g.links) }) }

// Link returns the link of a name. If there are several, it is the first.
func (g *Group) Link(name string) (Link, bool, error) {
	if err := g.load(); err != nil {
		return Link{}, false, err
	}
	links := g.links
	switch {
	case g.packed != nil:
		i, ok := g.packed.find(name, g.ordered)
		if !ok {
			return Link{}, false, nil
		}
		return g.packed.link(i), true, nil
	case g.byName != nil:
		i, ok := g.byName[name]
		if !ok {
			return Link{}, false, nil
		}
		return links[i], true, nil
	case !g.ordered && len(links) > maxLinear: // of two links of one name the first wins
		i := sort.Search(len(links), func(i int) bool { return links[i].Name >= name })
		if i == len(links) || links[i].Name != name {
			return Link{}, false, nil
		}
		return links[i], true, nil
	}
	for i := range links {
		if links[i].Name == name {
			return links[i], true, nil
		}
	}
	return Link{}, false, nil
}

// maxLinear is the number of links up to which they are searched one by one.
const maxLinear = 8

func (g *Group) read() error {
	h, err := g.header()
	if err != nil {
		return err
	}
	g.room = g.f.allowance()
	err = g.readMessages(h)
	if g.packed != nil {
		err = cmp.Or(err, g.pack())
		g.packed.finish(g.ordered)
		g.links = nil
	} else {
		g.sort()
	}
	n := 2 * (g.f.allowance() - g.room)
	if g.packed != nil {
		n = g.packed.bytes()
	}
	g.f.mu.Lock()
	if g.packed != nil {
		g.f.large = g.addr
	}
	g.f.charge(n)
	g.f.mu.Unlock()
	return err
}

// readMessages reads the links of all messages of the group's header.
func (g *Group) readMessages(h *header) error {
	f := g.f
	for i := range h.messages {
		m := &h.messages[i]
		var err error
		switch m.typ {
		case msgSymbolTable:
			c := f.r.CursorOver(m.body, m.at)
			st := symbolTable{tree: c.Address(), heap: c.Address()}
			if err = c.Err(); err == nil {
				err = g.readSymbolTable(st)
			}
		case msgLinkInfo:
			err = g.readLinkInfo(m)
		case msgLink:
			err = g.addLink(f.r.CursorOver(m.body, m.at))
		}
		if err != nil && !f.r.PassOver(err) {
			return err
		}
	}
	return nil
}

// sort puts the links into their order.
func (g *Group) sort() {
	if g.ordered {
		sort.SliceStable(g.links, func(i, j int) bool { return g.links[i].order < g.links[j].order })
	} else if !sort.SliceIsSorted(g.links, func(i, j int) bool { return g.links[i].Name < g.links[j].Name }) {
		sort.SliceStable(g.links, func(i, j int) bool { return g.links[i].Name < g.links[j].Name })
	}
	if g.ordered && len(g.links) > maxLinear {
		g.byName = make(map[string]int, len(g.links))
		for i := len(g.links) - 1; i >= 0; i-- { // of two links of one name the first wins
			g.byName[g.links[i].Name] = i
		}
	}
}

// allowance bounds the bytes of names and attributes of one object. Nothing is stored twice, so they can't be larger than the
// file, except in filtered heaps, which are small. Without a bound, a small file whose links share one long name would fill the
// memory.
func (f *File) allowance() int64 { return 4*min(f.r.Size(), 1<<60) + 16<<20 }

func (g *Group) append(l Link) error {
	if g.size() >= g.f.r.Limits.HeapObjects {
		return h5err.Over("h5.Limits.HeapObjects", 2*uint64(g.f.r.Limits.HeapObjects), "more than %d links in one group", g.f.r.Limits.HeapObjects)
	}
	if g.room -= int64(64 + len(l.Name) + len(l.Target) + len(l.File)); g.room < 0 {
		return h5err.New(h5err.Corrupt, "the names of a group's links are larger than the file")
	}
	if len(g.links) == maxLoose {
		if err := g.pack(); err != nil {
			return err
		}
	}
	if len(g.links) == cap(g.links) && len(g.links) > 0 {
		g.links = slices.Grow(g.links, len(g.links)) // append grows long slices by a quarter
	}
	g.links = append(g.links, l)
	return nil
}

// readSymbolTable reads an old group: a B-tree of symbol table nodes, names in a local heap (III.B, III.C, III.D).
func (g *Group) readSymbolTable(st symbolTable) error {
	f := g.f
	if err := f.claim(st.tree, g.addr, "symbol table"); err != nil {
		return err
	}
	if f.r.Far() { // the names and the nodes are asked for together
		f.r.Expect(firstHeader, st.tree, st.heap)
		wait := heap.ExpectLocal(f.r, st.heap)
		if nodes := btree.ExpectV1Group(f.r, st.tree); wait {
			f.lookAhead(nodes)
		}
	}
	names, err := heap.OpenLocal(f.r, st.heap)
	if err != nil {
		return err
	}
	room := f.r.Room()
	return btree.V1Group(f.r, st.tree, func(addr uint64) error {
		return btree.Symbols(f.r, addr, &room, func(sym btree.Symbol) error {
			name, err := names.String(sym.Name)
			if err != nil {
				return err
			}
			l := Link{Name: string(name), Kind: LinkHard, Address: sym.Header}
			if sym.Cache == btree.CacheSoft {
				target, err := names.String(sym.Target())
				if err != nil {
					return err
				}
				l.Kind, l.Target, l.Address = LinkSoft, string(target), 0
			}
			if sym.Cache == btree.CacheGroup && f.r.Far() {
				l.tree, l.heap = sym.Group(f.r)
			}
			return g.append(l)
		})
	})
}

// readLinkInfo reads a new group whose links are dense (IV.A.2.c).
func (g *Group) readLinkInfo(m *message) error {
	f := g.f
	c := f.r.CursorOver(m.body, m.at)
	if v := c.U8(); c.Err() == nil && v != 0 {
		return c.Corrupt("link info version %d", v)
	}
	flags := c.U8()
	if flags&1 != 0 {
		c.Skip(8)
		g.ordered = true
	}
	heapAddr, tree := c.Address(), c.Address()
	if c.Err() != nil || heapAddr == meta.Undefined {
		return c.Err()
	}
	if err := f.claim(tree, g.addr, "index of links"); err != nil {
		return err
	}
	hp, err := heap.OpenFractal(f.r, heapAddr)
	if err != nil {
		return err
	}
	return btree.V2(f.r, tree, btree.TypeLinkName, func(rec []byte) error {
		if len(rec) < 4+7 {
			return f.r.Corrupt(tree, "link record of %d bytes", len(rec))
		}
		if g.room < 0 {
			return f.r.Corrupt(heapAddr, "the links of a group are larger than the file")
		}
		b, at, err := hp.Find(rec[4:])
		if err != nil {
			return err
		}
		room := g.room - int64(len(b)) // may be longer than the link
		err = g.addLink(f.r.CursorOver(b, at))
		g.room = min(g.room, room)
		return err
	})
}

// addLink reads a link message (IV.A.2.g).
func (g *Group) addLink(c *meta.Cursor) error {
	if v := c.U8(); c.Err() == nil && v != 1 {
		return c.Corrupt("link version %d", v)
	}
	flags := c.U8()
	kind := uint8(0)
	if flags&8 != 0 {
		kind = c.U8()
	}
	var l Link
	if flags&4 != 0 {
		l.order = int64(c.U64())
	}
	if flags&16 != 0 {
		c.Skip(1) // character set
	}
	n := c.Uint(1 << (flags & 3))
	if c.Err() == nil && n > uint64(c.Len()) {
		return c.Corrupt("link name of %d bytes", n)
	}
	l.Name = string(c.Bytes(int(n)))
	switch {
	case kind == 0:
		l.Kind, l.Address = LinkHard, c.Address()
	case kind == 1:
		l.Kind, l.Target = LinkSoft, string(c.Bytes(int(c.U16())))
	case kind == 64:
		v := c.Sub(int(c.U16()))
		v.Skip(1) // version and flags
		l.Kind, l.File, l.Target = LinkExternal, string(v.CString()), string(v.CString())
		if v.Err() != nil {
			return v.Err()
		}
	case kind < 64: // reserved: nobody knows what follows
		l.Kind, l.Class = LinkUser, kind
	default:
		l.Kind, l.Class, l.Data = LinkUser, kind, string(c.Bytes(int(c.U16())))
	}
	if c.Err() != nil {
		return c.Err()
	}
	return g.append(l)
}
