package pandas

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// chunkBytes is the size of a chunk if the caller chooses none.
const chunkBytes = 256 << 10

// Write writes a table as pandas' HDFStore has it in its format "table".
func (Layout) Write(ctx context.Context, o *frame.Output, t *frame.Table) ([]frame.Stored, error) {
	root, err := o.File.Group("/")
	if err != nil {
		return nil, err
	}
	a := &attributes{o: root}
	a.class("GROUP", "1.0")
	a.text("PYTABLES_FORMAT_VERSION", "2.1")
	if a.err != nil {
		return nil, a.err
	}
	mark := markOf(t.Columns)
	s := &store{o: o, path: o.Path, mark: string(mark), series: false}
	md := described(t)
	s.index = md.index(t)
	s.columns = make([]*values, len(t.Columns))
	for i, c := range t.Columns {
		if s.columns[i], err = valuesOf(c, mark); err != nil {
			return nil, h5err.In(err, "", c.Field.Name)
		}
		s.names = append(s.names, c.Field.Name)
	}
	s.axis = md.axis(s.names, s.index)
	for _, l := range s.index.levels {
		s.names[l.column], s.axis.labels[l.column] = l.name, l.name
	}
	s.metadata = t.Metadata
	if err := s.start(uint64(t.Rows)); err != nil {
		return nil, err
	}
	if err := t.Each(ctx, func(b arrow.RecordBatch, row0 int64) error { return s.add(b, row0) }); err != nil {
		return nil, err
	}
	stored := make([]frame.Stored, len(t.Columns))
	for i, c := range t.Columns {
		stored[i] = frame.Stored{Path: s.table.Path(), Storage: h5.StorageChunked}
		o.Lost(c.Field.Metadata.Keys()...)
		if c.Nulls > 0 {
			stored[i].Nulls = "sentinel"
		}
	}
	return stored, nil
}

// markOf returns the text that stands for missing text: one that no value equals.
func markOf(columns []*frame.Column) []byte {
	longest := 0
	taken := make([]bool, len(marks))
	for _, c := range columns {
		if isText(c.Type) {
			longest = max(longest, c.Longest)
			for i := range c.Taken {
				taken[i] = taken[i] || c.Taken[i]
			}
		}
	}
	return free(taken, longest)
}

// marks are texts that may stand for missing text.
var marks = [][]byte{[]byte("nan"), []byte("<NA>"), []byte("\x01")}

// free returns the first mark that is not taken, or a text that is longer than the longest.
func free(taken []bool, longest int) []byte {
	for i, m := range marks {
		if !taken[i] {
			return m
		}
	}
	long := make([]byte, longest+1)
	for i := range long {
		long[i] = '_'
	}
	return long
}

// store is an object of an HDFStore in the format "table": a frame, or the series of a category's labels.
type store struct {
	o        *frame.Output
	path     string // of its group
	mark     string // of missing text
	series   bool
	of       string // the column that the labels of a series are of
	names    []string
	axis     axis
	columns  []*values
	index    index
	metadata arrow.Metadata

	blocks []*block
	table  *write.Dataset
	size   int // bytes of a row
}

// block is a member of the table: columns of one type.
type block struct {
	*values
	name    string
	columns []int
	single  bool // a value, not an array of them
	at      int  // in a row
}

// arrange puts the columns into blocks: those of one plain type together, all others each in its own.
func (s *store) arrange() {
	s.size = s.index.width(s)
	together := map[string]*block{}
	for i, v := range s.columns {
		if i == s.index.column {
			continue
		}
		level := s.index.level(i)
		plain := !level && !v.codes && v.zone == "" && v.typ.Class != h5.ClassString
		if b := together[v.dtype]; plain && b != nil {
			b.columns = append(b.columns, i)
			continue
		}
		b := &block{values: v, name: fmt.Sprintf("values_block_%d", len(s.blocks)), columns: []int{i}, single: s.series || level}
		switch {
		case s.series:
			b.name = "values"
		case level: // a column by which rows can be selected
			b.name = s.names[i]
		}
		if s.blocks = append(s.blocks, b); plain {
			together[v.dtype] = b
		}
	}
	for _, b := range s.blocks {
		b.at = s.size
		s.size += b.typ.Size * len(b.columns)
	}
}

