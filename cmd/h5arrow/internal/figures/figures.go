// Package figures shows the statistics of a table's columns.
package figures

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/stats"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/dtype"
)

// digits is the number of digits of a float, and maxCell the width of a value.
const (
	digits  = 7
	maxCell = 28
)

// The columns of the grid.
const (
	colName = iota
	colType
	colUnits
	colNulls
	colNaN
	colDistinct
	colMin
	colQ1
	colMedian
	colQ3
	colMax
	colMean
	colHistogram
	columns
)

var heads = [columns]string{"COLUMN", "TYPE", "UNITS", "NULLS", "NAN", "DISTINCT", "MIN", "25%", "MEDIAN", "75%", "MAX", "MEAN", "HISTOGRAM"}

// dropped is the order in which columns are left out where a line is too long.
var dropped = []int{colQ1, colQ3, colType, colMedian, colUnits, colMean, colDistinct, colHistogram, colNaN}

// Show shows the statistics of the columns of a table, and their units if some are given. Lines fit the screen: where it has
// a width, times are cut to about a thousandth of their range.
func Show(s *text.Screen, path string, n int64, list []stats.Column, units []string) error {
	if err := s.Line(text.Span{Text: path, Style: text.Name},
		text.Span{Text: ": " + text.Plural(len(list), "column") + " of " + text.Plural(n, "row")}); err != nil {
		return err
	}
	g := text.Grid{Indent: "  ", Max: maxCell}
	head := make([]text.Cell, columns)
	for i, h := range heads {
		head[i] = text.Cell{Text: h, Style: text.Bold, Right: right(i)}
	}
	used := [columns]bool{colName: true, colType: true, colNulls: true, colDistinct: true, colMin: true, colMax: true}
	all := make([][columns]string, len(list))
	for i := range list {
		all[i] = cells(&list[i], s.Width > 0)
		if units != nil {
			all[i][colUnits] = units[i]
		}
		for k, t := range all[i] {
			used[k] = used[k] || t != ""
		}
	}
	g.Add(pick(used, head))
	for _, row := range all {
		line := make([]text.Cell, columns)
		for k, t := range row {
			line[k] = text.Cell{Text: t, Right: right(k), Style: style(k, t)}
		}
		g.Add(pick(used, line))
	}
	left := fit(&g, s.Width, used)
	if err := g.Show(s); err != nil || left == "" {
		return err
	}
	return s.Line(text.Span{Text: "  left out: " + left + " (--wide shows all)", Style: text.Dim})
}

func right(column int) bool {
	return column != colName && column != colType && column != colHistogram
}

func style(column int, t string) text.Style {
	switch {
	case column == colType, column == colNulls && t == "0":
		return text.Dim
	case column == colName:
		return text.Bold
	}
	return text.Plain
}

// pick returns the cells of the columns that are used.
func pick(used [columns]bool, row []text.Cell) []text.Cell {
	var out []text.Cell
	for i, c := range row {
		if used[i] {
			out = append(out, c)
		}
	}
	return out
}

// fit fits a grid of the used columns to a width, and returns the names of what is left out.
func fit(g *text.Grid, width int, used [columns]bool) string {
	if width == 0 {
		return ""
	}
	place, heading := map[int]int{}, map[int]string{} // in the grid
	for i, n := 0, 0; i < columns; i++ {
		if used[i] {
			place[i], heading[n] = n, strings.ToLower(heads[i])
			n++
		}
	}
	var order []int
	for _, i := range dropped {
		if used[i] {
			order = append(order, place[i])
		}
	}
	left := g.Fit(width, order...)
	quartiles := 0
	if used[colQ1] {
		quartiles = min(2, len(left)) // they come first, and back only together with all else
	}
	var names []string
	for _, i := range append(left[:quartiles:quartiles], g.Restore(width, left[quartiles:])...) {
		names = append(names, heading[i])
	}
	return strings.Join(names, ", ")
}

// cells returns the texts about a column.
func cells(c *stats.Column, narrow bool) (row [columns]string) {
	row[colName], row[colType], row[colNulls] = c.Name, rows.TypeName(c.Type), text.Count(c.Nulls)
	if c.NaNs > 0 {
		row[colNaN] = text.Count(c.NaNs)
	}
	if c.Distinct >= 0 {
		row[colDistinct] = text.Count(c.Distinct)
		if !c.DistinctExact {
			row[colDistinct] = "~" + row[colDistinct]
		}
	}
	places := 0
	if narrow {
		places = timePlaces(c.Bounds)
	}
	value := func(arr arrow.Array, i int) string {
		if arr == nil {
			return ""
		}
		if t := rows.Rounded(arr, i, digits); t != "" {
			return cutTime(t, places)
		}
		return `""`
	}
	row[colMin], row[colMax], row[colMean] = value(c.Bounds, 0), value(c.Bounds, 1), value(c.Mean, 0)
	row[colQ1], row[colMedian], row[colQ3] = value(c.Quartiles, 0), value(c.Quartiles, 1), value(c.Quartiles, 2)
	if c.Histogram != nil {
		row[colHistogram] = Sparkline(c.Histogram.Counts)
	}
	return row
}

