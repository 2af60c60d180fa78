package flight

import (
	"fmt"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// What a writer allocates is zero, whatever the pool's memory was used for, and belongs to one message.
func TestMade(t *testing.T) {
	p := &pool{maxKept: 8 << 20}
	old := p.get(3 * small)
	for i := range old {
		old[i] = 0xFF
	}
	p.put(old)
	a := &made{pool: p}
	b := a.Allocate(2 * small)
	if &b[0] != &old[0] {
		t.Error("memory of the pool was not used again")
	}
	c := a.Reallocate(3*small, b)
	if &c[0] == &b[0] {
		t.Error("bytes after the end are not known to be zero")
	}
	for i, x := range append(b, c...) {
		if x != 0 {
			t.Fatalf("byte %d is %d", i, x)
		}
	}
	if d := a.Reallocate(small, c); len(d) != small || &d[0] != &c[0] {
		t.Error("a shorter buffer was moved")
	}
	if d := a.Allocate(2 * small); cap(d) != 2*small || cap(c) != 3*small {
		t.Errorf("buffers of %d and %d bytes can't be told apart", cap(c), cap(d))
	}
	if d := a.Allocate(roundTo); len(d) != roundTo { // of another buffer of the pool
		t.Errorf("%d bytes", len(d))
	}
	a.Allocate(small - 1) // the garbage collector's
	if n, m := len(a.take()), len(a.take()); n != 2 || m != 0 {
		t.Errorf("the message gets %d buffers, the next %d", n, m)
	}
}

// Streams that share the pool do not meet in it: text, bits and offsets in parts of batches arrive as they are stored.
func TestStreamsSharePool(t *testing.T) {
	leaks(t)
	want := direct(t, openTable(t, h5test.Fixture(t, "sample.h5"), ""))
	defer want.release()
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")})
	t.Run("messages", func(t *testing.T) {
		for _, rows := range []int{1500, 3000, 7001, 20000} {
			t.Run(fmt.Sprint(rows), func(t *testing.T) {
				t.Parallel()
				got, _ := pull(t, p.dial(t), commandOf(fmt.Sprintf(`{"file": "sample.h5", "batch_rows": %d}`, rows)))
				defer got.release()
				same(t, "the stream", got, want)
			})
		}
	})
}
