package h5

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

var linkCases = []struct {
	name, hex string
	want      Link
}{
	{"hard", "01 00 01 'a' 10**8", Link{Name: "a", Kind: LinkHard, Address: 0x1010101010101010}},
	{"hard, kind given", "01 08 00 01 'a' 10 00**7", Link{Name: "a", Kind: LinkHard, Address: 16}},
	{"creation order, character set", "01 14 05 00**7 01 02 'ä' 10 00**7", Link{Name: "ä", Kind: LinkHard, Address: 16, order: 5}},
	{"length of two bytes", "01 01 01 00 'a' 10 00**7", Link{Name: "a", Kind: LinkHard, Address: 16}},
	{"length of four bytes", "01 02 01 00 00 00 'a' 10 00**7", Link{Name: "a", Kind: LinkHard, Address: 16}},
	{"length of eight bytes", "01 03 01 00**7 'a' 10 00**7", Link{Name: "a", Kind: LinkHard, Address: 16}},
	{"soft", "01 08 01 01 'a' 02 00 '/b'", Link{Name: "a", Kind: LinkSoft, Target: "/b"}},
	{"soft, no target", "01 08 01 01 'a' 00 00", Link{Name: "a", Kind: LinkSoft}},
	{"external", "01 08 40 01 'a' 09 00 00 'f.h5' 00 '/b' 00", Link{Name: "a", Kind: LinkExternal, File: "f.h5", Target: "/b"}},
	{"user-defined", "01 08 41 01 'a' 03 00 'xyz'", Link{Name: "a", Kind: LinkUser, Class: 65, Data: "xyz"}},
	{"reserved kind", "01 08 02 01 'a'", Link{Name: "a", Kind: LinkUser, Class: 2}},
}

func TestAddLink(t *testing.T) {
	f := parser(Limits{})
	add := func(b []byte) (*Group, error) {
		g := &Group{object: object{f: f}, groupState: &groupState{room: 1 << 20}}
		return g, g.addLink(over(f, b))
	}
	for _, c := range linkCases {
		b := hx(c.hex)
		g, err := add(b)
		if err != nil || len(g.links) != 1 || g.links[0] != c.want {
			t.Errorf("%s: %+v, %v", c.name, g.links, err)
		}
		for n := range b {
			if g, err := add(b[:n]); err == nil && (c.want.Kind != LinkUser || n < len(b)-len(c.want.Data)) && c.name != "reserved kind" {
				t.Errorf("%s: %d bytes of it are %+v", c.name, n, g.links)
			}
		}
	}
	for hex, text := range map[string]string{
		"00 00 01 'a' 10**8":                      "link version 0",
		"02 00 01 'a' 10**8":                      "link version 2",
		"01 03 ff**8 'a' 10**8":                   "link name of 18446744073709551615 bytes",
		"01 00 ff 'a' 10**8":                      "link name of 255 bytes",
		"01 08 40 01 'a' 08 00 00 'f.h5' 00 '/b'": "a string has no end",
		"01 08 40 01 'a' 00 00":                   "1 bytes are needed",
	} {
		_, err := add(hx(hex))
		needError(t, err, h5err.Corrupt, text, -1)
	}
}

// names lists links in their order.
func names(t *testing.T, g *Group) string {
	t.Helper()
	links, err := g.Links()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range links {
		out = append(out, l.Name)
	}
	return strings.Join(out, " ")
}

