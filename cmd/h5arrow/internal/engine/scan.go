//go:build duckdb_arrow && cgo

package engine

import (
	"context"
	"slices"
	"sync"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	vectorRows = 2048            // of a vector of the engine
	morselRows = 60 * vectorRows // that a thread takes at a time
)

// rowNumber stands for the column that is a row's number in its table.
const rowNumber = -1

// scan is one pass over a table: what the engine's threads share. It belongs to the engine, which frees it.
type scan struct {
	t       *table
	q       *query
	columns []int // for each vector the column of the table, len(t.columns) for the file, or rowNumber
	place   []int // for each vector the column of the batches
	cancel  context.CancelFunc

	conditions []condition // for rows to be wanted

	mu       sync.Mutex
	r        rows // nil where no column is wanted
	batch    arrow.RecordBatch
	base     int64 // the row of the table that the batch begins with
	at, rows int64 // of the batch; without a reader: of the table
	done     bool
	err      error
}

// newScan begins to read the columns of a table that fill the vectors, and those that rows are chosen by.
func newScan(b *bound, columns []int) (*scan, error) {
	t := b.t
	s := &scan{t: t, q: b.q, columns: columns, place: make([]int, len(columns))}
	var wanted []int
	want := func(c int) (int, error) {
		if err := t.columns[c].err; err != nil {
			return 0, err
		}
		k := slices.Index(wanted, c)
		if k < 0 {
			k = len(wanted)
			wanted = append(wanted, c)
		}
		return k, nil
	}
	var err error
	for i, c := range columns {
		if c >= 0 && c < len(t.columns) {
			if s.place[i], err = want(c); err != nil {
				return nil, err
			}
		}
	}
	for _, term := range b.terms {
		k, err := want(term.column)
		if err != nil {
			return nil, err
		}
		s.conditions = append(s.conditions, condition{term, k, t.columns[term.column].typ.ID()})
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(s.q.ctx)
	if len(wanted) == 0 {
		s.rows = t.rows
		return s, nil
	}
	if s.r, err = t.source(ctx, wanted); err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

// close ends the reading and notes what was read.
func (s *scan) close() {
	s.cancel()
	if s.batch != nil {
		s.batch.Release()
	}
	stats := ScanStats{Table: s.t.names[0]}
	if s.r != nil {
		stats.Rows, stats.Columns = s.r.RowsRead(), s.r.Report()
		s.r.Release()
	}
	s.q.add(stats)
}

// local is what one thread of the engine has of a scan.
type local struct {
	s        *scan
	batch    arrow.RecordBatch
	base     int64
	at, end  int64 // rows of the batch that are this thread's
	fillers  []filler
	choice   *predicate // nil: all rows are wanted
	dense    bool       // all fillers are gatherers
	fileName *fileFiller
}

func newLocal(s *scan) *local {
	l := &local{s: s, fillers: make([]filler, len(s.columns)), dense: true}
	if s.conditions != nil {
		l.choice = newPredicate(s.conditions)
	}
	for i, c := range s.columns {
		switch {
		case c >= 0 && c < len(s.t.columns):
			l.fillers[i] = newFiller(s.t.columns[c].typ, true)
			_, ok := l.fillers[i].(gatherer)
			l.dense = l.dense && ok
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
			f.close()
		}
	}
	if l.fileName != nil {
		l.fileName.close()
	}
	l.drop()
}

func (l *local) drop() {
	if l.batch != nil {
		l.batch.Release()
		l.batch = nil
	}
}

// take gives the thread more rows; false when there are none.
func (s *scan) take(l *local) (bool, error) {
	l.drop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.at == s.rows {
		if s.r == nil || s.done {
			return false, s.err
		}
		s.base += s.rows
		s.at, s.rows = 0, 0
		if s.batch != nil {
			s.batch.Release()
			s.batch = nil
		}
		if !s.r.Next() {
			s.err = s.r.Err()
			s.done = true
			return false, s.err
		}
		s.batch = s.r.RecordBatch()
		s.batch.Retain()
		s.rows = s.batch.NumRows()
	}
	l.base, l.at = s.base, s.at
	s.at = min(s.rows, s.at+morselRows)
	l.end = s.at
	if s.batch != nil {
		l.batch = s.batch
		l.batch.Retain()
	}
	return true, nil
}

// least is the number of rows that a chunk may still take for which it is worth going on.
const least = vectorRows / 4

// next fills a chunk and returns how many rows it has, 0 at the end.
func (l *local) next(chunk duck.DataChunk) (n int, err error) {
	for n <= vectorRows-least {
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

// fill looks at n rows and writes those that are wanted from row at of the chunk on. It returns how many they are.
func (l *local) fill(chunk duck.DataChunk, at, n int) (int, error) {
	k := n
	if l.choice != nil {
		if k = l.choice.choose(l.batch, int(l.at), n); k == 0 {
			return 0, nil
		}
	}
	some := k < n || at > 0
	var slice duck.SelectionVector // of the vectors that are not gathered
	defer duck.DestroySelectionVector(&slice)
	for i, f := range l.fillers {
		v := duck.DataChunkGetVector(chunk, duck.IdxT(i))
		c := l.s.columns[i]
		if c == rowNumber {
			l.numbers(memory[int64](duck.VectorGetData(v), vectorRows)[at:], k, some)
			continue
		}
		if c == len(l.s.t.columns) {
			l.fileName.fill(l.base+l.at, n, v)
		} else if g, ok := f.(gatherer); ok && some {
			g.gather(l.batch.Column(l.s.place[i]), int(l.at), n, l.choice, at, v)
			continue
		} else if err := f.fill(l.batch.Column(l.s.place[i]), int(l.at), n, nil, v); err != nil {
			return 0, h5err.In(err, l.s.t.file, l.s.t.columns[c].path)
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

// numbers writes the numbers of k rows; some is that they are those that were chosen.
func (l *local) numbers(out []int64, k int, some bool) {
	first := l.base + l.at
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

// fileFiller writes the names of the files that rows are from.
type fileFiller struct {
	files  []FileRows
	labels duck.Vector
	file   int   // of the last row that was written
	begin  int64 // of that file
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
	if row < f.begin {
		f.file, f.begin = 0, 0
	}
	sel := duck.CreateSelectionVector(duck.IdxT(n))
	defer duck.DestroySelectionVector(&sel)
	list := unsafe.Slice(duck.SelectionVectorGetDataPtr(sel), n)
	for i := range list {
		for row+int64(i)-f.begin >= f.files[f.file].Rows {
			f.begin += f.files[f.file].Rows
			f.file++
		}
		list[i] = duck.SelT(f.file)
	}
	duck.VectorReferenceVector(v, f.labels)
	duck.SliceVector(v, sel, duck.IdxT(n))
}

func (f *fileFiller) close() { duck.DestroyVector(&f.labels) }
