package main

import (
	"errors"
	"os"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// asking is a statement that is run, again without the columns whose values turned out to be unreadable.
type asking struct {
	*queryFlags
	*app
	statement string
	opts      engine.Options
	catalog   *sqlCatalog
	said      bool // what the names became
}

// answer runs the statement and writes its rows. With --skip-unsupported it leaves out columns that it meets and whose values
// can't be read. A statement that names such a column has the column's error.
func (q *asking) answer(starting *engine.Starting, w func(array.RecordReader) error) (stats []engine.ScanStats, err error) {
	if !q.skip {
		return q.once(starting, w)
	}
	if !q.whole() { // what is written can't be taken back
		if _, err = q.retried(starting, discard); err != nil {
			return nil, err
		}
		starting = nil
	}
	return q.retried(starting, w)
}

// whole reports whether the output appears only when it is complete.
func (q *asking) whole() bool {
	if q.out == "" || q.out == "-" {
		return false
	}
	info, err := os.Stat(q.out)
	return err != nil || info.Mode().IsRegular() // it is not a pipe or a device
}

// discard reads all rows.
func discard(r array.RecordReader) error {
	for r.Next() {
	}
	return r.Err()
}

// retried runs the statement until no further column has to be left out. A nil starting starts an engine.
func (q *asking) retried(starting *engine.Starting, w func(array.RecordReader) error) (stats []engine.ScanStats, err error) {
	var broken error
	for {
		if stats, err = q.once(starting, w); err == nil {
			return stats, nil
		}
		if broken != nil && h5err.Is(err, h5err.Argument) { // the statement names it
			return nil, broken
		}
		if broken = err; !arrowmap.OfColumn(err) || !q.leave(err) {
			return nil, err
		}
		starting = nil
	}
}

// once runs the statement once.
func (q *asking) once(starting *engine.Starting, w func(array.RecordReader) error) ([]engine.ScanStats, error) {
	if starting == nil {
		starting = engine.Start(q.opts)
		defer starting.Close()
	}
	db, err := starting.Open(q.catalog)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	result, err := db.Run(q.ctx, q.statement, nil)
	if err != nil {
		return nil, err
	}
	if !q.said {
		q.said = true
		q.say(q.app, db.Notes())
	}
	err = w(result)
	result.Release()
	return result.Stats(), err
}

// leave leaves out the columns whose values can't be read: of those whose dataset an error is about, or else of all.
func (q *asking) leave(err error) bool {
	e, ok := errors.AsType[*h5err.Error](err)
	if !ok || e.Object == "" {
		return false
	}
	for _, all := range []bool{false, true} {
		left := false
		for i := range q.catalog.tables {
			left = q.leaveOf(&q.catalog.tables[i], e.Object, all) || left
		}
		if left {
			return true
		}
	}
	return false
}

// leaveOf leaves out the unreadable columns of a table whose path is of, or all of them.
func (q *asking) leaveOf(t *engine.Table, of string, all bool) bool {
	var try, keep []string
	for _, c := range t.Table.Columns() {
		if keep = append(keep, c.Name); c.Err == nil && (all || c.Path == of) {
			try = append(try, c.Name)
		}
	}
	if len(try) == 0 {
		return false
	}
	part, err := t.Table.Select(try...)
	if err != nil {
		return false
	}
	sound, skipped, err := part.SkipBroken(q.ctx, q.opts.Read...)
	if err != nil || len(skipped) == 0 {
		return false
	}
	for _, c := range sound.Columns() {
		try = slices.DeleteFunc(try, func(name string) bool { return name == c.Name })
	}
	keep = slices.DeleteFunc(keep, func(name string) bool { return slices.Contains(try, name) })
	if len(keep) == 0 {
		return false
	}
	if part, err = t.Table.Select(keep...); err != nil {
		return false
	}
	t.Table = part
	for _, err := range skipped {
		q.leaveOut(q.app, err)
	}
	return true
}

// scanNotes returns what was noted about values that were read.
func scanNotes(stats []engine.ScanStats) []string {
	var lines []string
	for _, s := range stats {
		for _, l := range valueNotes(s.Columns) {
			if !slices.Contains(lines, l) {
				lines = append(lines, l)
			}
		}
	}
	return lines
}
