package biology

import (
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// biomSlash is how biom-format writes a slash in the name of a metadata category.
const biomSlash = "@@SLASH@@"

// DetectBIOM recognizes the two axes of a BIOM table, groups observation and sample below one with the attribute format-url:
// a row has the id, the counts as a list, and the metadata.
//
// http://biom-format.org/documentation/format_versions/biom-2.1.html
func DetectBIOM(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || object.Base(g.Path()) != "observation" && object.Base(g.Path()) != "sample" || !object.Has(g, "ids", "matrix") {
		return nil, nil
	}
	up := object.Above(g)
	if up == nil || !strings.Contains(object.Text(up, "format-url"), "biom-format.org") {
		return nil, nil
	}
	ids, err := object.Required(g, "ids")
	if err != nil {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Objects: []h5.Object{up}, Reason: "an axis of a group with format-url of BIOM",
		Columns: []convention.Column{column.Of("ids", ids)}, Metadata: map[string]string{"h5arrow.index": "ids"}}
	if matrix, ok := object.Member(g, "matrix").(*h5.Group); ok {
		c := convention.Column{Name: "counts", Objects: []h5.Object{matrix}}
		counts, err := column.Sparse(matrix, "indptr", "indices", "data")
		if err == nil && counts.Offsets.Rows() != ids.Rows()+1 && ids.Rows() > 0 {
			err = object.Corrupt(matrix, "%d offsets for %d ids", counts.Offsets.Rows(), ids.Rows())
		}
		switch {
		case err != nil:
			c.Err = err
		case counts.Offsets.Rows() == 0: // an axis without ids
			c.Values = &convention.Empty{Data: counts.Offsets, Type: arrow.ListOf(arrow.StructOf(
				arrow.Field{Name: "index", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "value", Type: arrow.PrimitiveTypes.Float64, Nullable: true}))}
		default:
			c.Values = counts
		}
		t.Columns = append(t.Columns, c)
	}
	metadata, ok := object.Member(g, "metadata").(*h5.Group)
	if !ok { // text in JSON, before version 2.1
		return []*convention.Table{t}, nil
	}
	all, broken, err := column.Datasets(metadata)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		t.Columns = append(t.Columns, biomMetadata(d, ids.Rows()))
	}
	t.Columns = append(t.Columns, broken...)
	return []*convention.Table{t}, nil
}

// biomMetadata describes a category of metadata.
func biomMetadata(d *h5.Dataset, rows int64) convention.Column {
	name := strings.ReplaceAll(object.Base(d.Path()), biomSlash, "/")
	if name == "ids" || name == "counts" {
		name = "metadata/" + name
	}
	c := column.Of(name, d)
	switch {
	case c.Err != nil:
	case d.Rows() != rows:
		c.Values, c.Err = nil, object.Corrupt(d, "%d rows, there are %d ids", d.Rows(), rows)
	case len(d.RowDims()) == 1 && (object.VarText(d.Type()) || d.Type().Class == h5.ClassString):
		c.Values = &convention.Derived{Of: c.Values, Type: arrow.ListOf(arrow.BinaryTypes.String), Reason: "lists without the empty texts at their ends", Compute: withoutPadding}
	}
	return c
}

// withoutPadding makes lists of rows of text, without the empty texts at the end of each.
func withoutPadding(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	l, ok := in.(*array.FixedSizeList)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "lists of text of %s", in.DataType())
	}
	texts, ok := l.ListValues().(array.BinaryLike)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "lists of text of %s", in.DataType())
	}
	b := array.NewListBuilder(mem, arrow.BinaryTypes.String)
	defer b.Release()
	items := b.ValueBuilder().(*array.StringBuilder)
	bytes := texts.ValueBytes() // of the texts from the first one on
	first := int64(0)
	if texts.Len() > 0 {
		first = texts.ValueOffset64(0)
	}
	for i := range l.Len() {
		b.Append(true)
		lo, hi := l.ValueOffsets(i)
		for hi > lo && texts.ValueLen(int(hi-1)) == 0 {
			hi--
		}
		for ; lo < hi; lo++ {
			at := texts.ValueOffset64(int(lo)) - first
			s := bytes[at : at+int64(texts.ValueLen(int(lo)))]
			if !utf8.Valid(s) {
				return nil, h5err.New(h5err.Corrupt, "row %d: text that is not UTF-8", row0+int64(i))
			}
			items.BinaryBuilder.Append(s)
		}
	}
	return b.NewArray(), nil
}
