package biology

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// DetectNIX recognizes what NIX files of neurophysiology have of tables: data arrays, whose values are a polynomial of the
// stored ones, after the axis that their first dimension has; data frames; tags. Units are in the fields' metadata.
//
// https://nixio.readthedocs.io/en/latest/data_model.html
func DetectNIX(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || object.Text(g, "entity_id") == "" || object.Text(g.File().Root(), "format") != "nix" {
		return nil, nil
	}
	switch {
	case object.Has(g, "positions"):
		return nixMultiTag(g)
	case object.Has(g, "position"):
		return nixTag(g)
	}
	d, err := object.Dataset(g, "data")
	switch {
	case err != nil || d == nil:
		return nil, err
	case d.Space().Class != h5.SpaceSimple:
		return nil, object.NotATable(g, "a single value")
	case object.IsTable(d):
		return nixFrame(g, d)
	}
	axis, left := nixAxis(g, d)
	t := nixTable(g, "data array", append(axis, nixArray("data", g, d))...)
	t.LeftOut = left
	return []*convention.Table{t}, nil
}

func nixTable(g *h5.Group, kind string, columns ...convention.Column) *convention.Table {
	return &convention.Table{Path: g.Path(), Object: g, Reason: "a " + kind + " of NIX", Columns: columns}
}

// nixArray describes the values of a data array: numbers are a polynomial of the stored ones where it has coefficients or an
// origin.
func nixArray(name string, g *h5.Group, d *h5.Dataset) convention.Column {
	c := column.Of(name, d)
	c.Objects = []h5.Object{g, d}
	c.Metadata = nixUnit(object.Text(g, "unit"))
	if c.Err != nil {
		return c
	}
	coefficients, origin, err := nixPolynomial(g)
	t := d.Type()
	if err != nil {
		c.Values, c.Err = nil, err
	} else if (len(coefficients) > 0 || origin != 0) && (t.Class == h5.ClassFixed || t.Class == h5.ClassFloat) {
		reason := fmt.Sprintf("the polynomial of coefficients %v around %g", coefficients, origin)
		c.Values = column.OverItems(c.Values, d.RowDims(), arrow.PrimitiveTypes.Float64, reason, func(items arrow.Array, mem memory.Allocator) (arrow.Array, error) {
			return polynomial(items, coefficients, origin, mem)
		})
	}
	return c
}

// nixUnit is a unit as a field's metadata.
func nixUnit(unit string) map[string]string {
	if unit == "" {
		return nil
	}
	return map[string]string{"unit": unit}
}

// maxCoefficients bounds the coefficients of a polynomial.
const maxCoefficients = 1 << 10

// nixPolynomial reads the coefficients of a data array's polynomial, the constant first, and the origin around which it is.
func nixPolynomial(g *h5.Group) (coefficients []float64, origin float64, err error) {
	a, err := g.Attribute("expansion_origin")
	if err != nil {
		return nil, 0, err
	}
	if a != nil {
		v, ok := a.Floats()
		if !ok || len(v) != 1 {
			return nil, 0, object.Corrupt(g, "expansion_origin is not a number")
		}
		origin = v[0]
	}
	d, err := object.Dataset(g, "polynom_coefficients")
	if err != nil || d == nil {
		return nil, origin, err
	}
	t := d.Type()
	if t.Class != h5.ClassFloat || t.Size != 4 && t.Size != 8 || t.Order == h5.VAX || len(d.Dims()) != 1 || d.Rows() > maxCoefficients {
		return nil, 0, object.Unsupported(d, "coefficients of %s in shape %v", t, d.Dims())
	}
	p, err := object.Contents(d)
	if err != nil {
		return nil, 0, err
	}
	for ; len(p) >= t.Size; p = p[t.Size:] {
		coefficients = append(coefficients, rule.Float(p[:t.Size], t))
	}
	return coefficients, origin, nil
}

// polynomial computes a polynomial of values, by Horner's rule as numpy does. Without coefficients it is the distance from
// the origin.
func polynomial(in arrow.Array, coefficients []float64, origin float64, mem memory.Allocator) (arrow.Array, error) {
	buf, out := arrays.NewFloats[float64](in.Len(), mem)
	defer buf.Release()
	if err := arrays.Floats(in, out); err != nil {
		return nil, err
	}
	for i := range out {
		x := out[i] - origin
		out[i] = x
		if len(coefficients) == 0 {
			continue
		}
		y := coefficients[len(coefficients)-1] + float64(x*0) // NaN for infinities
		for _, c := range slices.Backward(coefficients[:len(coefficients)-1]) {
			y = c + float64(y*x)
		}
		out[i] = y
	}
	return arrays.WithValues(in, arrow.PrimitiveTypes.Float64, buf), nil
}

