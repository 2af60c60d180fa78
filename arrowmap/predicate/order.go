package predicate

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Order verifies that a column is sorted, from rows that are added in their order, with or without others between them: each value
// is at least the one before it, or each is at most that, as conditions compare them. Nulls and NaN come before all other values, or
// after them. It is to be used by one goroutine at a time.
type Order struct {
	test  *Test // for the form of the values
	block block

	some          bool // a value that is neither null nor NaN
	before, after bool // nulls or NaN before the first value and after the last; before also where there is no value
	first, last   value
	direction     int   // 1 where values ascend, -1 where they descend, 0 while all are equal
	turn          int64 // the row in which that was found
}

// value is a value of a column in a row.
type value struct {
	key  int64 // of a number or boolean
	text []byte
	row  int64
}

// compare returns -1, 0 or 1 as v is less than, equal to or greater than w.
func (v *value) compare(w *value) int {
	if c := cmp.Compare(v.key, w.key); c != 0 {
		return c
	}
	return bytes.Compare(v.text, w.text)
}

// set sets v to w, of which it keeps no memory.
func (v *value) set(w *value) { v.key, v.row, v.text = w.key, w.row, append(v.text[:0], w.text...) }

// NewOrder returns an Order for a type. A type whose values have no order is an Unsupported error.
func NewOrder(t arrow.DataType) (*Order, error) {
	test, err := New(t, In)
	if err != nil {
		return nil, err
	}
	return &Order{test: test}, nil
}

// Clone returns an Order of its own that has seen the same rows.
func (o *Order) Clone() *Order {
	c := *o
	c.first.text, c.last.text = bytes.Clone(o.first.text), bytes.Clone(o.last.text)
	return &c
}

// Direction is 1 where values ascend, -1 where they descend, and 0 while that is not known.
func (o *Order) Direction() int { return o.direction }

// Some reports whether there was a value that is neither null nor NaN.
func (o *Order) Some() bool { return o.some }

