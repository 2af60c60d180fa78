package predicate

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// MaxText is the number of bytes of a text that Stats keep.
const MaxText = 32

// Stats says what is known of the values of some rows.
type Stats struct {
	Rows, Nulls int64

	// Low and High are the least and greatest key (see Span) of numbers, dates, times and booleans that are not null.
	Low, High int64

	// First and Last bound text: no text is less than First or, up to its first MaxText bytes, greater than Last.
	First, Last string
}

// Ordered reports whether Stats know more of the values of a type than nulls.
func Ordered(t arrow.DataType) bool {
	_, err := New(t, In)
	return err == nil
}

// Meter finds the Stats of rows of arrays of one type. It is to be used by one goroutine at a time.
type Meter struct {
	test  *Test // for the form of the values
	block block
	seen  bool // a value that is not null
	Stats
}

// NewMeter returns a meter for a type. A type that is not Ordered is an Unsupported error.
func NewMeter(t arrow.DataType) (*Meter, error) {
	test, err := New(t, In)
	if err != nil {
		return nil, err
	}
	return &Meter{test: test}, nil
}

// Reset forgets the rows.
func (m *Meter) Reset() { m.seen, m.Stats = false, Stats{} }

// Add adds the rows [off,off+n) of an array. Arrays that contradict themselves are a Corrupt error.
func (m *Meter) Add(arr arrow.Array, off, n int) error {
	d := arr.Data()
	if x, ok := arr.(array.ExtensionArray); ok {
		d = x.Storage().Data()
	}
	at := d.Offset() + off
	mask := make([]uint64, Words(n))
	Fill(mask, n)
	matcher := Matcher{Test: m.test}
	matcher.nulls(buffer(d, 0), at, n, mask)
	m.Rows += int64(n)
	m.Nulls += int64(n - Count(mask))
	switch m.test.form {
	case formNumber:
		m.numbers(buffer(d, 1), at, n, mask)
		return nil
	case formBool:
		return each(n, mask, func(i int) (bool, error) {
			m.key(int64(word(buffer(d, 1), at+i) & 1))
			return true, nil
		})
	case formText:
		return eachText(d, at, n, mask, m.text)
	}
	return m.dictionary(d, at, n, mask)
}

func (m *Meter) key(k int64) {
	if !m.seen {
		m.seen, m.Low, m.High = true, k, k
		return
	}
	m.Low, m.High = min(m.Low, k), max(m.High, k)
}

func (m *Meter) numbers(values []byte, at, n int, mask []uint64) {
	width := m.test.typ.(arrow.FixedWidthDataType).Bytes()
	for lo := 0; lo < n; lo += blockRows {
		k := min(blockRows, n-lo)
		copy(arrow.Uint64Traits.CastToBytes(m.block[:]), values[(at+lo)*width:(at+lo+k)*width])
		toKeys(m.test.typ.ID(), &m.block, k)
		part := mask[lo/64 : (lo+k+63)/64]
		if Count(part) == k {
			low, high := int64(math.MaxInt64), int64(math.MinInt64)
			for _, x := range m.block[:k] {
				low, high = min(low, int64(x)), max(high, int64(x))
			}
			m.key(low)
			m.key(high)
			continue
		}
		for i, x := range m.block[:k] {
			if part[i/64]>>(i%64)&1 == 1 {
				m.key(int64(x))
			}
		}
	}
}

// text adds a text.
func (m *Meter) text(b []byte) bool {
	first, last := string(b[:min(len(b), MaxText)]), string(b[:min(len(b), MaxText)])
	if !m.seen {
		m.seen, m.First, m.Last = true, first, last
		return true
	}
	m.First, m.Last = min(m.First, first), max(m.Last, last)
	return true
}

// dictionary adds the values that indices name.
func (m *Meter) dictionary(d arrow.ArrayData, at, n int, mask []uint64) error {
	values := d.Dictionary()
	if values == nil {
		return h5err.New(h5err.Corrupt, "a dictionary without values")
	}
	used := make([]uint64, Words(values.Len()))
	if err := eachIndex(d, at, n, mask, func(k int) bool {
		used[k/64] |= 1 << (k % 64)
		return true
	}); err != nil {
		return err
	}
	labels, err := NewMeter(values.DataType())
	if err != nil {
		return err
	}
	arr := array.MakeFromData(values)
	defer arr.Release()
	labels.seen, labels.Stats = m.seen, m.Stats
	for k := range values.Len() {
		if used[k/64]>>(k%64)&1 == 1 && !arr.IsNull(k) {
			if err := labels.Add(arr, k, 1); err != nil {
				return err
			}
		}
	}
	m.seen, m.Low, m.High, m.First, m.Last = labels.seen, labels.Low, labels.High, labels.First, labels.Last
	return nil
}

// May reports whether the test may hold for one of the rows that s describes, which are of the type of the test.
func (t *Test) May(s *Stats) bool {
	switch {
	case t.op == IsNull:
		return s.Nulls > 0
	case s.Nulls >= s.Rows:
		return false
	case t.op == IsNotNull:
		return true
	}
	switch t.form {
	case formNumber, formBool:
		for _, span := range t.spans {
			if span.Low <= s.High && s.Low <= span.High {
				return true
			}
		}
		return false
	case formText:
		return t.mayText(s)
	}
	return t.labels.May(s)
}

func (t *Test) mayText(s *Stats) bool {
	for _, c := range t.texts {
		below, above := c < s.First, c[:min(len(c), MaxText)] > s.Last // than all texts
		holds := false
		switch t.op {
		case Equal, In:
			holds = !below && !above
		case NotEqual:
			holds = !(c == s.First && c == s.Last && len(c) < MaxText)
		case Less, LessOrEqual:
			holds = !below
		default:
			holds = !above
		}
		if holds {
			return true
		}
	}
	return false
}

// Must reports whether the test holds for all of the rows that s describes, which are of the type of the test, as far as s tells.
func (t *Test) Must(s *Stats) bool {
	switch {
	case t.op == IsNull:
		return s.Nulls == s.Rows
	case s.Nulls > 0:
		return false
	case t.op == IsNotNull:
		return true
	}
	switch t.form {
	case formNumber, formBool:
		for _, span := range t.spans {
			if span.Low <= s.Low && s.High <= span.High {
				return true
			}
		}
		return false
	case formText:
		return t.mustText(s)
	}
	return t.labels.Must(s)
}

func (t *Test) mustText(s *Stats) bool {
	for _, c := range t.texts {
		below, above := c < s.First, c[:min(len(c), MaxText)] > s.Last // than all texts
		same := c == s.First && c == s.Last && len(c) < MaxText        // as all texts
		holds := false
		switch t.op {
		case Equal, In:
			holds = same
		case NotEqual:
			holds = below || above
		case Less:
			holds = above
		case LessOrEqual:
			holds = above || same
		case Greater:
			holds = below
		case GreaterOrEqual:
			holds = below || same
		}
		if holds {
			return true
		}
	}
	return false
}
