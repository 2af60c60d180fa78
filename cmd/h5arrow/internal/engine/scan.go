//go:build duckdb_arrow && cgo

package engine

import (
	"context"
	"slices"
	"sync"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/vector"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	vectorRows = 2048            // of a vector of the engine
	morselRows = 60 * vectorRows // that a thread takes at a time
)

// rowNumber is the index of the column with the row's number in its table.
const rowNumber = -1

// scan is the state of one pass over a table that the engine's threads share. It belongs to the engine, which frees it.
//
// If there are conditions and columns have to be decoded, the columns of the conditions are read first, and the others only
// where rows were chosen.
type scan struct {
	*bound
	columns    []int            // for each vector the column of the table, len(t.columns) for the file, or rowNumber
	place      []place          // for each vector where its values are
	conditions []condition      // for choosing rows, about columns of the first part
	possible   []arrowmap.Range // rows that may be chosen
	ctx        context.Context
	cancel     context.CancelFunc

	mu     sync.Mutex
	first  part
	late   *part    // nil: all columns are in the first one
	row    int64    // of the table, the next that no thread has
	bits   []uint64 // with late: for each row of the first part's batch whether it is chosen
	chosen []bool   // with late: for each vectorRows of the first part's batch whether rows in it are chosen
	choice *choice
	done   bool
	err    error
	stats  ScanStats
}

// place is a column of the batches of the first or the late part.
type place struct {
	late   bool
	column int
}

// part is a set of columns that are read together.
type part struct {
	columns []int
	r       rows // nil if there are no columns, and before the late part is needed
	batch   arrow.RecordBatch
	ranges  []arrowmap.Range // of rows that r still has
	base    int64            // the row of the table that the batch starts with
	end     int64            // the row after it
}

