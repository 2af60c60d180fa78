// Package object answers what conventions ask of the objects of a file: the members of groups, the text of attributes,
// the contents of small datasets. Its errors name the file and the object.
package object

import (
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Corrupt returns an error about an object that contradicts itself.
func Corrupt(o h5.Object, format string, args ...any) error {
	return h5err.About(h5err.New(h5err.Corrupt, format, args...), o)
}

// Unsupported returns an error about an object that is sound and asks for what is not supported.
func Unsupported(o h5.Object, format string, args ...any) error {
	return h5err.About(h5err.New(h5err.Unsupported, format, args...), o)
}

// Limit returns an error about an object that exceeds a limit.
func Limit(o h5.Object, format string, args ...any) error {
	return h5err.About(h5err.New(h5err.Limit, format, args...), o)
}

// NotATable returns the error for an object that a convention knows, and that is not a table: no other convention may
// claim it. Objects below it are still looked at.
func NotATable(o h5.Object, what string) error {
	return h5err.About(h5err.New(h5err.Argument, "%s", what).WithOption("arrowmap.File.Tables", "list the tables"), o)
}

// Text returns the text of an attribute, "" where there is none or where it is not text.
func Text(o h5.Object, name string) string {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return ""
	}
	s, _ := a.Text()
	return s
}

// Flag reads a boolean attribute; absent is false.
func Flag(o h5.Object, name string) (bool, error) {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return false, err
	}
	v, ok := a.Int()
	if !ok {
		return false, Corrupt(o, "the attribute %s is not a boolean", name)
	}
	return v != 0, nil
}

// Member opens the member of that name; nil where there is none, or where it can't be opened.
func Member(g *h5.Group, name string) h5.Object {
	if !Has(g, name) {
		return nil
	}
	o, err := g.Open(name)
	if err != nil {
		return nil
	}
	return o
}

// Has reports whether a group has a link of each name.
func Has(g *h5.Group, names ...string) bool {
	for _, n := range names {
		if _, ok, err := g.Link(n); err != nil || !ok {
			return false
		}
	}
	return true
}

// Dataset opens the dataset of that name, nil where there is none. Another object of that name is Corrupt.
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

// Required opens the dataset of that name. It is Corrupt that there is none.
func Required(g *h5.Group, name string) (*h5.Dataset, error) {
	d, err := Dataset(g, name)
	if err == nil && d == nil {
		err = Corrupt(g, "%s is missing", name)
	}
	return d, err
}

// Above returns the group that holds an object by its path; nil for the root, and where it can't be opened.
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

// Way returns a group and those above it by its path, up to the root; the group alone where one can't be opened.
func Way(g *h5.Group) []*h5.Group {
	way := []*h5.Group{g.File().Root()}
	for name := range strings.SplitSeq(strings.Trim(Parent(g.Path()), "/"), "/") {
		o, err := way[len(way)-1].Open(name)
		up, ok := o.(*h5.Group)
		if err != nil || !ok {
			return []*h5.Group{g}
		}
		if up.Path() != way[len(way)-1].Path() {
			way = append(way, up)
		}
	}
	if g.Path() != "/" {
		way = append(way, g)
	}
	slices.Reverse(way)
	return way
}

// Child returns the path of a member of a group.
func Child(g *h5.Group, name string) string { return strings.TrimSuffix(g.Path(), "/") + "/" + name }

// Parent returns a path without its last name, up to and including the slash.
func Parent(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }

// Base returns the last name of a path.
func Base(path string) string { return path[len(Parent(path)):] }

// IsTable reports whether a dataset is a table by itself: of a compound type, complex numbers apart, and of rank 1, or with one
// element in each row, as those of shape (N, 1).
func IsTable(d *h5.Dataset) bool {
	return d.Type().Class == h5.ClassCompound && !d.Type().IsComplex() && d.Space().Class == h5.SpaceSimple && len(d.Dims()) > 0 &&
		!slices.ContainsFunc(d.RowDims(), func(n uint64) bool { return n != 1 })
}
