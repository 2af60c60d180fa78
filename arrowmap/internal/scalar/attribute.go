package scalar

import (
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/attributes"
	"github.com/h5arrow/h5arrow/h5"
)

// maxAttributes is the number of attributes of groups that become columns.
const maxAttributes = 1000

// Attribute is a scalar attribute of groups, or of those on the ways to them.
type Attribute struct {
	Column string // its name as a column
	Kind   Kind   // of all its values

	key
	first [3]int // group, object and attribute where it was found first
}

type key struct {
	depth int // how many names the object's path has
	name  string
}

// Found collects the scalar attributes of groups.
type Found map[key]*Attribute

// Add adds the attributes of group i, the last of the objects on the way to it, and of the others after so many of them.
func (f Found) Add(i int, way []h5.Object, after int) {
	for n := len(way); n > after; n-- {
		attrs, err := way[n-1].Attributes()
		if err != nil {
			continue
		}
		for k, a := range attrs {
			v := Of(a, attributes.MaxBytes)
			if v.Kind == None {
				continue
			}
			at := key{n, a.Name}
			old := f[at]
			if old == nil {
				if len(f) >= maxAttributes {
					continue
				}
				old = &Attribute{key: at, first: [3]int{i, -n, k}}
				f[at] = old
			}
			old.Kind = old.Kind.Join(v.Kind)
		}
	}
}

// Attributes returns what was found in parts of the groups, which are in order: the order is that in which the attributes were met.
// Columns get names that are not taken yet, and take them.
func Attributes(parts []Found, taken map[string]bool) []Attribute {
	all := Found{}
	for _, part := range parts {
		for at, a := range part {
			if old := all[at]; old != nil {
				old.Kind = old.Kind.Join(a.Kind)
			} else {
				all[at] = a
			}
		}
	}
	var list []Attribute
	for _, a := range all {
		list = append(list, *a)
	}
	sort.Slice(list, func(i, k int) bool {
		a, b := list[i].first, list[k].first
		for j := range a {
			if a[j] != b[j] {
				return a[j] < b[j]
			}
		}
		return false
	})
	list = list[:min(len(list), maxAttributes)]
	for i := range list {
		a := &list[i]
		a.Column = a.name
		for taken[a.Column] {
			a.Column = "attr." + a.Column
		}
		taken[a.Column] = true
	}
	return list
}

// Value returns the attribute's value for a group, the last of the objects on the way to it; of kind None if it has none.
func (a *Attribute) Value(way []h5.Object) Value {
	if found, err := way[a.depth-1].Attribute(a.name); err == nil && found != nil {
		return Of(found, attributes.MaxBytes)
	}
	return Value{}
}

// Column describes a column of a group's table with one value in all rows. The dataset is what errors name.
func Column(name string, k Kind, v Value, d *h5.Dataset, rows int64) convention.Column {
	return convention.Column{Name: name, Values: &convention.Generated{Data: d, Rows: rows, Type: k.Type(), Reason: "the same for all rows of a group", Constant: true,
		Generate: func(lo, hi int64, mem memory.Allocator) (arrow.Array, error) {
			return v.Repeat(k, int(hi-lo), mem)
		}}}
}
