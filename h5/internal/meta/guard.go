package meta

// What keeps walks of hostile files short: no structure is met twice, and those of one kind have no bytes in common.

// Visited is the set of addresses where a walk was. Most are at few, for which no map is made.
type Visited struct {
	small [8]uint64
	n     int
	all   map[uint64]struct{} // when there are more
}

// Add returns false for an address that was added before.
func (v *Visited) Add(addr uint64) bool {
	if v.all == nil {
		for _, a := range v.small[:v.n] {
			if a == addr {
				return false
			}
		}
		if v.n < len(v.small) {
			v.small[v.n] = addr
			v.n++
			return true
		}
		v.all = make(map[uint64]struct{}, 4*len(v.small))
		for _, a := range v.small {
			v.all[a] = struct{}{}
		}
	}
	if _, ok := v.all[addr]; ok {
		return false
	}
	v.all[addr] = struct{}{}
	return true
}

// Room is how many bytes the structures of one kind may yet have. In a sound file they do not overlap, so all together they
// are no larger than the file; a small hostile one has very many that start inside one another, each nearly as large as it.
type Room uint64

// Room returns the room for structures of which none was met.
func (r *Reader) Room() Room { return Room(r.Size()) }

// Take takes the n bytes of a structure, unless fewer are left.
func (m *Room) Take(n uint64) bool {
	if n > uint64(*m) {
		return false
	}
	*m -= Room(n)
	return true
}
