package rows

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/dtype"
)

// Output is written in parts of about these sizes.
const (
	gridRows  = 20000
	jsonBytes = 1 << 20
	csvBytes  = 1 << 16
)

// maxCell is the width beyond which a value in a grid is cut, in characters.
const maxCell = 36

// PrintGrid prints columns of all rows in a grid for people.
func PrintGrid(w io.Writer, rr array.RecordReader, columns []int) error {
	fields := rr.Schema().Fields()
	g := text.Grid{Max: maxCell}
	names, types := make([]text.Cell, len(columns)), make([]text.Cell, len(columns))
	for i, c := range columns {
		names[i] = text.Cell{Text: fields[c].Name, Right: rightAligned(fields[c].Type)}
		types[i] = text.Cell{Text: dtype.TypeName(fields[c].Type), Right: names[i].Right}
	}
	g.Add(names)
	g.Add(types)
	for rr.Next() {
		rec := rr.RecordBatch()
		for i := range int(rec.NumRows()) {
			row := make([]text.Cell, len(columns))
			for k, c := range columns {
				row[k] = text.Cell{Text: Text(rec.Column(c), i), Right: names[k].Right}
			}
			g.Add(row)
		}
		if g.Rows() > gridRows {
			if err := g.Write(w); err != nil {
				return err
			}
		}
	}
	if rr.Err() != nil {
		return rr.Err()
	}
	return g.Write(w)
}

// PrintJSON prints columns of all rows as a JSON array of objects.
func PrintJSON(w io.Writer, rr array.RecordReader, columns []int) error {
	fields := rr.Schema().Fields()
	out, more := []byte("["), false
	for rr.Next() {
		rec := rr.RecordBatch()
		for i := range int(rec.NumRows()) {
			if more || len(out) > 1 {
				out = append(out, ",\n "...)
			}
			out = append(out, '{')
			for k, c := range columns {
				if k > 0 {
					out = append(out, ", "...)
				}
				out = text.AppendString(out, fields[c].Name)
				out = append(out, ": "...)
				var err error
				if out, err = AppendValue(out, rec.Column(c), i); err != nil {
					return err
				}
			}
			out = append(out, '}')
		}
		if len(out) > jsonBytes {
			if _, err := w.Write(out); err != nil {
				return err
			}
			out = out[:0]
			more = true
		}
	}
	if rr.Err() != nil {
		return rr.Err()
	}
	_, err := w.Write(append(out, "]\n"...))
	return err
}

// AppendValue appends a value as JSON.
func AppendValue(b []byte, arr arrow.Array, i int) ([]byte, error) {
	value, err := json.Marshal(jsonValue(arr, i))
	return append(b, value...), err
}

// jsonValue returns a value that JSON can represent. What JSON lacks (NaN and the infinities) is text.
func jsonValue(arr arrow.Array, i int) any {
	if arrow.IsDecimal(arr.DataType().ID()) && arr.IsValid(i) { // not text: it is a number in JSON too
		return json.Number(arr.ValueStr(i))
	}
	v := arr.GetOneForMarshal(i)
	if _, err := json.Marshal(v); err != nil {
		if _, ok := errors.AsType[*json.UnsupportedValueError](err); ok {
			return arr.ValueStr(i)
		}
	}
	return v
}

func rightAligned(t arrow.DataType) bool {
	return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID())
}

// Text returns a value for people. It may share memory with the array.
func Text(arr arrow.Array, i int) string { return Rounded(arr, i, -1) }

// Rounded is Text, with floats rounded to so many digits.
func Rounded(arr arrow.Array, i, digits int) string {
	if arr.IsNull(i) {
		return "null"
	}
	switch arr := arr.(type) {
	case *array.Dictionary:
		return Rounded(arr.Dictionary(), arr.GetValueIndex(i), digits)
	case *array.Float64:
		return text.Float(arr.Value(i), digits, 64)
	case *array.Float32:
		return text.Float(float64(arr.Value(i)), digits, 32)
	case *array.Float16:
		return text.Float(float64(arr.Value(i).Float32()), digits, 32)
	}
	return arr.ValueStr(i)
}

// PrintCSV prints all rows as CSV (RFC 4180, but lines end in a newline alone). A null is an empty field; empty text is
// two quotes.
func PrintCSV(w io.Writer, rr array.RecordReader) error {
	var b []byte
	for i, f := range rr.Schema().Fields() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCSV(b, f.Name)
	}
	b = append(b, '\n')
	for rr.Next() {
		rec := rr.RecordBatch()
		for i := range int(rec.NumRows()) {
			for k, c := range rec.Columns() {
				if k > 0 {
					b = append(b, ',')
				}
				if !c.IsNull(i) {
					b = appendCSV(b, csvText(c, i))
				}
			}
			b = append(b, '\n')
		}
		if len(b) > csvBytes {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	if rr.Err() != nil {
		return rr.Err()
	}
	_, err := w.Write(b)
	return err
}

func appendCSV(b []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, "\",\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// csvText returns a value for CSV. Numbers inside lists and structs are written as in JSON.
func csvText(arr arrow.Array, i int) string {
	if d, ok := arr.(*array.Dictionary); ok {
		return csvText(d.Dictionary(), d.GetValueIndex(i))
	}
	if s, ok := arr.(interface{ Value(int) string }); ok {
		return s.Value(i)
	}
	return arr.ValueStr(i)
}