// nixFrame describes a data frame: the members of its dataset, and their units.
func nixFrame(g *h5.Group, d *h5.Dataset) ([]*convention.Table, error) {
	var units []string
	if a, err := g.Attribute("units"); err != nil {
		return nil, err
	} else if a != nil {
		units, _ = a.Strings()
	}
	t := nixTable(g, "data frame")
	for i, m := range d.Type().Members {
		c := convention.Column{Name: m.Name, Values: convention.NewMember(d, i)}
		if i < len(units) {
			c.Metadata = nixUnit(units[i])
		}
		t.Columns = append(t.Columns, c)
	}
	return []*convention.Table{t}, nil
}

// nixTag describes a tag: a row for each dimension of the data that it refers to.
func nixTag(g *h5.Group) ([]*convention.Table, error) {
	like, err := object.Required(g, "position")
	if err != nil || like.Space().Class != h5.SpaceSimple {
		return nil, err
	}
	t, err := column.Alike(g, like, "position", "extent", "units")
	if err != nil {
		return nil, err
	}
	t.Reason, t.Inner = "a tag of NIX", nil
	return []*convention.Table{t}, nil
}

// nixMultiTag describes a tag of many positions: a row for each of them, with its extent and the features that have a value
// for each. All are data arrays.
func nixMultiTag(g *h5.Group) ([]*convention.Table, error) {
	t := nixTable(g, "tag")
	rows := int64(-1)
	add := func(name string, o h5.Object) {
		a, ok := o.(*h5.Group)
		if !ok {
			return
		}
		d, ok := object.Member(a, "data").(*h5.Dataset)
		if !ok || d.Space().Class != h5.SpaceSimple || object.IsTable(d) || rows >= 0 && d.Rows() != rows {
			return
		}
		rows = d.Rows()
		t.Columns = append(t.Columns, nixArray(name, a, d))
	}
	add("positions", object.Member(g, "positions"))
	if rows < 0 {
		return nil, object.NotATable(g, "a tag whose positions can't be read")
	}
	add("extents", object.Member(g, "extents"))
	if units, ok := object.Member(g, "units").(*h5.Dataset); ok {
		if texts, err := object.Texts(units); err == nil {
			for i := range t.Columns {
				t.Columns[i].Metadata = nixUnit(strings.Join(texts, ", "))
			}
		}
	}
	features, ok := object.Member(g, "features").(*h5.Group)
	if !ok {
		return []*convention.Table{t}, nil
	}
	links, err := features.AllLinks()
	if err != nil {
		return nil, err
	}
	for l := range links {
		f, ok := object.Member(features, l.Name).(*h5.Group)
		if !ok || !strings.EqualFold(object.Text(f, "link_type"), "indexed") {
			continue
		}
		if data, ok := object.Member(f, "data").(*h5.Group); ok {
			add(nixUnused(t, object.Text(data, "name")), data)
		}
	}
	return []*convention.Table{t}, nil
}

// nixUnused returns a name that is not a column's: the one given, or it with a number.
func nixUnused(t *convention.Table, name string) string {
	for n, try := 1, name; ; n++ {
		if try != "" && !slices.ContainsFunc(t.Columns, func(c convention.Column) bool { return c.Name == try }) {
			return try
		}
		try = fmt.Sprintf("%s_%d", name, n)
	}
}

// nixAxis describes the first dimension of a data array as a column: sampled, a range of ticks, or a set of labels. There is
// none where the values are their own axis, or where no axis is stored.
func nixAxis(g *h5.Group, data *h5.Dataset) (axis []convention.Column, left []string) {
	dims, ok := object.Member(g, "dimensions").(*h5.Group)
	if !ok {
		return nil, nil
	}
	dim, ok := object.Member(dims, "1").(*h5.Group)
	if !ok {
		return nil, nil
	}
	name := object.Text(dim, "label")
	var c convention.Column
	switch kind := object.Text(dim, "dimension_type"); kind {
	case "sample":
		c = nixSampled(dim, data)
	case "range", "set":
		stored := map[string]string{"range": "ticks", "set": "labels"}[kind]
		if c, name = nixStored(dim, stored, data, name); c.Values == nil && c.Err == nil {
			return nil, nil
		}
	default:
		return nil, nil
	}
	if c.Name = name; name == "" || name == "data" {
		c.Name = map[bool]string{true: "label", false: "position"}[object.Text(dim, "dimension_type") == "set"]
	}
	if c.Values != nil && c.Values.Main().Rows() != data.Rows() {
		return nil, []string{fmt.Sprintf("%s (%d rows)", c.Name, c.Values.Main().Rows())}
	}
	return []convention.Column{c}, nil
}

