// Package snirf recognizes the tables of SNIRF files, the shared format of functional near-infrared spectroscopy.
//
// https://github.com/fNIRS/snirf/blob/v1.2/snirf_specification.md
package snirf

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
)

// part is the path of a group that has tables: data, aux, stim or probe of a run.
var part = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^/nirs[0-9]*/(data|aux|stim|probe)[0-9]*$`) })

// Detect recognizes the groups of a run, /nirs or /nirs1 and so on: the recordings data1, aux1 and so on with their times, the
// channels of a recording, the events of each condition stim1 and so on, and what the probe consists of.
func Detect(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	m := part().FindStringSubmatch(g.Path())
	if m == nil {
		return nil, nil
	}
	if run := object.Above(g); !object.Has(g.File().Root(), "formatVersion") && (run == nil || !object.Has(run, "metaDataTags")) {
		return nil, nil
	}
	switch m[1] {
	case "stim":
		return stimuli(g)
	case "probe":
		return probe(g)
	}
	return recording(g)
}

// recording describes dataTimeSeries with the time of each row, and the channels, which are the items of a row.
func recording(g *h5.Group) ([]*convention.Table, error) {
	data, err := object.Dataset(g, "dataTimeSeries")
	if err != nil || data == nil || data.Space().Class != h5.SpaceSimple {
		return nil, err
	}
	channels, inner, err := measurements(g)
	if err != nil {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "dataTimeSeries in a run of SNIRF",
		Inner: object.Below(append(inner, object.Child(g, "dataTimeSeries"), object.Child(g, "time"), object.Child(g, "dataOffset"))...)}
	if object.Has(g, "time") {
		t.Columns = append(t.Columns, times(g, data.Rows()))
	}
	t.Columns = append(t.Columns, column.Of("dataTimeSeries", data))
	all, broken, err := column.Datasets(g)
	if err != nil {
		return nil, err
	}
	for _, c := range broken {
		if c.Name != "time" {
			t.Columns = append(t.Columns, c)
		}
	}
	for _, d := range all {
		if name := object.Base(d.Path()); name != "time" && name != "dataTimeSeries" {
			t.LeftOut = append(t.LeftOut, leftOut(d))
		}
	}
	if channels == nil {
		return []*convention.Table{t}, nil
	}
	return []*convention.Table{t, channels}, nil
}

// leftOut names a dataset that has other rows than a table.
func leftOut(d *h5.Dataset) string {
	if d.Rows() == 1 {
		return object.Base(d.Path()) + " (1 row)"
	}
	return fmt.Sprintf("%s (%d rows)", object.Base(d.Path()), d.Rows())
}

// times describes the time of each row: a dataset of as many, or the first time and the step between two.
func times(g *h5.Group, rows int64) convention.Column {
	c := convention.Column{Name: "time"}
	d, err := object.Required(g, "time")
	if err != nil {
		c.Err = err
		return c
	}
	if d.Space().Class != h5.SpaceSimple {
		c.Err = object.Unsupported(d, "one time for %d rows", rows)
		return c
	}
	n, ok := d.Space().Elements()
	switch {
	case d.Rows() == rows && len(d.RowDims()) == 0:
		return column.Of("time", d)
	case ok && n == uint64(rows) && (d.Rows() == rows || d.Rows() == 1): // a row or a column of a matrix
		p := convention.NewStored(d)
		if p.Squeeze = true; d.Rows() == rows {
			p = convention.NewItem(d, 0)
		}
		c.Objects, c.Values = []h5.Object{d}, p
	case ok && n == 2 && len(d.Dims()) <= 2:
		c.Objects = []h5.Object{d}
		c.Values, c.Metadata, c.Err = stepped(d, rows)
	default:
		c.Objects = []h5.Object{d}
		c.Err = object.Corrupt(d, "times of shape %v for %d rows", d.Dims(), rows)
	}
	return c
}

// stepped describes times that are the first of two numbers, and the second one more for each row.
func stepped(d *h5.Dataset, rows int64) (convention.Values, map[string]string, error) {
	v, err := numbers(d)
	if err != nil {
		return nil, nil, err
	}
	start, step := v[0], v[1]
	if math.IsNaN(start+step) || math.IsInf(start+step, 0) {
		return nil, nil, object.Corrupt(d, "times from %g in steps of %g", start, step)
	}
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	values := column.ByRow(d, rows, arrow.PrimitiveTypes.Float64, fmt.Sprintf("%g + row * %g", start, step), array.NewFloat64Builder,
		func(b *array.Float64Builder, row int64) { b.UnsafeAppend(start + float64(float64(row)*step)) })
	return values, map[string]string{"start": text(start), "spacing": text(step)}, nil
}

// numbers reads all elements of a small dataset of numbers.
func numbers(d *h5.Dataset) ([]float64, error) {
	t := d.Type()
	if k, ok := kindOf(t); !ok || k == textField {
		return nil, object.Unsupported(d, "numbers of %s", t)
	}
	p, err := object.Contents(d)
	if err != nil {
		return nil, err
	}
	var out []float64
	for ; len(p) >= t.Size; p = p[t.Size:] {
		out = append(out, number(p[:t.Size], t))
	}
	return out, nil
}

// number decodes a stored number.
func number(p []byte, t *h5.Type) float64 {
	if t.Class == h5.ClassFloat {
		return rule.Float(p, t)
	}
	return float64(rule.Int(p, t))
}

// eventColumns are the first columns of events that are not named by dataLabels.
var eventColumns = []string{"starttime", "duration", "value"}

// stimuli describes the events of a condition: its name, and a column for each item of a row of data.
func stimuli(g *h5.Group) ([]*convention.Table, error) {
	d, err := object.Dataset(g, "data")
	if err != nil || d == nil || d.Space().Class != h5.SpaceSimple {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "events in a run of SNIRF", Inner: object.DatasetsOf(g)}
	if c, ok := condition(g, d.Rows()); ok {
		t.Columns = append(t.Columns, c)
	}
	dims, n := d.RowDims(), len(eventColumns)
	none := d.Rows() == 0 && len(dims) == 1 && dims[0] == 0 // a condition without events may be an array of shape (0, 0)
	if !none {
		if len(dims) != 1 || dims[0] == 0 || dims[0] > maxLabels {
			t.Columns = append(t.Columns, column.Of("data", d))
			return []*convention.Table{t}, nil
		}
		n = int(dims[0])
	}
	names, err := labels(g, n)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		c := convention.Column{Name: name, Objects: []h5.Object{d}, Values: convention.NewItem(d, i)}
		if none {
			c.Values = &convention.Empty{Data: d, Type: arrow.PrimitiveTypes.Float64}
		}
		t.Columns = append(t.Columns, c)
	}
	return []*convention.Table{t}, nil
}

// maxLabels bounds the columns of events.
const maxLabels = 1024

// labels returns the names of n columns of events: those of dataLabels if there are as many, which differ from each other.
func labels(g *h5.Group, n int) ([]string, error) {
	var names []string
	d, err := object.Dataset(g, "dataLabels")
	if err != nil {
		return nil, err
	}
	if d != nil && d.Rows() == int64(n) && len(d.RowDims()) == 0 {
		if names, err = object.Texts(d); err != nil {
			return nil, err
		}
	} else if n >= len(eventColumns) {
		names = append(names, eventColumns...)
	}
	taken := map[string]bool{"name": true}
	for i := range n {
		name := fmt.Sprintf("data_%d", i+1)
		if i < len(names) && names[i] != "" && !taken[names[i]] {
			name = names[i]
		}
		for taken[name] {
			name += "_"
		}
		taken[name] = true
		if i < len(names) {
			names[i] = name
		} else {
			names = append(names, name)
		}
	}
	return names, nil
}

// maxName bounds the bytes of a name that is repeated in each row.
const maxName = 256

// condition describes the name of a condition, which is that of all its events.
func condition(g *h5.Group, rows int64) (convention.Column, bool) {
	c := convention.Column{Name: "name"}
	d, err := object.Dataset(g, "name")
	if err != nil {
		c.Err = err
		return c, true
	}
	if d == nil || d.Rows() != 1 {
		return c, false
	}
	c.Objects = []h5.Object{d}
	names, err := object.Texts(d)
	if err != nil {
		c.Err = err
		return c, true
	}
	if len(names) == 0 || len(names[0]) > maxName {
		return c, false
	}
	c.Metadata = map[string]string{"name": names[0]}
	c.Values = column.ByRow(d, rows, arrow.BinaryTypes.String, "the condition, in every row", array.NewStringBuilder,
		func(b *array.StringBuilder, _ int64) { b.Append(names[0]) })
	return c, true
}
