// Package possible finds rows for which conditions on columns can't hold, without reading all of a column: by the order of its values,
// and by the coordinates of the cells of an array.
package possible

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
)

// MinStep is the number of rows that are read at least to look at a value.
const MinStep = 1 << 13

// Step returns the height of the zones in which a column with chunks of so many rows, or 0 for none, is searched.
func Step(chunkRows int64) int64 {
	if chunkRows <= 0 {
		return MinStep
	}
	step := chunkRows
	for step < MinStep {
		step *= 2
	}
	return step
}

// Sorted returns the ranges of n rows from a row on, counted from there, in which tests of a sorted column may all hold for a row. It
// searches zones of step rows by halves: read returns the order of the values of rows [a,b), which is one zone or what of it
// is asked for. An error is read's, or that of predicate.Order for values that are not sorted.
func Sorted(from, n, step int64, tests []*predicate.Test, read func(a, b int64) (*predicate.Order, error)) ([]pass.Range, error) {
	if n <= 0 {
		return []pass.Range{}, nil
	}
	first := from / step
	s := search{tests: tests, zones: (from+n-1)/step - first + 1}
	if s.zones < 3 {
		return []pass.Range{{From: 0, To: n}}, nil
	}
	s.rows = func(zone int64) pass.Range {
		return pass.Range{From: max(0, (first+zone)*step-from), To: min(n, (first+zone+1)*step-from)}
	}
	s.read = func(zone int64) (*predicate.Order, error) {
		r := s.rows(zone)
		return read(from+r.From, from+r.To)
	}
	s.left = int64(4*bits.Len64(uint64(s.zones))) + s.zones/32
	if err := s.run(); err != nil {
		return nil, err
	}
	slices.SortFunc(s.may, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	out := []pass.Range{}
	for _, z := range s.may {
		out = pass.Append(out, pass.Range{From: s.rows(z[0]).From, To: s.rows(z[1] - 1).To})
	}
	return out, nil
}

// search is a search for zones.
type search struct {
	tests []*predicate.Test
	zones int64
	rows  func(zone int64) pass.Range
	read  func(zone int64) (*predicate.Order, error)
	left  int64 // zones that may yet be read

	seen []sample // in order
	all  *predicate.Order
	may  [][2]int64 // zones [a,b) in which tests may hold
}

// sample is a zone that was read.
type sample struct {
	zone  int64
	order *predicate.Order
}

// run reads zones and finds those in which tests may hold. The first and the last zone are read first.
func (s *search) run() error {
	if err := s.look(0); err != nil {
		return err
	}
	if err := s.look(s.zones - 1); err != nil {
		return err
	}
	for gaps := [][2]int64{{0, s.zones - 1}}; len(gaps) > 0; gaps = gaps[1:] { // between zones that were read
		lo, hi := gaps[0][0], gaps[0][1]
		if hi-lo < 2 {
			continue
		}
		may, must := s.between(lo, hi)
		switch mid := lo + (hi-lo)/2; {
		case !may:
		case must || s.left == 0:
			s.may = append(s.may, [2]int64{lo + 1, hi})
		default:
			if err := s.look(mid); err != nil {
				return err
			}
			gaps = append(gaps, [2]int64{lo, mid}, [2]int64{mid, hi})
		}
	}
	return nil
}

// look reads a zone, and verifies that what was read is sorted.
func (s *search) look(zone int64) error {
	o, err := s.read(zone)
	if err != nil {
		return err
	}
	s.left = max(0, s.left-1)
	at, _ := s.find(zone)
	s.seen = slices.Insert(s.seen, at, sample{zone, o})
	if may, _ := s.holds(o.Stats()); may {
		s.may = append(s.may, [2]int64{zone, zone + 1})
	}
	s.all = s.seen[0].order.Clone()
	for _, x := range s.seen[1:] {
		if err := s.all.Join(x.order); err != nil {
			return err
		}
	}
	return nil
}

func (s *search) find(zone int64) (int, bool) {
	return slices.BinarySearchFunc(s.seen, zone, func(x sample, zone int64) int { return cmp.Compare(x.zone, zone) })
}

// between reports whether the tests may hold for a row between two zones that were read, and whether they hold for all.
func (s *search) between(lo, hi int64) (may, must bool) {
	i, _ := s.find(lo)
	some := func(x sample) bool { return x.order.Some() }
	before, after := slices.ContainsFunc(s.seen[:i+1], some), slices.ContainsFunc(s.seen[i+1:], some)
	return s.holds(s.seen[i].order.Between(s.seen[i+1].order, s.all.Direction(), before, after))
}

// holds reports whether the tests may hold for a row that is as one of the list says, and whether they hold for all such rows.
func (s *search) holds(list []predicate.Stats) (may, must bool) {
	must = true
	for i := range list {
		all := true
		for _, t := range s.tests {
			all = all && t.May(&list[i])
			must = must && t.Must(&list[i])
		}
		may = may || all
	}
	return may, must
}
