package pandas_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
)

// TestVersions reads what two versions of pandas wrote of the same frames: marks of missing text, categories, spans,
// periods, frequencies, pickled text, labels of all kinds.
func TestVersions(t *testing.T) {
	variants := map[string][]arrowmap.ReadOption{"": nil, ", two rows a batch": {arrowmap.WithBatchRows(2), arrowmap.WithWorkers(3)}}
	for version, tables := range map[string]int{"3.1.1": 70, "2.3.3": 60} {
		var want struct {
			Tables []struct {
				Path    string
				Columns []struct {
					Name, Type string
					Values     []any
				}
			}
		}
		p, err := os.ReadFile(filepath.Join("testdata", "pandas_"+version+".json"))
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(p))
		d.UseNumber()
		if err := d.Decode(&want); err != nil || len(want.Tables) != tables {
			t.Fatalf("%d tables of pandas %s, want %d: %v", len(want.Tables), version, tables, err)
		}
		f := unpacked(t, "pandas_"+version+".h5")
		for _, w := range want.Tables {
			for variant, opts := range variants {
				where := "pandas " + version + ", " + w.Path + variant
				tab, err := f.Table(w.Path)
				if err != nil {
					t.Errorf("%s: %v", where, err)
					continue
				}
				schema, got, err := read(tab, opts...)
				if err != nil || len(got) != len(w.Columns) {
					t.Errorf("%s: %d columns, want %d: %v", where, len(got), len(w.Columns), err)
					continue
				}
				for i, c := range w.Columns {
					field := schema.Field(i)
					if field.Name != c.Name || field.Type.String() != c.Type || len(got[i]) != len(c.Values) {
						t.Errorf("%s: column %q, %s, %d rows, want %q, %s, %d rows", where, field.Name, field.Type, len(got[i]), c.Name, c.Type, len(c.Values))
						continue
					}
					for k := range c.Values {
						if !same(got[i][k], c.Values[k]) {
							t.Errorf("%s: column %s, row %d: %v, want %v", where, c.Name, k, got[i][k], c.Values[k])
						}
					}
				}
			}
		}
	}
}

// TestNullLabels: a label that is missing text is in no dictionary.
func TestNullLabels(t *testing.T) {
	f := unpacked(t, "pandas_2.3.3.h5")
	tab, err := f.Table("/categories_table")
	if err != nil {
		t.Fatal(err)
	}
	r, err := tab.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	var c arrow.Array = r.RecordBatch().Column(1)
	d, ok := c.(*array.Dictionary)
	if !ok || d.Dictionary().NullN() != 0 || d.Dictionary().String() != `["x" "y"]` || d.String() != "{ dictionary: [\"x\" \"y\"]\n  indices: [(null) 0 (null) 1 0] }" {
		t.Errorf("column %s", c)
	}
}
