package fileset

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/byname"
	"github.com/h5arrow/h5arrow/arrowmap/internal/scalar"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// set is what all selections of the files share.
type set struct {
	names    []string
	o        Options
	path     string
	metadata arrow.Metadata
	fields   []arrow.Field // the columns of the tables, then the file's name, then the attributes
	own      int           // of fields: columns of the tables
	notes    []string
	kinds    []*kind       // the schemas that files have
	attrs    []scalar.Kind // of the columns of attributes; those that no file has are texts
	lacking  []bool        // for each attribute, whether no file has it

	looking chan struct{} // has a value while the files are looked at
	files   []known       // nil until all files were looked at
	looked  atomic.Bool
}

// kind is a schema that some files have.
type kind struct {
	key    string
	fields []arrow.Field
	at     []int            // for each column of the set, the number of the file's own column, -1 for none
	as     []*values.Recode // for each column of the set, what the file's becomes, nil where it stays
	first  int              // the number of the first file that has it
}

// known is what is kept of a file.
type known struct {
	end       int64 // rows of this file and of those before it
	kind      int
	bytes     int64 // of Arrow memory of a row
	chunkRows int64
	attrs     []scalar.Value
}

// opened is an open file, with its table.
type opened struct {
	file   *arrowmap.File
	table  *arrowmap.Table
	fields []arrow.Field
	attrs  []scalar.Value
}

func newSet(names []string, o Options) (*set, error) {
	if len(names) == 0 {
		return nil, h5err.New(h5err.Argument, "no files")
	}
	if o.Open == nil {
		o.Open = func(_ context.Context, name string) (*arrowmap.File, error) { return arrowmap.Open(name) }
	}
	return &set{names: names, o: o, looking: make(chan struct{}, 1)}, nil
}

// open opens file i. The caller closes it.
func (s *set) open(ctx context.Context, i int) (*opened, error) {
	f, err := s.o.Open(ctx, s.names[i])
	if err != nil {
		return nil, err
	}
	out := &opened{file: f}
	if err := source.Guard(func() error { return out.describe(s) }); err != nil {
		f.Close() // nothing was written
		return nil, err
	}
	return out, nil
}

func (o *opened) describe(s *set) (err error) {
	if o.table, err = o.file.Table(s.o.Path); err != nil {
		return err
	}
	if _, err = o.table.Slice(0, 0); err != nil { // a column that can't be read
		return err
	}
	for _, c := range o.table.Columns() {
		f := c.Field()
		f.Type = normal(f.Type)
		o.fields = append(o.fields, f)
	}
	o.attrs = attributesOf(o.table, s.o.Attributes)
	return nil
}

func (o *opened) close() { o.file.Close() } // nothing was written

// known is what is kept of the file, but for its kind.
func (o *opened) known() known {
	foot := o.table.Footprint()
	return known{end: o.table.Rows(), bytes: foot.Bytes, chunkRows: foot.ChunkRows, attrs: o.attrs}
}

// normal returns the type that a column of files has: labels differ from file to file, and so would the width of their indices.
func normal(t arrow.DataType) arrow.DataType {
	if d, ok := t.(*arrow.DictionaryType); ok {
		return &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: d.ValueType, Ordered: d.Ordered}
	}
	return t
}

// keyOf returns a text that is the same for equal schemas.
func keyOf(fields []arrow.Field) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "%q %s\n", f.Name, f.Type)
	}
	return b.String()
}

// first looks at the first file, whose schema is that of all.
func (s *set) first(ctx context.Context) error {
	o, err := s.open(ctx, 0)
	if err != nil {
		return err
	}
	defer o.close()
	s.kinds = []*kind{{key: keyOf(o.fields), fields: o.fields}}
	var attrs []scalar.Kind
	for _, a := range o.attrs {
		attrs = append(attrs, a.Kind)
	}
	s.setAttributes(attrs)
	return s.describe(o)
}

