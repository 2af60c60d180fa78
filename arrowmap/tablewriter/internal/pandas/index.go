package pandas

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/h5"
)

// index is where the index of a frame comes from: a column, or numbers that ascend by a step.
type index struct {
	column      int // -1: numbers
	name        any // string, or nil for none
	start, step int64
	levels      []level // of a MultiIndex, beside the numbers
}

// level is a level of a MultiIndex: a column of the table.
type level struct {
	column int
	name   string
}

// ranged is the index of a frame that has none: 0, 1, ...
func ranged() index { return index{column: -1, step: 1} }

// description is what the metadata of pandas in a schema say of the index and the labels of columns.
type description struct {
	Index   []json.RawMessage `json:"index_columns"`
	Columns []struct {
		Name  *string `json:"name"`
		Field string  `json:"field_name"`
	} `json:"columns"`
	Labels []labelLevel `json:"column_indexes"`
}

// name returns the name of a field.
func (d *description) name(field string) any {
	for _, m := range d.Columns {
		if m.Field == field {
			return optional(m.Name)
		}
	}
	return field
}

// described returns what the metadata of pandas in a schema say, nothing if there are none.
func described(t *frame.Table) *description {
	text, _ := t.Metadata.GetValue("pandas")
	md := &description{}
	if json.Unmarshal([]byte(text), md) != nil {
		return &description{}
	}
	return md
}

// index returns the index that the metadata describe.
func (md *description) index(t *frame.Table) index {
	none := ranged()
	if len(md.Index) == 0 {
		return none
	}
	if len(md.Index) > 1 {
		none.levels = md.levels(t)
		return none
	}
	var r struct {
		Kind        string  `json:"kind"`
		Name        *string `json:"name"`
		Start, Step int64
	}
	if json.Unmarshal(md.Index[0], &r) == nil && r.Kind == "range" {
		return index{column: -1, name: optional(r.Name), start: r.Start, step: r.Step}
	}
	var field string
	if json.Unmarshal(md.Index[0], &field) != nil {
		return none
	}
	for i, c := range t.Columns {
		if c.Field.Name != field || !canIndex(c) || len(t.Columns) == 1 {
			continue
		}
		return index{column: i, name: md.name(field)}
	}
	return none
}

// levels returns the levels of a MultiIndex. There are none if a level is not a column, or has a name that pandas can't store: that of
// another column or level, of the rows' numbers, or of a block.
func (d *description) levels(t *frame.Table) []level {
	var out []level
	names, found := map[string]int{}, map[int]bool{}
	for _, c := range t.Columns {
		names[c.Field.Name]++
	}
	for i, raw := range d.Index {
		var field string
		if json.Unmarshal(raw, &field) != nil {
			return nil
		}
		at := slices.IndexFunc(t.Columns, func(c *frame.Column) bool { return c.Field.Name == field })
		if at < 0 || found[at] {
			return nil
		}
		found[at] = true
		name, ok := d.name(field).(string)
		if !ok {
			name = fmt.Sprintf("level_%d", i) // as pandas calls it
		}
		names[field]--
		names[name]++
		out = append(out, level{at, name})
	}
	for _, l := range out {
		if names[l.name] != 1 || l.name == "" || l.name == "index" || strings.HasPrefix(l.name, "values_block_") || len(out) == len(t.Columns) {
			return nil
		}
	}
	return out
}

// level reports whether a column is a level of a MultiIndex.
func (x index) level(column int) bool {
	return slices.ContainsFunc(x.levels, func(l level) bool { return l.column == column })
}

// levelNames returns the names of the levels.
func (x index) levelNames() (names list) {
	for _, l := range x.levels {
		names = append(names, l.name)
	}
	return names
}

func optional(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

// canIndex reports whether pandas reads the values of a column as an index. Text has no missing values there, but "nan" is one.
func canIndex(c *frame.Column) bool {
	switch {
	case c.Labels != nil:
		return false
	case isText(c.Type):
		return c.Nulls == 0 && !c.Taken[0]
	case isNumber(c.Type):
		return c.Nulls == 0
	}
	return c.Type.ID() == arrow.TIMESTAMP
}

func (x index) width(s *store) int { return x.typ(s).Size }

func (x index) typ(s *store) *h5.Type {
	if x.column < 0 {
		return int64Type()
	}
	return s.columns[x.column].typ
}

func (x index) kind(s *store) string {
	if x.column < 0 {
		return "integer"
	}
	return s.columns[x.column].kind
}

// info is what the attribute info says of the index.
func (x index) info(s *store) dict {
	d := dict{}
	if x.name != nil {
		d = append(d, pair{"index_name", x.name})
	}
	if x.column >= 0 && s.columns[x.column].zone != "" {
		d = append(d, pair{"tz", s.columns[x.column].zone})
	}
	return d
}

// put writes the index of rows.
func (x index) put(s *store, rows []byte, b arrow.RecordBatch, row0 int64) error {
	if x.column >= 0 {
		p, err := s.columns[x.column].bytes(b.Column(x.column), row0)
		scatter(rows, s.size, p, x.width(s))
		return err
	}
	for i := range b.NumRows() {
		binary.LittleEndian.PutUint64(rows[int(i)*s.size:], uint64(x.start+(row0+i)*x.step))
	}
	return nil
}
