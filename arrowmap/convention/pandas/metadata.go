package pandas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention/pandas/label"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
	"github.com/h5arrow/h5arrow/h5"
)

// schemaMetadata is the JSON that pyarrow keeps in a schema under the key "pandas".
type schemaMetadata struct {
	Index    []string       `json:"index_columns"`
	Levels   []schemaField  `json:"column_indexes"`
	Columns  []schemaField  `json:"columns"`
	Attrs    struct{}       `json:"attributes"`
	Creator  map[string]any `json:"creator"`
	PVersion string         `json:"pandas_version"`
}

type schemaField struct {
	Name     any            `json:"name"`
	Field    any            `json:"field_name"`
	Logical  string         `json:"pandas_type"`
	Numpy    string         `json:"numpy_type"`
	Metadata map[string]any `json:"metadata"`
}

func (f *frame) metadata() string {
	m := schemaMetadata{Index: []string{}, Levels: []schemaField{}, Columns: []schemaField{},
		Creator: map[string]any{"library": "h5arrow"}, PVersion: f.version}
	field := func(c *frameColumn, name any) {
		if c.Err == nil {
			m.Columns = append(m.Columns, schemaField{name, c.Name, c.typ.logical, c.typ.numpy, c.typ.more})
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
		m.Levels = append(m.Levels, schemaField{name, name, l.typ.logical, l.typ.numpy, l.typ.more})
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
func plainName(v any) string {
	if t, ok := v.(pickle.Tuple); ok {
		parts := make(pickle.Tuple, len(t))
		for i, p := range t {
			parts[i] = label.String(p)
		}
		return label.Repr(parts)
	}
	return label.String(v)
}

func nameOrNil(v any) any {
	if v == nil {
		return nil
	}
	return label.String(v)
}

// numpyName is numpy's name of a type.
func numpyName(t *h5.Type) string {
	bits := 8 * t.Size
	switch {
	case t.Class == h5.ClassFixed && t.Signed, t.Class == h5.ClassTime:
		return fmt.Sprintf("int%d", bits)
	case t.Class == h5.ClassFixed:
		return fmt.Sprintf("uint%d", bits)
	case t.Class == h5.ClassFloat:
		return fmt.Sprintf("float%d", bits)
	case t.Class == h5.ClassBitfield:
		return "bool"
	}
	return "object"
}

// jsonString is a JSON string.
func jsonString(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}
