package main

import (
	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
)

// tableNotes returns what a reader of a table should know before any of it is read, a line each: what its convention noted,
// and what of the descriptions of its columns was passed over.
func tableNotes(t *arrowmap.Table) []string {
	var lines []string
	for _, n := range t.Notes() {
		lines = append(lines, text.Printable(t.Path()+": "+n))
	}
	for _, c := range t.Columns() {
		for _, n := range c.Notes {
			lines = append(lines, text.Printable(c.Path+": "+n))
		}
	}
	return lines
}

// valueNotes returns what was noted about values, a line for each column that has some.
func valueNotes(reports []arrowmap.ColumnReport) []string {
	var lines []string
	for _, c := range reports {
		if c.Note != nil {
			lines = append(lines, errorText(c.Note))
		}
	}
	return lines
}

// say prints lines on stderr unless --quiet is given.
func (r *reading) say(a *app, lines []string) {
	if r.quiet {
		return
	}
	for _, l := range lines {
		a.note("%s", l)
	}
}

// notes prints what a reader of the table should know, what its group holds beside it that is in no table, and what
// --skip-unsupported left out.
func (s *selection) notes(a *app, t *chosen) {
	s.say(a, s.described(t))
	for _, err := range t.skipped {
		s.leaveOut(a, err)
	}
}

// described returns tableNotes, and what the table's group holds beside it.
func (s *selection) described(t *chosen) []string {
	lines := tableNotes(t.Table)
	if left := t.LeftOut(); left != "" && len(s.columns) == 0 {
		lines = append(lines, text.Printable(t.Path()+": left out are datasets of other lengths: "+left))
	}
	return lines
}