func TestLinkOrder(t *testing.T) {
	w := newBuilder()
	leaf := w.group()
	tracked := func(name string, order uint64) msg {
		return msg{typ: msgLink, body: cat(hx("01 04"), le(order, 8), le(uint64(len(name)), 1), []byte(name), w.addr(leaf))}
	}
	info := func(flags byte) msg {
		b := []byte{0, flags}
		if flags&1 != 0 {
			b = append(b, le(9, 8)...)
		}
		b = append(b, bytes.Repeat([]byte{0xff}, 16)...)
		if flags&2 != 0 {
			b = append(b, bytes.Repeat([]byte{0xff}, 8)...)
		}
		return msg{typ: msgLinkInfo, body: b}
	}
	links := []msg{tracked("zebra", 1), tracked("apple", 2), tracked("Z", 0)}
	for flags, want := range map[byte]string{0: "Z apple zebra", 1: "Z zebra apple", 3: "Z zebra apple"} {
		g := lookup[*Group](t, openBytes(t, w.single(w.hard("g", w.header2(append([]msg{info(flags)}, links...)...)))), "/g")
		if got := names(t, g); got != want || g.TracksOrder() != (flags != 0) {
			t.Errorf("flags %d: %s, tracked: %v", flags, got, g.TracksOrder())
		}
	}
	old := lookup[*Group](t, openBytes(t, w.single(w.hard("g", w.oldGroup([]string{"zebra", "apple", "Z"}, []uint64{leaf, leaf, leaf})))), "/g")
	if got := names(t, old); got != "Z apple zebra" || old.TracksOrder() {
		t.Errorf("old group: %s", got)
	}
	version := info(0)
	version.body[0] = 1
	_, err := lookup[*Group](t, openBytes(t, w.single(w.hard("g", w.header2(version)))), "/g").Links()
	needError(t, err, h5err.Corrupt, "test.h5: /g: at byte", -1)
	needError(t, err, h5err.Corrupt, "link info version 1", -1)
}

// denseLinks is a group whose links are in a heap.
func (w *builder) denseLinks(links ...msg) uint64 {
	var objects, records [][]byte
	for _, l := range links {
		objects = append(objects, l.body)
	}
	heap, ids := w.fractalHeap(objects...)
	for i, id := range ids {
		records = append(records, cat(le(uint64(i), 4), id[:7]))
	}
	// Links have IDs of seven bytes, whose sizes have two.
	copy(w.b[heap+5:], le(7, 2))
	copy(w.b[heap:], sum(w.b[heap:heap+142:heap+142]))
	tree := w.btree2(5, records...)
	return w.header2(msg{typ: msgLinkInfo, body: cat(hx("00 00"), w.addr(heap), w.addr(tree))})
}

