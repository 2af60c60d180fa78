package rows

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Output is written in parts of about these sizes.
const (
	gridRows  = 20000
	jsonBytes = 1 << 20
	csvBytes  = 1 << 16
)

// maxCell is the width beyond which a value in a grid is cut, in characters.
const maxCell = 36

// Grid prints columns of rows in a grid for people.
type Grid struct {
	Columns []int
	Max     int64  // rows that are printed, the others are counted; 0: all
	All     string // the flag that prints all rows
}

// Print prints the rows that rr has. Where columns do not fit the screen, the last ones are left out, and named.
func (p *Grid) Print(s *text.Screen, rr array.RecordReader) error {
	fields := rr.Schema().Fields()
	g := text.Grid{Max: maxCell}
	names := p.heads(&g, fields)
	seen, fitted := int64(0), false
	var left []int
	show := func() error {
		if !fitted && s.Width > 0 {
			left = p.fit(&g, s.Width)
		}
		fitted = true
		return g.Show(s)
	}
	for rr.Next() {
		rec := rr.RecordBatch()
		for i := range int(rec.NumRows()) {
			if p.Max > 0 && seen+int64(i) >= p.Max {
				break
			}
			row := make([]text.Cell, len(p.Columns))
			for k, c := range p.Columns {
				row[k] = text.Cell{Text: Text(rec.Column(c), i), Right: names[k].Right}
				if rec.Column(c).IsNull(i) {
					row[k].Style = text.Dim
				}
			}
			g.Add(row)
		}
		seen += rec.NumRows()
		if g.Rows() > gridRows {
			if err := show(); err != nil {
				return err
			}
		}
	}
	if rr.Err() != nil {
		return rr.Err()
	}
	if err := show(); err != nil {
		return err
	}
	return p.rest(s, names, left, seen)
}

// heads adds the lines above the rows: names, types, and units where a column that is shown has one. It returns the cells of the names.
func (p *Grid) heads(g *text.Grid, fields []arrow.Field) []text.Cell {
	names, types, units := make([]text.Cell, len(p.Columns)), make([]text.Cell, len(p.Columns)), make([]text.Cell, len(p.Columns))
	for i, c := range p.Columns {
		f := fields[c]
		names[i] = text.Cell{Text: f.Name, Right: rightAligned(f.Type), Style: text.Bold}
		types[i] = text.Cell{Text: TypeName(f.Type), Right: names[i].Right, Soft: true, Style: text.Dim}
		units[i] = text.Cell{Text: Units(f), Right: names[i].Right, Soft: true, Style: text.Dim}
	}
	g.Add(slices.Clone(names))
	g.Add(types)
	g.Add(units)
	return names
}

// fit leaves out columns of a grid from the last on, but not the first.
func (p *Grid) fit(g *text.Grid, width int) []int {
	order := make([]int, 0, len(p.Columns))
	for i := len(p.Columns) - 1; i > 0; i-- {
		order = append(order, i)
	}
	return g.Fit(width, order...)
}

// rest says which columns and how many rows were left out.
func (p *Grid) rest(s *text.Screen, names []text.Cell, left []int, seen int64) error {
	if p.Max > 0 && seen > p.Max {
		line := "… " + text.Plural(seen-p.Max, "more row") + " of " + text.Count(seen) + " (" + p.All + " prints all)"
		if err := s.Line(text.Span{Text: line, Style: text.Dim}); err != nil {
			return err
		}
	}
	if len(left) == 0 {
		return nil
	}
	slices.Sort(left)
	const named = 20
	list := make([]string, 0, named+1)
	for _, i := range left[:min(len(left), named+1)] {
		list = append(list, names[i].Text)
	}
	return s.Line(text.Span{Text: "… " + text.Plural(len(left), "more column") + " (--wide shows all): " + h5err.List(list, named), Style: text.Dim})
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
