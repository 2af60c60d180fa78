// Package pytables recognizes the tables of PyTables.
package pytables

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// Detect recognizes the tables of files that PyTables wrote: datasets of a compound type with the attribute
// CLASS='TABLE'. Their 8-bit bitfields are booleans, and their time classes timestamps.
func Detect(o h5.Object) ([]*convention.Table, error) {
	d, ok := o.(*h5.Dataset)
	if !ok || !object.IsTable(d) || object.Text(d, "CLASS") != "TABLE" || !writtenBy(d) {
		return nil, nil
	}
	t := &convention.Table{Path: d.Path(), Object: d, Reason: "attribute CLASS='TABLE' in a file of PyTables"}
	for i, m := range d.Type().Members {
		p := convention.NewMember(d, i)
		p.Bools, p.Times = true, true
		if padded := object.Padded(m.Type); padded != m.Type {
			p.As = padded
		}
		t.Columns = append(t.Columns, convention.Column{Name: m.Name, Values: p})
	}
	return []*convention.Table{t}, nil
}

// writtenBy reports whether PyTables wrote an object's file.
func writtenBy(o h5.Object) bool {
	a, err := o.File().Root().Attribute("PYTABLES_FORMAT_VERSION")
	return err == nil && a != nil
}

// Part reports whether an object is one of the groups in which PyTables keeps the indexes of a table's columns.
func Part(o h5.Object) bool {
	g, ok := o.(*h5.Group)
	if !ok || !strings.HasPrefix(g.Path()[len(object.Parent(g.Path())):], "_i_") {
		return false
	}
	class := object.Text(g, "CLASS")
	return class == "TINDEX" || class == "INDEX" || writtenBy(g)
}
