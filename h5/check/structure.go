package check

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// The header messages whose structures are checked more closely than reading them does (specification, IV.A.2).
const (
	msgLinkInfo      = 0x02
	msgSharedTable   = 0x0f
	msgSymbolTable   = 0x11
	msgAttributeInfo = 0x15
	msgLinks         = 0x16
	msgFileSpace     = 0x17
)

// cursor reads a message's body.
func (c *checker) cursor(m *inspect.Message) *meta.Cursor {
	return c.r.CursorOver(m.Body, uint64(m.Offset-c.r.Base()))
}

// extension checks what the superblock extension refers to: shared messages and free space (specification, II.C).
func (c *checker) extension() {
	addr, ok := c.watch.Extension()
	if !ok {
		return
	}
	h, err := c.watch.Header(addr)
	c.report(err, "")
	if err != nil {
		return
	}
	for i := range h.Messages {
		switch m := &h.Messages[i]; m.Type {
		case msgSharedTable:
			c.report(c.sharedTable(c.cursor(m)), "")
		case msgFileSpace:
			c.report(c.fileSpace(c.cursor(m)), "")
		}
	}
}

// sharedTable checks the indexes and heaps of shared messages (III.I).
func (c *checker) sharedTable(k *meta.Cursor) error {
	r := c.r
	k.Skip(1)
	addr, n := k.Address(), int(k.U8())
	if k.Err() != nil {
		return k.Err()
	}
	p, err := r.Verified(addr, 4+n*(14+2*r.OffsetSize)+4, "SMTB", "shared message table")
	if err != nil {
		return err
	}
	k = r.CursorOver(p, addr)
	k.Skip(4)
	for range n {
		k.Skip(1)
		isTree := k.U8() == 1
		k.Skip(2 + 4 + 2 + 2)
		count, index, heapAddr := int(k.U16()), k.Address(), k.Address()
		if k.Err() != nil {
			return k.Err()
		}
		c.report(c.sharedIndex(isTree, count, index, heapAddr), "")
	}
	return nil
}

// sharedIndex checks one index of shared messages, which is a list or a B-tree, and its heap.
func (c *checker) sharedIndex(isTree bool, count int, index, heapAddr uint64) error {
	r := c.r
	var hp *heap.Fractal
	if heapAddr != meta.Undefined {
		var err error
		if hp, err = heap.OpenFractal(r, heapAddr); err != nil {
			return err
		}
		if err := hp.Verify(); err != nil {
			return err
		}
	}
	if index == meta.Undefined {
		return nil
	}
	inHeap, all := uint64(0), 0
	record := func(rec []byte) error {
		all++
		if rec[0] != 0 {
			return nil // in an object header
		}
		inHeap++
		if hp == nil {
			return r.Corrupt(index, "a shared message in a heap that does not exist")
		}
		_, err := hp.Object(rec[9:17])
		return err
	}
	size := 5 + max(12, 4+r.OffsetSize)
	if isTree {
		if err := btree.V2(r, index, btree.TypeShared, func(rec []byte) error {
			if len(rec) < size {
				return r.Corrupt(index, "shared message record of %d bytes", len(rec))
			}
			return record(rec)
		}); err != nil {
			return err
		}
	} else {
		p, err := r.Verified(index, 4+count*size+4, "SMLI", "list of shared messages")
		if err != nil {
			return err
		}
		for p = p[4:]; len(p) >= size; p = p[size:] {
			if err := record(p[:size]); err != nil && !r.PassOver(err) {
				return err
			}
		}
	}
	if all != count {
		return r.Corrupt(index, "%d shared messages, the table says %d", all, count)
	}
	if hp != nil && hp.Managed+hp.Huge+hp.Tiny != inHeap {
		return r.Corrupt(heapAddr, "a fractal heap of %d objects, %d of them indexed", hp.Managed+hp.Huge+hp.Tiny, inHeap)
	}
	return nil
}

// fileSpace checks the managers of the file's free space (IV.A.2.x, III.H).
func (c *checker) fileSpace(k *meta.Cursor) error {
	r := c.r
	body := k.Len()
	version, strategy := k.U8(), k.U8()
	persists := false
	switch old := 2 + r.LengthSize; {
	case k.Err() != nil:
		return k.Err()
	case version > 1:
		return k.Unsupported("file space info version %d", version)
	case version == 0 && (body < old+8 || body >= old+6*r.OffsetSize && body < old+6*r.OffsetSize+8):
		k.Skip(r.LengthSize) // threshold
		persists = strategy == 1
	default: // some releases of libhdf5 wrote this as version 0, too
		persists = k.U8() == 1
		k.Skip(2*r.LengthSize + 2 + r.OffsetSize) // threshold, page size, page end, end of file
	}
	for persists && k.Err() == nil && k.Len() >= r.OffsetSize {
		addr := k.Address()
		if addr == meta.Undefined || addr == 0 {
			continue
		}
		err := heap.ReadFreeSpace(r, addr, func(off, n uint64) error {
			at, err := r.FileOffset(off, n)
			if err == nil {
				c.ledger.add(at, int64(min(n, 1<<62)), freeSpace, c.owner)
			}
			return err
		})
		c.report(err, "")
	}
	return k.Err()
}

