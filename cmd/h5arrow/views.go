package main

import (
	"cmp"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// sqlCatalog is what statements of query can name. It implements engine.Catalog.
type sqlCatalog struct {
	a      *app
	o      *queryFlags
	in     *inputs
	tables []engine.Table // that are listed
	loaded bool
}

// maxListedDatasets is the number of datasets that are listed in a file without tables.
const maxListedDatasets = 10000

// Tables returns the selected table, or all tables; in a file without tables, its datasets.
func (c *sqlCatalog) Tables() ([]engine.Table, error) {
	if c.loaded {
		return c.tables, nil
	}
	found, err := c.find()
	if err == nil {
		err = c.sorted(found)
	}
	if err != nil {
		return nil, err
	}
	for _, t := range found {
		et, err := c.table(t, tableNames(t.Path(), c.in.names[0]))
		if err != nil {
			return nil, err
		}
		c.tables = append(c.tables, et)
	}
	c.loaded = true
	c.a.incomplete(c.in)
	return c.tables, nil
}

// sorted returns an error if no table has a column of --sorted.
func (c *sqlCatalog) sorted(tables []*chosen) error {
	for _, name := range c.o.sorted {
		if !slices.ContainsFunc(tables, func(t *chosen) bool { return t.unsorted[name] == nil }) {
			return about(c.in.names[0], usage("no table has a column %s, which --sorted names", name))
		}
	}
	return nil
}

// find returns the tables that are listed.
func (c *sqlCatalog) find() ([]*chosen, error) {
	if c.o.named() {
		t, err := c.o.choose(c.in)
		return []*chosen{t}, err
	}
	paths, err := tablesByPath(c.in)
	if h5err.Is(err, h5err.Argument) {
		if list := c.datasets(); len(list) > 0 {
			return list, nil
		}
	}
	if err != nil {
		return nil, err
	}
	var all []*chosen
	var failed error
	for _, p := range paths {
		t, err := c.o.join(&inputs{names: p.names}, p.tables)
		if err == nil && len(t.Columns()) == 0 {
			_, err = t.Slice(0, 0)
		}
		switch {
		case err == nil:
			all = append(all, t)
		case h5err.Is(err, h5err.Argument) && !withoutColumns(p):
			return nil, err
		default: // statements about the other tables work
			c.o.leaveOut(c.a, err)
			failed = cmp.Or(failed, err)
		}
	}
	if len(all) == 0 {
		return nil, failed
	}
	return all, nil
}

// datasets returns the datasets of the only file as tables of one column.
func (c *sqlCatalog) datasets() (list []*chosen) {
	if len(c.in.files) != 1 {
		return nil
	}
	// What can't be walked can't be listed either, and its own path has its error.
	_ = c.in.files[0].H5().Walk(func(o h5.Object) error {
		if d, ok := o.(*h5.Dataset); ok && len(list) < maxListedDatasets {
			if t, err := c.dataset(d.Path()); err == nil {
				list = append(list, t)
			}
		}
		return nil
	})
	return list
}

// dataset returns the dataset at a path in all files as a table.
func (c *sqlCatalog) dataset(p string) (*chosen, error) {
	one := selection{reading: c.o.reading, datasets: []string{p}, rows: c.o.rows, skip: c.o.skip}
	return one.choose(c.in)
}

// at returns the dataset at a path, or the table of the group there, which a stack may have hidden; nil if it is neither.
func (c *sqlCatalog) at(p string) (*chosen, error) {
	o, err := c.in.files[0].H5().Lookup(p)
	if err != nil {
		return nil, err
	}
	if _, ok := o.(*h5.Group); !ok {
		if c.o.conditions != nil || len(c.o.columns) > 0 {
			return nil, h5err.In(usage("--columns and --where are for tables").WithHint("name the dataset with --dataset, too"), c.in.names[0], p)
		}
		return c.dataset(p)
	}
	one := selection{reading: c.o.reading, table: p, rows: c.o.rows, skip: c.o.skip}
	t, err := one.choose(c.in)
	if h5err.Is(err, h5err.Argument) || h5err.Is(err, h5err.NotFound) {
		return nil, nil // it is not a table
	}
	return t, err
}

// table returns a chosen table for the engine.
func (c *sqlCatalog) table(t *chosen, names []string) (engine.Table, error) {
	c.o.notes(c.a, t)
	et := engine.Table{Names: names, Table: t.full, Where: t.conditions}
	if len(t.full.Columns()) > len(t.Columns()) {
		for _, col := range t.full.Columns() {
			if !slices.Contains(t.Columns(), col) {
				et.Hidden = append(et.Hidden, col.Name)
			}
		}
	}
	if c.o.filename {
		for _, col := range t.Columns() {
			if strings.EqualFold(col.Name, rows.Filename) {
				return et, usage("--filename: the table %s already has a column of that name", t.Path())
			}
		}
		et.Files = t.fileRows()
	}
	return et, nil
}

// Find returns the datasets, and tables of groups, whose paths a name is, whatever the case of its letters: SQL ignores that. A name
// of several dimensions is the table of their cells.
// If a table was selected, there is nothing else.
func (c *sqlCatalog) Find(name string) ([]engine.Table, error) {
	if c.o.named() {
		return nil, nil
	}
	paths, err := pathsLike(c.in.files[0].H5(), name)
	if err != nil {
		return nil, err
	}
	var tables []engine.Table
	for _, p := range paths {
		t, err := c.at(p)
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue
		}
		et, err := c.table(t, []string{p})
		if err != nil {
			return nil, err
		}
		tables = append(tables, et)
	}
	if len(tables) > 0 || !strings.Contains(name, ",") {
		return tables, nil
	}
	t, err := c.cells(name)
	if t == nil {
		return nil, err
	}
	et, err := c.table(t, []string{t.Path()})
	return []engine.Table{et}, err
}

// cells returns the table of the cells of dimensions, whose names are its path; nil if there is none.
func (c *sqlCatalog) cells(p string) (*chosen, error) {
	one := selection{reading: c.o.reading, table: h5.CleanPath(p), rows: c.o.rows, skip: c.o.skip}
	t, err := one.choose(c.in)
	if h5err.Is(err, h5err.Argument) || h5err.Is(err, h5err.NotFound) {
		return nil, nil
	}
	return t, err
}

// tableNames returns the names of a table: its path, and the last part of it or, for the root group, the name of the file.
func tableNames(p, file string) []string {
	last := path.Base(p)
	if last == "/" || last == "." {
		p, last = "/", strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	return []string{p, last}
}
