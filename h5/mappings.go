package h5

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

const (
	maxVirtualNesting = 8       // virtual datasets over virtual datasets
	maxVirtualSources = 1 << 16 // sources that are opened to find a shape
)

// Extent returns the current shape of the dataset, empty for a scalar. It is that of Space, except for a virtual dataset with
// unlimited mappings, whose shape depends on its sources.
func (d *Dataset) Extent() ([]uint64, error) {
	dims, _, err := d.Mappings()
	return dims, err
}

// Mappings returns the current extent of a virtual dataset, and its mappings with every unlimited selection resolved: a
// selection that follows the extent of its source ends where the source ends now, and a source name with a block number ("%b")
// gives one mapping for each source that exists. Missing sources do not count for the extent. For other kinds of storage, the
// extent is that of Space and there are no mappings. Both slices are read-only.
func (d *Dataset) Mappings() (extent []uint64, mappings []VirtualMapping, err error) {
	late := d.more()
	late.mappingOnce.Do(func() {
		left := maxVirtualSources
		late.extentNow, late.mappings, late.mappingErr = d.resolve(nil, &left)
		late.mappingErr = h5err.About(late.mappingErr, d)
	})
	return late.extentNow, late.mappings, late.mappingErr
}

// resolve is Mappings. chain has the virtual datasets that led here, left is the number of sources that may still be opened.
func (d *Dataset) resolve(chain []*Dataset, left *int) ([]uint64, []VirtualMapping, error) {
	l, err := d.Layout()
	if err != nil {
		return nil, nil, err
	}
	if l.Storage != StorageVirtual {
		return d.space.Dims, nil, nil
	}
	if len(chain) >= maxVirtualNesting {
		return nil, nil, h5err.New(h5err.Limit, "more than %d virtual datasets over one another", maxVirtualNesting)
	}
	for _, c := range chain {
		if c.f.src.Name() == d.f.src.Name() && c.addr == d.addr {
			return nil, nil, h5err.New(h5err.Corrupt, "a virtual dataset is its own source")
		}
	}
	if len(chain) > 0 {
		for i := range l.Virtual { // reading all mappings of one dataset for each of another is much work
			*left -= 1 + len(l.Virtual[i].Source.Blocks) + len(l.Virtual[i].Virtual.Blocks)
		}
		if *left < 0 {
			return nil, nil, tooManySources()
		}
	}
	chain = append(chain, d)
	rank := len(d.space.Dims)
	dims := slices.Clone(d.space.Dims)
	limited := make([]uint64, rank) // extent that mappings need in dimensions where they are limited
	grown := make([]uint64, rank)   // extent from sources, where they are unlimited
	grows := make([]bool, rank)
	out := make([]VirtualMapping, 0, len(l.Virtual))
	for i := range l.Virtual {
		m := &l.Virtual[i]
		free := m.Virtual.unlimited()
		if err := limitedExtent(limited, m, free); err != nil {
			return nil, nil, err
		}
		if free < 0 {
			if m.Source.unlimited() >= 0 {
				return nil, nil, h5err.New(h5err.Corrupt, "an unlimited selection of a source fills a limited one")
			}
			c := *m
			c.File, c.Dataset = substitute(m.File, 0), substitute(m.Dataset, 0)
			out = append(out, c)
			continue
		}
		var end uint64
		if m.Source.unlimited() < 0 {
			out, end, err = d.numberedSources(out, m, free, left)
		} else {
			out, end, err = d.growingSource(out, m, free, chain, left)
		}
		if err != nil {
			return nil, nil, err
		}
		grows[free] = true
		grown[free] = max(grown[free], end)
	}
	for k := range dims {
		if grows[k] {
			dims[k] = max(grown[k], limited[k])
		}
		if dims[k] < limited[k] {
			return nil, nil, h5err.New(h5err.Corrupt, "a virtual mapping ends at %d in dimension %d of extent %d", limited[k], k, dims[k])
		}
	}
	if _, err := d.bytesOf(&Space{Class: SpaceSimple, Dims: dims}); err != nil {
		return nil, nil, err
	}
	return dims, out, nil
}

// limitedExtent raises the extents to what a mapping needs in the dimensions other than free, in which it is not limited.
func limitedExtent(extent []uint64, m *VirtualMapping, free int) error {
	for j := range m.Virtual.Blocks {
		b := &m.Virtual.Blocks[j]
		for k := range extent {
			if k == free {
				continue
			}
			end, ok := b.end(k)
			if !ok {
				return h5err.New(h5err.Corrupt, "a virtual mapping ends beyond all extents")
			}
			extent[k] = max(extent[k], end)
		}
	}
	return nil
}

func tooManySources() error {
	return h5err.New(h5err.Limit, "more than %d sources of a virtual dataset", maxVirtualSources)
}

// source opens a mapping's source; nil if there is none.
func (d *Dataset) source(file, name string, left *int) (*Dataset, error) {
	if *left--; *left < 0 {
		return nil, tooManySources()
	}
	src, err := d.f.OpenVirtual(file, name)
	if h5err.Is(err, h5err.NotFound) {
		return nil, nil
	}
	return src, err
}

