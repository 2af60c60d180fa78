package h5

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// maxLoose is the number of links of a group up to which they are kept as they are returned. Those of larger ones are
// packed: a group may have a million members.
const maxLoose = 4096

// packed is the links of a large group. A hard link takes 12 bytes and its name.
type packed struct {
	names   []byte
	ends    []uint32 // of the names
	targets []uint64 // addresses
	orders  []int64  // creation orders, while the group is read
	others  map[int]Link

	text   string // names, in the end
	once   sync.Once
	byName []uint32 // numbers of the links in the order of their names, if they are in another one
}

// add adds links.
func (p *packed) add(links []Link) error {
	for _, l := range links {
		if int64(len(p.names)+len(l.Name)) > math.MaxUint32 {
			return h5err.New(h5err.Limit, "the names of a group's links take more than 4 GiB")
		}
		if l.Kind != LinkHard {
			if p.others == nil {
				p.others = map[int]Link{}
			}
			p.others[len(p.ends)] = l
		}
		p.names = append(p.names, l.Name...)
		p.ends = append(p.ends, uint32(len(p.names)))
		p.targets = append(p.targets, l.Address)
		p.orders = append(p.orders, l.order)
	}
	return nil
}

// finish puts the links into their order.
func (p *packed) finish(ordered bool) {
	p.text = string(p.names)
	p.names = nil
	at := make([]uint32, len(p.ends))
	for i := range at {
		at[i] = uint32(i)
	}
	if ordered {
		slices.SortStableFunc(at, func(i, k uint32) int { return cmp.Compare(p.orders[i], p.orders[k]) })
	} else {
		slices.SortStableFunc(at, p.compare)
	}
	p.orders = nil
	if !slices.IsSorted(at) {
		p.permute(at)
	}
}

func (p *packed) permute(at []uint32) {
	var text strings.Builder
	text.Grow(len(p.text))
	ends, targets := make([]uint32, len(at)), make([]uint64, len(at))
	var others map[int]Link
	for k, i := range at {
		text.WriteString(p.name(int(i)))
		ends[k], targets[k] = uint32(text.Len()), p.targets[i]
		if l, ok := p.others[int(i)]; ok {
			if others == nil {
				others = make(map[int]Link, len(p.others))
			}
			others[k] = l
		}
	}
	p.text, p.ends, p.targets, p.others = text.String(), ends, targets, others
}

func (p *packed) compare(i, k uint32) int { return strings.Compare(p.name(int(i)), p.name(int(k))) }

func (p *packed) name(i int) string {
	start := uint32(0)
	if i > 0 {
		start = p.ends[i-1]
	}
	return p.text[start:p.ends[i]]
}

func (p *packed) link(i int) Link {
	if l, ok := p.others[i]; ok {
		return l
	}
	return Link{Name: p.name(i), Kind: LinkHard, Address: p.targets[i]}
}

// find returns the number of the first link of a name.
func (p *packed) find(name string, ordered bool) (int, bool) {
	n := len(p.ends)
	at := func(i int) int { return i }
	if ordered {
		p.once.Do(func() {
			p.byName = make([]uint32, n)
			for i := range p.byName {
				p.byName[i] = uint32(i)
			}
			slices.SortStableFunc(p.byName, p.compare)
		})
		at = func(i int) int { return int(p.byName[i]) }
	}
	i := sort.Search(n, func(i int) bool { return p.name(at(i)) >= name })
	if i == n || p.name(at(i)) != name {
		return 0, false
	}
	return at(i), true
}

// bytes is the memory that the links take.
func (p *packed) bytes() int64 { return int64(len(p.text)) + 16*int64(len(p.ends)) }

// pack packs the links that were read since the last call. Those of files that are far away stay as they are, as more is
// known of each.
func (g *Group) pack() error {
	if g.f.r.Far() {
		return nil
	}
	if g.packed == nil {
		g.packed = &packed{}
	}
	err := g.packed.add(g.links)
	clear(g.links)
	g.links = g.links[:0]
	return err
}

// size is the number of links of a group that is loaded.
func (g *Group) size() int {
	if g.packed != nil {
		return len(g.packed.ends) + len(g.links) // the latter while they are read
	}
	return len(g.links)
}

// link returns a link of a group that is loaded.
func (g *Group) link(i int) Link {
	if g.packed != nil {
		return g.packed.link(i)
	}
	return g.links[i]
}

// AllLinks returns the links that Links returns, one after the other: it needs no memory for them in large groups.
func (g *Group) AllLinks() (iter.Seq[Link], error) {
	err := g.load()
	g.announce()
	return func(yield func(Link) bool) {
		for i := range g.size() {
			if !yield(g.link(i)) {
				return
			}
		}
	}, err
}