// look looks at all files, if that was not done.
func (s *set) look(ctx context.Context) error {
	select {
	case s.looking <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.looking }()
	if s.looked.Load() {
		return nil
	}
	type seen struct {
		known
		fields []arrow.Field
	}
	p := inOrder(ctx, len(s.names), func(ctx context.Context, i int) (seen, error) {
		o, err := s.open(ctx, i)
		if err != nil {
			return seen{}, err
		}
		defer o.close()
		return seen{o.known(), o.fields}, nil
	}, nil)
	defer p.close()
	numbers := map[string]int{}
	for k, kind := range s.kinds {
		numbers[kind.key] = k
	}
	files, kinds, attrs, rows := make([]known, 0, len(s.names)), s.kinds, make([]scalar.Kind, len(s.o.Attributes)), int64(0)
	for i := range s.names {
		one, err := p.next()
		if err != nil {
			return err
		}
		key := keyOf(one.fields)
		k, ok := numbers[key]
		if !ok {
			if s.fields != nil {
				return s.otherSchema(i, one.fields)
			}
			k = len(kinds)
			numbers[key] = k
			kinds = append(kinds, &kind{key: key, fields: one.fields, first: i})
		}
		rows += one.end
		one.kind, one.end = k, rows
		files = append(files, one.known)
		for a, v := range one.attrs {
			attrs[a] = attrs[a].Join(v.Kind)
		}
	}
	s.files = files
	if s.fields == nil {
		if err := s.settle(ctx, kinds, attrs); err != nil {
			return err
		}
	}
	s.looked.Store(true)
	return nil
}

// settle decides on the columns of files of these schemas.
func (s *set) settle(ctx context.Context, kinds []*kind, attrs []scalar.Kind) error {
	s.kinds = kinds
	s.setAttributes(attrs)
	o, err := s.open(ctx, 0)
	if err != nil {
		return err
	}
	defer o.close()
	return s.describe(o)
}

// setAttributes takes the kinds of the attributes.
func (s *set) setAttributes(kinds []scalar.Kind) {
	s.attrs, s.lacking = kinds, make([]bool, len(kinds))
	for k, kind := range kinds {
		s.attrs[k], s.lacking[k] = cmp.Or(kind, scalar.Text), kind == scalar.None
	}
}

// describe makes the columns of the set; o is the first file.
func (s *set) describe(o *opened) error {
	s.path, s.metadata = o.table.Path(), o.table.Schema().Metadata()
	names := make([][]string, len(s.kinds))
	for k, kind := range s.kinds {
		for _, f := range kind.fields {
			names[k] = append(names[k], f.Name)
		}
	}
	plan, err := byname.New(names)
	if err != nil {
		return h5err.About(err, o.table)
	}
	for k, kind := range s.kinds {
		kind.at, kind.as = plan.At[k], make([]*values.Recode, len(plan.Names))
	}
	var fields []arrow.Field
	for i, k := range plan.First {
		f := s.kinds[k].fields[plan.At[k][i]]
		if f.Type, err = s.unify(i); err != nil {
			return err
		}
		fields = append(fields, f)
	}
	s.own = len(fields)
	s.explain(plan, fields)
	added := s.o.Attributes
	if s.o.Name != "" {
		added = append([]string{s.o.Name}, added...)
	}
	for k, name := range added {
		t := arrow.DataType(arrow.BinaryTypes.String)
		if a := k - len(added) + len(s.attrs); a >= 0 {
			t = s.attrs[a].Type()
		}
		for _, f := range fields {
			if f.Name == name {
				return h5err.About(h5err.New(h5err.Argument, "the table already has a column %s", name), o.table)
			}
		}
		fields = append(fields, arrow.Field{Name: name, Type: t, Nullable: true})
	}
	s.fields = fields
	return nil
}

// explain notes what becomes of columns of several schemas.
func (s *set) explain(plan *byname.Plan, fields []arrow.Field) {
	if len(s.kinds) < 2 {
		return
	}
	become := make([]arrow.DataType, len(fields))
	for i, f := range fields {
		become[i] = f.Type
	}
	whole := &byname.Plan{Names: plan.Names, First: plan.First}
	for _, f := range s.files {
		whole.At = append(whole.At, plan.At[f.kind])
	}
	types := func(k, i int) arrow.DataType {
		kind := s.kinds[s.files[k].kind]
		return kind.fields[kind.at[i]].Type
	}
	for _, lines := range whole.Notes(s.shown, types, become) {
		s.notes = append(s.notes, lines...)
	}
}