// structures checks an object's header and the structures that it refers to.
func (c *checker) structures(o h5.Object) {
	h, err := c.watch.Header(o.Address())
	if err != nil {
		c.report(err, o.Path())
		return
	}
	switch {
	case h.Missing > 0:
		c.note(o.Path(), "the object header counts %d messages more than it has; libhdf5 ignores that", h.Missing)
	case h.Missing < 0:
		c.note(o.Path(), "the object header has %d messages more than it counts; libhdf5 reads them", -h.Missing)
	}
	if _, ok := o.(*h5.NamedType); !ok { // each use of a committed type counts as a link, too
		c.said(o.Address(), h.Links)
	}
	for i := range h.Messages {
		m := &h.Messages[i]
		if m.Shared() {
			continue
		}
		switch m.Type {
		case msgLinks:
			if h.Version == 1 {
				c.report(h5err.At(h5err.Corrupt, m.Offset, "a reference count message in an object header of version 1"), o.Path())
			} else if len(m.Body) < 5 || m.Body[0] != 0 {
				c.report(h5err.At(h5err.Corrupt, m.Offset, "a reference count message of an unknown version"), o.Path())
			}
		case msgSymbolTable:
			k := c.cursor(m)
			tree, names := k.Address(), k.Address()
			if k.Err() == nil {
				c.report(c.symbolTable(tree, names), o.Path())
			}
		case msgLinkInfo:
			c.report(c.denseInfo(m, &denseLinks), o.Path())
		case msgAttributeInfo:
			c.report(c.denseInfo(m, &denseAttributes), o.Path())
		}
	}
}

// symbolTable checks an old group's B-tree, its nodes and its heap (III.A.1, III.B, III.D).
func (c *checker) symbolTable(tree, names uint64) error {
	r := c.r
	hp, err := heap.OpenLocal(r, names)
	if err != nil {
		return nil // reported when the group is read
	}
	c.report(hp.Verify(), c.path)
	var last []byte
	room := r.Room()
	w := tree1{c: c, keySize: r.LengthSize}
	name := func(key []byte) ([]byte, error) { return hp.String(r.Len(key)) }
	w.child = func(left, right []byte, addr uint64) error {
		from, err := name(left)
		if err != nil {
			return err
		}
		to, err := name(right)
		if err != nil {
			return err
		}
		return btree.Symbols(r, addr, &room, func(s btree.Symbol) error {
			n, err := hp.String(s.Name)
			if err != nil {
				return err
			}
			switch {
			case len(last) > 0 && bytes.Compare(n, last) <= 0:
				err = r.Corrupt(addr, "%q comes after %q in a symbol table", n, last)
			case bytes.Compare(n, from) <= 0 && len(from) > 0 || bytes.Compare(n, to) > 0:
				err = r.Corrupt(addr, "%q is in a symbol table node for names from %q to %q", n, from, to)
			case s.Cache > btree.CacheSoft:
				err = r.Corrupt(addr, "symbol %q has a cache of kind %d", n, s.Cache)
			}
			last = append(last[:0], n...)
			return err
		})
	}
	return w.walk(tree)
}

// chunkTree checks the order of a dataset's B-tree of chunks, of rank dimensions.
func (c *checker) chunkTree(addr uint64, rank int) error {
	w := tree1{c: c, typ: 1, keySize: 8 + 8*(rank+1)}
	compare := func(a, b []byte) int {
		for i := range rank + 1 { // the last one gives the end of the last chunk
			x, y := binary.LittleEndian.Uint64(a[8+8*i:]), binary.LittleEndian.Uint64(b[8+8*i:])
			if x != y {
				if x < y {
					return -1
				}
				return 1
			}
		}
		return 0
	}
	var last []byte
	w.child = func(left, right []byte, at uint64) error {
		switch {
		case last != nil && compare(left, last) <= 0:
			return c.r.Corrupt(w.at, "the chunks of a B-tree are out of order")
		case compare(left, right) >= 0:
			return c.r.Corrupt(w.at, "the keys of a B-tree are out of order")
		}
		last = append(last[:0], left...)
		return nil
	}
	return w.walk(addr)
}

// tree1 is a walk of a version 1 B-tree (III.A.1) that checks what readers ignore: siblings and keys.
type tree1 struct {
	c       *checker
	typ     byte
	keySize int
	child   func(left, right []byte, addr uint64) error // visits what a leaf points to

	at   uint64 // the current node
	room meta.Room
	seen meta.Visited
	last [256]*sibling // by level
}

