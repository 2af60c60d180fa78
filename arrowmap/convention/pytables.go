package convention

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
)

// detectPyTables recognises the tables of files that PyTables wrote: datasets of a compound type with the attribute
// CLASS='TABLE'. Its 8-bit bitfields are booleans, and its time classes timestamps.
func detectPyTables(o h5.Object) ([]*Table, error) {
	d, ok := o.(*h5.Dataset)
	if !ok || !isTable(d) || text(d, "CLASS") != "TABLE" || !byPyTables(d) {
		return nil, nil
	}
	t := &Table{Path: d.Path(), Object: d, Reason: "attribute CLASS='TABLE' in a file of PyTables"}
	for i, m := range d.Type().Members {
		p := NewMember(d, i)
		p.Bools, p.Times = true, true
		t.Columns = append(t.Columns, Column{Name: m.Name, Values: p})
	}
	return []*Table{t}, nil
}

// byPyTables tells whether PyTables wrote an object's file.
func byPyTables(o h5.Object) bool {
	a, err := o.File().Root().Attribute("PYTABLES_FORMAT_VERSION")
	return err == nil && a != nil
}

// isIndexOfTable recognises the groups in which PyTables keeps the indexes of a table's columns.
func isIndexOfTable(o h5.Object) bool {
	g, ok := o.(*h5.Group)
	if !ok || !strings.HasPrefix(g.Path()[len(parent(g.Path())):], "_i_") {
		return false
	}
	class := text(g, "CLASS")
	return class == "TINDEX" || class == "INDEX" || byPyTables(g)
}