// Add adds an array, whose first row has a number. Values that are not sorted are an Argument error, which names rows, arrays that contradict
// themselves a Corrupt one.
func (o *Order) Add(arr arrow.Array, row int64) error {
	d := arr.Data()
	if x, ok := arr.(array.ExtensionArray); ok {
		d = x.Storage().Data()
	}
	n := arr.Len()
	mask := make([]uint64, Words(n))
	Fill(mask, n)
	matcher := Matcher{Test: o.test}
	matcher.nulls(buffer(d, 0), d.Offset(), n, mask)
	if o.test.form == formNumber {
		return o.numbers(buffer(d, 1), d.Offset(), n, mask, row)
	}
	get, err := o.test.values(d)
	if err != nil {
		return err
	}
	for i := range n {
		if mask[i/64]>>(i%64)&1 == 0 {
			o.miss()
			continue
		}
		v := value{row: row + int64(i)}
		present, err := get(i, &v)
		if err == nil && present {
			err = o.put(&v)
		} else if err == nil {
			o.miss()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// values returns a function that sets v to value i of an array, and returns false where it is missing. The memory is the array's.
func (t *Test) values(d arrow.ArrayData) (get func(i int, v *value) (bool, error), err error) {
	switch t.form {
	case formNumber:
		var b block
		width, bits := t.typ.(arrow.FixedWidthDataType).Bytes(), buffer(d, 1)
		return func(i int, v *value) (bool, error) {
			at := d.Offset() + i
			copy(arrow.Uint64Traits.CastToBytes(b[:1]), bits[at*width:(at+1)*width])
			toKeys(t.typ.ID(), &b, 1)
			v.key = int64(b[0])
			return !t.isNaN(v.key), nil
		}, nil
	case formBool:
		bits := buffer(d, 1)
		return func(i int, v *value) (bool, error) {
			v.key = int64(word(bits, d.Offset()+i) & 1)
			return true, nil
		}, nil
	case formText:
		one := []uint64{1}
		return func(i int, v *value) (bool, error) {
			return true, eachText(d, d.Offset()+i, 1, one, func(b []byte) bool {
				v.text = b
				return true
			})
		}, nil
	}
	values := d.Dictionary()
	if values == nil {
		return nil, h5err.New(h5err.Corrupt, "a dictionary without values")
	}
	label, err := t.labels.values(values)
	if err != nil {
		return nil, err
	}
	one := []uint64{1}
	return func(i int, v *value) (present bool, err error) {
		k := 0
		if err := eachIndex(d, d.Offset()+i, 1, one, func(index int) bool {
			k = index
			return true
		}); err != nil {
			return false, err
		}
		if valid := buffer(values, 0); len(valid) > 0 && word(valid, values.Offset()+k)&1 == 0 {
			return false, nil
		}
		return label(k, v)
	}, nil
}

// isNaN reports whether a key is that of NaN.
func (t *Test) isNaN(key int64) bool { return key == keyNaN && arrow.IsFloating(t.typ.ID()) }

// numbers adds numbers, a block at a time.
func (o *Order) numbers(values []byte, at, n int, mask []uint64, row int64) error {
	width := o.test.typ.(arrow.FixedWidthDataType).Bytes()
	for lo := 0; lo < n; lo += blockRows {
		k := min(blockRows, n-lo)
		copy(arrow.Uint64Traits.CastToBytes(o.block[:]), values[(at+lo)*width:(at+lo+k)*width])
		toKeys(o.test.typ.ID(), &o.block, k)
		part := mask[lo/64 : (lo+k+63)/64]
		if Count(part) == k && o.keys(o.block[:k], row+int64(lo)) {
			continue
		}
		for i, x := range o.block[:k] {
			if part[i/64]>>(i%64)&1 == 0 || o.test.isNaN(int64(x)) {
				o.miss()
			} else if err := o.put(&value{key: int64(x), row: row + int64(lo+i)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// keys adds keys if they are in the order that is known. It returns false, and adds nothing, where they are to be looked at one by one.
func (o *Order) keys(keys []uint64, row int64) bool {
	if !o.some || o.after {
		return false
	}
	last, up, down := o.last.key, false, false
	for _, x := range keys {
		up = up || int64(x) > last
		down = down || int64(x) < last
		last = int64(x)
	}
	if up && o.direction <= 0 || down && o.direction >= 0 || o.test.isNaN(int64(keys[0])) || o.test.isNaN(last) {
		return false
	}
	o.last.key, o.last.row = last, row+int64(len(keys))-1
	return true
}

// miss adds a null or NaN.
func (o *Order) miss() {
	if o.some {
		o.after = true
	} else {
		o.before = true
	}
}

// put adds another value.
func (o *Order) put(v *value) error {
	if !o.some {
		o.some = true
		o.first.set(v)
		o.last.set(v)
		return nil
	}
	if o.after {
		return h5err.New(h5err.Argument, "nulls or NaN come after row %d, and a value comes in row %d", o.last.row, v.row)
	}
	c := v.compare(&o.last)
	if err := o.turns(c, o.last.row, v.row); err != nil {
		return err
	}
	o.last.set(v)
	return nil
}

// turns adds that the value of row b is less (-1) or greater (1) than that of row a before it.
func (o *Order) turns(direction int, a, b int64) error {
	switch {
	case direction == 0:
	case o.direction == 0:
		o.direction, o.turn = direction, b
	case direction < 0 && o.direction > 0:
		return h5err.New(h5err.Argument, "values ascend in row %d, and that of row %d is less than that of row %d", o.turn, b, a)
	case direction > 0 && o.direction < 0:
		return h5err.New(h5err.Argument, "values descend in row %d, and that of row %d is greater than that of row %d", o.turn, b, a)
	}
	return nil
}

// Join adds the rows that were added to p, which come after those of o, maybe with others between them. What is not sorted is an
// Argument error.
func (o *Order) Join(p *Order) error {
	if p.before {
		o.miss()
	}
	if p.some {
		if err := o.put(&p.first); err != nil {
			return err
		}
		if err := o.turns(p.direction, p.turn-1, p.turn); err != nil {
			return err
		}
		o.last.set(&p.last)
	}
	if p.after {
		o.miss()
	}
	return nil
}

// Stats describes the rows that were added, if they are all rows of a range: each of them is as one of the results says.
func (o *Order) Stats() (out []Stats) {
	if o.before || o.after {
		out = o.missing()
	}
	if o.some {
		out = append(out, o.span(&o.first, &o.last))
	}
	return out
}

// Between describes the rows between those of o and those of p, of a sorted column: each is as one of the results says. direction is that
// of the column, as far as it is known. before says whether there are values in rows up to the last one of o, and after whether there are some
// from the first one of p on.
func (o *Order) Between(p *Order, direction int, before, after bool) []Stats {
	left, right := o.some && !o.after, p.some && !p.before // values lie beside the rows
	switch {
	case left && right:
		return []Stats{o.span(&o.last, &p.first)}
	case !left && !right && (before || after):
		return o.missing()
	}
	from, to := (*value)(nil), (*value)(nil)
	if left && direction != 0 {
		from = &o.last
	}
	if right && direction != 0 {
		to = &p.first
	}
	if direction < 0 {
		from, to = to, from
	}
	return append(o.missing(), o.span(from, to))
}

// missing describes nulls and NaN.
func (o *Order) missing() []Stats {
	return []Stats{{Rows: 1, Nulls: 1}, {Rows: 1, Low: keyNaN, High: keyNaN, First: "", Last: lastText}}[:o.kindsOfMissing()]
}

// kindsOfMissing is 2 where NaN may be a value, else 1.
func (o *Order) kindsOfMissing() int {
	t := o.test
	if t.form == formDictionary {
		t = t.labels
	}
	if arrow.IsFloating(t.typ.ID()) {
		return 2
	}
	return 1
}

// lastText is the start of the greatest text.
var lastText = strings.Repeat("\xff", MaxText)

// span describes values between two, in any order; where one is nil there is no bound, and from is the lower one.
func (o *Order) span(from, to *value) Stats {
	if from != nil && to != nil && to.compare(from) < 0 {
		from, to = to, from
	}
	s := Stats{Rows: 1, Low: -1 << 63, High: keyNaN, Last: lastText}
	if from != nil {
		s.Low, s.First = from.key, string(from.text)
	}
	if to != nil {
		s.High, s.Last = to.key, string(to.text[:min(len(to.text), MaxText)])
	}
	return s
}
