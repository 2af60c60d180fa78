package anndata

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"path"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// Write writes a table as an AnnData object in a group.
func (Layout) Write(ctx context.Context, o *frame.Output, t *frame.Table) ([]frame.Stored, error) {
	w := &writer{o: o, rows: uint64(t.Rows)}
	if err := w.start(); err != nil {
		return nil, err
	}
	index := indexOf(t)
	stored, err := w.columns(t, index)
	if err != nil {
		return nil, err
	}
	return stored, t.Each(ctx, func(b arrow.RecordBatch, row0 int64) error {
		if index < 0 {
			if err := w.numbered(row0, b.NumRows()); err != nil {
				return err
			}
		}
		for i, c := range w.parts {
			if err := c.write(b.Column(i), row0); err != nil {
				return h5err.In(err, "", t.Columns[i].Field.Name)
			}
		}
		return nil
	})
}

// writer writes an AnnData object.
type writer struct {
	o     *frame.Output
	rows  uint64
	parts []*part
	names *part // of the observations, if no column has them
}

// encoding says what an object is.
func encoding(o write.Object, kind, version string) error {
	return attributes(o, attr.Text("encoding-type", kind), attr.Text("encoding-version", version))
}

func attributes(o write.Object, attrs ...attr.Attribute) error {
	for _, a := range attrs {
		if err := o.Attribute(write.Attribute{Name: a.Name, Type: a.Type, Space: write.Shape(a.Dims...), Data: a.Data}); err != nil {
			return err
		}
	}
	return nil
}

// at returns the path of an element.
func (w *writer) at(names ...string) string {
	return path.Join(append([]string{w.o.Path}, names...)...)
}

// group makes a group of an encoding.
func (w *writer) group(at, kind, version string) (*write.Group, error) {
	g, err := w.o.File.Group(at)
	if err != nil {
		return nil, err
	}
	return g, encoding(g, kind, version)
}

// start makes the object, without observations, and with no variables.
func (w *writer) start() error {
	if _, err := w.group(w.o.Path, "anndata", "0.1.0"); err != nil {
		return err
	}
	for _, name := range []string{"layers", "obsm", "obsp", "uns", "varm", "varp"} {
		if _, err := w.group(w.at(name), "dict", "0.1.0"); err != nil {
			return err
		}
	}
	if err := w.frame("var", "_index", nil); err != nil {
		return err
	}
	p, err := w.strings(w.at("var", "_index"), 0)
	if err != nil {
		return err
	}
	return p.write(array.MakeArrayOfNull(memory.DefaultAllocator, arrow.BinaryTypes.String, 0), 0)
}

// frame makes the group of a data frame.
func (w *writer) frame(name, index string, order []string) error {
	g, err := w.group(w.at(name), "dataframe", "0.2.0")
	if err != nil {
		return err
	}
	names := attr.Text("column-order", "")
	names.Dims, names.Data = []uint64{uint64(len(order))}, nil
	for _, n := range order {
		names.Data = append(binary.LittleEndian.AppendUint64(names.Data, uint64(len(n))), n...)
	}
	return attributes(g, attr.Text("_index", index), names)
}

// columns makes the columns of obs, and the arrays of obsm.
func (w *writer) columns(t *frame.Table, index int) ([]frame.Stored, error) {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		if names[i] = c.Field.Name; names[i] == "_index" && index != i {
			return nil, h5err.In(h5err.New(h5err.Unsupported, "AnnData keeps the name for the names of the observations, which are text without nulls").WithHint("rename the column"), "", names[i])
		}
	}
	links := frame.Links(names)
	stored := make([]frame.Stored, len(t.Columns))
	var order []string
	for i, c := range t.Columns {
		at := w.at("obs", links[i])
		if c.Type.ID() == arrow.FIXED_SIZE_LIST {
			at = w.at("obsm", links[i])
		} else if i != index {
			order = append(order, links[i])
		}
		p, err := w.part(c, at)
		if err == nil {
			err = w.o.Describe(p.object, w.o.Own(c.Field.Metadata, isOwn))
		}
		if err != nil {
			return nil, h5err.In(err, "", c.Field.Name)
		}
		w.parts = append(w.parts, p)
		stored[i] = w.o.Place(p.values.Path(), p.nulls)
	}
	name := "_index"
	if index >= 0 {
		name = links[index]
	} else {
		var err error
		if w.names, err = w.strings(w.at("obs", name), w.rows); err != nil {
			return nil, err
		}
	}
	g, err := w.o.File.Group(w.at("obs"))
	if err != nil {
		return nil, err
	}
	if err := w.o.Describe(g, w.o.Own(t.Metadata, isOwn)); err != nil {
		return nil, err
	}
	return stored, w.frame("obs", name, order)
}

// numbered writes the names of observations that have none: their numbers, as anndata makes them.
func (w *writer) numbered(row0, n int64) error {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range n {
		b.Append(strconv.FormatInt(row0+i, 10))
	}
	a := b.NewArray()
	defer a.Release()
	return w.names.write(a, row0)
}

// indexOf returns the column with the names of the observations, -1 for none: the one that was the index before, or is called _index,
// if it is text without nulls.
func indexOf(t *frame.Table) int {
	name, ok := t.Metadata.GetValue("h5arrow.index")
	if !ok {
		name = "_index"
		text, _ := t.Metadata.GetValue("pandas")
		var md struct {
			Index []any `json:"index_columns"`
		}
		if json.Unmarshal([]byte(text), &md) == nil && len(md.Index) == 1 {
			if s, ok := md.Index[0].(string); ok {
				name = s
			}
		}
	}
	return slices.IndexFunc(t.Columns, func(c *frame.Column) bool {
		return c.Field.Name == name && isText(c.Type) && c.Labels == nil && c.Nulls == 0
	})
}

// isOwn reports whether an attribute says how a frame is stored.
func isOwn(name string) bool {
	return name == "_index" || name == "column-order" || name == "h5arrow.index" || name == "categories"
}
