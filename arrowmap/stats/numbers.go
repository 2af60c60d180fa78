package stats

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

type number interface {
	integer | float32 | float64
}

// blockLen is the number of values that are looked at together: they and their hashes fit the first cache.
const blockLen = 512

// kind is what differs between integers, signed or not, and floats.
type kind[T number] struct {
	sum    func(block []T, s *sum)
	hashes func(block []T, out []uint64)
	float  bool
}

// numbers are the figures of numbers and times.
type numbers[T number] struct {
	typ arrow.DataType
	kind[T]
	n         int64 // values, without NaN
	nans      int64
	low, high T
	finite    [2]T // bounds of the finite values; the upper one is below the lower where there are none
	sum       sum
	distinct  distinct
	sample    sample[T]
	valid     [blockLen]T
	hash      [blockLen]uint64
}

func newNumbers[T number](t arrow.DataType, size int, k func() kind[T]) *numbers[T] {
	return &numbers[T]{typ: t, kind: k(), finite: [2]T{1, 0}, sample: newSample[T](size)}
}

func (f *numbers[T]) add(arr arrow.Array) {
	f.values(arrow.GetValues[T](arr.Data(), 1), arr)
}

// values adds the values of an array that are not null.
func (f *numbers[T]) values(values []T, arr arrow.Array) {
	if len(values) != arr.Len() { // no buffer: all are null
		return
	}
	bitmap, offset := arr.NullBitmapBytes(), arr.Data().Offset()
	if arr.NullN() == 0 {
		bitmap = nil
	}
	for a := 0; a < len(values); a += blockLen {
		block := values[a:min(a+blockLen, len(values))]
		if bitmap != nil {
			n := 0
			for i, v := range block {
				f.valid[n] = v
				at := offset + a + i
				n += int(bitmap[at>>3]>>(at&7)) & 1
			}
			block = f.valid[:n]
		}
		f.block(block)
	}
}

// take adds values of a dictionary.
func (f *numbers[T]) take(dict arrow.Array, indices []int) {
	values := arrow.GetValues[T](dict.Data(), 1)
	for len(indices) > 0 {
		n := min(len(indices), blockLen)
		for i, at := range indices[:n] {
			f.valid[i] = values[at]
		}
		f.block(f.valid[:n])
		indices = indices[n:]
	}
}

func (f *numbers[T]) release() {}

// withoutNaN returns the values that are not NaN.
func (f *numbers[T]) withoutNaN(block []T) []T {
	nans := 0
	for _, v := range block {
		if v != v {
			nans++
		}
	}
	if nans == 0 {
		return block
	}
	f.nans += int64(nans)
	n := 0
	for _, v := range block {
		if v == v {
			f.valid[n] = v // at or before the place that v was read from
			n++
		}
	}
	return f.valid[:n]
}

// block adds values, of which there are at most blockLen.
func (f *numbers[T]) block(block []T) {
	if f.float {
		block = f.withoutNaN(block)
	}
	if len(block) == 0 {
		return
	}
	low, high := block[0], block[0]
	for _, v := range block {
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
	}
	if f.n == 0 || low < f.low {
		f.low = low
	}
	if f.n == 0 || high > f.high {
		f.high = high
	}
	if f.float && (math.IsInf(float64(low), 0) || math.IsInf(float64(high), 0)) {
		for _, v := range block {
			if !math.IsInf(float64(v), 0) {
				f.widen(v, v)
			}
		}
	} else {
		f.widen(low, high)
	}
	f.n += int64(len(block))
	f.kind.sum(block, &f.sum)
	hashes := f.hash[:len(block)]
	f.hashes(block, hashes)
	f.distinct.add(hashes)
	f.sample.add(block)
}

// widen makes the bounds of the finite values include these.
func (f *numbers[T]) widen(low, high T) {
	if f.finite[1] < f.finite[0] {
		f.finite = [2]T{low, high}
		return
	}
	f.finite = [2]T{min(f.finite[0], low), max(f.finite[1], high)}
}

func (f *numbers[T]) result(c *Column) {
	c.NaNs, c.Distinct, c.DistinctExact = f.nans, min(f.distinct.count(), f.n), f.distinct.exact()
	if f.n == 0 {
		return
	}
	c.Bounds = arrayOf(f.typ, f.low, f.high)
	c.Mean = f.mean()
	kept := f.sample.values
	slices.Sort(kept)
	c.Sampled = int64(len(kept))
	c.Quartiles = arrayOf(f.typ, rank(kept, 1, 4), rank(kept, 1, 2), rank(kept, 3, 4))
	c.Histogram = f.histogram(kept)
}

