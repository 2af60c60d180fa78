package parquet

import (
	"github.com/apache/arrow-go/v18/parquet"

	"github.com/h5arrow/h5arrow/ipc/parquet/internal/encode"
)

// The sample of a column of a row group.
const (
	sampleRuns = 8
	sampleRows = 1024 // of a run
	minRepeats = 4    // of a value of a dictionary, in the mean
)

// choice is how the pages of a column of a row group are encoded.
type choice struct {
	encoding   parquet.Encoding
	dictionary bool // encoding is what to use if there are too many values for one
	compress   bool
}

// candidate is a choice, and the bytes that a sample takes.
type candidate struct {
	choice
	bytes int
}

// better reports whether c is a candidate clearly smaller than o.
func (c candidate) better(o candidate) bool { return 33*c.bytes < 32*o.bytes }

// sampler measures encodings of samples.
type sampler[T encode.Word] struct {
	buf     []byte
	runs    [][]T
	store   []T
	indices []uint32
	counts  []uint32
}

// choose returns the encoding in which a sample of the values is smallest as the codec leaves it. PLAIN is preferred, and no
// compression, unless others save some percent.
func (s *sampler[T]) choose(v *values[T], dict *encode.Dictionary[T], t target) choice {
	c, n := t.codec, s.take(v)
	plain := s.measure(c, choice{encoding: parquet.Encodings.Plain}, encode.Plain[T])
	if n == 0 {
		return plain.choice
	}
	best := plain
	if v.kind == floatKind {
		if split := s.measure(c, choice{encoding: parquet.Encodings.ByteStreamSplit}, encode.Split[T]); split.better(best) {
			best = split
		}
	} else if delta := s.measure(c, choice{encoding: parquet.Encodings.DeltaBinaryPacked}, encode.Delta[T]); delta.better(best) {
		best = delta
	}
	if d, ok := s.dictionary(v, dict, t, n); ok && d.better(best) {
		d.encoding = best.encoding
		best = d
	}
	return best.choice
}

// take keeps runs of the values, and returns how many are not null.
func (s *sampler[T]) take(v *values[T]) (n int) {
	step := max(sampleRows, v.rows/sampleRuns)
	s.store, s.runs = s.store[:0], s.runs[:0]
	ends := make([]int, 0, sampleRuns+1)
	for row := 0; row < v.rows && len(ends) < sampleRuns; row += step {
		s.store = append(s.store, v.page(row, sampleRows).present...)
		ends = append(ends, len(s.store))
	}
	for _, end := range ends {
		if end > n {
			s.runs = append(s.runs, s.store[n:end])
		}
		n = end
	}
	return n
}

func (s *sampler[T]) measure(c *compressor, how choice, fn func([]byte, []T) []byte) candidate {
	s.buf = s.buf[:0]
	for _, run := range s.runs {
		s.buf = fn(s.buf, run)
	}
	return s.weigh(c, how)
}

// weigh returns the size of s.buf, compressed if that pays.
func (s *sampler[T]) weigh(c *compressor, how choice) candidate {
	n := len(s.buf)
	if small := c.size(s.buf); 20*small < 19*n {
		n, how.compress = small, true
	}
	return candidate{how, n}
}

// dictionary returns the size with a dictionary, with the part of its values that falls to the sample. How many
// there are in all is estimated from how many come once and twice in the sample.
func (s *sampler[T]) dictionary(v *values[T], dict *encode.Dictionary[T], t target, n int) (candidate, bool) {
	dict.Reset(n)
	indices, ok := dict.Add(s.indices[:0], s.store)
	s.indices = indices
	if !ok {
		return candidate{}, false
	}
	s.counts = grown(s.counts, len(dict.Values))
	clear(s.counts)
	for _, i := range indices {
		s.counts[i]++
	}
	seen := [3]int{}
	for _, k := range s.counts {
		seen[min(k, 3)%3]++
	}
	distinct := len(dict.Values)
	if n < v.rows {
		distinct = chao(distinct, seen[1], seen[2], v.rows)
	}
	if distinct > dictLimit[T](v.rows, t.limits) {
		return candidate{}, false
	}
	s.buf = encode.Indices(s.buf[:0], indices, encode.IndexWidth(distinct))
	d := s.weigh(t.codec, choice{dictionary: true})
	d.bytes += distinct * encode.Width[T]() * n / v.rows
	return d, true
}

// dictLimit returns how many values the dictionary of so many rows may have.
func dictLimit[T encode.Word](rows int, l limits) int {
	return min(l.dictionary/encode.Width[T](), rows/minRepeats)
}

// chao estimates how many different values there are among so many, if a sample has some, and of these so many once and twice.
func chao(distinct, once, twice, rows int) int {
	return min(rows, distinct+once*once/max(1, 2*twice))
}