// newScan starts reading the columns of a table that fill the vectors, and those of the conditions.
func newScan(b *bound, columns []int) (*scan, error) {
	t := b.t
	s := &scan{bound: b, columns: columns, place: make([]place, len(columns)), stats: ScanStats{Table: t.names[0]}}
	want := func(p *part, c int) (int, error) {
		if err := t.columns[c].err; err != nil {
			return 0, err
		}
		k := slices.Index(p.columns, c)
		if k < 0 {
			k = len(p.columns)
			p.columns = append(p.columns, c)
		}
		return k, nil
	}
	for _, term := range slices.Concat(t.where, b.terms) {
		k, err := want(&s.first, term.column)
		if err != nil {
			return nil, err
		}
		s.conditions = append(s.conditions, condition{term: term, at: k, typ: t.columns[term.column].typ.ID()})
	}
	if s.conditions != nil && slices.ContainsFunc(columns, func(c int) bool {
		return c >= 0 && c < len(t.columns) && t.columns[c].costly && !slices.Contains(s.first.columns, c)
	}) {
		s.late = &part{}
		s.choice = newChoice(s.conditions)
	}
	for i, c := range columns {
		if c < 0 || c >= len(t.columns) {
			continue
		}
		p := &s.first
		if s.late != nil && !slices.Contains(s.first.columns, c) {
			p = s.late
		}
		k, err := want(p, c)
		if err != nil {
			return nil, err
		}
		s.place[i] = place{p == s.late, k}
	}
	s.ctx, s.cancel = context.WithCancel(s.q.ctx)
	if len(s.first.columns) == 0 {
		s.first.end = t.rows
		return s, nil
	}
	s.possible = []arrowmap.Range{{From: 0, To: t.rows}}
	var err error
	if s.conditions != nil {
		var tests []arrowmap.ColumnTest
		for _, c := range s.conditions {
			tests = append(tests, arrowmap.ColumnTest{Column: c.column, Test: c.test})
		}
		if s.possible, err = t.t.Possible(s.ctx, tests...); err != nil {
			s.cancel()
			return nil, err
		}
	}
	s.first.ranges = slices.Clone(s.possible)
	if s.first.r, err = t.source(s.ctx, s.first.columns, s.possible); err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

// close stops reading and records what was read.
func (s *scan) close() {
	s.cancel()
	s.stop(&s.first)
	if s.late != nil {
		s.stop(s.late)
	}
	s.q.add(s.stats)
}

// stop stops reading a part and counts what was read.
func (s *scan) stop(p *part) {
	p.drop()
	if p.r == nil {
		return
	}
	if p == s.late {
		s.stats.LateRows += p.r.RowsRead()
	} else {
		s.stats.Rows += p.r.RowsRead()
	}
	for _, c := range p.r.Report() {
		at := slices.IndexFunc(s.stats.Columns, func(x arrowmap.ColumnReport) bool { return x.Name == c.Name })
		if at < 0 {
			s.stats.Columns = append(s.stats.Columns, c)
			continue
		}
		s.stats.Columns[at].CopiedBytes += c.CopiedBytes
		s.stats.Columns[at].NullCount += c.NullCount
		if s.stats.Columns[at].Note == nil {
			s.stats.Columns[at].Note = c.Note
		}
	}
	p.r.Release()
	p.r = nil
}

func (p *part) drop() {
	if p.batch != nil {
		p.batch.Release()
		p.batch = nil
	}
}

// next moves to the next batch. It returns false at the end.
func (p *part) next() (bool, error) {
	p.drop()
	p.base = p.end
	if p.r == nil || !p.r.Next() {
		if p.r != nil && p.r.Err() != nil {
			return false, p.r.Err()
		}
		return false, nil
	}
	p.batch = p.r.RecordBatch()
	p.batch.Retain()
	n := p.batch.NumRows()
	for len(p.ranges) > 0 && p.ranges[0].From == p.ranges[0].To {
		p.ranges = p.ranges[1:]
	}
	if len(p.ranges) == 0 || p.ranges[0].To-p.ranges[0].From < n {
		return false, h5err.New(h5err.Corrupt, "more rows than were asked for")
	}
	p.base = p.ranges[0].From
	p.ranges[0].From += n
	p.end = p.base + n
	return true, nil
}

// local is the state of a scan in one thread of the engine.
type local struct {
	s        *scan
	first    view
	late     view
	at, end  int64 // rows of the table that are this thread's
	fillers  []vector.Filler
	choice   *choice  // nil: all rows are chosen
	bits     []uint64 // that choose has found for the rows of first, nil if it was not called
	dense    bool     // gather knows all fillers
	fileName *fileFiller
}

// view is a batch that a thread reads, and the row of the table that it starts with.
type view struct {
	batch arrow.RecordBatch
	base  int64
}

func newLocal(s *scan) *local {
	l := &local{s: s, fillers: make([]vector.Filler, len(s.columns)), dense: true}
	if s.conditions != nil {
		l.choice = newChoice(s.conditions)
	}
	for i, c := range s.columns {
		switch {
		case slices.Contains(s.double, c):
			l.fillers[i] = &vector.Double{}
		case c >= 0 && c < len(s.t.columns):
			l.fillers[i] = vector.New(s.t.columns[c].typ, true)
			l.dense = l.dense && gathers(l.fillers[i])
		case c == rowNumber:
		default:
			l.fileName = newFileFiller(s.t.files)
			l.dense = false
		}
	}
	return l
}

func (l *local) close() {
	for _, f := range l.fillers {
		if f != nil {
			f.Close()
		}
	}
	if l.fileName != nil {
		l.fileName.close()
	}
	l.first.set(nil)
	l.late.set(nil)
}

// set sets the batch of the view to a part's; nil removes it.
func (v *view) set(p *part) {
	if v.batch != nil {
		v.batch.Release()
		v.batch = nil
	}
	if p != nil && p.batch != nil {
		v.batch, v.base = p.batch, p.base
		v.batch.Retain()
	}
}

// column returns the array at a place, and the index in it of a row of the table.
func (l *local) column(p place, row int64) (arrow.Array, int) {
	v := &l.first
	if p.late {
		v = &l.late
	}
	return v.batch.Column(p.column), int(row - v.base)
}

// take gives the thread more rows. It returns false if there are none.
func (s *scan) take(l *local) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return false, s.err
	}
	more, err := s.advance()
	if err != nil || !more {
		s.done, s.err = true, err
		return false, err
	}
	l.first.set(&s.first)
	l.bits = s.bits
	l.at, l.end = s.row, min(s.row+morselRows, s.first.end)
	if s.late != nil {
		l.late.set(s.late)
		l.end = min(l.end, s.late.end)
	}
	s.row = l.end
	return true, nil
}