// start makes the group, the labels of categories, and the table.
func (s *store) start(rows uint64) error {
	s.arrange()
	g, err := s.o.File.Group(s.path)
	if err != nil {
		return err
	}
	if err := s.o.Describe(g, s.o.Own(s.metadata, isTaken)); err != nil {
		return err
	}
	if err := s.describe(g); err != nil {
		return err
	}
	for _, b := range s.blocks {
		if b.codes && b.labels.Len() > 0 {
			if err := s.labels(b); err != nil {
				return h5err.In(err, "", s.names[b.columns[0]])
			}
		}
	}
	t := &h5.Type{Class: h5.ClassCompound, Size: s.size}
	t.Members = append(t.Members, h5.Member{Name: "index", Type: s.index.typ(s)})
	for _, b := range s.blocks {
		item := b.typ
		if !b.single {
			item = &h5.Type{Class: h5.ClassArray, Size: b.typ.Size * len(b.columns), Base: b.typ, Dims: []uint64{uint64(len(b.columns))}}
		}
		t.Members = append(t.Members, h5.Member{Name: b.name, Offset: b.at, Type: item})
	}
	chunk := min(uint64(max(1, chunkBytes/s.size)), max(rows, 512))
	if s.o.ChunkRows > 0 {
		chunk = uint64(s.o.ChunkRows)
	}
	spec := write.Spec{Type: t, Space: write.Growing(rows), ChunkDims: []uint64{min(chunk, math.MaxUint32/uint64(s.size))}}
	if s.o.Filters != nil {
		spec.Filters = s.o.Filters(s.size)
	}
	if s.table, err = s.o.File.Dataset(s.path+"/table", spec); err != nil {
		return err
	}
	return s.describeTable(rows)
}

// describe adds the attributes of the group.
func (s *store) describe(g write.Object) error {
	a := &attributes{o: g}
	a.class("GROUP", "1.0")
	kind, members, order := "frame", list{}, list{}
	axisType := map[bool]string{false: "Index", true: "MultiIndex"}[s.axis.multi]
	info := dict{pair{int64(1), dict{{"names", s.axis.names}, {"type", axisType}}}, pair{"index", s.index.info(s)}}
	levels := s.index.levelNames()
	dataColumns := append(list{}, levels...)
	if s.series {
		kind, order, dataColumns = "series", list{"values"}, list{"values"}
	} else {
		order = append(order, levels...)
		for i, label := range s.axis.labels {
			if i != s.index.column && !s.index.level(i) {
				order = append(order, label)
			}
		}
	}
	for _, b := range s.blocks {
		members = append(members, b.name)
		d := dict{}
		if b.zone != "" {
			d = append(d, pair{"tz", b.zone})
		}
		if b.codes {
			d = append(d, pair{"ordered", b.ordered})
		}
		info = append(info, pair{b.name, d})
	}
	a.text("pandas_type", kind+"_table")
	a.text("pandas_version", "0.15.2")
	if levels == nil {
		a.text("table_type", "appendable_"+kind)
		a.value("levels", int64Type(), binary.LittleEndian.AppendUint64(nil, 1))
	} else {
		a.text("table_type", "appendable_multi"+kind)
		a.pickle("levels", levels)
	}
	a.pickle("index_cols", list{tuple{int64(0), "index"}})
	a.pickle("values_cols", members)
	a.pickle("non_index_axes", list{tuple{int64(1), order}})
	a.pickle("data_columns", dataColumns)
	a.text("nan_rep", s.mark)
	a.text("encoding", "UTF-8")
	a.text("errors", "strict")
	a.pickle("info", info)
	return a.err
}

