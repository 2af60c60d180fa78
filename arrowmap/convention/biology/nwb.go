package biology

import (
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
)

// nwb recognizes the time series of NWB: data, with timestamps beside them or a rate. Both may be links to those of another
// series. What else is in the group, such as electrodes, has a value for each channel, or one for all.
func nwb(g *h5.Group) ([]*convention.Table, error) {
	switch object.Text(g, "neurodata_type") {
	case "":
		return nil, nil
	case "NWBFile":
		return nil, object.NotATable(g, "an NWB file: what is in it are tables")
	}
	if !object.Has(g, "data") || !object.Has(g, "timestamps") && !object.Has(g, "starting_time") {
		return nil, nil
	}
	data, err := series(g, "data")
	if err != nil {
		return nil, err
	}
	d := data.dataset
	if d != nil && d.Space().Class != h5.SpaceSimple {
		return nil, nil
	}
	if d != nil && d.Rows() == 0 && object.Has(g, "external_file") {
		return nil, object.NotATable(g, "images that are in files of other formats")
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "attribute neurodata_type='" + object.Text(g, "neurodata_type") + "'",
		Inner: object.DatasetsOf(g)}
	times, err := timestamps(g, d)
	if err != nil {
		return nil, err
	}
	if times.Name != "" {
		t.Columns = append(t.Columns, times)
	}
	t.Columns = append(t.Columns, data.Column)
	if object.Has(g, "control") {
		control, err := series(g, "control")
		if err != nil {
			return nil, err
		}
		t.Columns = append(t.Columns, control.like(d))
	}
	return []*convention.Table{t}, nil
}

// member is a dataset of a time series as a column; dataset is nil where it can't be opened.
type member struct {
	convention.Column
	dataset *h5.Dataset
}

// series describes the member of that name, to which a link of any kind may lead.
func series(g *h5.Group, name string) (member, error) {
	if _, _, err := g.Link(name); err != nil {
		return member{}, err
	}
	d, err := object.Dataset(g, name)
	if err != nil || d == nil {
		return member{Column: convention.Column{Name: name, Err: err}}, nil
	}
	return member{column.Of(name, d), d}, nil
}

// like returns the column, with an error where it has other rows than the data.
func (m member) like(data *h5.Dataset) convention.Column {
	c := m.Column
	switch {
	case m.dataset == nil || data == nil || c.Err != nil:
	case m.dataset.Space().Class != h5.SpaceSimple:
		c.Err = object.Unsupported(m.dataset, "one value beside %d rows of data", data.Rows())
	case m.dataset.Rows() != data.Rows():
		c.Err = object.Unsupported(m.dataset, "%d rows beside %d rows of data", m.dataset.Rows(), data.Rows())
	}
	if c.Err != nil {
		c.Values = nil
	}
	return c
}

// timestamps describes the times of a series: those that are stored, or those that its rate gives. Without rows of data to
// count there is no column for a rate; its name is then "".
func timestamps(g *h5.Group, data *h5.Dataset) (convention.Column, error) {
	if object.Has(g, "timestamps") {
		m, err := series(g, "timestamps")
		return m.like(data), err
	}
	if data == nil {
		return convention.Column{}, nil
	}
	c := convention.Column{Name: "timestamps"}
	start, err := object.Dataset(g, "starting_time")
	if err == nil {
		c.Objects = []h5.Object{start}
		var first, rate float64
		if first, rate, err = clock(start, data.Rows()); err == nil {
			number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
			c.Metadata = map[string]string{"starting_time": number(first), "rate": number(rate)}
			c.Values = rated(data, first, rate)
		}
	}
	c.Err = err
	return c, nil
}

// clock reads the first time in seconds, and the rate in Hz, of so many rows.
func clock(start *h5.Dataset, rows int64) (first, rate float64, err error) {
	a, err := start.Attribute("rate")
	if err != nil {
		return 0, 0, err
	}
	if a == nil {
		return 0, 0, object.Corrupt(start, "the attribute rate is missing")
	}
	v, ok := a.Floats()
	if !ok || len(v) != 1 || math.IsNaN(v[0]) || math.IsInf(v[0], 0) || v[0] <= 0 && rows > 1 {
		return 0, 0, object.Unsupported(start, "a rate of %v for %d rows", v, rows)
	}
	first, err = scalar(start)
	return first, v[0], err
}

// scalar reads a dataset of one float.
func scalar(d *h5.Dataset) (float64, error) {
	t := d.Type()
	if t.Class != h5.ClassFloat || d.Rows() != 1 || len(d.RowDims()) > 0 {
		return 0, object.Unsupported(d, "a time of %s in %d rows", t, d.Rows())
	}
	p, err := object.Contents(d)
	if err != nil {
		return 0, err
	}
	v := rule.Float(p, t)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, object.Unsupported(d, "a time of %g", v)
	}
	return v, nil
}

// rated makes a time for each row of data.
func rated(data *h5.Dataset, first, rate float64) *convention.Generated {
	return column.ByRow(data, data.Rows(), arrow.PrimitiveTypes.Float64, fmt.Sprintf("starting_time %g + row / rate %g", first, rate), array.NewFloat64Builder,
		func(b *array.Float64Builder, row int64) {
			if row == 0 { // a single row needs no rate
				b.UnsafeAppend(first)
			} else {
				b.UnsafeAppend(first + float64(row)/rate)
			}
		})
}
