package meta

// Room is how many bytes the structures of one kind may yet have. In a sound file they do not overlap, so all together they
// are no larger than the file; a small hostile one has very many that begin inside one another, each nearly as large as it.
type Room uint64

// Room returns the room for structures of which none was met.
func (r *Reader) Room() Room { return Room(r.size) }

// Take takes the n bytes of a structure, unless fewer are left.
func (m *Room) Take(n uint64) bool {
	if n > uint64(*m) {
		return false
	}
	*m -= Room(n)
	return true
}