// advance moves row to the next one for which all parts have batches.
func (s *scan) advance() (bool, error) {
	for {
		if s.row == s.first.end {
			if more, err := s.first.next(); !more || err != nil {
				return false, err
			}
			s.row = s.first.base
			if s.late != nil {
				if err := s.choose(); err != nil {
					return false, err
				}
			}
			continue // a batch may be empty
		}
		if s.late == nil {
			return true, nil
		}
		// Rows that are not chosen are skipped.
		for k := (s.row - s.first.base) / vectorRows; k < int64(len(s.chosen)) && !s.chosen[k]; k++ {
			s.row = min(s.first.base+(k+1)*vectorRows, s.first.end)
		}
		if s.row < s.first.end {
			return true, s.reach()
		}
	}
}

// choose records where in the first part's batch rows are chosen.
func (s *scan) choose() error {
	return source.Guard(func() error {
		s.chosen = s.chosen[:0]
		s.bits = make([]uint64, (s.first.end-s.first.base+vectorRows-1)/vectorRows*words) // threads may still use the last ones
		for at, rows := int64(0), s.first.end-s.first.base; at < rows; at += vectorRows {
			n, err := s.choice.choose(s.first.batch, int(at), int(min(vectorRows, rows-at)))
			if err != nil {
				return h5err.In(err, s.t.file, "")
			}
			s.chosen = append(s.chosen, n > 0)
			copy(s.bits[at/64:], s.choice.mask)
		}
		return nil
	})
}

// reach reads the late part up to the row. If there are many rows to skip, it starts a new reader at the row.
func (s *scan) reach() error {
	p := s.late
	if p.r != nil && s.row >= p.end && s.row-p.end > max(p.end-p.base, morselRows) {
		s.stop(p)
	}
	if p.r == nil {
		var err error
		p.ranges = nil
		for _, r := range s.possible {
			if r.To > s.row {
				p.ranges = append(p.ranges, arrowmap.Range{From: max(r.From, s.row), To: r.To})
			}
		}
		if p.r, err = s.t.source(s.ctx, p.columns, slices.Clone(p.ranges)); err != nil {
			return err
		}
		p.end = s.row
	}
	for s.row >= p.end {
		if more, err := p.next(); err != nil || !more {
			if err == nil {
				err = h5err.New(h5err.Corrupt, "the columns of %s end at different rows", s.t.names[0])
			}
			return err
		}
	}
	return nil
}

// minRoom is the number of free rows of a chunk from which on another batch is read into it.
const minRoom = vectorRows / 4

// next fills a chunk and returns its number of rows, 0 at the end.
func (l *local) next(chunk duck.DataChunk) (n int, err error) {
	for n <= vectorRows-minRoom {
		if l.at == l.end {
			if n > 0 {
				return n, nil
			}
			if more, err := l.s.take(l); !more || err != nil {
				return 0, err
			}
		}
		rows := int(min(int64(vectorRows-n), l.end-l.at))
		var k int
		err = source.Guard(func() (err error) {
			k, err = l.fill(chunk, n, rows)
			return err
		})
		if err != nil {
			return 0, err
		}
		l.at += int64(rows)
		if n += k; n > 0 && (!l.dense || l.choice == nil) {
			return n, nil
		}
	}
	return n, nil
}

