package h5

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Packed links are the same as those of small groups: in the same order, found by name, the first of two of one name.
func TestPackedLinks(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		rng := rand.New(rand.NewPCG(1, 2))
		var links []Link
		for i := range 2000 {
			l := Link{Name: fmt.Sprint(rng.IntN(1500)), Kind: LinkHard, Address: uint64(i), order: int64(rng.IntN(3000))}
			if i%7 == 0 {
				l.Kind, l.Target, l.File = LinkExternal, "/x", fmt.Sprint(i)
			}
			links = append(links, l)
		}
		p := &packed{}
		for part := range slices.Chunk(links, 300) {
			if err := p.add(part); err != nil {
				t.Fatal(err)
			}
		}
		p.finish(ordered)
		want := slices.Clone(links)
		slices.SortStableFunc(want, func(a, b Link) int {
			if ordered {
				return int(a.order - b.order)
			}
			return strings.Compare(a.Name, b.Name)
		})
		first := map[string]int{}
		for i, l := range want {
			got := p.link(i)
			if got.order = l.order; got != l {
				t.Fatalf("link %d is %+v, want %+v", i, got, l)
			}
			if _, ok := first[l.Name]; !ok {
				first[l.Name] = i
			}
		}
		for k := range 1600 {
			want, has := first[fmt.Sprint(k)]
			if i, ok := p.find(fmt.Sprint(k), ordered); ok != has || i != want {
				t.Errorf("link %d is found at %d, %v, want %d, %v", k, i, ok, want, has)
			}
		}
	}
}

// A large group keeps 12 bytes of a link, and its name.
func TestLargeGroup(t *testing.T) {
	const n = 3*maxLoose + 5
	w := newBuilder()
	leaf := w.group()
	var links []msg
	for i := range n {
		links = append(links, w.hard(fmt.Sprintf("%05d", i*7919%n), leaf))
	}
	f := openBytes(t, w.single(w.hard("g", w.header2(links...))))
	g := lookup[*Group](t, f, "/g")
	if _, ok, err := g.Link("00017"); !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	if size := len(g.packed.text) + 4*cap(g.packed.ends) + 8*cap(g.packed.targets); size > n*(5+12+1) {
		t.Errorf("%d links take %d bytes", n, size)
	}
	all, err := g.Links()
	if err != nil || len(all) != n {
		t.Fatalf("%d links, %v", len(all), err)
	}
	seq, err := g.AllLinks()
	i := 0
	for l := range seq {
		if l != all[i] || l.Name != fmt.Sprintf("%05d", i) || l.Kind != LinkHard || l.Address != leaf {
			t.Fatalf("link %d is %+v", i, l)
		}
		i++
	}
	if i != n || err != nil {
		t.Errorf("%d links, %v", i, err)
	}
	walked := 0
	if err := f.Walk(func(Object) error { walked++; return nil }); err != nil || walked != 3 {
		t.Errorf("%d objects, %v", walked, err)
	}
}
