// Package convention is the language in which tables of an HDF5 file are described: which datasets hold a column's
// values, its nulls and its labels, and by which rule. It recognizes no tables; the packages below it do, one for each
// convention or family of conventions, and package detect lists them. Package arrowmap reads values by the descriptions.
package convention

import (
	"github.com/h5arrow/h5arrow/h5"
)

// Table describes one table.
type Table struct {
	Path       string // of the group or dataset
	Convention string // name of the convention that claimed it
	Reason     string // why, in words
	Columns    []Column
	LeftOut    []string // datasets beside the columns that are in no table, in words

	Object   h5.Object         // its attributes become the table's metadata; may be nil
	Objects  []h5.Object       // further ones; the attributes of Object take precedence
	Metadata map[string]string // further metadata for the schema

	// Notes say, a line each, what a reader of the table should know: what was left out, and why.
	Notes []string

	Stack   *Stack // the table is those of several groups; Columns is empty then
	Stacked bool   // the table is also a part of a Stack
	Main    bool   // of several tables of an object, the one that has the columns of the others

	// Inner reports whether the object at a path belongs to the table: neither it nor what is below it is looked at for
	// tables. Nil claims everything below Path.
	Inner func(path string) bool
}

// Dataset returns that of the first column that has one, nil where none does; ok is false where no column could be described.
func (t *Table) Dataset() (d *h5.Dataset, ok bool) {
	for _, c := range t.Columns {
		if c.Values == nil {
			continue
		}
		if ok = true; c.Values.Main() != nil {
			return c.Values.Main(), true
		}
	}
	return nil, ok
}

// Column describes one column. A column that can't be described has Err, and no Values.
type Column struct {
	Name     string
	Values   Values
	Objects  []h5.Object       // their attributes become the column's metadata; later ones take precedence
	Metadata map[string]string // further metadata for the field
	Notes    []string          // what was passed over because it makes no sense, in words
	Err      error
}

// Values describes how a column's values are stored. It is one of *Plain, *Strings, *Dictionary, *List, *Struct, *Cells,
// *Transposed, *Derived, *Computed, *Generated, *Padded, *Grouped, *Taken, *Spread, *Masked and *Empty.
type Values interface {
	// Main returns the dataset that is reported for the column.
	Main() *h5.Dataset
}
