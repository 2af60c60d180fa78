package session

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Table is columns and rows of one file or of several. It keeps its files open.
type Table struct {
	counted
	files      []*File
	t          *arrowmap.Table
	all        *arrowmap.Table // with all columns, for the conditions
	conditions []predicate.Condition
	where      *arrowmap.Where // of the conditions; nil without any
	limit      int64           // rows at most, -1 for all; used with conditions only
}

func newTable(files []*File, t, all *arrowmap.Table) *Table {
	out := &Table{files: files, t: t, all: all, limit: -1}
	for _, f := range files {
		f.retain()
	}
	out.start(func() {
		for _, f := range files {
			f.release()
		}
	})
	return out
}

// Table returns a table of the file. selection has, as JSON, the "path" of a table ("" or nothing is the only one) or the
// paths of "datasets", and "skip_unsupported" to leave out columns that can't be read.
func (f *File) Table(selection string) (*Table, error) {
	var o struct {
		Path     string   `json:"path"`
		Datasets []string `json:"datasets"`
		Skip     bool     `json:"skip_unsupported"`
	}
	err := decode(selection, &o)
	if err == nil && o.Path != "" && len(o.Datasets) > 0 {
		err = h5err.New(h5err.Argument, "options path and datasets exclude each other")
	}
	if err != nil {
		return nil, err
	}
	var t *arrowmap.Table
	if len(o.Datasets) > 0 {
		t, err = f.f.Datasets(o.Datasets...)
	} else {
		t, err = f.f.Table(o.Path)
	}
	if err != nil {
		return nil, err
	}
	if o.Skip {
		var skipped []error
		if t, skipped = t.SkipUnsupported(); len(t.Columns()) == 0 && len(skipped) > 0 {
			return nil, skipped[0]
		}
	}
	return newTable([]*File{f}, t, t), nil
}

// Concat returns tables of one schema, one after the other. options has, as JSON, "by_name" to match columns by name.
func Concat(tables []*Table, options string) (*Table, error) {
	var o struct {
		ByName bool `json:"by_name"`
	}
	if err := decode(options, &o); err != nil {
		return nil, err
	}
	var files []*File
	var parts, all []*arrowmap.Table
	for _, t := range tables {
		if t.where != nil {
			return nil, h5err.New(h5err.Argument, "a filtered table can't be joined with others").WithHint("filter the joined table")
		}
		files = append(files, t.files...)
		parts, all = append(parts, t.t), append(all, t.all)
	}
	if o.ByName {
		return joined(files, arrowmap.Union, parts)
	}
	if whole, err := arrowmap.Concat(all...); err == nil {
		if at := places(tables); at != nil {
			t, err := whole.SelectAt(at...)
			if err != nil {
				return nil, err
			}
			return newTable(files, t, whole), nil
		}
	}
	return joined(files, arrowmap.Concat, parts) // the other columns differ: conditions can't use them
}

func joined(files []*File, join func(...*arrowmap.Table) (*arrowmap.Table, error), parts []*arrowmap.Table) (*Table, error) {
	t, err := join(parts...)
	if err != nil {
		return nil, err
	}
	return newTable(files, t, t), nil
}

// places returns the numbers of the chosen columns among all, nil if they are not the same in all tables.
func places(tables []*Table) []int {
	var first []int
	for i, t := range tables {
		at := make([]int, len(t.t.Columns()))
		for k, c := range t.t.Columns() {
			at[k] = slices.Index(t.all.Columns(), c)
		}
		if i == 0 {
			first = at
		}
		if !slices.Equal(at, first) || slices.Contains(at, -1) {
			return nil
		}
	}
	return first
}

// Narrow returns some columns and rows of the table. options has, as JSON, the names of "columns", "rows" as [from, to], a
// filter "where", whose columns may be "absent", and a "limit" of rows.
func (t *Table) Narrow(options string) (*Table, error) {
	o, err := narrowing(options, t.lacks)
	if err != nil {
		return nil, err
	}
	table := newTableLike(t)
	err = func() (err error) {
		if o.Columns != nil {
			if table.t, err = table.t.Select(*o.Columns...); err != nil {
				return err
			}
		}
		if o.Rows != nil {
			if err := table.slice(o.Rows[0], o.Rows[1]); err != nil {
				return err
			}
		}
		if err := table.restrict(o.Where); err != nil {
			return err
		}
		if o.Limit != nil {
			return table.head(*o.Limit)
		}
		return nil
	}()
	if err != nil {
		table.release()
		return nil, err
	}
	return table, nil
}

// lacks reports whether the table has no column of a name.
func (t *Table) lacks(column string) bool { return !t.all.Schema().HasField(column) }

// newTableLike returns a copy that can be changed.
func newTableLike(t *Table) *Table {
	out := newTable(t.files, t.t, t.all)
	out.conditions, out.where, out.limit = t.conditions, t.where, t.limit
	return out
}

