package chunk

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/strided"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// TestLargeBoxes reads blocks out of storage that is larger than what is read at once, into strided memory.
func TestLargeBoxes(t *testing.T) {
	sources := []*synth{
		linearSynth(seeded(1), h5.StorageContiguous, []uint64{3, 400000}, 4),
		linearSynth(seeded(2), h5.StorageContiguous, []uint64{3, 5, 90000}, 4),
		linearSynth(seeded(3), h5.StorageContiguous, []uint64{700, 3000}, 1),
		newSynth(seeded(4), shape{dims: []uint64{3, 400000}, chunk: []uint64{2, 70000}, elem: 4}),
		newSynth(seeded(5), shape{dims: []uint64{700, 3000}, chunk: []uint64{700, 3000}, elem: 1}),
		newSynth(seeded(6), shape{dims: []uint64{700, 3000}, chunk: []uint64{70, 170}, elem: 1, deflate: true, missing: 0.2}),
	}
	for i, s := range sources {
		rng := seeded(uint64(100 + i))
		r := s.reader(t, options{budget: NewBudget(1 << 30)})
		w := newWorker()
		rank := len(s.dims)
		for k := range 8 {
			start, count := make([]int64, rank), make([]int64, rank)
			for d, n := range r.dims {
				start[d] = rng.Int64N(n)
				count[d] = 1 + rng.Int64N(n-start[d])
				if k == 0 {
					start[d], count[d] = 0, n
				}
				if k == 1 && d == rank-1 {
					count[d] = 1 // one column
				}
			}
			elem := int64(s.elem)
			// Twice as far apart as they need to be, in the innermost dimension too when k is odd.
			stride := strides(count, elem)
			for d := range stride {
				if d < rank-1 || k%2 == 1 {
					stride[d] *= 2
				}
			}
			size := elem
			for d := range count {
				size += (count[d] - 1) * stride[d]
			}
			got := dirty(int(size))
			want := slices.Clone(got)
			steps := strides(r.dims, elem)
			from := int64(0)
			for d := range start {
				from += start[d] * steps[d]
			}
			naive(want, stride, s.want[from:], steps, count, elem)
			if err := r.readBox(context.Background(), w, &box{start, count, stride}, got); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s: block %v of %v: %v, %s", s.name, start, count, err, diff(got, want))
			}
		}
		w.close()
	}
}

// naive copies a strided block one element after the other.
func naive(dst []byte, ds []int64, src []byte, ss, count []int64, elem int64) {
	if len(count) == 0 {
		copy(dst[:elem], src[:elem])
		return
	}
	for i := int64(0); i < count[0]; i++ {
		naive(dst[i*ds[0]:], ds[1:], src[i*ss[0]:], ss[1:], count[1:], elem)
	}
}

// TestCopyBlock compares with the naive copy for all sizes of elements and any strides.
func TestCopyBlock(t *testing.T) {
	for seed := range 500 {
		rng := seeded(uint64(seed))
		elem := 1 + rng.Int64N(10)
		rank := 1 + rng.IntN(4)
		count := make([]int64, rank)
		for d := range count {
			count[d] = 1 + rng.Int64N(5)
		}
		wider := func() (stride []int64, size int64) {
			stride = make([]int64, rank)
			size = elem
			for d := rank - 1; d >= 0; d-- {
				stride[d] = size + rng.Int64N(2)*rng.Int64N(9)
				size = stride[d] * count[d]
			}
			return stride, size
		}
		ss, n := wider()
		src := make([]byte, n)
		content(rng, src)
		ds, n := wider()
		got, want := dirty(int(n)), dirty(int(n))
		naive(want, ds, src, ss, count, elem)
		strided.Copy(got, ds, src, ss, count, elem)
		if !bytes.Equal(got, want) {
			t.Fatalf("seed %d: %v elements of %d, strides %v to %v: %s", seed, count, elem, ss, ds, diff(got, want))
		}
		pattern := src[:elem]
		for i := int64(0); i < n; i++ {
			want[i] = 0xa5
		}
		zero := make([]int64, rank)
		naive(want, ds, bytes.Repeat(pattern, 2), zero, count, elem)
		got = dirty(int(n))
		strided.FillBlock(got, ds, count, elem, pattern)
		if !bytes.Equal(got, want) {
			t.Fatalf("seed %d: filled %v: %s", seed, count, diff(got, want))
		}
	}
}

func TestFill(t *testing.T) {
	for _, elem := range []int{1, 3, 8, 24, 5000, 40000} {
		pattern := make([]byte, elem)
		content(seeded(uint64(elem)), pattern)
		for _, n := range []int{0, 1, 2, 3, 7, 40000/elem + 1, 300000/elem + 1} {
			got := dirty(n * elem)
			strided.Fill(got, pattern)
			if !bytes.Equal(got, bytes.Repeat(pattern, n)) {
				t.Errorf("%d times %d bytes", n, elem)
			}
			strided.Fill(got, nil)
			if !bytes.Equal(got, make([]byte, n*elem)) {
				t.Errorf("%d zeros", n*elem)
			}
		}
	}
}

// TestSqueeze reads a row of rows as rows.
func TestSqueeze(t *testing.T) {
	s := newSynth(seeded(1), shape{dims: []uint64{1, 50, 2}, chunk: []uint64{1, 7, 1}, elem: 4, deflate: true})
	c := *s.dataset
	if err := c.squeeze(); err != nil {
		t.Fatal(err)
	}
	r, err := newReader(&c, options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := dirty(len(s.want))
	if err := r.Read(context.Background(), 0, 50, got); err != nil || r.Rows() != 50 || !bytes.Equal(got, s.want) {
		t.Errorf("%d rows, %v, %s", r.Rows(), err, diff(got, s.want))
	}
	deep := newSynth(seeded(1), shape{dims: []uint64{1, 50}, chunk: []uint64{2, 7}, elem: 4}).dataset
	if err := deep.squeeze(); h5err.KindOf(err) != h5err.Unsupported {
		t.Errorf("chunks of two rows: %v", err)
	}
	v := &dataset{dims: []uint64{1, 5}, layout: &h5.Layout{Storage: h5.StorageVirtual}}
	if err := v.squeeze(); h5err.KindOf(err) != h5err.Unsupported {
		t.Errorf("a virtual dataset: %v", err)
	}
}
