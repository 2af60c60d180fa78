package meta

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestVisited adds addresses of small and large ranges, as a map does.
func TestVisited(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range uint64(40) {
		var v Visited
		twin := map[uint64]bool{}
		for i := range 100 {
			addr := rng.Uint64N(n + 1)
			if i%10 == 0 {
				addr = Undefined - addr
			}
			if got := v.Add(addr); got == twin[addr] {
				t.Fatalf("of %d addresses, %#x is added: %t", len(twin), addr, got)
			}
			twin[addr] = true
		}
	}
}

// TestRoom takes one number of bytes after the other. What was refused leaves the room as it was.
func TestRoom(t *testing.T) {
	r := NewReader(numbers{end: 100}, 100, Limits{})
	r.SetBase(40) // what is before address 0 counts, too
	for _, c := range []struct {
		name  string
		n     []uint64
		taken []bool
	}{
		{"up to the last byte", []uint64{60, 40, 0, 1}, []bool{true, true, true, false}},
		{"all at once", []uint64{100, 0, 1}, []bool{true, true, false}},
		{"one too many", []uint64{101, 100}, []bool{false, true}},
		{"less after a refusal", []uint64{60, 41, 40, 1}, []bool{true, false, true, false}},
		{"numbers that no file has", []uint64{math.MaxUint64, 1 << 63, 1, math.MaxUint64, 99}, []bool{false, false, true, false, true}},
	} {
		room := r.Room()
		for i, n := range c.n {
			if got := room.Take(n); got != c.taken[i] {
				t.Errorf("%s: number %d, of %d bytes, is %t", c.name, i, n, got)
			}
		}
	}
	if none := new(Room); none.Take(1) || !none.Take(0) {
		t.Error("the zero room takes a byte, or not even none")
	}
}