func TestLinksDense(t *testing.T) {
	w := newBuilder()
	leaf := w.group()
	var links []msg
	for i := range 100 {
		links = append(links, w.hard(fmt.Sprintf("%02d", i*37%100), leaf))
	}
	links = append(links, soft("soft", "42"), external("external", "f.h5", "x"))
	f := openBytes(t, w.single(w.hard("g", w.denseLinks(links...))))
	g := lookup[*Group](t, f, "/g")
	all, err := g.Links()
	if err != nil || len(all) != 102 {
		t.Fatalf("%d links, %v", len(all), err)
	}
	for i := range 100 {
		if all[i].Name != fmt.Sprintf("%02d", i) {
			t.Errorf("link %d is %q", i, all[i].Name)
		}
		if l, ok, err := g.Link(all[i].Name); l != all[i] || !ok || err != nil {
			t.Errorf("link %q is found as %v, %v, %v", all[i].Name, l, ok, err)
		}
	}
	if o, err := g.Open("soft"); err != nil || o.Address() != leaf || o.Path() != "/g/soft" {
		t.Errorf("soft link: %v, %v", o, err)
	}
	if l, ok, err := g.Link("none"); ok || err != nil {
		t.Errorf("a link that is not there: %v, %v", l, err)
	}
	for _, name := range []string{"links_dense", "links_filtered_2", "links_filtered_4", "links_filtered_8", "links_tiny", "group_old"} {
		b, want := indexFixture(t, name)
		f := openBytes(t, b)
		got := 0
		if err := f.Walk(func(o Object) error {
			g, ok := o.(*Group)
			if !ok {
				return nil
			}
			links, err := g.Links()
			if len(links) != len(want.Links) {
				return err // not the group that this is about
			}
			for _, l := range links {
				w, ok := want.Links[l.Name]
				if !ok {
					continue
				}
				got++
				if s, ok := w.(string); ok && (l.Kind != LinkSoft || l.Target != s) {
					t.Errorf("%s: %+v, want a soft link to %s", name, l, s)
				}
				if a, ok := w.(float64); ok && (l.Kind != LinkHard || float64(l.Address) != a) {
					t.Errorf("%s: %+v, want a hard link to %v", name, l, a)
				}
			}
			return err
		}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got < len(want.Links) {
			t.Errorf("%s: %d links, want %d", name, got, len(want.Links))
		}
	}
}

func TestDuplicateNames(t *testing.T) {
	for _, n := range []int{2, 20} {
		w := newBuilder()
		a, b := w.group(), w.group()
		links := []msg{w.hard("x", a), w.hard("x", b)}
		for i := range n - 2 {
			links = append(links, w.hard(fmt.Sprint(i), b))
		}
		o, err := openBytes(t, w.single(links...)).Lookup("/x")
		if err != nil || o.Address() != a {
			t.Errorf("of %d links the first x counts: %v, %v", n, o, err)
		}
	}
}

func TestOldGroup(t *testing.T) {
	w := newBuilder()
	leaf := w.group()
	heap, at := w.localHeap("hard", "soft", "hard/../target")
	snod := w.put(cat([]byte("SNOD\x01\x00"), le(2, 2),
		w.len(at[0]), w.addr(leaf), hx("00**24"),
		w.len(at[1]), w.addr(meta.Undefined), hx("02 00 00 00 00**4"), le(at[2], 4), hx("00**12")))
	tree := func(snods ...uint64) uint64 {
		b := cat([]byte("TREE\x00\x00"), le(uint64(len(snods)), 2), w.addr(meta.Undefined), w.addr(meta.Undefined))
		for _, s := range snods {
			b = append(b, cat(w.len(0), w.addr(s))...)
		}
		return w.put(cat(b, w.len(at[1])))
	}
	open := func(tree, heap uint64) (*Group, []Link, error) {
		g := lookup[*Group](t, openBytes(t, w.single(w.hard("g", w.header1(msg{typ: msgSymbolTable, body: cat(w.addr(tree), w.addr(heap))})))), "/g")
		links, err := g.Links()
		return g, links, err
	}
	_, links, err := open(tree(snod), heap)
	want := []Link{{Name: "hard", Kind: LinkHard, Address: leaf}, {Name: "soft", Kind: LinkSoft, Address: 0, Target: "hard/../target"}}
	if err != nil || !reflect.DeepEqual(links, want) {
		t.Errorf("links are %+v, %v", links, err)
	}
	long, longAt := w.localHeap(strings.Repeat("x", 1<<20))
	var many [][]byte
	for range 200 {
		many = append(many, cat(w.len(longAt[0]), w.addr(leaf), hx("00**24")))
	}
	sharing := w.put(cat([]byte("SNOD\x01\x00"), le(200, 2), cat(many...)))
	for _, c := range []struct {
		name       string
		tree, heap uint64
		text       string
	}{
		{"no heap", tree(snod), snod, `signature "HEAP" expected, found "SNOD"`},
		{"no tree", heap, heap, `signature "TREE" expected, found "HEAP"`},
		{"no node", tree(heap), heap, `signature "SNOD" expected, found "HEAP"`},
		{"node twice", tree(snod, snod), heap, "twice"},
		{"undefined tree", meta.Undefined, heap, "not inside the file"},
		{"one name for many", tree(sharing), long, "the names of a group's links are larger than the file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := open(c.tree, c.heap)
			needError(t, err, h5err.Corrupt, c.text, -1)
		})
	}
	if g := lookup[*Group](t, openBytes(t, w.single(w.hard("g", w.header1(msg{typ: msgSymbolTable, body: hx("00**4")})))), "/g"); g != nil {
		_, err := g.Links()
		needError(t, err, h5err.Corrupt, "are needed", -1) // eight bytes, as messages are padded
	}
	shared := tree(snod)
	sym := msg{typ: msgSymbolTable, body: cat(w.addr(shared), w.addr(heap))}
	a, b := w.header1(sym), w.header1(sym)
	f := openBytes(t, w.single(w.hard("a", a), w.hard("b", b)))
	if _, err := lookup[*Group](t, f, "/a").Links(); err != nil {
		t.Error(err)
	}
	_, err = lookup[*Group](t, f, "/b").Links()
	needError(t, err, h5err.Corrupt, "this symbol table belongs to the objects at", int64(shared))
}

