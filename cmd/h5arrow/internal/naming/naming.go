// Package naming gives tables and columns names that mean one thing in SQL. Names of HDF5 that differ in case only are
// different, names of SQL are not: none of them stays, so that a statement never gets the data of another one.
package naming

import (
	"fmt"
	"slices"
	"strings"
)

// Fold returns the form in which the engine compares names: it ignores the case of ASCII letters.
func Fold(name string) string {
	if strings.IndexFunc(name, func(r rune) bool { return 'A' <= r && r <= 'Z' }) < 0 {
		return name
	}
	b := []byte(name)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// Same reports whether two names are one in SQL.
func Same(a, b string) bool { return Fold(a) == Fold(b) }

// Quoted returns a name as a quoted SQL identifier.
func Quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// numbered appends numbers to names until they are new.
type numbered struct {
	taken map[string]bool // folded
	next  map[string]int  // by folded name
}

func (u *numbered) name(n string) string {
	key := Fold(n)
	for {
		u.next[key]++
		if out := fmt.Sprintf("%s_%d", n, u.next[key]); !u.taken[Fold(out)] {
			u.taken[Fold(out)] = true
			return out
		}
	}
}

// Distinct returns names of columns that the engine can tell apart: all those that differ in case only get a number. It also
// names columns that have no name, and removes zero bytes, which the engine has no names with.
func Distinct(names []string) []string {
	out := make([]string, len(names))
	u := &numbered{map[string]bool{}, map[string]int{}}
	count := make(map[string]int, len(names))
	for i, n := range names {
		if n = strings.ReplaceAll(n, "\x00", ""); n == "" {
			n = fmt.Sprintf("column%d", i)
		}
		out[i] = n
		count[Fold(n)]++
		u.taken[Fold(n)] = true
	}
	for i, n := range out {
		if count[Fold(n)] > 1 {
			out[i] = u.name(n)
		}
	}
	return out
}

// Apart returns a name that none of the others is, which is the given one if it can be.
func Apart(name string, others []string) string {
	taken := make(map[string]bool, len(others))
	for _, n := range others {
		taken[Fold(n)] = true
	}
	for taken[Fold(name)] {
		name += "_"
	}
	return name
}

// Changed is a name that became another one.
type Changed struct{ From, To string }

// Changes returns the names that are not the same in two lists.
func Changes(from, to []string) (list []Changed) {
	for i, n := range from {
		if n != to[i] {
			list = append(list, Changed{n, to[i]})
		}
	}
	return list
}

// Say says what names became, of tables or of the columns of one.
func Say(list []Changed) string {
	const maxSaid = 8
	var parts []string
	for _, c := range list {
		if len(parts) == maxSaid {
			parts = append(parts, "...")
			break
		}
		parts = append(parts, Quoted(c.From)+" is "+Quoted(c.To))
	}
	return strings.Join(parts, ", ")
}

// Given are the names of tables.
type Given struct {
	Names   [][]string          // of each table, the first is its own; none for a table without a usable name
	Unclear map[string][]string // names, folded, that no table has as several could, and those tables' own names
	Changed []Changed           // own names that differ from others in case only
}

// Tables chooses names for tables. Each has a list of names that it wants, of which the first, its own, is never that of
// another table. It gets the others if no other table wants them. A name that is a keyword is followed by one that is not.
func Tables(wanted [][]string) *Given {
	g := &Given{Names: make([][]string, len(wanted)), Unclear: map[string][]string{}}
	own, all := map[string]int{}, map[string]int{}
	u := &numbered{map[string]bool{}, map[string]int{}}
	lists := make([][]string, len(wanted))
	for i, list := range wanted {
		lists[i] = usable(list)
		for k, n := range lists[i] {
			if k == 0 {
				own[Fold(n)]++
			}
			all[Fold(n)]++
			u.taken[Fold(n)] = true
		}
	}
	for i, list := range lists {
		if len(list) == 0 {
			continue
		}
		first, key := list[0], Fold(list[0])
		if own[key] > 1 {
			first = u.name(first)
			g.Changed = append(g.Changed, Changed{list[0], first})
			g.Unclear[key] = append(g.Unclear[key], first)
		}
		g.Names[i] = []string{first}
		for _, n := range list[1:] {
			if key := Fold(n); all[key] > 1 || own[key] > 0 {
				if own[key] == 0 {
					g.Unclear[key] = append(g.Unclear[key], first)
				}
				continue
			}
			g.Names[i] = append(g.Names[i], n)
			if Reserved(n) {
				for n += "_"; u.taken[Fold(n)]; n += "_" {
				}
				u.taken[Fold(n)] = true
				g.Names[i] = append(g.Names[i], n)
			}
		}
	}
	return g
}

// usable returns the names that the engine accepts, each once.
func usable(names []string) []string {
	var out, folded []string
	for _, n := range names {
		if n == "" || strings.Contains(n, "\x00") || slices.Contains(folded, Fold(n)) {
			continue
		}
		out, folded = append(out, n), append(folded, Fold(n))
	}
	return out
}

// Reserved reports whether a name is a keyword that is not the name of a table unless it is quoted.
func Reserved(name string) bool {
	_, found := slices.BinarySearch(reserved, Fold(name))
	return found
}

// Keywords returns the words of a statement, but for those in quotes, that Reserved reports and that names reports.
func Keywords(statement string, names func(word string) bool) (list []string) {
	for _, w := range strings.FieldsFunc(statement, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) {
		if Reserved(w) && names(w) && !slices.Contains(list, w) && !strings.Contains(statement, Quoted(w)) {
			list = append(list, w)
		}
	}
	return list
}
