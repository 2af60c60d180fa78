//go:build duckdb_arrow && cgo

package vector

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// scale converts a unit of time to microseconds: times one number, divided by another.
type scale struct{ times, over int64 }

var scales = map[arrow.TimeUnit]scale{arrow.Second: {1e6, 1}, arrow.Millisecond: {1e3, 1}, arrow.Microsecond: {1, 1}, arrow.Nanosecond: {1, 1e3}}

// micros returns t in microseconds, rounded down.
func (s scale) micros(t int64) (us int64, ok bool) {
	if s.over > 1 {
		us = t / s.over
		if t%s.over < 0 {
			us--
		}
		return us, true
	}
	return t * s.times, t <= math.MaxInt64/s.times && t >= math.MinInt64/s.times
}

// Micros returns t of a unit in microseconds, rounded down; ok is false if it does not fit.
func Micros(t int64, unit arrow.TimeUnit) (us int64, ok bool) { return scales[unit].micros(t) }

func (s scale) tooLarge(t int64) error {
	return h5err.New(h5err.Unsupported, "the SQL engine can't hold a time or duration of %d units of %d seconds", t, s.times/1e6).
		WithHint("leave the column out")
}

// timeFiller converts times with a zone to microseconds.
type timeFiller struct {
	nulls
	scale scale
}

func (f *timeFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	out := Memory[int64](duck.VectorGetData(v), n)
	CopyRows(Raw(out), arr, off, n, 8)
	valid := f.write(arr, off, n, up, v)
	if f.scale.times == 1 && f.scale.over == 1 {
		return nil
	}
	for i, t := range out {
		us, ok := f.scale.micros(t)
		if !ok && !IsNull(valid, i) {
			return f.scale.tooLarge(t)
		}
		out[i] = us
	}
	return nil
}

// StoredInterval is the engine's representation of an INTERVAL.
type StoredInterval struct {
	Months, Days int32
	Micros       int64
}

// durationFiller converts durations to intervals. One that is not of whole microseconds is an error.
type durationFiller struct {
	nulls
	scale scale
	in    []int64
}

func (f *durationFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	f.in = Room(f.in, n)
	CopyRows(Raw(f.in), arr, off, n, 8)
	valid := f.write(arr, off, n, up, v)
	out := Memory[StoredInterval](duck.VectorGetData(v), n)
	for i, t := range f.in {
		if IsNull(valid, i) {
			out[i] = StoredInterval{}
			continue
		}
		us, ok := f.scale.micros(t)
		if !ok {
			return f.scale.tooLarge(t)
		}
		if f.scale.over > 1 && t%f.scale.over != 0 {
			return h5err.New(h5err.Unsupported, "the SQL engine can't hold a duration of %d nanoseconds, only whole microseconds", t).
				WithHint("leave the column out")
		}
		out[i] = StoredInterval{Micros: us}
	}
	return nil
}
