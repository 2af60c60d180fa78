// Package pandas recognizes the frames and series of pandas' HDFStore, in its table and its fixed format.
package pandas

import (
	"fmt"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pandas/label"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Detect recognizes what pandas' HDFStore writes: a group with the attribute pandas_type, which holds a frame or a
// series, either as a table of PyTables or, in the fixed format, as arrays.
func Detect(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	kind := object.Text(g, "pandas_type")
	if kind == "" {
		return nil, nil
	}
	s := &store{g: g, table: strings.HasSuffix(kind, "_table")}
	f, err := s.read(kind)
	err = h5err.About(err, g)
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "attribute pandas_type='" + kind + "'", Inner: s.inner}
	switch k := h5err.KindOf(err); {
	case err == nil:
		f.fill(t)
		for i := range t.Columns {
			t.Columns[i].Err = h5err.About(t.Columns[i].Err, g)
		}
	case k == h5err.Unsupported || k == h5err.Limit: // it is a table, and which of its columns can't be read is not known
		t.Columns = []convention.Column{{Name: g.Path()[len(object.Parent(g.Path())):], Err: err}}
	default:
		return []*convention.Table{t}, err
	}
	return []*convention.Table{t}, nil
}

// store is one object of an HDFStore.
type store struct {
	g      *h5.Group
	table  bool  // it is in the table format
	latin1 bool  // text is ISO 8859-1
	badEnc error // text is in an encoding that is not supported

	pickled map[string]*objects // by the paths of their datasets
}

// mark is the text that stands for a missing value; unset, nothing is missing.
type mark struct {
	text string
	set  bool
}

// oldMark is the mark before pandas 3.1, unless a table has another.
func oldMark() mark { return mark{"nan", true} }

func (s *store) read(kind string) (*frame, error) {
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
	return nil, object.Unsupported(s.g, "an object of pandas of type %q", kind)
}

// inner claims what belongs to the object; other objects may be below it, as in the keys "a" and "a/b".
func (s *store) inner(path string) bool {
	name := path[len(object.Parent(path)):]
	if strings.HasPrefix(name, "_i_") {
		return true
	}
	o, err := s.g.Open(name)
	if err != nil {
		return true
	}
	_, isDataset := o.(*h5.Dataset)
	return isDataset || name == "meta" && s.table && object.Text(o, "pandas_type") == "" // labels of categories
}

// encoding reads the encoding of text: UTF-8, unless the attribute says otherwise.
func (s *store) encoding() error {
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
		s.badEnc = object.Unsupported(s.g, "text in the encoding %s", name)
	}
	return nil
}

// fieldType is what the schema's metadata say of a column: the type's names, and more.
type fieldType struct {
	logical string         // pandas_type
	numpy   string         // numpy_type
	more    map[string]any // metadata
}

// frameColumn is a column or a level of the index.
type frameColumn struct {
	convention.Column
	label any // how pandas calls it, nil for no name
	typ   fieldType
}

// frame is a frame: its index, its columns, and the levels of the columns' labels.
type frame struct {
	index, columns []frameColumn
	levels         []labelLevel // several: labels are tuples
	version        string
}

// labelLevel is a level of the columns' labels.
type labelLevel struct {
	name any
	typ  fieldType
}

// fill gives a table its columns, named as reset_index() names them, and the metadata by which to_pandas() makes the
// frame of them again.
func (f *frame) fill(t *convention.Table) {
	taken := map[string]bool{}
	for i := range f.columns {
		c := &f.columns[i]
		c.Name = columnName(c.label, i)
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

// columnName is the name of the i-th column: its label's text. Labels without a text are known by their place.
func columnName(v any, i int) string {
	if named(v) {
		return label.String(v)
	}
	return fmt.Sprintf("__column_%d__", i)
}

// named reports whether a label, or each part of a tuple, has a text.
func named(v any) bool {
	if t, ok := v.(pickle.Tuple); ok {
		for _, p := range t {
			if label.Kind(p) == "" {
				return false
			}
		}
		return true
	}
	return label.Kind(v) != ""
}

// indexName is the name that reset_index() gives a level of the index. Where it would fail, since the name is taken,
// pyarrow's name is used.
func (f *frame) indexName(i int, taken map[string]bool) string {
	name := f.index[i].label
	switch {
	case name != nil:
	case len(f.index) > 1:
		name = fmt.Sprintf("level_%d", i)
	case taken["index"]:
		name = "level_0"
	default:
		name = "index"
	}
	if n := len(f.levels); n > 1 {
		tuple := make(pickle.Tuple, n)
		for k := range tuple {
			tuple[k] = ""
		}
		tuple[0] = name
		name = tuple
	}
	if text := label.String(name); !taken[text] {
		return text
	}
	return fmt.Sprintf("__index_level_%d__", i)
}

// periods marks integers as periods, by pandas' extension type of Arrow.
func (c *frameColumn) periods(freq any) {
	f := label.Frequency(freq)
	if f == "" {
		return
	}
	c.typ = fieldType{logical: "object", numpy: "period[" + f + "]"}
	c.Metadata = map[string]string{"ARROW:extension:name": "pandas.period", "ARROW:extension:metadata": `{"freq": ` + jsonString(f) + `}`}
}