// timePlaces returns how many letters of a time, from the year on, show it to a thousandth of the range of a column; 0 for all
// of them, or if the bounds are not times.
func timePlaces(bounds arrow.Array) int {
	times, ok := bounds.(*array.Timestamp)
	if !ok || times.IsNull(0) || times.IsNull(1) {
		return 0
	}
	unit := times.DataType().(*arrow.TimestampType).Unit
	span := (float64(times.Value(1)) - float64(times.Value(0))) * unit.Multiplier().Seconds()
	for _, p := range []struct {
		seconds float64
		places  int
	}{{86400, len("2006-01-02")}, {60, len("2006-01-02T15:04")}, {1, len("2006-01-02T15:04:05")}} {
		if span >= 1000*p.seconds {
			return p.places
		}
	}
	return 0
}

// cutTime cuts a time of ISO 8601 to so many letters, without its zone, unless that is all of it.
func cutTime(t string, places int) string {
	if places == 0 || len(t) <= places || len(t) < 19 || t[4] != '-' || t[7] != '-' || t[13] != ':' {
		return t
	}
	return t[:places]
}

// Sparkline draws counts as bars of a height from nothing to a line.
func Sparkline(counts []int64) string {
	highest := int64(1)
	for _, n := range counts {
		highest = max(highest, n)
	}
	var b strings.Builder
	for _, n := range counts {
		if n <= 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(7, int(float64(n)/float64(highest)*8))])
	}
	return b.String()
}

// JSON returns the statistics as a JSON object on one line.
func JSON(path string, n int64, list []stats.Column) ([]byte, error) {
	b := append([]byte(nil), '{')
	b = text.AppendString(text.AppendKey(b, "path"), path)
	b = strconv.AppendInt(text.AppendKey(b, "rows"), n, 10)
	b = append(text.AppendKey(b, "columns"), '[')
	var err error
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendColumn(append(b, "\n  {"...), &list[i]); err != nil {
			return nil, err
		}
	}
	return append(b, "]}\n"...), nil
}

func appendColumn(b []byte, c *stats.Column) ([]byte, error) {
	b = text.AppendString(text.AppendKey(b, "name"), c.Name)
	b = text.AppendString(text.AppendKey(b, "type"), dtype.TypeName(c.Type))
	b = strconv.AppendInt(text.AppendKey(b, "rows"), c.Rows, 10)
	b = strconv.AppendInt(text.AppendKey(b, "nulls"), c.Nulls, 10)
	b = strconv.AppendInt(text.AppendKey(b, "nan"), c.NaNs, 10)
	if c.Distinct >= 0 {
		b = strconv.AppendInt(text.AppendKey(b, "distinct"), c.Distinct, 10)
		b = strconv.AppendBool(text.AppendKey(b, "distinct_exact"), c.DistinctExact)
	} else {
		b = append(text.AppendKey(b, "distinct"), "null"...)
	}
	var err error
	one := func(key string, arr arrow.Array, i int) {
		b = text.AppendKey(b, key)
		if arr == nil {
			b = append(b, "null"...)
		} else if err == nil {
			b, err = rows.AppendValue(b, arr, i)
		}
	}
	one("min", c.Bounds, 0)
	one("max", c.Bounds, 1)
	one("mean", c.Mean, 0)
	if c.Quartiles != nil {
		one("q25", c.Quartiles, 0)
		one("median", c.Quartiles, 1)
		one("q75", c.Quartiles, 2)
	}
	if h := c.Histogram; h != nil {
		b = append(text.AppendKey(b, "histogram"), '{')
		b = strconv.AppendFloat(text.AppendKey(b, "low"), h.Low, 'g', -1, 64)
		b = strconv.AppendFloat(text.AppendKey(b, "high"), h.High, 'g', -1, 64)
		b = append(text.AppendKey(b, "counts"), '[')
		for i, n := range h.Counts {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = strconv.AppendInt(b, n, 10)
		}
		b = append(b, "]}"...)
	}
	b = strconv.AppendInt(text.AppendKey(b, "sampled"), c.Sampled, 10)
	return append(b, '}'), err
}