// restrict adds conditions.
func (t *Table) restrict(more []predicate.Condition) (err error) {
	if len(more) == 0 {
		return nil
	}
	if t.limit >= 0 {
		return h5err.New(h5err.Argument, "the table has a limit already").WithHint("filter before the limit")
	}
	if len(t.conditions)+len(more) > predicate.MaxConditions {
		return h5err.New(h5err.Argument, "more than %d conditions", predicate.MaxConditions)
	}
	t.conditions = append(slices.Clip(t.conditions), more...)
	t.where, err = t.all.Where(t.conditions...)
	return err
}

func (t *Table) slice(a, b int64) (err error) {
	if t.where != nil {
		return h5err.New(h5err.Argument, "rows of a filtered table have no numbers").WithHint("slice before the filter, or take the first rows")
	}
	if t.t, err = t.t.Slice(a, b); err == nil {
		t.all, err = t.all.Slice(a, b)
	}
	return err
}

// head limits the table to its first n rows.
func (t *Table) head(n int64) error {
	if n < 0 {
		return h5err.New(h5err.Argument, "%d rows", n)
	}
	if t.where == nil {
		return t.slice(0, min(n, t.t.Rows()))
	}
	if t.limit < 0 || n < t.limit {
		t.limit = n
	}
	return nil
}

// Describe describes the table as JSON.
func (t *Table) Describe() (string, error) {
	text := textOf(t.t)
	if t.where != nil {
		text.Rows = nil
	}
	return answer(text, nil)
}

// Count is the number of rows.
func (t *Table) Count(ctx context.Context) (int64, error) {
	if t.where == nil {
		return t.t.Rows(), nil
	}
	key, err := t.all.Select(t.conditions[0].Column)
	if err != nil {
		return 0, err
	}
	r, err := key.Reader(ctx, arrowmap.WithWhere(t.where))
	if err != nil {
		return 0, err
	}
	defer r.Release()
	n := int64(0)
	for (t.limit < 0 || n < t.limit) && r.Next() {
		n += r.RecordBatch().NumRows()
	}
	if t.limit >= 0 {
		n = min(n, t.limit)
	}
	return n, r.Err()
}

// Schema is the schema of the table's batches.
func (t *Table) Schema() (*arrow.Schema, error) {
	if _, err := t.t.Slice(0, 0); err != nil { // a column that can't be read
		return nil, err
	}
	return t.t.Schema(), nil
}

// split is a range of rows of a file.
type split struct {
	File        string   `json:"file"`
	Rows        [2]int64 `json:"rows"`      // of the table
	FileRows    [2]int64 `json:"file_rows"` // of the table in that file
	Bytes       int64    `json:"bytes"`
	StoredBytes int64    `json:"stored_bytes"`
}

// Splits divides the table's rows, as JSON. options has the "count" of splits or the "bytes" of one.
func (t *Table) Splits(_ context.Context, options string) (string, error) {
	var o splitOptions
	if err := decode(options, &o); err != nil {
		return "", err
	}
	if t.limit >= 0 {
		return "", h5err.New(h5err.Argument, "a table with a limit can't be divided")
	}
	splits, err := t.t.Splits(arrowmap.WithSplitCount(o.Count), arrowmap.WithSplitBytes(o.Bytes), arrowmap.WithStoredBytes())
	list := []split{}
	for _, s := range splits {
		list = append(list, split{s.File, [2]int64{s.From, s.To}, [2]int64{s.FileFrom, s.FileFrom + s.To - s.From}, s.Bytes, s.StoredBytes})
	}
	return answer(list, err)
}

// ReadOptions says what is to be done with mapped values.
type ReadOptions struct {
	Copy  bool
	Align arrowmap.Align
}

// Read starts to read the table. options are readOptions as JSON.
func (t *Table) Read(ctx context.Context, options string, mem memory.Allocator) (array.RecordReader, ReadOptions, error) {
	var o readOptions
	if err := decode(options, &o); err != nil {
		return nil, ReadOptions{}, err
	}
	opts := append(o.parse(), arrowmap.WithAllocator(mem))
	how := ReadOptions{o.Copy, t.files[0].align}
	if t.where != nil {
		opts = append(opts, arrowmap.WithWhere(t.where))
	}
	r, err := t.t.Reader(ctx, opts...)
	if err != nil {
		return nil, how, err
	}
	if t.limit >= 0 {
		return &limited{Reader: r, left: t.limit}, how, nil
	}
	return r, how, nil
}

// limited is a reader that ends after some rows.
type limited struct {
	*arrowmap.Reader
	left    int64
	current arrow.RecordBatch
}

// Next moves to the next batch.
func (l *limited) Next() bool {
	l.drop()
	if l.left == 0 || !l.Reader.Next() {
		return false
	}
	n := min(l.left, l.Reader.RecordBatch().NumRows())
	l.current = l.Reader.RecordBatch().NewSlice(0, n)
	l.left -= n
	return true
}

func (l *limited) drop() {
	if l.current != nil {
		l.current.Release()
		l.current = nil
	}
}

// RecordBatch is the current batch.
func (l *limited) RecordBatch() arrow.RecordBatch { return l.current }

// Record is RecordBatch.
func (l *limited) Record() arrow.RecordBatch { return l.current }

// Release ends the reading.
func (l *limited) Release() {
	l.drop()
	l.Reader.Release()
}
