package zones

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5"
)

// Zones have at least minZone rows, and where no chunk is higher at most maxZone.
const (
	minZone = 1 << 13
	maxZone = 1 << 16
)

// NewTable returns a table without columns, whose zones are as high as chunks of so many rows, or a multiple of that.
func NewTable(path string, rows, chunkRows int64) *Table {
	step := chunkRows
	if step <= 0 {
		step = maxZone
	}
	for step < minZone {
		step *= 2
	}
	return &Table{Path: path, Rows: rows, Step: step}
}

// Add adds a column to be measured. It returns false for a column whose values have no order or are in other files.
func (t *Table) Add(name string, typ arrow.DataType, c node.Node) bool {
	hash, ok := Place(c)
	meter, err := predicate.NewMeter(typ)
	if !ok || err != nil {
		return false
	}
	t.Columns = append(t.Columns, Column{Name: name, Type: typ.String(), Hash: hash, Text: IsText(typ)})
	t.meters = append(t.meters, meter)
	return true
}

// Measure adds the rows of a batch that starts at a row to the zones. The batch has the columns that were added.
func (t *Table) Measure(rec arrow.RecordBatch, row int64) error {
	for at, n := int64(0), rec.NumRows(); at < n; {
		end := min(n, at+t.Step-(row+at)%t.Step)
		for i, m := range t.meters {
			if err := m.Add(rec.Column(i), int(at), int(end-at)); err != nil {
				return err
			}
			if last := row + end; last%t.Step == 0 || last == t.Rows {
				t.Columns[i].Zones = append(t.Columns[i].Zones, m.Stats)
				m.Reset()
			}
		}
		at = end
	}
	return nil
}

// IsText reports whether values of a type are ordered by their bytes.
func IsText(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return IsText(t.ValueType)
	case arrow.ExtensionType:
		return IsText(t.StorageType())
	case *arrow.FixedSizeBinaryType:
		return true
	}
	_, ok := t.(arrow.BinaryDataType)
	return ok
}

// Place returns a hash of where a column's values are stored. It is false where that is not in the file alone.
func Place(c node.Node) (sum [32]byte, ok bool) {
	h := sha256.New()
	ok = true
	c.Wants(0, c.Describe().Rows, func(d node.Dataset, _, _ int64, _ func([]byte) bool) {
		ok = ok && addPlace(h, d.Dataset)
	})
	h.Sum(sum[:0])
	return sum, ok
}

// addPlace adds the place of a dataset's values to a hash.
func addPlace(h hash.Hash, d *h5.Dataset) bool {
	var b []byte
	number := func(n uint64) { b = binary.LittleEndian.AppendUint64(b, n) }
	l, err := d.Layout()
	if err != nil {
		return false
	}
	b = append(b, d.Type().String()...)
	for _, n := range d.Dims() {
		number(n)
	}
	number(uint64(l.Storage))
	number(uint64(l.Offset))
	switch l.Storage {
	case h5.StorageContiguous, h5.StorageCompact:
		b = append(b, l.Data...)
	case h5.StorageChunked:
		chunks, err := d.Chunks()
		if err != nil {
			return false
		}
		for _, n := range l.ChunkDims {
			number(n)
		}
		for _, c := range chunks {
			number(c.Number)
			number(uint64(c.Offset))
			number(uint64(c.Size))
			number(uint64(c.FilterMask))
		}
	default:
		return false
	}
	h.Write(b)
	return true
}

// Find returns the table of a path, nil if there is none.
func (x *Index) Find(path string) *Table {
	for i := range x.Tables {
		if x.Tables[i].Path == path {
			return &x.Tables[i]
		}
	}
	return nil
}

// Of returns what is known of a column, nil if the index is of other values.
func (t *Table) Of(name string, typ arrow.DataType, c node.Node) []predicate.Stats {
	for _, x := range t.Columns {
		if x.Name != name || x.Type != typ.String() || x.Text != IsText(typ) || t.Rows != c.Describe().Rows {
			continue
		}
		if sum, ok := Place(c); ok && sum == x.Hash {
			return x.Zones
		}
	}
	return nil
}

// Test is a test of a column, and what is known of the column.
type Test struct {
	*predicate.Test
	Zones []predicate.Stats
}

// Possible returns the ranges of n rows from a row on, counted from there, in which all tests may hold for a row.
func (t *Table) Possible(tests []Test, from, n int64) (out []pass.Range) {
	for k := from / t.Step; k*t.Step < from+n; k++ {
		may := true
		for _, u := range tests {
			may = may && u.May(&u.Zones[k])
		}
		r := pass.Range{From: max(0, k*t.Step-from), To: min(n, (k+1)*t.Step-from)}
		if may {
			out = pass.Append(out, r)
		}
	}
	return out
}

// Alike reports whether values of two types are compared in the same way.
func Alike(a, b arrow.DataType) bool {
	if x, ok := a.(*arrow.DictionaryType); ok {
		if y, ok := b.(*arrow.DictionaryType); ok {
			return arrow.TypeEqual(x.ValueType, y.ValueType)
		}
	}
	return arrow.TypeEqual(a, b)
}