// rank returns the least of the sorted values at or below which num/den of them lie.
func rank[T number](sorted []T, num, den int) T {
	return sorted[max((len(sorted)*num+den-1)/den, 1)-1]
}

// mean returns a double, or a value of the type for times.
func (f *numbers[T]) mean() arrow.Array {
	switch f.typ.ID() {
	case arrow.DATE32, arrow.DATE64, arrow.TIME32, arrow.TIME64, arrow.TIMESTAMP, arrow.DURATION:
		return arrayOf(f.typ, T(f.sum.rounded(f.n)))
	}
	return arrayOf(arrow.PrimitiveTypes.Float64, f.sum.mean(f.n))
}

func (f *numbers[T]) histogram(sorted []T) *Histogram {
	low, high := float64(f.finite[0]), float64(f.finite[1])
	if f.finite[1] < f.finite[0] || math.IsInf(high-low, 0) {
		return nil
	}
	bins := HistogramBins
	switch {
	case low == high:
		bins = 1
	case !f.float && high-low < HistogramBins:
		bins = int(high-low) + 1
	}
	h := &Histogram{low, high, make([]int64, bins)}
	for _, v := range sorted {
		if x := float64(v); x >= low && x <= high {
			h.Counts[h.bin(x, !f.float && bins < HistogramBins)]++
		}
	}
	if kept := int64(len(sorted)); kept < f.n {
		for i, n := range h.Counts {
			h.Counts[i] = int64(float64(n)*float64(f.n)/float64(kept) + 0.5)
		}
	}
	return h
}

// bin returns the number of the bin of a value between the bounds; with single, a bin is one integer.
func (h *Histogram) bin(x float64, single bool) int {
	n := len(h.Counts)
	if single {
		return min(int(x-h.Low), n-1)
	}
	if h.High == h.Low {
		return 0
	}
	return min(int((x-h.Low)/(h.High-h.Low)*float64(n)), n-1)
}

// arrayOf returns an array of values of a type.
func arrayOf[T number](t arrow.DataType, values ...T) arrow.Array {
	buf := memory.NewResizableBuffer(memory.DefaultAllocator)
	defer buf.Release()
	bytes := arrow.GetBytes(values)
	buf.Resize(len(bytes))
	copy(buf.Bytes(), bytes)
	data := array.NewData(t, len(values), []*memory.Buffer{nil, buf}, nil, 0, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// halves are the figures of half floats, which are computed as floats.
type halves struct{ *numbers[float32] }

func (f *halves) add(arr arrow.Array) {
	f.values(widened(arr), arr)
}

func (f *halves) take(dict arrow.Array, indices []int) {
	values := widened(dict)
	for _, at := range indices {
		f.block(values[at : at+1])
	}
}

func widened(arr arrow.Array) []float32 {
	values := arrow.GetValues[float16.Num](arr.Data(), 1)
	wide := make([]float32, len(values))
	for i, v := range values {
		wide[i] = v.Float32()
	}
	return wide
}

func (f *halves) result(c *Column) {
	f.numbers.result(c)
	c.Bounds, c.Quartiles = narrowed(c.Bounds), narrowed(c.Quartiles)
}

// narrowed returns floats as half floats, which they were.
func narrowed(arr arrow.Array) arrow.Array {
	if arr == nil {
		return nil
	}
	b := array.NewFloat16Builder(memory.DefaultAllocator)
	defer b.Release()
	for _, v := range arr.(*array.Float32).Float32Values() {
		b.Append(float16.New(v))
	}
	return b.NewArray()
}

// bools are the figures of booleans.
type bools struct{ n [2]int64 }

func (f *bools) add(arr arrow.Array) {
	values := arr.(*array.Boolean)
	trues := 0
	for i := range values.Len() {
		if values.IsValid(i) && values.Value(i) {
			trues++
		}
	}
	f.n[1] += int64(trues)
	f.n[0] += int64(values.Len() - values.NullN() - trues)
}

func (f *bools) take(dict arrow.Array, indices []int) {
	values := dict.(*array.Boolean)
	for _, at := range indices {
		if values.Value(at) {
			f.n[1]++
		} else {
			f.n[0]++
		}
	}
}

func (f *bools) release() {}

func (f *bools) result(c *Column) {
	c.DistinctExact, c.Distinct = true, 0
	for _, n := range f.n {
		if n > 0 {
			c.Distinct++
		}
	}
	if c.Distinct == 0 {
		return
	}
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]bool{f.n[0] == 0, f.n[1] > 0}, nil)
	c.Bounds = b.NewArray()
	c.Sampled = f.n[0] + f.n[1]
	c.Mean = arrayOf(arrow.PrimitiveTypes.Float64, float64(f.n[1])/float64(c.Sampled))
	c.Histogram = &Histogram{0, 1, f.n[:]}
}
