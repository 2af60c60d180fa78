package arrowmap

import (
	"fmt"
	"iter"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/arrowmap/internal/scalar"
	"github.com/h5arrow/h5arrow/arrowmap/internal/trail"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// KeyColumn is the name of a stack's first column, which holds the name of each row's group.
const KeyColumn = "key"

// Stack returns the tables at the paths that match a pattern as one table, their rows one after the other in the order of
// the groups. A name of the pattern may have the wildcards of path.Match, which match within that name only. The first
// column, KeyColumn, is what the names with wildcards are in the path of each row's table, joined by slashes. A column for
// each scalar attribute follows, of the tables' groups and of those on the path from the first wildcard on, null where a
// group lacks it; then come the columns of the tables, which must have the same names and types. Attributes whose names are
// taken already are called attr.NAME. Categories with labels of their own in each group are their labels.
//
// No match, and tables that differ, are Argument errors. Memory is bounded by the names of the groups.
func (f *File) Stack(pattern string) (*Table, error) {
	st, err := f.match(pattern)
	if err != nil {
		return nil, err
	}
	if len(st.Keys) == 0 {
		return nil, f.usage(pattern, "no group matches").WithOption("arrowmap.File.Tables", "list the tables")
	}
	def := &convention.Table{Path: h5.CleanPath(pattern), Stack: st,
		Reason: fmt.Sprintf("the tables of %d groups, one after the other", len(st.Keys))}
	t := f.Define(def)
	if s, ok := t.body.(*stack); ok && s.set.err != nil {
		return nil, s.set.err
	}
	return t, nil
}

// StackedGroups returns the path of the group whose members a stack that Tables found joins, and the names of these members, in the
// order of their rows. Other tables have none. The caller must not change names.
func (t *Table) StackedGroups() (parent string, names []string) {
	st := t.def.Stack
	if st == nil {
		return "", nil
	}
	first, end := st.Wild()
	if end != first+1 {
		return "", nil
	}
	return "/" + strings.Join(st.Names[:first], "/"), st.Keys
}

// match finds the objects whose paths match a pattern.
func (f *File) match(pattern string) (*convention.Stack, error) {
	st := &convention.Stack{}
	names := strings.Split(strings.Trim(pattern, "/"), "/")
	for _, n := range names {
		if _, err := path.Match(n, ""); err != nil {
			return nil, f.usage(pattern, "the pattern is malformed")
		}
		if strings.ContainsAny(n, `*?[\`) {
			n = "*"
		}
		st.Names = append(st.Names, n)
	}
	first, _ := st.Wild()
	if first < 0 {
		return nil, f.usage(pattern, "a pattern without a wildcard")
	}
	limit := f.f.Limits().Links
	left := limit // links may form circles
	var walk func(g *h5.Group, i int, key string) error
	walk = func(g *h5.Group, i int, key string) error {
		links, err := membersOf(g, names[i], st.Names[i] == "*")
		if err != nil {
			return err
		}
		for l := range links {
			if left--; left < 0 {
				return h5err.In(h5err.Over("h5.Limits.Links", 2*uint64(limit), "more than %d groups to look at", limit), f.f.Name(), pattern)
			}
			next := key
			if st.Names[i] == "*" {
				if next = l.Name; key != "" {
					next = key + "/" + l.Name
				}
			}
			if i+1 == len(names) {
				st.Keys = append(st.Keys, next)
				continue
			}
			c, err := g.OpenLink(l)
			if err != nil {
				return err
			}
			if c, ok := c.(*h5.Group); ok {
				if err := walk(c, i+1, next); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return st, walk(f.f.Root(), 0, "")
}

// membersOf returns the hard links of a group whose names match a pattern, or are a name. Names that no path can have don't
// match.
func membersOf(g *h5.Group, name string, pattern bool) (iter.Seq[h5.Link], error) {
	if !pattern {
		l, ok, err := g.Link(name)
		return func(yield func(h5.Link) bool) {
			if ok && l.Kind == h5.LinkHard {
				yield(l)
			}
		}, err
	}
	links, err := g.AllLinks()
	return func(yield func(h5.Link) bool) {
		for l := range links {
			ok, _ := path.Match(name, l.Name)
			if ok && l.Kind == h5.LinkHard && l.Name != "" && l.Name != "." && !strings.Contains(l.Name, "/") && !yield(l) {
				return
			}
		}
	}, err
}

// stack is the body of a table of several groups' tables. Only the first is kept; the others are described when they
// are read.
type stack struct {
	set   *stackSet
	first *Table // the first group's, with the columns that are picked
	at    []int  // the numbers of the columns
}

// stackSet is what all selections of a stack share. Of each group it keeps the name and the number of rows.
type stackSet struct {
	f     *File
	st    *convention.Stack
	attrs []scalar.Attribute
	ends  []int64  // rows of the groups up to each, itself included
	said  []string // notes of other groups than the first
	err   error    // why the groups are not a table
}

// stack describes a stack. What is wrong with it as a whole is in its set's err.
func (f *File) stack(def *convention.Table) *Table {
	set := &stackSet{f: f, st: def.Stack}
	set.scan()
	first := &Table{body: &one{f: f, def: def, limit: -1}, f: f, def: def, to: -1}
	if set.err == nil {
		first, set.err = set.group(0, &trail.Trail{File: f.f})
	}
	if def.Convention == "" {
		def.Convention = def.Stack.Source
	}
	at := make([]int, len(first.columns))
	for i := range at {
		at[i] = i
	}
	return &Table{body: &stack{set, first, at}, f: f, def: def, columns: first.columns, to: -1}
}

// group returns the table of group i with the columns of its name and attributes.
func (s *stackSet) group(i int, way *trail.Trail) (*Table, error) {
	objects, err := way.Open(s.st.Path(i))
	if err != nil {
		return nil, err
	}
	t, err := s.own(i, objects)
	if err != nil || len(t.columns) == 0 {
		return t, err
	}
	def := *t.def
	def.Columns = nil
	if d, ok := t.def.Dataset(); ok {
		rows := t.Rows()
		def.Columns = append(def.Columns, scalar.Column(KeyColumn, scalar.Text, scalar.TextOf(s.st.Keys[i]), d, rows))
		for _, a := range s.attrs {
			def.Columns = append(def.Columns, scalar.Column(a.Column, a.Kind, a.Value(objects), d, rows))
		}
	}
	keys := s.f.Define(&def)
	def.Columns = append(def.Columns, t.def.Columns...)
	columns := slices.Concat(keys.columns, t.columns)
	return &Table{body: &one{s.f, &def, columns, -1}, f: s.f, def: &def, columns: columns, to: -1}, nil
}

// own returns the table of group i as it is, the last of the objects on the way to it.
func (s *stackSet) own(i int, objects []h5.Object) (*Table, error) {
	p, o := s.st.Path(i), objects[len(objects)-1]
	name := s.st.Source
	if name == "" {
		name = s.f.o.convention
	}
	found, err := detect.Detect(o, name)
	if err != nil {
		return nil, err
	}
	for _, t := range found {
		if t.Path == p || len(found) == 1 {
			def := *t
			def.Columns = slices.Clone(t.Columns)
			for k, c := range def.Columns {
				if d, ok := c.Values.(*convention.Dictionary); ok { // other groups may have other labels
					dense := *d
					dense.Dense = true
					def.Columns[k].Values = &dense
				}
			}
			return s.f.Define(&def), nil
		}
	}
	return nil, s.f.usage(p, "this is not a table").WithHint("all groups of a stack are tables of one schema")
}

// hasLabels reports whether values of a type are those of a dictionary, or have such below them.
func hasLabels(t arrow.DataType) bool {
	if n, ok := t.(arrow.NestedType); ok {
		return slices.ContainsFunc(n.Fields(), func(f arrow.Field) bool { return hasLabels(f.Type) })
	}
	return t.ID() == arrow.DICTIONARY
}

// sameTypes returns an error if the columns of two groups have other names or types.
func sameTypes(a, b *Table) error {
	if err := sameColumns(a, b); err != nil {
		return err
	}
	for i, c := range a.columns {
		d := b.columns[i]
		if c.Err != nil || d.Err != nil {
			continue
		}
		if !stored.Equal(c.Type, d.Type) || hasLabels(c.Type) && c.HDF5Type != d.HDF5Type {
			return b.f.usage(b.def.Path, fmt.Sprintf("column %s differs: it is %s (%s), and %s (%s) in %s", d.Name, d.Type, d.HDF5Type, c.Type, c.HDF5Type, a.def.Path)).
				WithHint("groups that are one table have one schema")
		}
	}
	return nil
}

func (s *stack) rows() (int64, error) {
	if s.set.err != nil {
		return 0, s.set.err
	}
	_, err := s.first.body.rows()
	return s.set.total(), err
}

func (s *stackSet) total() int64 {
	if len(s.ends) == 0 {
		return 0
	}
	return s.ends[len(s.ends)-1]
}

func (s *stack) known() bool { return s.set.err == nil && s.first.body.known() }

func (s *stack) odd() map[int]error { return s.first.body.odd() }

func (s *stack) notes() []string { return slices.Concat(s.first.body.notes(), s.set.said) }

func (s *stack) pick(at []int) body {
	out := &stack{set: s.set, first: s.first.pick(at), at: make([]int, len(at))}
	for k, i := range at {
		out.at[k] = s.at[i]
	}
	return out
}

func (s *stack) pieces(t *Table) ([]*Table, error) { return []*Table{t}, nil }

// each returns a function that returns the groups' parts of the rows [from,to), nil after the last.
func (s *stack) each(from, to int64) func() (*Table, error) {
	way := &trail.Trail{File: s.set.f.f}
	i := sort.Search(len(s.set.ends), func(i int) bool { return s.set.ends[i] > from })
	return func() (*Table, error) {
		for ; i < len(s.set.ends); i++ {
			start := int64(0)
			if i > 0 {
				start = s.set.ends[i-1]
			}
			a, b := max(from-start, 0), min(to, s.set.ends[i])-start
			if start >= to {
				return nil, nil
			}
			if a >= b {
				continue
			}
			t, err := s.set.group(i, way)
			if err != nil {
				return nil, err
			}
			if err := sameTypes(s.first, t.pick(s.at)); err != nil {
				return nil, err
			}
			i++
			return t.pick(s.at).Slice(a, b)
		}
		return nil, nil
	}
}

// storedBytes is the number of bytes of the file to read for the rows [from,to).
func (s *stack) storedBytes(from, to int64) (int64, error) {
	next := s.each(from, to)
	total := int64(0)
	for {
		t, err := next()
		if t == nil {
			return total, err
		}
		var stored node.Storage
		n, err := stored.Bytes(t.nodes(), t.from, t.from+t.Rows())
		if err != nil {
			return 0, err
		}
		total += n
	}
}

// Groups returns the number of groups of a stack, 0 for other tables.
func (t *Table) Groups() int {
	if s, ok := t.body.(*stack); ok {
		return len(s.set.st.Keys)
	}
	return 0
}

// Stacked reports whether File.Tables also returns a stack that has the rows of this table.
func (t *Table) Stacked() bool { return t.def.Stacked }

// Unlisted reports whether the table is a stack of so many groups that File.Tables does not return their own tables.
func (t *Table) Unlisted() bool { return t.Groups() > detect.MaxListed }

// Group returns the rows of a stack that are of the group's table at a path, nil where the stack has no such table.
func (t *Table) Group(p string) *Table {
	s, ok := t.body.(*stack)
	if !ok || s.set.err != nil {
		return nil
	}
	p = h5.CleanPath(p)
	for i := range s.set.st.Keys {
		if s.set.st.Path(i) != p {
			continue
		}
		start := int64(0)
		if i > 0 {
			start = s.set.ends[i-1]
		}
		a := max(start, t.from)
		out := *t
		def := *t.def
		def.Path = p
		out.def, out.from, out.to = &def, a, max(a, t.end(s.set.ends[i]))
		return &out
	}
	return nil
}
