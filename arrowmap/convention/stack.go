package convention

import "strings"

// Stack says that a table is those of several groups, one after the other, with a column for the groups' names and one
// for each of their scalar attributes.
type Stack struct {
	Names  []string // of a path: literal, or "*" for a name that differs between the groups
	Keys   []string // for each group, what stands for "*", joined by slashes
	Source string   // the convention that describes each of the tables
}

// Path returns the path of the table of group i.
func (s *Stack) Path(i int) string {
	var b strings.Builder
	key := s.Keys[i]
	for _, n := range s.Names {
		b.WriteByte('/')
		if n == "*" {
			n, key, _ = strings.Cut(key, "/")
		}
		b.WriteString(n)
	}
	return b.String()
}

// Wild returns how many names of the path come before the first "*", and up to the last one.
func (s *Stack) Wild() (first, end int) {
	first = -1
	for i, n := range s.Names {
		if n == "*" {
			if first < 0 {
				first = i
			}
			end = i + 1
		}
	}
	return first, end
}
