// Package object reads what conventions look at in the objects of a file: members of groups, attributes, small datasets.
// Its errors name the file and the object.
package object

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Above is the group that holds an object, nil where it can't be found.
func Above(o h5.Object) *h5.Group {
	if o.Path() == "/" {
		return nil
	}
	up, err := o.File().Lookup(Parent(o.Path()))
	g, ok := up.(*h5.Group)
	if err != nil || !ok {
		return nil
	}
	return g
}

// NotATable is the error for an object that a convention knows, and that is no table: no other convention is to take it for
// one. What is below it is looked at.
func NotATable(o h5.Object, what string) error {
	return h5err.In(h5err.New(h5err.Argument, "%s", what).WithOption("arrowmap.File.Tables", "list the tables"), o.File().Name(), o.Path())
}

func Child(g *h5.Group, name string) string {
	if g.Path() == "/" {
		return "/" + name
	}
	return g.Path() + "/" + name
}

// Corrupt is an error about an object.
func Corrupt(o h5.Object, format string, args ...any) error {
	return h5err.In(h5err.New(h5err.Corrupt, format, args...), o.File().Name(), o.Path())
}

func Unsupported(o h5.Object, format string, args ...any) error {
	return h5err.In(h5err.New(h5err.Unsupported, format, args...), o.File().Name(), o.Path())
}

// Text returns the Text of an attribute, "" when it has none.
func Text(o h5.Object, name string) string {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return ""
	}
	s, _ := a.Text()
	return s
}

// IsTable tells whether a dataset is a table of its own.
func IsTable(d *h5.Dataset) bool {
	return d.Type().Class == h5.ClassCompound && !d.Type().IsComplex() && d.Space().Class == h5.SpaceSimple && len(d.Dims()) == 1
}

// Required opens the dataset of that name.
func Required(g *h5.Group, name string) (*h5.Dataset, error) {
	d, err := Dataset(g, name)
	if err == nil && d == nil {
		err = Corrupt(g, "%s is missing", name)
	}
	return d, err
}

// Flag reads a boolean attribute; absent is false.
func Flag(o h5.Object, name string) (bool, error) {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return false, err
	}
	v, ok := a.Int()
	if !ok {
		return false, Corrupt(o, "the attribute %s is no boolean", name)
	}
	return v != 0, nil
}

// Parent is the part of a path before its last name, the slash included.
func Parent(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }

// Member opens the Member of that name, nil when there is none, or when it can't be opened.
func Member(g *h5.Group, name string) h5.Object {
	if _, has, err := g.Link(name); err != nil || !has {
		return nil
	}
	o, err := g.Open(name)
	if err != nil {
		return nil
	}
	return o
}

// Has tells whether a group Has a link of each name.
func Has(g *h5.Group, names ...string) bool {
	for _, n := range names {
		if _, ok, err := g.Link(n); err != nil || !ok {
			return false
		}
	}
	return true
}

// Base is the last name of a path.
func Base(path string) string { return path[len(Parent(path)):] }

// Dataset opens the Dataset of that name, nil when there is none.
func Dataset(g *h5.Group, name string) (*h5.Dataset, error) {
	l, has, err := g.Link(name)
	if err != nil || !has {
		return nil, err
	}
	o, err := g.OpenLink(l)
	if err != nil {
		return nil, err
	}
	d, ok := o.(*h5.Dataset)
	if !ok {
		return nil, Corrupt(o, "a dataset is expected")
	}
	return d, nil
}
