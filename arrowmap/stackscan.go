package arrowmap

import (
	"fmt"
	"runtime"
	"sort"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/attributes"
	"github.com/h5arrow/h5arrow/arrowmap/internal/scalar"
	"github.com/h5arrow/h5arrow/arrowmap/internal/trail"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/source"
)

// maxAttributes is the number of attributes of a stack that become columns.
const maxAttributes = 1000

// attribute is a scalar attribute of the groups of a stack.
type attribute struct {
	object int    // how many names of the path its group has
	name   string // of the attribute
	column string
	kind   scalar.Kind
	first  [3]int // group, object and attribute where it was found first
}

type attributeKey struct {
	object int
	name   string
}

// scan reads the number of rows and the attributes of all groups, and checks that they have one schema.
func (s *stackSet) scan() {
	n := len(s.st.Keys)
	workers := min(runtime.GOMAXPROCS(0), (n+63)/64)
	rows := make([]int64, n)
	parts := make([]map[attributeKey]*attribute, workers)
	errs := make([]error, workers)
	said := make([]saying, workers)
	objects, err := (&trail.Trail{File: s.f.f}).Open(s.st.Path(0))
	if err != nil {
		s.err = err
		return
	}
	first, err := s.own(0, objects)
	if err != nil {
		s.err = err
		return
	}
	s.st.Source = first.Convention()
	var wait sync.WaitGroup
	for w := range workers {
		parts[w] = map[attributeKey]*attribute{}
		wait.Go(func() {
			way := &trail.Trail{File: s.f.f}
			for i := w * n / workers; i < (w+1)*n/workers && errs[w] == nil; i++ {
				errs[w] = source.Guard(func() (err error) {
					objects, err := way.Open(s.st.Path(i))
					if err != nil {
						return err
					}
					t, err := s.own(i, objects)
					if err != nil {
						return err
					}
					if i > 0 {
						said[w].add(t)
					}
					s.findAttributes(i, objects, parts[w])
					rows[i], err = length(t, first)
					return err
				})
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			s.err = err
			return
		}
	}
	s.ends = rows
	for i := 1; i < n; i++ {
		s.ends[i] += s.ends[i-1]
	}
	all := saying{}
	for i := range said {
		all.join(said[i])
	}
	s.said = all.lines()
	s.merge(parts, first)
}

// length returns the number of rows of a group's table, which is to be like the first one's.
func length(t, first *Table) (int64, error) {
	if err := sameTypes(first, t); err != nil {
		return 0, err
	}
	rows, err := t.body.rows()
	if err == nil && !t.RowsKnown() {
		err = t.f.usage(t.Path(), "an unknown number of rows")
	}
	return rows, err
}

// saying is what groups' tables say of themselves: the first notes, and how many follow.
type saying struct {
	notes []string
	more  int
}

func (s *saying) add(t *Table) {
	for _, n := range t.Notes() {
		s.join(saying{notes: []string{t.Path() + ": " + n}})
	}
	for _, c := range t.columns {
		for _, n := range c.Notes {
			s.join(saying{notes: []string{t.Path() + ": column " + c.Name + ": " + n}})
		}
	}
}

func (s *saying) join(o saying) {
	n := min(len(o.notes), maxNamed-len(s.notes))
	s.notes = append(s.notes, o.notes[:n]...)
	s.more += len(o.notes) - n + o.more
}

func (s *saying) lines() []string {
	if s.more == 0 {
		return s.notes
	}
	return append(s.notes, fmt.Sprintf("%d more notes of other groups", s.more))
}

// findAttributes adds the scalar attributes of group i and of the groups on the way to it.
func (s *stackSet) findAttributes(i int, objects []h5.Object, found map[attributeKey]*attribute) {
	first, _ := s.st.Wild()
	for n := len(objects); n > first; n-- {
		attrs, err := objects[n-1].Attributes()
		if err != nil {
			continue
		}
		for k, a := range attrs {
			v := scalar.Of(a, attributes.MaxBytes)
			if v.Kind == scalar.None {
				continue
			}
			key := attributeKey{n, a.Name}
			old := found[key]
			if old == nil {
				if len(found) >= maxAttributes {
					continue
				}
				old = &attribute{object: n, name: a.Name, first: [3]int{i, -n, k}}
				found[key] = old
			}
			old.kind = old.kind.Join(v.Kind)
		}
	}
}

// merge makes the list of the attributes' columns of what the workers found.
func (s *stackSet) merge(parts []map[attributeKey]*attribute, first *Table) {
	all := map[attributeKey]*attribute{}
	for _, part := range parts { // in the order of the groups
		for key, a := range part {
			if old := all[key]; old != nil {
				old.kind = old.kind.Join(a.kind)
			} else {
				all[key] = a
			}
		}
	}
	for _, a := range all {
		s.attrs = append(s.attrs, *a)
	}
	sort.Slice(s.attrs, func(i, k int) bool {
		a, b := s.attrs[i].first, s.attrs[k].first
		for j := range a {
			if a[j] != b[j] {
				return a[j] < b[j]
			}
		}
		return false
	})
	s.attrs = s.attrs[:min(len(s.attrs), maxAttributes)]
	taken := map[string]bool{KeyColumn: true}
	for _, c := range first.columns {
		taken[c.Name] = true
	}
	for i := range s.attrs {
		a := &s.attrs[i]
		a.column = a.name
		for taken[a.column] {
			a.column = "attr." + a.column
		}
		taken[a.column] = true
	}
}

// attributes returns the values of a group, the last of the objects on the way to it.
func (s *stackSet) attributes(objects []h5.Object) []scalar.Value {
	out := make([]scalar.Value, len(s.attrs))
	for k, want := range s.attrs {
		if a, err := objects[want.object-1].Attribute(want.name); err == nil && a != nil {
			out[k] = scalar.Of(a, attributes.MaxBytes)
		}
	}
	return out
}

// constant describes a column with one value in all rows.
func constant(name string, k scalar.Kind, v scalar.Value, d *h5.Dataset, rows int64) convention.Column {
	return convention.Column{Name: name, Values: &convention.Generated{Data: d, Rows: rows, Type: k.Type(), Reason: "the same for all rows of a group",
		Generate: func(lo, hi int64, mem memory.Allocator) (arrow.Array, error) {
			return v.Repeat(k, int(hi-lo), mem)
		}}}
}
