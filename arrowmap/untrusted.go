package arrowmap

import (
	"math"
	"math/bits"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// scan is detect.Scan without the tables that are too large for a file that is not trusted. The error of the first of them is
// returned if there is no other.
func (f *File) scan() ([]*convention.Table, error) {
	found, err := detect.Scan(f.f, f.o.convention)
	return f.bounded(found, err)
}

// detect is detect.Detect, likewise.
func (f *File) detect(o h5.Object) ([]*convention.Table, error) {
	found, err := detect.Detect(o, f.o.convention)
	return f.bounded(found, err)
}

func (f *File) bounded(found []*convention.Table, err error) ([]*convention.Table, error) {
	if !f.o.strict {
		return found, err
	}
	kept := found[:0:0]
	for _, t := range found {
		e := f.fits(t)
		switch {
		case e == nil:
			kept = append(kept, t)
		case err == nil:
			err = e
		}
	}
	return kept, err
}

// fits returns why a table is too large, nil if it is not.
func (f *File) fits(t *convention.Table) error {
	err := f.columnsFit(t)
	return h5err.In(err, f.f.Name(), t.Path)
}

func (f *File) columnsFit(t *convention.Table) error {
	if n := len(t.Columns); n > UntrustedColumns {
		e := h5err.New(h5err.Limit, "%d columns, the limit is %d for files that are not trusted", n, UntrustedColumns)
		e.Rule = h5err.RuleColumns
		return e
	}
	declared := int64(0)
	counted := map[uint64]bool{} // several columns may be parts of one dataset
	for i := range t.Columns {
		v := t.Columns[i].Values
		if v == nil || v.Main() == nil || counted[v.Main().Address()] {
			continue
		}
		counted[v.Main().Address()] = true
		declared += min(elementBytes(v.Main()), math.MaxInt64-declared)
	}
	return f.f.Expands(declared, f.f.Source().Size())
}

// elementBytes returns how many bytes the elements of a dataset have, at most the largest int64.
func elementBytes(d *h5.Dataset) int64 {
	n, ok := d.Space().Elements()
	hi, lo := bits.Mul64(n, uint64(d.Type().Size))
	if !ok || hi != 0 || lo > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(lo)
}
