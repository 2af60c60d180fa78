package biology

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// coolerFirst are the columns that come first in the tables of a cooler file, by the group's name.
var coolerFirst = map[string][]string{
	"chroms": {"name", "length"},
	"bins":   {"chrom", "start", "end"},
	"pixels": {"bin1_id", "bin2_id", "count"},
}

// DetectCooler recognizes the tables of cooler files, below a group whose attribute format is HDF5::Cooler, or that of
// several of them: chroms, bins and pixels. Chromosomes are the labels of a dictionary, also where the numbers are plain
// and the attribute enum_path leads to the names.
//
// https://cooler.readthedocs.io/en/stable/schema.html
func DetectCooler(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	first := coolerFirst[object.Base(g.Path())]
	up := object.Above(g)
	if first == nil || up == nil || !strings.HasPrefix(object.Text(up, "format"), "HDF5::") {
		return nil, nil
	}
	like, ok := object.Member(g, first[0]).(*h5.Dataset)
	if !ok || len(like.Dims()) != 1 {
		return nil, nil
	}
	t, err := column.Alike(g, like, first...)
	if err != nil {
		return nil, err
	}
	t.Reason = "a table below the attribute format='" + object.Text(up, "format") + "'"
	t.Objects = []h5.Object{up}
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Name == "chrom" && c.Err == nil && like.Type().Class == h5.ClassFixed {
			if c.Values, c.Err = coolerChroms(up, like); c.Err != nil {
				c.Values = nil
			}
		}
	}
	return []*convention.Table{t}, nil
}

// coolerChroms describes numbers of chromosomes, whose names are at enum_path: a path below the cooler's group, though it
// is written as one below the root.
func coolerChroms(up *h5.Group, d *h5.Dataset) (convention.Values, error) {
	path := object.Text(d, "enum_path")
	if path == "" {
		path = "/chroms/name"
	}
	o, err := d.File().Lookup(object.Child(up, strings.TrimPrefix(path, "/")))
	if h5err.Is(err, h5err.NotFound) {
		o, err = d.File().Lookup(path)
	}
	if err != nil {
		return nil, err
	}
	names, ok := o.(*h5.Dataset)
	if !ok || len(names.Dims()) != 1 {
		return nil, object.Corrupt(d, "enum_path %s is not a list of names", path)
	}
	return column.Categorical(d, names, false)
}
