package arrowmap

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/h5arrow/h5arrow/arrowmap/internal/scalar"
	"github.com/h5arrow/h5arrow/arrowmap/internal/trail"
	"github.com/h5arrow/h5arrow/h5/source"
)

// scan reads the number of rows and the attributes of all groups, and checks that they have one schema.
func (s *stackSet) scan() {
	n := len(s.st.Keys)
	workers := min(runtime.GOMAXPROCS(0), (n+63)/64)
	rows := make([]int64, n)
	parts := make([]scalar.Found, workers)
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
	shown, _ := s.st.Wild() // attributes of the groups before the first wildcard are those of all
	var wait sync.WaitGroup
	for w := range workers {
		parts[w] = scalar.Found{}
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
					parts[w].Add(i, objects, shown)
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
	taken := map[string]bool{KeyColumn: true}
	for _, c := range first.columns {
		taken[c.Name] = true
	}
	s.attrs = scalar.Attributes(parts, taken)
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
