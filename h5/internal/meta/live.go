package meta

import (
	"context"
	"time"
)

// Files that are being written. A writer in SWMR mode writes a structure after all structures that it points to, so that a
// reader who follows pointers to what is in the file at that moment meets structures that are whole, if each of them was
// written at once. Where it was not, its checksum is wrong for a moment, and it is read again, as the HDF5 library does.

const (
	maxTries    = 12  // of one structure: 0.2 s
	maxPatience = 120 // repeated readings of a file: a broken one has structures that stay broken
	firstPause  = 50 * time.Microsecond
)

// grower is a source.Source.
type grower interface {
	Grow(ctx context.Context) (int64, error)
}

// Follow says that the file is being written: structures are read from the file as it is now, not from a cache, and may lie
// beyond the size that it had. It must be called before the reader is shared.
func (r *Reader) Follow() {
	r.live, r.last = true, nil
	clear(r.blocks)
	r.hand, r.next = nil, 0
	r.patience.Store(maxPatience)
	r.grow()
}

// grow asks the file for its size. An error is left for the reading of what it has.
func (r *Reader) grow() int64 {
	if g, ok := r.src.(grower); ok {
		if n, err := g.Grow(context.Background()); err == nil && n > r.size.Load() {
			r.size.Store(n)
		}
	}
	return r.size.Load()
}

// Again reports whether a structure that is not as it should be is to be read once more, after try+1 readings: in a file
// that is being written it may be complete a moment later. It waits for that moment.
func (r *Reader) Again(try int) bool {
	if !r.live || try >= maxTries || r.patience.Add(-1) < 0 {
		return false
	}
	time.Sleep(firstPause << try)
	return true
}
