package detect

import (
	"slices"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Detect returns the tables that the first convention that claims an object makes of it, none where no convention does. A
// name restricts it to one convention. A table that is too large for a file that is not trusted is an error of kind Limit. Of tables returned with an error only Inner may be used.
func Detect(o h5.Object, name string) ([]*convention.Table, error) {
	tried := All()
	if name != "" {
		c, err := Find(name)
		if err != nil {
			return nil, err
		}
		tried = []Convention{c}
	}
	for _, c := range tried {
		tables, err := c.Detect(o)
		if err != nil {
			return tables, err
		}
		for _, t := range tables {
			t.Convention = c.Name
			for i := range t.Columns {
				if t.Columns[i].Err != nil {
					t.Columns[i].Values = nil // it may be a nil pointer
				}
			}
		}
		if len(tables) > 0 {
			return tables, fit(o.File(), tables)
		}
	}
	return nil, nil
}

// Scan finds the tables of a file, in the order of a walk from the root. Before the tables of four or more groups of one
// group that have the same members it returns a stack of them; of more than MaxListed, only the stack. Objects that can't be read are passed over;
// the first error is returned beside what was found.
func Scan(f *h5.File, name string) ([]*convention.Table, error) {
	f.Gather()
	s := scan{name: name, seen: map[uint64]struct{}{}}
	s.visit(f.Root(), 0)
	return s.tables, s.err
}

// Default returns the table that a file itself names as the one to show: NeXus' attribute default leads from the root
// group by group to it. If all tables are of one object, it is the one that has the columns of the others. It is nil where there is
// no such table.
func Default(f *h5.File, found []*convention.Table) *convention.Table {
	if t := mainOf(found); t != nil {
		return t
	}
	g := f.Root()
	for range f.Limits().Nesting { // links may form a circle
		name := object.Text(g, "default")
		if name == "" {
			break
		}
		next, ok := object.Member(g, name).(*h5.Group)
		if !ok {
			return nil
		}
		g = next
	}
	if g == f.Root() {
		return nil
	}
	for _, t := range found {
		if t.Path == g.Path() {
			return t
		}
	}
	return nil
}

// mainOf returns the table that has the columns of all others, nil if there is none.
func mainOf(found []*convention.Table) (out *convention.Table) {
	for _, t := range found {
		if t.Object == nil || t.Object != found[0].Object {
			return nil
		}
		if t.Main {
			out = t
		}
	}
	return out
}

type scan struct {
	name   string
	seen   map[uint64]struct{}
	tables []*convention.Table
	err    error
	full   bool // as many objects were visited as may be
}

func (s *scan) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *scan) visited(addr uint64) bool {
	_, ok := s.seen[addr]
	return ok
}

func (s *scan) visit(o h5.Object, depth int) {
	if s.visited(o.Address()) {
		return
	}
	s.seen[o.Address()] = struct{}{}
	limits := o.File().Limits()
	if len(s.seen) > limits.Links || depth > limits.Nesting*4 {
		s.full = s.full || len(s.seen) > limits.Links
		s.fail(object.Limit(o, "too many objects to look for tables in"))
		return
	}
	if part(o) {
		return
	}
	found, err := Detect(o, s.name)
	if err == nil {
		s.tables = append(s.tables, found...)
	} else if !h5err.Is(err, h5err.Argument) {
		s.fail(err)
	}
	g, ok := o.(*h5.Group)
	if !ok {
		return
	}
	links, err := g.AllLinks()
	if err != nil {
		s.fail(err)
		return
	}
	start := len(s.tables)
	sib := siblings{parent: g}
	defer func() { s.stack(&sib, start) }()
	for l := range links {
		if s.full {
			return
		}
		if l.Kind != h5.LinkHard || s.visited(l.Address) || inner(found, object.Child(g, l.Name)) {
			continue
		}
		c, err := g.OpenLink(l)
		if err != nil {
			s.fail(err)
			continue
		}
		from := len(s.tables)
		s.visit(c, depth+1)
		s.tables = append(s.tables[:from], sib.add(l.Name, c, s.tables[from:])...)
	}
}

// stack adds the stacks of a group before the tables that it has below itself, from number start on.
func (s *scan) stack(sib *siblings, start int) {
	found, unlisted := sib.stacks()
	if len(found) == 0 {
		return
	}
	listed := slices.DeleteFunc(s.tables[start:], func(t *convention.Table) bool { return unlisted[t] })
	s.tables = slices.Insert(s.tables[:start+len(listed)], start, found...)
}

// part reports whether some convention knows an object as a part of another.
func part(o h5.Object) bool {
	for _, c := range All() {
		if c.Part != nil && c.Part(o) {
			return true
		}
	}
	return false
}

func inner(tables []*convention.Table, path string) bool {
	for _, t := range tables {
		if t.Inner == nil || t.Inner(path) {
			return true
		}
	}
	return false
}