// fill examines n rows and writes the chosen ones to the chunk, starting at its row at. It returns their number.
func (l *local) fill(chunk duck.DataChunk, at, n int) (int, error) {
	k := n
	switch {
	case l.choice == nil:
	case l.bits != nil:
		if k = l.choice.load(l.bits, int(l.at-l.first.base), n); k == 0 {
			return 0, nil
		}
	default:
		var err error
		if k, err = l.choice.choose(l.first.batch, int(l.at-l.first.base), n); k == 0 || err != nil {
			return 0, h5err.In(err, l.s.t.file, "")
		}
	}
	some := k < n || at > 0
	var slice duck.SelectionVector // of the vectors that are not gathered
	defer duck.DestroySelectionVector(&slice)
	for i, f := range l.fillers {
		v := duck.DataChunkGetVector(chunk, duck.IdxT(i))
		c := l.s.columns[i]
		if c == rowNumber {
			l.numbers(vector.Memory[int64](duck.VectorGetData(v), vectorRows)[at:], k, some)
			continue
		}
		if c == len(l.s.t.columns) {
			l.fileName.fill(l.at, n, v)
		} else if gathers(f) && some {
			arr, off := l.column(l.s.place[i], l.at)
			gather(f, arr, off, n, l.choice, at, v)
			continue
		} else {
			arr, off := l.column(l.s.place[i], l.at)
			if err := f.Fill(arr, off, n, nil, v); err != nil {
				return 0, h5err.In(err, l.s.t.file, l.s.t.columns[c].path)
			}
		}
		if some {
			if slice.Ptr == nil {
				slice = duck.CreateSelectionVector(duck.IdxT(k))
				out := unsafe.Slice(duck.SelectionVectorGetDataPtr(slice), k)
				for j, row := range l.choice.rows() {
					out[j] = duck.SelT(row)
				}
			}
			duck.SliceVector(v, slice, duck.IdxT(k))
		}
	}
	return k, nil
}

// numbers writes the numbers of k rows; with some, those of the chosen rows.
func (l *local) numbers(out []int64, k int, some bool) {
	first := l.at
	if !some {
		for i := range k {
			out[i] = first + int64(i)
		}
		return
	}
	for j, i := range l.choice.rows() {
		out[j] = first + int64(i)
	}
}

// fileFiller writes the names of the files that rows come from.
type fileFiller struct {
	files  []FileRows
	labels duck.Vector
	file   int   // of the last row that was written
	first  int64 // row of that file
}

func newFileFiller(files []FileRows) *fileFiller {
	lt := duck.CreateLogicalType(duck.TypeVarchar)
	defer duck.DestroyLogicalType(&lt)
	f := &fileFiller{files: files, labels: duck.CreateVector(lt, duck.IdxT(len(files)))}
	for i, file := range files {
		duck.VectorAssignStringElement(f.labels, duck.IdxT(i), file.Name)
	}
	return f
}

func (f *fileFiller) fill(row int64, n int, v duck.Vector) {
	if row < f.first {
		f.file, f.first = 0, 0
	}
	sel := duck.CreateSelectionVector(duck.IdxT(n))
	defer duck.DestroySelectionVector(&sel)
	list := unsafe.Slice(duck.SelectionVectorGetDataPtr(sel), n)
	for i := range list {
		for row+int64(i)-f.first >= f.files[f.file].Rows {
			f.first += f.files[f.file].Rows
			f.file++
		}
		list[i] = duck.SelT(f.file)
	}
	duck.VectorReferenceVector(v, f.labels)
	duck.SliceVector(v, sel, duck.IdxT(n))
}

func (f *fileFiller) close() { duck.DestroyVector(&f.labels) }
