//go:build duckdb_arrow && cgo

package engine

import (
	"context"
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
	cancel  context.CancelFunc

	mu       sync.Mutex
	r        rows // nil where no column is wanted
	batch    arrow.RecordBatch
	base     int64 // the row of the table that the batch begins with
	at, rows int64 // of the batch; without a reader: of the table
	done     bool
	err      error
}

// newScan begins to read the columns of a table that fill the vectors.
func newScan(t *table, q *query, columns []int) (*scan, error) {
	s := &scan{t: t, q: q, columns: columns}
	var wanted []int
	for _, c := range columns {
		if c >= 0 && c < len(t.columns) {
			if err := t.columns[c].err; err != nil {
				return nil, err
			}
			wanted = append(wanted, c)
		}
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(q.ctx)
	if len(wanted) == 0 {
		s.rows = t.rows
		return s, nil
	}
	var err error
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
	vectors  []duck.Vector
	fileName *fileFiller
}

func newLocal(s *scan) *local {
	l := &local{s: s, vectors: make([]duck.Vector, len(s.columns)), fillers: make([]filler, len(s.columns))}
	for i, c := range s.columns {
		switch {
		case c >= 0 && c < len(s.t.columns):
			l.fillers[i] = newFiller(s.t.columns[c].typ, true)
		case c == len(s.t.columns) && s.t.files != nil:
			l.fileName = newFileFiller(s.t.files)
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

// next fills a chunk and returns how many rows it has, 0 at the end.
func (l *local) next(chunk duck.DataChunk) (n int, err error) {
	if l.at == l.end {
		if more, err := l.s.take(l); !more || err != nil {
			return 0, err
		}
	}
	n = int(min(vectorRows, l.end-l.at))
	err = source.Guard(func() error { return l.fill(chunk, n) })
	l.at += int64(n)
	return n, err
}

func (l *local) fill(chunk duck.DataChunk, n int) error {
	k := 0 // column of the batch
	for i, f := range l.fillers {
		v := duck.DataChunkGetVector(chunk, duck.IdxT(i))
		if f == nil && l.s.columns[i] == rowNumber {
			for j, out := 0, memory[int64](duck.VectorGetData(v), n); j < n; j++ {
				out[j] = l.base + l.at + int64(j)
			}
			continue
		}
		if f == nil {
			l.fileName.fill(l.base+l.at, n, v)
			continue
		}
		if err := f.fill(l.batch.Column(k), int(l.at), n, nil, v); err != nil {
			return h5err.In(err, l.s.t.file, l.s.t.columns[l.s.columns[i]].path)
		}
		k++
	}
	return nil
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
