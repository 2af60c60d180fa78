package buffer

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// TestRecyclerAllocates allocates, grows, shrinks and frees at random: no two slices share bytes, what is new is zero, what
// was written stays, and all comes back.
func TestRecyclerAllocates(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	r := NewRecycler(mem, 1<<18)
	rng := rand.New(rand.NewPCG(1, 1))
	size := func() int {
		return []int{0, 100, minRecycled - 1, minRecycled, 70_000, 80_000, 100_000, 300_000}[rng.IntN(8)]
	}
	mark := func(b []byte, from int, x byte) {
		for i := from; i < len(b); i++ {
			if b[i] = x; i == from+8 && len(b) > 16 {
				i = len(b) - 9
			}
		}
	}
	same := func(b []byte, x byte) bool { return len(b) == 0 || b[0] == x && b[len(b)-1] == x }
	var live [][]byte
	var marks []byte
	for step := range 600 {
		if k := len(live); k > 0 && rng.IntN(2) == 0 {
			i := rng.IntN(k)
			b := live[i]
			if !same(b, marks[i]) {
				t.Fatalf("step %d: %d bytes changed", step, len(b))
			}
			if rng.IntN(2) == 0 {
				live[i] = r.Reallocate(size(), b)
				if n := min(len(b), len(live[i])); n > 0 && live[i][0] != marks[i] {
					t.Fatalf("step %d: growing lost bytes", step)
				}
				mark(live[i], 0, marks[i])
				continue
			}
			r.Free(b)
			live[i], marks[i] = live[k-1], marks[k-1]
			live, marks = live[:k-1], marks[:k-1]
			continue
		}
		b := r.Allocate(size())
		for _, x := range b {
			if x != 0 {
				t.Fatalf("step %d: new bytes are not zero", step)
			}
		}
		live, marks = append(live, b), append(marks, byte(1+step%255))
		mark(b, 0, marks[len(marks)-1])
	}
	if r.kept > 1<<18 {
		t.Errorf("%d bytes are kept", r.kept)
	}
	r.Close()
	for _, b := range live {
		r.Free(b)
	}
}
