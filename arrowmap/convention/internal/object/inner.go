package object

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
)

// ColumnsOf claims a group's own datasets, compound ones apart, but not its groups.
func ColumnsOf(g *h5.Group) func(path string) bool {
	return func(path string) bool {
		o, err := g.Open(path[strings.LastIndexByte(path, '/')+1:])
		d, ok := o.(*h5.Dataset)
		return err == nil && ok && !IsTable(d)
	}
}

// Below claims everything below any of the paths.
func Below(paths ...string) func(string) bool {
	return func(p string) bool {
		for _, u := range paths {
			if len(p) >= len(u) && p[:len(u)] == u && (len(p) == len(u) || p[len(u)] == '/' || u == "/") {
				return true
			}
		}
		return false
	}
}

// DatasetsOf claims the datasets of a group, but not its groups.
func DatasetsOf(g *h5.Group) func(string) bool {
	return func(path string) bool {
		_, is := Member(g, Base(path)).(*h5.Dataset)
		return is
	}
}
