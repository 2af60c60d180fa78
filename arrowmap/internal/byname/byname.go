// Package byname finds out which columns tables of several files have together, by their names.
package byname

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Plan is the columns of several tables as one, in the order in which the tables name them.
type Plan struct {
	Names []string
	First []int   // for each column, the number of the first table that has it
	At    [][]int // for each table and column, the number of the table's own column, -1 if it has none
}

// New returns the plan for tables with columns of these names. Two columns of one name in a table are an Argument error.
func New(tables [][]string) (*Plan, error) {
	p := &Plan{At: make([][]int, len(tables))}
	number := map[string]int{}
	for k, names := range tables {
		for _, name := range names {
			if _, ok := number[name]; !ok {
				number[name] = len(p.Names)
				p.Names, p.First = append(p.Names, name), append(p.First, k)
			}
		}
	}
	for k, names := range tables {
		at := make([]int, len(p.Names))
		for i := range at {
			at[i] = -1
		}
		for own, name := range names {
			if i := number[name]; at[i] < 0 {
				at[i] = own
			} else {
				return nil, h5err.New(h5err.Argument, "two columns are called %s, so columns can't be matched by name", name)
			}
		}
		p.At[k] = at
	}
	return p, nil
}

// Same reports whether table k has all columns, and in the plan's order.
func (p *Plan) Same(k int) bool {
	for i, own := range p.At[k] {
		if own != i {
			return false
		}
	}
	return true
}

// Notes says what the tables' columns become: for each column, a line for each type that it has in some file. types returns the type
// of a column in a table that has it, nil if it can't be read, and files the names of the tables' files.
func (p *Plan) Notes(files func(k int) string, types func(k, i int) arrow.DataType, become []arrow.DataType) [][]string {
	notes := make([][]string, len(p.Names))
	for i, name := range p.Names {
		var seen []*group
		for k, at := range p.At {
			what := "missing, null"
			if at[i] >= 0 {
				t := types(k, i)
				if t == nil || arrow.TypeEqual(t, become[i]) || t.ID() == arrow.DICTIONARY && become[i].ID() == arrow.DICTIONARY {
					continue
				}
				what = fmt.Sprintf("%s, converted to %s", t, become[i])
			}
			seen = add(seen, what, k)
		}
		for _, g := range seen {
			notes[i] = append(notes[i], fmt.Sprintf("column %s: %s in %s", name, g.what, among(g.n, len(p.At), files(g.first))))
		}
	}
	return notes
}

// group is the tables of which one thing is true.
type group struct {
	what     string
	first, n int
}

func add(groups []*group, what string, k int) []*group {
	for _, g := range groups {
		if g.what == what {
			g.n++
			return groups
		}
	}
	return append(groups, &group{what, k, 1})
}

func among(n, all int, first string) string {
	if n == 1 {
		return first
	}
	return fmt.Sprintf("%d of %d files, the first of them %s", n, all, first)
}
