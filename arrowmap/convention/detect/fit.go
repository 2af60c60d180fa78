package detect

import (
	"math"
	"math/bits"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// maxColumns is the number of columns that a table of a file that is not trusted may have.
const maxColumns = 1 << 14

// fit returns why the first table that is too large for a file that is not trusted is refused, nil if there is none.
func fit(f *h5.File, tables []*convention.Table) error {
	if !f.Untrusted() {
		return nil
	}
	for _, t := range tables {
		if err := columnsFit(f, t); err != nil {
			return h5err.In(err, f.Name(), t.Path)
		}
	}
	return nil
}

func columnsFit(f *h5.File, t *convention.Table) error {
	if n := len(t.Columns); n > maxColumns {
		e := h5err.New(h5err.Limit, "%d columns, the limit is %d for files that are not trusted", n, maxColumns)
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
	return f.Expands(declared, f.Source().Size())
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