// unify returns the type of column i, and notes what that of each kind has to become.
func (s *set) unify(i int) (arrow.DataType, error) {
	var samples []arrow.Array
	var have []*kind
	labels := arrow.DataType(nil)
	for _, k := range s.kinds {
		if k.at[i] < 0 || k.fields[k.at[i]].Type.ID() == arrow.NULL {
			continue
		}
		t := k.fields[k.at[i]].Type
		if t.ID() == arrow.DICTIONARY {
			labels = t
		}
		have, samples = append(have, k), append(samples, array.MakeArrayOfNull(memory.DefaultAllocator, t, 0))
	}
	defer func() {
		for _, a := range samples {
			a.Release()
		}
	}()
	if len(have) == 0 {
		return arrow.Null, nil
	}
	if labels != nil {
		for _, k := range have {
			if !stored.Equal(k.fields[k.at[i]].Type, labels) {
				return nil, s.differs(i, have[0], k)
			}
		}
		return labels, nil
	}
	as, differs, err := values.Unify(samples, true)
	if err != nil || differs >= 0 {
		return nil, cmp.Or(err, s.differs(i, have[0], have[max(0, differs)]))
	}
	t := samples[0].DataType()
	for k, r := range as {
		if have[k].as[i] = r; r != nil {
			t = r.Type()
		}
	}
	return t, nil
}

func (s *set) differs(i int, a, b *kind) error {
	f, g := a.fields[a.at[i]], b.fields[b.at[i]]
	return h5err.In(h5err.New(h5err.Argument, "column %s differs: it is %s, and %s in %s", g.Name, g.Type, f.Type, s.shown(a.first)), s.shown(b.first), s.path)
}

// otherSchema is the error of file i, which has other columns than the first.
func (s *set) otherSchema(i int, fields []arrow.Field) error {
	want := s.kinds[0].fields
	what := fmt.Sprintf("%d columns, not %d", len(fields), len(want))
	for k := range min(len(want), len(fields)) {
		if a, b := want[k], fields[k]; a.Name != b.Name || !stored.Equal(a.Type, b.Type) {
			what = fmt.Sprintf("column %d is %s of type %s, not %s of type %s", k+1, b.Name, b.Type, a.Name, a.Type)
			break
		}
	}
	return h5err.In(h5err.New(h5err.Argument, "%s", what).WithHint("files that are one table have one schema; %s has another", s.shown(0)).
		WithOption("arrowmap.Union", "match columns by name"), s.shown(i), s.path)
}

// kindOf returns the kind of file i.
func (s *set) kindOf(i int, o *opened) (*kind, error) {
	key := keyOf(o.fields)
	for n, k := range s.kinds {
		if k.key != key {
			continue
		}
		if s.looked.Load() && (s.files[i].kind != n || s.rows(i) != o.table.Rows()) {
			break
		}
		return k, nil
	}
	if s.looked.Load() {
		return nil, s.changed(i, o.table.Rows())
	}
	return nil, s.otherSchema(i, o.fields)
}

// changed is the error of file i that is not what it was.
func (s *set) changed(i int, rows int64) error {
	return h5err.In(h5err.New(h5err.IO, "the file has changed: it had %d rows when the files were looked at, and has %d, or other columns", s.rows(i), rows), s.shown(i), s.path)
}

func (s *set) column(name string) int {
	for i, f := range s.fields {
		if f.Name == name {
			return i
		}
	}
	return -1
}

// shown is what file i is called.
func (s *set) shown(i int) string {
	if s.o.Show == nil {
		return s.names[i]
	}
	return s.o.Show(s.names[i])
}

func (s *set) end(i int) int64 {
	if i < 0 {
		return 0
	}
	return s.files[i].end
}

// rows is the number of rows of file i, where the files are known.
func (s *set) rows(i int) int64 { return s.end(i) - s.end(i-1) }

// constant returns the value of column i, after those of the tables, for a file.
func (s *set) constant(i, file int, attrs []scalar.Value) (scalar.Value, scalar.Kind) {
	a := i - len(s.fields) + len(s.attrs)
	if a < 0 {
		return scalar.TextOf(s.shown(file)), scalar.Text
	}
	return attrs[a], s.attrs[a]
}
