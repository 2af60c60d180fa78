package convention

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// detectPandas recognises what pandas' HDFStore writes: a group with the attribute pandas_type, which holds a frame or a
// series, either as a table of PyTables or, in the fixed format, as arrays.
func detectPandas(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	kind := text(g, "pandas_type")
	if kind == "" {
		return nil, nil
	}
	s := &pandasStore{g: g, table: strings.HasSuffix(kind, "_table")}
	f, err := s.read(kind)
	err = h5err.In(err, g.File().Name(), g.Path())
	t := &Table{Path: g.Path(), Object: g, Reason: "attribute pandas_type='" + kind + "'", Inner: s.inner}
	switch k := h5err.KindOf(err); {
	case err == nil:
		f.fill(t)
		for i := range t.Columns {
			t.Columns[i].Err = h5err.In(t.Columns[i].Err, g.File().Name(), g.Path())
		}
	case k == h5err.Unsupported || k == h5err.Limit: // it is a table, and which of its columns can't be read is not known
		t.Columns = []Column{{Name: g.Path()[len(parent(g.Path())):], Err: err}}
	default:
		return []*Table{t}, err
	}
	return []*Table{t}, nil
}

// pandasStore is one object of an HDFStore.
type pandasStore struct {
	g      *h5.Group
	table  bool  // it is in the table format
	latin1 bool  // text is ISO 8859-1
	badEnc error // text is in an encoding that is not supported
}

func (s *pandasStore) read(kind string) (*pandasFrame, error) {
	if err := s.encoding(); err != nil {
		return nil, err
	}
	switch kind {
	case "frame":
		return s.fixedFrame()
	case "series":
		return s.fixedSeries()
	case "frame_table", "series_table":
		return s.tableFrame(0)
	}
	return nil, unsupported(s.g, "an object of pandas of type %q", kind)
}

// inner claims what belongs to the object; other objects may stand below it, as in the keys "a" and "a/b".
func (s *pandasStore) inner(path string) bool {
	name := path[len(parent(path)):]
	if strings.HasPrefix(name, "_i_") {
		return true
	}
	o, err := s.g.Open(name)
	if err != nil {
		return true
	}
	_, isDataset := o.(*h5.Dataset)
	return isDataset || name == "meta" && s.table && text(o, "pandas_type") == "" // labels of categories
}

// encoding reads the encoding of text: UTF-8, unless the attribute says otherwise.
func (s *pandasStore) encoding() error {
	v, err := attribute(s.g, "encoding")
	if err != nil {
		return err
	}
	name, _ := v.(string)
	switch strings.ReplaceAll(strings.ToLower(name), "_", "-") {
	case "", "utf-8", "utf8", "ascii", "us-ascii":
	case "latin-1", "latin1", "iso-8859-1", "iso8859-1", "l1":
		s.latin1 = true
	default:
		s.badEnc = unsupported(s.g, "text in the encoding %s", name)
	}
	return nil
}

// pandasType is what the schema's metadata say of a column: the type's names, and more.
type pandasType struct {
	logical string         // pandas_type
	numpy   string         // numpy_type
	more    map[string]any // metadata
}

// pandasColumn is a column or a level of the index.
type pandasColumn struct {
	Column
	label any // how pandas calls it, nil for no name
	typ   pandasType
}

// pandasFrame is a frame: its index, its columns, and the levels of the columns' labels.
type pandasFrame struct {
	index, columns []pandasColumn
	levels         []pandasLevel // several: labels are tuples
	version        string
}

// pandasLevel is a level of the columns' labels.
type pandasLevel struct {
	name any
	typ  pandasType
}

// fill gives a table its columns, named as reset_index() names them, and the metadata by which to_pandas() makes the
// frame of them again.
func (f *pandasFrame) fill(t *Table) {
	taken := map[string]bool{}
	for i := range f.columns {
		c := &f.columns[i]
		c.Name = pyString(c.label)
		taken[c.Name] = true
	}
	for i := range f.index {
		c := &f.index[i]
		c.Name = f.indexName(i, taken)
		taken[c.Name] = true
	}
	for _, c := range slices.Concat(f.index, f.columns) {
		t.Columns = append(t.Columns, c.Column)
	}
	t.Metadata = map[string]string{"pandas": f.metadata()}
}

// indexName is the name that reset_index() gives a level of the index. Where it would fail, since the name is taken,
// pyarrow's name is used.
func (f *pandasFrame) indexName(i int, taken map[string]bool) string {
	label := f.index[i].label
	switch {
	case label != nil:
	case len(f.index) > 1:
		label = fmt.Sprintf("level_%d", i)
	case taken["index"]:
		label = "level_0"
	default:
		label = "index"
	}
	if n := len(f.levels); n > 1 {
		tuple := make(pyTuple, n)
		for k := range tuple {
			tuple[k] = ""
		}
		tuple[0] = label
		label = tuple
	}
	if name := pyString(label); !taken[name] {
		return name
	}
	return fmt.Sprintf("__index_level_%d__", i)
}

// pandasMetadata is the JSON that pyarrow keeps in a schema under the key "pandas".
type pandasMetadata struct {
	Index    []string       `json:"index_columns"`
	Levels   []pandasField  `json:"column_indexes"`
	Columns  []pandasField  `json:"columns"`
	Attrs    struct{}       `json:"attributes"`
	Creator  map[string]any `json:"creator"`
	PVersion string         `json:"pandas_version"`
}

type pandasField struct {
	Name     any            `json:"name"`
	Field    any            `json:"field_name"`
	Logical  string         `json:"pandas_type"`
	Numpy    string         `json:"numpy_type"`
	Metadata map[string]any `json:"metadata"`
}

func (f *pandasFrame) metadata() string {
	m := pandasMetadata{Index: []string{}, Levels: []pandasField{}, Columns: []pandasField{},
		Creator: map[string]any{"library": "h5arrow"}, PVersion: f.version}
	field := func(c *pandasColumn, name any) {
		if c.Err == nil {
			m.Columns = append(m.Columns, pandasField{name, c.Name, c.typ.logical, c.typ.numpy, c.typ.more})
		}
	}
	for i := range f.columns {
		field(&f.columns[i], plainName(f.columns[i].label))
	}
	for i := range f.index {
		c := &f.index[i]
		field(c, nameOrNil(c.label))
		if c.Err == nil {
			m.Index = append(m.Index, c.Name)
		}
	}
	for _, l := range f.levels {
		name := nameOrNil(l.name)
		m.Levels = append(m.Levels, pandasField{name, name, l.typ.logical, l.typ.numpy, l.typ.more})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil { // plain values only: it can't fail
		return "{}"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// plainName is the name that pyarrow gives a column: that of a tuple has its parts as text.
func plainName(label any) string {
	if t, ok := label.(pyTuple); ok {
		parts := make(pyTuple, len(t))
		for i, p := range t {
			parts[i] = pyString(p)
		}
		return pyRepr(parts)
	}
	return pyString(label)
}

func nameOrNil(label any) any {
	if label == nil {
		return nil
	}
	return pyString(label)
}