type sibling struct{ addr, right uint64 }

func (w *tree1) walk(addr uint64) error {
	w.room = w.c.r.Room()
	err := w.node(addr, -1)
	if err != nil {
		return err
	}
	for _, s := range w.last {
		if s != nil && s.right != meta.Undefined {
			return w.c.r.Corrupt(s.addr, "the last node of a level of a B-tree names one to its right, at address %#x", s.right)
		}
	}
	return nil
}

func (w *tree1) node(addr uint64, level int) error {
	r := w.c.r
	if !w.seen.Add(addr) {
		return r.Corrupt(addr, "a B-tree holds the node at address %#x twice", addr)
	}
	k := r.Cursor(addr, 8+2*r.OffsetSize)
	k.Signature("TREE")
	typ, lev, n := k.U8(), int(k.U8()), int(k.U16())
	left, right := k.Address(), k.Address()
	if k.Err() != nil || typ != w.typ || level >= 0 && lev != level {
		return nil // reported when the tree is read
	}
	want := meta.Undefined
	if s := w.last[lev]; s != nil {
		want = s.addr
		if s.right != addr {
			w.c.report(r.Corrupt(s.addr, "a node of a B-tree names one at address %#x to its right, which is at %#x", s.right, addr), w.c.path)
		}
	}
	if left != want {
		w.c.report(r.Corrupt(addr, "a node of a B-tree names one at address %#x to its left, which is at %#x", left, want), w.c.path)
	}
	w.last[lev] = &sibling{addr, right}
	if n == 0 {
		return nil
	}
	step := w.keySize + r.OffsetSize
	if !w.room.Take(uint64(n*step + w.keySize)) {
		return nil // nodes that overlap: reported when the tree is read
	}
	p, err := r.Bytes(addr+8+2*uint64(r.OffsetSize), n*step+w.keySize)
	if err != nil {
		return nil
	}
	for ; n > 0; n-- {
		a := r.Addr(p[w.keySize:])
		var err error
		if lev > 0 {
			err = w.node(a, lev-1)
		} else {
			w.at = addr
			err = w.child(p[:w.keySize], p[step:step+w.keySize], a)
		}
		if err != nil && !r.PassOver(err) {
			return err
		}
		p = p[step:]
	}
	return nil
}

// links checks the names of a group's links, and counts the links to each object.
func (c *checker) links(g *h5.Group) {
	links, err := g.Links()
	c.report(err, g.Path())
	names := make(map[string]struct{}, len(links))
	for i := range links {
		l := &links[i]
		if _, twice := names[l.Name]; twice {
			c.report(h5err.New(h5err.Corrupt, "two links of the name %q", l.Name), g.Path())
		}
		names[l.Name] = struct{}{}
		switch {
		case l.Name == "":
			c.report(h5err.New(h5err.Corrupt, "a link without a name"), g.Path())
		case bytes.ContainsAny([]byte(l.Name), "/\x00"):
			c.report(h5err.New(h5err.Corrupt, "a link of the name %q, which no path can lead to", l.Name), g.Path())
		}
		c.report(c.watch.Refuses(l), join(g.Path(), l.Name))
		switch l.Kind {
		case h5.LinkHard:
			c.linked(l.Address)
		case h5.LinkSoft, h5.LinkExternal:
			c.leads = true
		case h5.LinkUser:
			if c.f.Untrusted() {
				break
			}
			c.note(join(g.Path(), l.Name), "a user-defined link, which is not followed")
		}
	}
}

// followAll follows the soft and external links of all groups, after all defects were reported.
func (c *checker) followAll() {
	if !c.leads || c.o.Note == nil {
		return
	}
	c.quiet.Walk(func(o h5.Object, _ string, err error) error {
		g, ok := o.(*h5.Group)
		if !ok || err != nil {
			return c.ctx.Err()
		}
		links, _ := g.Links()
		for i := range links {
			if k := links[i].Kind; (k == h5.LinkSoft || k == h5.LinkExternal) && c.ctx.Err() == nil {
				c.follow(g, &links[i])
			}
		}
		return c.ctx.Err()
	})
}

// follow notes a link that leads nowhere, which is legal.
func (c *checker) follow(g *h5.Group, l *h5.Link) {
	_, err := g.Open(l.Name)
	where := fmt.Sprintf("%s link to %s", l.Kind, l.Target)
	if l.Kind == h5.LinkExternal {
		where += " in " + l.File
	}
	switch {
	case err == nil:
	case h5err.Is(err, h5err.NotFound):
		c.note(join(g.Path(), l.Name), "%s, which leads nowhere", where)
	case l.Kind == h5.LinkExternal:
		c.note(join(g.Path(), l.Name), "%s, which can't be followed: %v", where, err)
	}
}

func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}