// describeTable adds the attributes of the table, those of PyTables and those of pandas.
func (s *store) describeTable(rows uint64) error {
	a := &attributes{o: s.table}
	a.class("TABLE", "2.7")
	a.value("NROWS", int64Type(), binary.LittleEndian.AppendUint64(nil, rows))
	field := func(i int, name string, t *h5.Type) {
		a.text(fmt.Sprintf("FIELD_%d_NAME", i), name)
		a.value(fmt.Sprintf("FIELD_%d_FILL", i), fillType(t), make([]byte, fillType(t).Size))
	}
	field(0, "index", s.index.typ(s))
	a.text("index_kind", s.index.kind(s))
	for i, b := range s.blocks {
		field(i+1, b.name, b.typ)
		labels := list{}
		for _, c := range b.columns {
			labels = append(labels, s.axis.labels[c])
		}
		a.pickle(b.name+"_kind", labels)
		a.text(b.name+"_dtype", b.dtype)
		if b.codes {
			a.text(b.name+"_meta", "category")
		} else {
			a.pickle(b.name+"_meta", nil)
		}
	}
	return a.err
}

// fillType is the type of the attribute with a member's default.
func fillType(t *h5.Type) *h5.Type {
	switch t.Class {
	case h5.ClassString:
		return &h5.Type{Class: h5.ClassString, Size: 1}
	case h5.ClassBitfield:
		return &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Precision: 8}
	}
	return t
}

func int64Type() *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: 8, Order: h5.LittleEndian, Signed: true, Precision: 64}
}

// labels writes the series of a category's labels beside the table.
func (s *store) labels(b *block) error {
	at := s.path + "/meta/" + b.name + "/meta"
	for _, path := range []string{s.path + "/meta", s.path + "/meta/" + b.name} {
		g, err := s.o.File.Group(path)
		if err != nil {
			return err
		}
		a := &attributes{o: g}
		if a.class("GROUP", "1.0"); a.err != nil {
			return a.err
		}
	}
	c := &frame.Column{Field: arrow.Field{Name: "values", Type: b.labels.DataType()}, Type: b.labels.DataType(), Marks: marks}
	plain := frame.Plain(b.labels)
	defer plain.Release()
	c.Type = plain.DataType()
	c.Look(plain)
	if err := distinct(plain); err != nil {
		return err
	}
	mark := free(c.Taken, c.Longest)
	v, err := valuesOf(c, mark)
	if err != nil {
		return err
	}
	out := *s.o
	out.Filters, out.ChunkRows, out.Describe = nil, 0, func(write.Object, arrow.Metadata) error { return nil }
	l := &store{o: &out, path: at, mark: string(mark), series: true, of: s.names[b.columns[0]], names: []string{"values"}, axis: plainAxis([]string{"values"}), columns: []*values{v}, index: ranged()}
	if err := l.start(uint64(plain.Len())); err != nil {
		return err
	}
	return l.add(array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "values", Type: c.Type}}, nil), []arrow.Array{plain}, int64(plain.Len())), 0)
}

// distinct returns an error if pandas takes a label for a missing value.
func distinct(labels arrow.Array) error {
	for i := range labels.Len() {
		nan := false
		switch a := labels.(type) {
		case *array.Float64:
			nan = math.IsNaN(a.Value(i))
		case *array.Float32:
			nan = a.Value(i) != a.Value(i)
		case *array.Float16:
			nan = a.Value(i).IsNaN()
		}
		if nan {
			return h5err.New(h5err.Unsupported, "a dictionary with the label NaN, which pandas takes for a missing value").WithHint("cast it to its values")
		}
	}
	return nil
}

// add writes rows.
func (s *store) add(b arrow.RecordBatch, row0 int64) error {
	n := int(b.NumRows())
	if n == 0 {
		return nil
	}
	rows := make([]byte, n*s.size)
	if err := s.index.put(s, rows, b, row0); err != nil {
		return err
	}
	for _, block := range s.blocks {
		w := block.typ.Size
		for k, c := range block.columns {
			p, err := s.columns[c].bytes(b.Column(c), row0)
			if err != nil {
				if s.series {
					return h5err.In(err, "", s.of)
				}
				return h5err.In(err, "", s.names[c])
			}
			scatter(rows[block.at+k*w:], s.size, p, w)
		}
	}
	return s.table.Write(rows)
}

// scatter copies elements of w bytes to rows of size bytes.
func scatter(rows []byte, size int, p []byte, w int) {
	for i := 0; len(p) >= w; i++ {
		copy(rows[i*size:], p[:w])
		p = p[w:]
	}
}
