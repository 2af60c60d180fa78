package pandas

import (
	"encoding/binary"
	"encoding/json"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/h5"
)

// index is where the index of a frame comes from: a column, or numbers that ascend by a step.
type index struct {
	column      int // -1: numbers
	name        any // string, or nil for none
	start, step int64
}

// ranged is the index of a frame that has none: 0, 1, ...
func ranged() index { return index{column: -1, step: 1} }

// indexOf returns the index that the metadata of pandas in a schema describe, if it is one column or a range.
func indexOf(t *frame.Table) index {
	none := ranged()
	text, _ := t.Metadata.GetValue("pandas")
	var md struct {
		Index   []json.RawMessage `json:"index_columns"`
		Columns []struct {
			Name  *string `json:"name"`
			Field string  `json:"field_name"`
		} `json:"columns"`
	}
	if json.Unmarshal([]byte(text), &md) != nil || len(md.Index) != 1 {
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
		x := index{column: i, name: field}
		for _, m := range md.Columns {
			if m.Field == field {
				x.name = optional(m.Name)
			}
		}
		return x
	}
	return none
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
