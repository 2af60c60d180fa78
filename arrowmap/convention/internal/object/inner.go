package object

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
)

// Below claims the objects at the paths and below them, for Table.Inner.
func Below(paths ...string) func(path string) bool {
	return func(path string) bool {
		for _, p := range paths {
			if path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/") {
				return true
			}
		}
		return false
	}
}

// DatasetsOf claims the datasets of a group, but not its groups, for Table.Inner.
func DatasetsOf(g *h5.Group) func(path string) bool {
	return func(path string) bool {
		_, is := Member(g, Base(path)).(*h5.Dataset)
		return is
	}
}

// ColumnsOf claims the datasets of a group but those that are tables by themselves, for Table.Inner.
func ColumnsOf(g *h5.Group) func(path string) bool {
	return func(path string) bool {
		d, is := Member(g, Base(path)).(*h5.Dataset)
		return is && !IsTable(d)
	}
}
