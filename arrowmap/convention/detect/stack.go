package detect

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

const (
	minStack = 4 // groups of a stack that is found without being asked for
	maxBelow = 8 // names of the path from such a group to its table: else deep groups are looked at for each one above them

	// MaxListed is the number of groups of a stack up to which Scan lists their own tables too.
	MaxListed = 1000
)

// siblings collects the tables below the groups of one group that may be stacks: those of one path below the groups, one
// convention, one list of members and one list of columns.
type siblings struct {
	parent  *h5.Group
	early   []member // the first members with tables, until there are enough for a stack
	classes map[[sha256.Size]byte]*class
	order   []*class
}

// member is a group of the parent, and the tables at and below it.
type member struct {
	name   string
	group  *h5.Group
	tables []*convention.Table
}

type class struct {
	first *convention.Table
	below string // path of the table below its group, "" for the group itself
	keys  []string
	kept  []*convention.Table
}

// add adds the tables that were found at and below a member of the parent, and returns those that are to be listed.
func (s *siblings) add(name string, o h5.Object, tables []*convention.Table) []*convention.Table {
	g, ok := o.(*h5.Group)
	if !ok || len(tables) == 0 || name == "" || name == "." || strings.Contains(name, "/") { // no path leads to the latter
		return tables
	}
	m := member{name, g, tables}
	if s.classes == nil {
		if len(s.early) < minStack-1 {
			m.tables = slices.Clone(tables)
			s.early = append(s.early, m)
			return tables
		}
		s.classes = map[[sha256.Size]byte]*class{}
		for _, first := range s.early {
			s.sort(first)
		}
		s.early = nil
	}
	return s.sort(m)
}

// sort adds the tables of a member to their classes, and returns those that are to be listed.
func (s *siblings) sort(m member) []*convention.Table {
	return slices.DeleteFunc(m.tables, func(t *convention.Table) bool {
		below, ok := strings.CutPrefix(t.Path, m.group.Path())
		if !ok || t.Stacked || t.Stack != nil || len(t.Columns) == 0 || strings.Count(below, "/") > maxBelow {
			return false
		}
		if below != "" {
			if _, err := m.group.Open(strings.TrimLeft(below, "/")); err != nil {
				return false
			}
		}
		key := signature(t, below)
		c := s.classes[key]
		if c == nil {
			c = &class{first: t, below: below}
			s.classes[key] = c
			s.order = append(s.order, c)
		}
		c.keys = append(c.keys, m.name)
		if len(c.keys) > MaxListed {
			return true
		}
		c.kept = append(c.kept, t)
		return false
	})
}

// signature is equal for tables that may be parts of one.
func signature(t *convention.Table, below string) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %s\n", below, t.Convention)
	if g, ok := t.Object.(*h5.Group); ok {
		links, _ := g.AllLinks()
		for l := range links {
			fmt.Fprintf(h, "%q %d\n", l.Name, l.Kind)
		}
	}
	for _, c := range t.Columns {
		fmt.Fprintf(h, "%q %T", c.Name, c.Values)
		if c.Values == nil {
			continue
		}
		if d := c.Values.Main(); d != nil {
			fmt.Fprintf(h, " %s %d", d.Type(), d.RowDims())
		} else if v, ok := c.Values.(*convention.Generated); ok {
			fmt.Fprintf(h, " %s", v.Type)
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// stacks returns the tables of the classes with enough groups, and the tables that are too many to be listed beside them.
func (s *siblings) stacks() (found []*convention.Table, unlisted map[*convention.Table]bool) {
	unlisted = map[*convention.Table]bool{}
	taken := map[string]bool{}
	for _, c := range s.order {
		if len(c.keys) < minStack {
			continue
		}
		for _, t := range c.kept {
			t.Stacked = true
			unlisted[t] = len(c.keys) > MaxListed
		}
		names := strings.FieldsFunc(s.parent.Path(), func(r rune) bool { return r == '/' })
		st := &convention.Stack{Names: append(names, "*"), Keys: c.keys, Source: c.first.Convention}
		if c.below != "" {
			st.Names = append(st.Names, strings.Split(c.below[1:], "/")...)
		}
		p := object.Child(s.parent, commonPrefix(c.keys)+"*"+c.below)
		for taken[p] {
			p += "~"
		}
		taken[p] = true
		found = append(found, &convention.Table{Path: p, Convention: c.first.Convention, Object: s.parent, Stack: st,
			Reason: fmt.Sprintf("the tables of %d groups with the same members, one after the other", len(c.keys))})
	}
	return found, unlisted
}

// commonPrefix returns how all names start, without the digits at its end.
func commonPrefix(names []string) string {
	p := names[0]
	for _, n := range names[1:] {
		for !strings.HasPrefix(n, p) {
			p = p[:len(p)-1]
		}
	}
	return strings.TrimRight(strings.ToValidUTF8(p, ""), "0123456789")
}