// growingSource cuts an unlimited mapping to the extent of its source, and returns where it ends.
func (d *Dataset) growingSource(out []VirtualMapping, m *VirtualMapping, free int, chain []*Dataset, left *int) ([]VirtualMapping, uint64, error) {
	src, err := d.source(substitute(m.File, 0), substitute(m.Dataset, 0), left)
	if err != nil || src == nil {
		return out, 0, err
	}
	dims, _, err := src.resolve(chain, left)
	if err != nil {
		return nil, 0, err
	}
	from := m.Source.unlimited()
	if len(m.Source.Blocks) != 1 || len(m.Virtual.Blocks) != 1 || len(m.Source.Blocks[0].Start) != len(dims) ||
		m.Virtual.Blocks[0].Stride[free] > math.MaxInt64 {
		return nil, 0, h5err.New(h5err.Corrupt, "an unlimited selection does not fit its dataset")
	}
	n := m.Source.Blocks[0].slices(from, dims[from])
	if n == 0 {
		return out, 0, nil
	}
	c := *m
	c.File, c.Dataset = substitute(m.File, 0), substitute(m.Dataset, 0)
	c.Source.Blocks = m.Source.Blocks[0].cut(from, n)
	c.Virtual.Blocks = m.Virtual.Blocks[0].cut(free, n)
	end := uint64(0)
	for i := range c.Virtual.Blocks {
		e, ok := c.Virtual.Blocks[i].end(free)
		if !ok {
			return nil, 0, h5err.New(h5err.Corrupt, "a virtual mapping ends beyond all extents")
		}
		end = max(end, e)
	}
	return append(out, c), end, nil
}

// numberedSources makes one mapping for each block of an unlimited selection, up to the first whose source does not exist.
func (d *Dataset) numberedSources(out []VirtualMapping, m *VirtualMapping, free int, left *int) ([]VirtualMapping, uint64, error) {
	if len(m.Virtual.Blocks) != 1 || m.Virtual.Blocks[0].Count[free] != Unlimited {
		return nil, 0, h5err.New(h5err.Corrupt, "an unlimited virtual selection over a limited source has no blocks to number")
	}
	if !numbered(m.File) && !numbered(m.Dataset) {
		return nil, 0, h5err.New(h5err.Corrupt, "an unlimited virtual selection over limited sources, but their names have no %%b")
	}
	h := &m.Virtual.Blocks[0]
	for i, end := uint64(0), uint64(0); ; i++ {
		file, name := substitute(m.File, i), substitute(m.Dataset, i)
		src, err := d.source(file, name, left)
		if err != nil {
			return nil, 0, err
		}
		if src == nil {
			return out, end, nil
		}
		b := h.clone()
		if b.Stride[free] != 0 && i > (math.MaxInt64-b.Start[free])/b.Stride[free] {
			return nil, 0, h5err.New(h5err.Corrupt, "a virtual mapping ends beyond all extents")
		}
		b.Start[free] += i * b.Stride[free]
		b.Count[free] = 1
		var ok bool
		if end, ok = b.end(free); !ok {
			return nil, 0, h5err.New(h5err.Corrupt, "a virtual mapping ends beyond all extents")
		}
		out = append(out, VirtualMapping{File: file, Dataset: name, Source: m.Source, Virtual: Selection{Blocks: []Hyperslab{b}}})
	}
}

// numbered reports whether a source's name contains the number of a block.
func numbered(name string) bool { return substitute(name, 0) != substitute(name, 1) }

// substitute replaces %b in a name by a block's number, and %% by a percent sign.
func substitute(name string, block uint64) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(name, "%")
		b.WriteString(before)
		switch {
		case !found:
			return b.String()
		case strings.HasPrefix(after, "b"):
			b.WriteString(strconv.FormatUint(block, 10))
			name = after[1:]
		case strings.HasPrefix(after, "%"):
			b.WriteByte('%')
			name = after[1:]
		default:
			b.WriteByte('%')
			name = after
		}
	}
}

// unlimited returns the dimension in which a selection has no end, or -1.
func (s *Selection) unlimited() int {
	for i := range s.Blocks {
		for k := range s.Blocks[i].Start {
			if s.Blocks[i].Count[k] == Unlimited || s.Blocks[i].Block[k] == Unlimited {
				return k
			}
		}
	}
	return -1
}

// end returns the index after the last one that is selected in a limited dimension; ok is false if it does not fit 63 bits.
func (h *Hyperslab) end(k int) (n uint64, ok bool) {
	start, stride, count, block := h.Start[k], h.Stride[k], h.Count[k], h.Block[k]
	if count == 0 {
		return 0, true
	}
	if start > math.MaxInt64 || block > math.MaxInt64-start || stride > 0 && (count-1) > (math.MaxInt64-start-block)/stride {
		return 0, false
	}
	return start + (count-1)*stride + block, true
}

// slices counts the indices selected in an unlimited dimension of an extent.
func (h *Hyperslab) slices(k int, extent uint64) uint64 {
	start, stride, block := h.Start[k], h.Stride[k], h.Block[k]
	switch {
	case extent <= start:
		return 0
	case block == Unlimited || block >= stride:
		return extent - start
	}
	n := extent - start
	return n/stride*block + min(n%stride, block)
}

// cut limits the unlimited dimension to n indices. A last block that is cut short is a hyperslab of its own.
func (h *Hyperslab) cut(k int, n uint64) []Hyperslab {
	c := h.clone()
	if c.Block[k] == Unlimited || c.Block[k] >= c.Stride[k] {
		c.Stride[k], c.Count[k], c.Block[k] = 1, 1, n
		return []Hyperslab{c}
	}
	whole, rest := n/c.Block[k], n%c.Block[k]
	c.Count[k] = whole
	if rest == 0 {
		return []Hyperslab{c}
	}
	last := h.clone()
	last.Start[k] += whole * c.Stride[k]
	last.Count[k], last.Block[k] = 1, rest
	if whole == 0 {
		return []Hyperslab{last}
	}
	return []Hyperslab{c, last}
}

func (h *Hyperslab) clone() Hyperslab {
	c := newHyperslab(len(h.Start))
	copy(c.Start, h.Start)
	copy(c.Stride, h.Stride)
	copy(c.Count, h.Count)
	copy(c.Block, h.Block)
	return c
}