func TestLinkLimit(t *testing.T) {
	w := newBuilder()
	leaf := w.group()
	b := w.single(w.hard("a", leaf), w.hard("b", leaf), w.hard("c", leaf))
	if _, err := openBytes(t, b, WithLimits(Limits{HeapObjects: 3})).Root().Links(); err != nil {
		t.Error(err)
	}
	_, err := openBytes(t, b, WithLimits(Limits{HeapObjects: 2})).Root().Links()
	needError(t, err, h5err.Limit, "more than 2 links in one group", -1)
	_, err = openBytes(t, b, WithLimits(Limits{HeapObjects: 2})).Lookup("/a")
	needError(t, err, h5err.Limit, "more than 2 links in one group", -1)
}

func TestLookup(t *testing.T) {
	w := newBuilder()
	d := w.dataset(scalar)
	named := w.header2(msg{typ: msgDatatype, body: i32})
	inner := w.group(w.hard("d", d), soft("up", "/"), soft("self", "."), soft("beside", "d"), soft("none", ""))
	root := w.group(w.hard("inner", inner), w.hard("d", d), w.hard("t", named),
		soft("abs", "/inner/d"), soft("rel", "inner/d"), soft("chain1", "chain2"), soft("chain2", "inner/beside"),
		soft("dangling", "nowhere"), soft("loop", "loop"), soft("ping", "pong"), soft("pong", "ping"), soft("type", "t"),
		soft("into", "d/x"), soft("long", "inner/up/inner/up/inner/up/t"),
		msg{typ: msgLink, body: hx("01 08 41 04 'user' 00 00")}, w.hard("broken", 8))
	f := openBytes(t, w.file(root))
	for p, want := range map[string]struct {
		addr uint64
		path string
	}{
		"/": {root, "/"}, "": {root, "/"}, "//": {root, "/"}, ".": {root, "/"}, "/.": {root, "/"},
		"/inner": {inner, "/inner"}, "inner/": {inner, "/inner"}, "//inner//.//d": {d, "/inner/d"}, "/d": {d, "/d"}, "/t": {named, "/t"},
		"/abs": {d, "/abs"}, "/rel": {d, "/rel"}, "/chain1": {d, "/chain1"}, "/type": {named, "/type"}, "/long": {named, "/long"},
		"/inner/up": {root, "/inner/up"}, "/inner/up/inner/d": {d, "/inner/up/inner/d"}, "/inner/self/self/d": {d, "/inner/self/self/d"},
		"/inner/none": {inner, "/inner/none"},
	} {
		o, err := f.Lookup(p)
		if err != nil || o.Address() != want.addr || o.Path() != want.path || o.File() != f {
			t.Errorf("%q: %v, %v; want %#x at %s", p, o, err, want.addr, want.path)
		}
	}
	for p, text := range map[string]string{
		"/nowhere":     "test.h5: /nowhere: no such object",
		"/inner/x/y":   "test.h5: /inner/x: no such object",
		"/d/x":         "test.h5: /d/x: /d is not a group",
		"/into":        "test.h5: /into: soft link to d/x, which leads nowhere",
		"/dangling":    "test.h5: /dangling: soft link to nowhere, which leads nowhere",
		"/dangling/x":  "/dangling: soft link to nowhere",
		"/loop":        "/loop: soft link to loop, which leads nowhere",
		"/ping":        "/ping: soft link to pong, which leads nowhere",
		"/../d":        "/..: no such object",
		"/inner/self/": "", // found
	} {
		o, err := f.Lookup(p)
		if text == "" {
			if err != nil {
				t.Errorf("%q: %v", p, err)
			}
			continue
		}
		needError(t, err, h5err.NotFound, text, -1)
		if o != nil {
			t.Errorf("%q: there is an object, too", p)
		}
	}
	_, err := f.Lookup("/user")
	needError(t, err, h5err.Unsupported, "/user: unsupported: user-defined link", -1)
	_, err = f.Lookup("/broken")
	needError(t, err, h5err.Corrupt, "/broken: at byte 8: corrupt: not an object header", 8)
	if o, err := f.ObjectAt(d, "a reference"); err != nil || o.Path() != "a reference" {
		t.Errorf("by its address: %v, %v", o, err)
	}
	if p := CleanPath("a/../b//c/."); p != "/b/c" {
		t.Errorf("clean path is %s", p)
	}
}

