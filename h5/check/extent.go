package check

import (
	"cmp"
	"slices"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// extent is a range of the file that something occupies.
type extent struct {
	off, n int64
	what   uint16 // index of a name
	owner  uint32 // number of the object where it was found, in the order of the walk
}

// Names of extents that are not shared: two of them with the same range are a defect. Everything else may be read and
// reported more than once.
const (
	rawData    = "raw data"
	chunkData  = "chunks"
	freeSpace  = "free space"
	chunkEvent = "chunk" // reported by package h5; the checker adds chunks itself
)

// minExtents is the number of extents that are kept before they are first compared.
const minExtents = 1 << 12

// ledger collects extents and finds those that overlap. Several goroutines may use it.
type ledger struct {
	mu       sync.Mutex
	all      []extent
	names    []string
	index    map[string]uint16
	limit    int // of len(all), until the next compaction
	maxLen   int
	full     bool // some extents were left out
	overlaps []overlap
	more     int // overlaps that are not kept
}

type overlap struct{ a, b extent }

// maxOverlaps bounds the number of overlaps that are kept.
const maxOverlaps = 1000

func newLedger(maxLen int) *ledger {
	return &ledger{index: map[string]uint16{}, limit: min(minExtents, maxLen), maxLen: maxLen}
}

// add records what is in a range.
func (l *ledger) add(off, n int64, what string, owner uint32) {
	if n <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	i, ok := l.index[what]
	if !ok {
		i = uint16(len(l.names))
		l.names = append(l.names, what)
		l.index[what] = i
	}
	if len(l.all) >= l.limit {
		l.compact()
		if len(l.all) > l.limit/2 {
			l.limit = min(2*l.limit, l.maxLen)
		}
		if len(l.all) >= l.limit {
			l.full = true
			return
		}
	}
	l.all = append(l.all, extent{off, n, i, owner})
}

// shared reports whether a kind of extent may be reported more than once.
func (l *ledger) shared(what uint16) bool {
	switch l.names[what] {
	case rawData, chunkData, freeSpace:
		return false
	}
	return true
}

// compact sorts the extents, drops duplicates, and records overlaps.
func (l *ledger) compact() {
	slices.SortFunc(l.all, func(a, b extent) int {
		return cmp.Or(cmp.Compare(a.off, b.off), cmp.Compare(b.n, a.n), cmp.Compare(a.what, b.what), cmp.Compare(a.owner, b.owner))
	})
	out := l.all[:0]
	for _, e := range l.all {
		if len(out) == 0 {
			out = append(out, e)
			continue
		}
		last := &out[len(out)-1]
		switch {
		case e.off >= last.off+last.n:
			if e.off == last.off+last.n && e.what == last.what && e.owner == last.owner && !l.shared(e.what) {
				last.n += e.n // chunks side by side
				continue
			}
			out = append(out, e)
		case e == *last, e.off == last.off && e.n == last.n && e.what == last.what && l.shared(e.what):
		default:
			l.clash(*last, e)
			if end := e.off + e.n; end > last.off+last.n {
				out = append(out, extent{last.off + last.n, end - last.off - last.n, e.what, e.owner})
			}
		}
	}
	l.all = out
}

func (l *ledger) clash(a, b extent) {
	o := overlap{a, b}
	if slices.Contains(l.overlaps, o) {
		return
	}
	if len(l.overlaps) == maxOverlaps {
		l.more++
		return
	}
	l.overlaps = append(l.overlaps, o)
}

// report reports all overlaps, and what lies past the end of the file according to the superblock. paths finds the paths of
// owners.
func (l *ledger) report(end int64, paths func(owners map[uint32]string), found func(err error, path string)) {
	l.compact()
	var past []extent
	for _, e := range l.all {
		if e.off+e.n > end && len(past) < maxOverlaps {
			past = append(past, e)
		}
	}
	if len(l.overlaps)+len(past) > 0 {
		names := map[uint32]string{}
		for _, o := range l.overlaps {
			names[o.a.owner], names[o.b.owner] = "", ""
		}
		for _, e := range past {
			names[e.owner] = ""
		}
		paths(names)
		of := func(owner uint32) string {
			if owner == 0 {
				return ""
			}
			return " of " + names[owner]
		}
		for _, o := range l.overlaps {
			found(h5err.At(h5err.Corrupt, o.b.off, "%d bytes of %s overlap %d bytes of %s%s at byte %d",
				o.b.n, l.names[o.b.what], o.a.n, l.names[o.a.what], of(o.a.owner), o.a.off), names[o.b.owner])
		}
		if l.more > 0 {
			found(h5err.New(h5err.Corrupt, "%d more overlaps", l.more), "")
		}
		for _, e := range past {
			found(h5err.At(h5err.Corrupt, e.off, "%d bytes of %s reach past byte %d, where the file ends according to its superblock",
				e.n, l.names[e.what], end), names[e.owner])
		}
	}
	if l.full {
		found(h5err.New(h5err.Limit, "more than %d structures: not all were checked for overlaps", l.maxLen), "")
	}
}
