package dtype

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// BuildDictionary returns a dictionary array of indices, of any integer type, into dictionary. It retains both and copies
// neither. The caller releases it. The error is Corrupt for indices out of range, except under nulls; row0 is the number
// of the first row and where the dataset's path, for messages.
func BuildDictionary(indices, dictionary arrow.Array, ordered bool, row0 int64, where string) (arrow.Array, error) {
	t := indices.DataType()
	if !arrow.IsInteger(t.ID()) {
		return nil, h5err.In(h5err.New(h5err.Corrupt, "dictionary indices are %v, not integers", t), "", where)
	}
	width := t.(arrow.FixedWidthDataType).Bytes()
	d := indices.Data()
	n, off := d.Len(), d.Offset()
	limit := uint64(dictionary.Len())
	if arrow.IsSignedInteger(t.ID()) {
		limit = min(limit, 1<<(8*width-1)) // negative ones are above every limit
	}
	var values []byte
	if n > 0 {
		values = d.Buffers()[1].Bytes()[off*width:]
	}
	if i := outside(values, width, limit, n, indices.IsValid); i >= 0 {
		e := h5err.New(h5err.Corrupt, "row %d: index %s into a dictionary of %d", row0+int64(i), indices.ValueStr(i), dictionary.Len())
		return nil, h5err.In(e, "", where)
	}
	dict, ok := dictionary.Data().(*array.Data)
	if !ok {
		return nil, h5err.New(h5err.Argument, "a dictionary that is not made of plain data")
	}
	dt := &arrow.DictionaryType{IndexType: t, ValueType: dictionary.DataType(), Ordered: ordered}
	bufs := append([]*memory.Buffer(nil), d.Buffers()...)
	data := array.NewDataWithDictionary(dt, n, bufs, indices.NullN(), off, dict)
	defer data.Release()
	return array.NewDictionaryData(data), nil
}