// TestLinkNesting bounds how many links a look-up follows.
func TestLinkNesting(t *testing.T) {
	w := newBuilder()
	var links []msg
	for i := range 10 {
		links = append(links, soft(fmt.Sprint(i), fmt.Sprint(i+1)))
	}
	links = append(links, w.hard("10", w.group()))
	b := w.single(links...)
	if _, err := openBytes(t, b, WithLimits(Limits{Nesting: 10})).Lookup("/0"); err != nil {
		t.Error(err)
	}
	f := openBytes(t, b, WithLimits(Limits{Nesting: 9}))
	_, err := f.Lookup("/0")
	needError(t, err, h5err.NotFound, "leads nowhere", -1)
	if _, err := f.Lookup("/1"); err != nil {
		t.Error(err)
	}
}

// TestLinkBomb has links whose targets name the next one twice: 2^40 steps to the end.
func TestLinkBomb(t *testing.T) {
	w := newBuilder()
	var links []msg
	for i := range 40 {
		links = append(links, soft(fmt.Sprint(i), fmt.Sprintf("%d/%d", i+1, i+1)))
	}
	root := uint64(len(w.b))
	links = append(links, w.hard("40", root)) // the group itself
	if w.group(links...) != root {
		t.Fatal("the group is not where it was said to be")
	}
	_, err := openBytes(t, w.file(root)).Lookup("/0")
	needError(t, err, h5err.NotFound, "leads nowhere", -1)
}

// TestLongPath goes around a cycle thousands of times, by a link of a group that is costly to read.
func TestLongPath(t *testing.T) {
	w := newBuilder()
	root := uint64(len(w.b))
	links := []msg{w.hard("a", root), soft("round", strings.Repeat("a/", 4000))}
	for i := range 5000 {
		links = append(links, soft(fmt.Sprintf("%09d", i), "x"))
	}
	if w.group(links...) != root {
		t.Fatal("the group is not where it was said to be")
	}
	f := openBytes(t, w.file(root))
	reads := 0
	f.r.OnExtent = func(off, _ int64, _ string) {
		if off == int64(root) {
			reads++
		}
	}
	o, err := f.Lookup("/round")
	if err != nil || o.Address() != root || reads > 1 {
		t.Errorf("%v, %v; the group was read %d times", o, err, reads)
	}
}

// TestGroupCache drops groups from the cache when there are many.
func TestGroupCache(t *testing.T) {
	w := newBuilder()
	var links []msg
	for i := range 100 {
		links = append(links, w.hard(fmt.Sprint(i), w.group(msg{typ: 0x0d, body: make([]byte, 60000)})))
	}
	f := openBytes(t, w.single(links...))
	for round := range 12 {
		for i := range 100 {
			if _, err := f.Lookup(fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
			f.charge(1 << 20)
		}
		if f.knownBytes > knownCache || len(f.known) > 100 {
			t.Fatalf("round %d: %d groups of %d bytes", round, len(f.known), f.knownBytes)
		}
	}
}
