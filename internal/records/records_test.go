package records

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// naive is Plan.Gather, one byte at a time.
func naive(dst [][]byte, cols []Column, rows []byte, stride, n int) {
	for k, c := range cols {
		for i := range n {
			for b := range c.Width {
				dst[k][i*c.Width+b] = rows[i*stride+c.Offset+b]
			}
		}
	}
}

// random returns n bytes at an odd address, with no room after them.
func random(rng *rand.Rand, n int) []byte {
	b := make([]byte, n+1)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b[1 : n+1 : n+1]
}

// check compares Gather of a plan with the naive loop, and that it writes nothing else.
func check(t *testing.T, rng *rand.Rand, stride int, cols []Column, n int) {
	t.Helper()
	const room = 40
	rows := random(rng, n*stride)
	got, want, whole := make([][]byte, len(cols)), make([][]byte, len(cols)), make([][]byte, len(cols))
	for k, c := range cols {
		whole[k] = bytes.Repeat([]byte{0xaa}, n*c.Width+2*room)
		got[k], want[k] = whole[k][room:room+n*c.Width:room+n*c.Width], make([]byte, n*c.Width)
	}
	naive(want, cols, rows, stride, n)
	New(stride, cols).Gather(got, rows, n)
	for k := range cols {
		if !bytes.Equal(got[k], want[k]) {
			t.Fatalf("%d rows of %d bytes, column %+v: wrong", n, stride, cols[k])
		}
		if around := slices.Concat(whole[k][:room], whole[k][len(whole[k])-room:]); !bytes.Equal(around, bytes.Repeat([]byte{0xaa}, 2*room)) {
			t.Fatalf("%d rows of %d bytes, column %+v: wrote outside", n, stride, cols[k])
		}
	}
}

// TestColumns gathers columns of every width at every offset, and of rows of every small size.
func TestColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for width := 1; width <= 16; width++ {
		for more := range 18 {
			for _, n := range []int{0, 1, 7, 8, 9, 31, 33} {
				check(t, rng, width+more, []Column{{rng.IntN(more + 1), width}}, n)
			}
		}
	}
}

// TestMatrix gathers all columns of matrices, in order, in reverse and with gaps.
func TestMatrix(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for width := 1; width <= 16; width++ {
		for items := 1; items <= 20; items++ {
			cols := make([]Column, items)
			for i := range cols {
				cols[i] = Column{i * width, width}
			}
			n := rng.IntN(70)
			check(t, rng, items*width, cols, n)
			slices.Reverse(cols)
			check(t, rng, items*width+rng.IntN(3), cols, n+8)
			rng.Shuffle(items, func(i, j int) { cols[i], cols[j] = cols[j], cols[i] })
			check(t, rng, items*width, cols[:rng.IntN(items)+1], n+16)
		}
	}
}

// TestRecords gathers members of random records, some of them twice, over more rows than a band has.
func TestRecords(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for range 300 {
		stride := 1 + rng.IntN(80)
		cols := make([]Column, 1+rng.IntN(12))
		for i := range cols {
			width := 1 + rng.IntN(min(16, stride))
			cols[i] = Column{rng.IntN(stride - width + 1), width}
		}
		check(t, rng, stride, cols, rng.IntN(2*bandBytes/stride+20))
	}
	check(t, rng, 3*bandBytes, []Column{{5, 8}, {13, 8}, {21, 8}, {29, 8}, {2 * bandBytes, 3}}, 21)
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []Column{{-1, 1}, {0, 0}, {0, 9}, {5, 4}, {math.MaxInt, 8}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v in rows of 8 bytes is taken", c)
				}
			}()
			New(8, []Column{c})
		}()
	}
}

// compound has members as a table of measurements has.
func compound() []Column {
	return []Column{{0, 8}, {8, 8}, {16, 4}, {20, 4}, {24, 2}, {26, 1}, {27, 8}}
}

func matrix(items, width int) []Column {
	cols := make([]Column, items)
	for i := range cols {
		cols[i] = Column{i * width, width}
	}
	return cols
}

// BenchmarkRatio compares a plan with a loop for each column and with copying the rows.
func BenchmarkRatio(b *testing.B) {
	for _, c := range []struct {
		name   string
		stride int
		cols   []Column
	}{
		{"compound41", 41, compound()},
		{"matrix64x4", 256, matrix(64, 4)},
		{"matrix10x8", 80, matrix(10, 8)},
		{"matrix64x8", 512, matrix(64, 8)},
	} {
		const size = 32 << 20
		n := size / c.stride
		rows, dst := make([]byte, n*c.stride), make([][]byte, len(c.cols))
		for k, col := range c.cols {
			dst[k] = make([]byte, n*col.Width)
		}
		whole := make([]byte, len(rows))
		for i := range rows {
			rows[i] = byte(i) // pages that were never written to are all the same one
		}
		p := New(c.stride, c.cols)
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("%s/%s", c.name, name), func(b *testing.B) {
				b.SetBytes(int64(len(rows)))
				for b.Loop() {
					f()
				}
			})
		}
		run("plan", func() { p.Gather(dst, rows, n) })
		run("columns", func() { // in bands of 256 KiB, as a plain loop would be used
			band := (256 << 10) / c.stride
			for at := 0; at < n; at += band {
				m := min(band, n-at)
				for k, col := range c.cols {
					gatherPortable(dst[k][at*col.Width:(at+m)*col.Width], rows[at*c.stride+col.Offset:], col.Width, c.stride, m)
				}
			}
		})
		run("memmove", func() { copy(whole, rows) })
	}
}
