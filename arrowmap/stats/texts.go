package stats

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/zeebo/xxh3"
)

// texts are the figures of text and bytes.
type texts struct {
	typ       arrow.DataType
	some      bool
	low, high string
	distinct  distinct
	dict      arrow.Array // the last dictionary
	seen      []bool      // its values that were added
}

// reader returns a function that returns the values of an array of text or bytes. They share memory with the array.
func reader(arr arrow.Array) func(i int) string {
	switch arr := arr.(type) {
	case *array.FixedSizeBinary:
		return func(i int) string { return string(arr.Value(i)) }
	case interface{ Value(int) string }:
		return arr.Value
	case interface{ ValueString(int) string }:
		return arr.ValueString
	}
	return nil
}

func (f *texts) add(arr arrow.Array) {
	value := reader(arr)
	nulls := arr.NullN() > 0
	low, high := f.low, f.high
	for i := range arr.Len() {
		if !nulls || arr.IsValid(i) {
			low, high = f.one(value(i), low, high)
		}
	}
	f.keep(low, high)
}

// one adds a value. It returns the bounds that include it.
func (f *texts) one(v, low, high string) (string, string) {
	f.distinct.one(xxh3.HashString(v))
	switch {
	case !f.some:
		f.some = true
		return v, v
	case v < low:
		low = v
	case v > high:
		high = v
	}
	return low, high
}

// keep keeps copies of bounds.
func (f *texts) keep(low, high string) {
	if low != f.low {
		f.low = strings.Clone(low)
	}
	if high != f.high {
		f.high = strings.Clone(high)
	}
}

// take adds each value of a dictionary once, however often it is taken.
func (f *texts) take(dict arrow.Array, indices []int) {
	if f.dict == nil || f.dict.Data() != dict.Data() {
		f.release()
		dict.Retain() // its memory is not used again for another
		f.dict, f.seen = dict, make([]bool, dict.Len())
	}
	value := reader(dict)
	low, high := f.low, f.high
	for _, i := range indices {
		if !f.seen[i] {
			f.seen[i] = true
			low, high = f.one(value(i), low, high)
		}
	}
	f.keep(low, high)
}

func (f *texts) release() {
	if f.dict != nil {
		f.dict.Release()
		f.dict = nil
	}
}

func (f *texts) result(c *Column) {
	f.release()
	c.Distinct, c.DistinctExact = min(f.distinct.count(), c.Rows-c.Nulls), f.distinct.exact()
	if !f.some {
		return
	}
	b := array.NewBuilder(memory.DefaultAllocator, f.typ)
	defer b.Release()
	for _, v := range []string{f.low, f.high} {
		switch b := b.(type) {
		case interface{ Append(string) }:
			b.Append(v)
		case interface{ Append([]byte) }:
			b.Append([]byte(v))
		}
	}
	c.Bounds = b.NewArray()
}

// taker is figures that are added by indices of a dictionary.
type taker interface {
	figures

	// take adds the values of these numbers, which are in range and not null.
	take(dict arrow.Array, indices []int)

	// release gives up what take keeps.
	release()
}

// dictionaries are the figures of the values of a dictionary column.
type dictionaries struct {
	values  taker
	indices []int
}

func (f *dictionaries) add(arr arrow.Array) {
	d := arr.(*array.Dictionary)
	dict, nulls := d.Dictionary(), d.NullN() > 0
	f.indices = f.indices[:0]
	for i := range d.Len() {
		if nulls && d.IsNull(i) {
			continue
		}
		if at := d.GetValueIndex(i); at >= 0 && at < dict.Len() && dict.IsValid(at) {
			f.indices = append(f.indices, at)
		}
	}
	f.values.take(dict, f.indices)
}

func (f *dictionaries) result(c *Column) { f.values.result(c) }
func (f *dictionaries) release()         { f.values.release() }