// nixSampled describes an axis of equal steps.
func nixSampled(dim *h5.Group, data *h5.Dataset) convention.Column {
	c := convention.Column{Objects: []h5.Object{dim}, Metadata: nixUnit(object.Text(dim, "unit"))}
	var numbers [2]float64
	for i, name := range []string{"sampling_interval", "offset"} {
		a, err := dim.Attribute(name)
		if err == nil && a != nil {
			v, ok := a.Floats()
			if !ok || len(v) != 1 || math.IsNaN(v[0]) || math.IsInf(v[0], 0) {
				err = object.Unsupported(dim, "%s of %v", name, v)
			} else {
				numbers[i] = v[0]
			}
		}
		if err == nil && a == nil && i == 0 {
			err = object.Corrupt(dim, "%s is missing", name)
		}
		if err != nil {
			c.Err = err
			return c
		}
	}
	step, offset := numbers[0], numbers[1]
	c.Values = column.ByRow(data, data.Rows(), arrow.PrimitiveTypes.Float64, fmt.Sprintf("row * sampling_interval %g + offset %g", step, offset), array.NewFloat64Builder,
		func(b *array.Float64Builder, row int64) { b.UnsafeAppend(float64(float64(row)*step) + offset) })
	return c
}

// nixStored describes an axis whose values are stored: in a dataset of the dimension, or in a data array or a column of a
// data frame that it links to. Without values it has no column.
func nixStored(dim *h5.Group, stored string, data *h5.Dataset, label string) (c convention.Column, name string) {
	if d, ok := object.Member(dim, stored).(*h5.Dataset); ok && d.Space().Class == h5.SpaceSimple && len(d.Dims()) == 1 {
		c = column.Of("", d)
		c.Objects, c.Metadata = []h5.Object{dim}, nixUnit(object.Text(dim, "unit"))
		return c, label
	}
	link, ok := object.Member(dim, "link").(*h5.Group)
	if !ok {
		return c, label // the data itself, before nixio 1.5
	}
	links, err := link.Links()
	if err != nil || len(links) == 0 {
		return c, label
	}
	to, ok := object.Member(link, links[0].Name).(*h5.Group)
	if !ok {
		return c, label
	}
	d, ok := object.Member(to, "data").(*h5.Dataset)
	index, err := link.Attribute("index")
	if !ok || err != nil || index == nil || d.Address() == data.Address() || d.Space().Class != h5.SpaceSimple {
		return c, label
	}
	at, ok := index.Ints()
	if !ok {
		return c, label
	}
	return nixLinked(to, d, at, label)
}

// nixLinked describes the part of a data array, or the column of a data frame, that is an axis. The stored values are
// taken, as nixio does.
func nixLinked(to *h5.Group, d *h5.Dataset, at []int64, label string) (c convention.Column, name string) {
	c.Objects = []h5.Object{to}
	if object.IsTable(d) {
		members := d.Type().Members
		if len(at) != 1 || at[0] < 0 || at[0] >= int64(len(members)) {
			return convention.Column{Err: object.Corrupt(to, "column %v of %d is an axis", at, len(members))}, label
		}
		c.Values = convention.NewMember(d, int(at[0]))
		if a, err := to.Attribute("units"); err == nil && a != nil {
			if units, ok := a.Strings(); ok && int64(len(units)) > at[0] {
				c.Metadata = nixUnit(units[at[0]])
			}
		}
		return c, members[at[0]].Name
	}
	if own := object.Text(to, "label"); own != "" {
		label = own
	}
	c.Metadata = nixUnit(object.Text(to, "unit"))
	item, err := nixItem(to, d, at)
	switch {
	case err != nil:
		c.Err = err
	case item == convention.Whole:
		c.Values = convention.NewStored(d)
	default:
		c.Values = convention.NewItem(d, item)
	}
	return c, label
}

// nixItem returns the number of an item in the rows of a data array, whose index has -1 for the rows.
func nixItem(to *h5.Group, d *h5.Dataset, at []int64) (int, error) {
	dims := d.Dims()
	if len(at) != len(dims) || len(at) == 0 || at[0] != -1 {
		return 0, object.Unsupported(to, "an axis at %v of shape %v", at, dims)
	}
	if len(at) == 1 {
		return convention.Whole, nil
	}
	item := uint64(0)
	for i, n := range dims[1:] {
		if at[i+1] < 0 || uint64(at[i+1]) >= n || n > math.MaxInt32 || item > math.MaxInt32 {
			return 0, h5err.About(h5err.New(h5err.Unsupported, "an axis at %v of shape %v", at, dims), to)
		}
		item = item*n + uint64(at[i+1])
	}
	if item > math.MaxInt32 {
		return 0, object.Unsupported(to, "an axis at %v of shape %v", at, dims)
	}
	return int(item), nil
}
