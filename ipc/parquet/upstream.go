package parquet

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// compressionLevel is that of Zstd: arrow-go's fastest.
const compressionLevel = 1

// upstream writes a column with arrow-go's writer, as a file of one row group of which the pages are used.
func (f *file) upstream(to *pieces, st *state, c *column, arrays []arrow.Array, rows int64) ([]*leaf, error) {
	props := parquet.NewWriterProperties(append(f.common(), f.encodings(st, c, arrays)...)...)
	w, err := pqarrow.NewFileWriter(c.encoded, to, props, f.arrowProps())
	if err != nil {
		return nil, err
	}
	meta, err := oneGroup(w, arrays, rows)
	if err != nil {
		w.Close() // frees its buffers; its output is dropped
		return nil, err
	}
	return f.leaves(to, meta, c, props)
}

func oneGroup(w *pqarrow.FileWriter, arrays []arrow.Array, rows int64) (*metadata.FileMetaData, error) {
	if err := w.NewRowGroupChecked(); err != nil {
		return nil, err
	}
	data := arrow.NewChunked(arrays[0].DataType(), arrays)
	defer data.Release()
	if err := w.WriteColumnChunked(data, 0, rows); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return w.FileMetadata()
}

// leaves returns what describes the columns of a file of one row group.
func (f *file) leaves(from *pieces, meta *metadata.FileMetaData, c *column, props *parquet.WriterProperties) ([]*leaf, error) {
	if len(meta.RowGroups) != 1 || len(meta.RowGroups[0].Columns) != len(c.leaves) {
		return nil, h5err.New(h5err.Unsupported, "the Parquet writer did not make a row group")
	}
	out := make([]*leaf, len(c.leaves))
	for i, chunk := range meta.RowGroups[0].Columns {
		l := &leaf{meta: metadata.NewColumnChunkMetaDataBuilderWithContents(props, c.leaves[i], chunk)}
		if at := chunk.ColumnIndexOffset; at != nil {
			l.index = from.copy(*at, *at+int64(chunk.GetColumnIndexLength()))
			chunk.ColumnIndexOffset, chunk.ColumnIndexLength = nil, nil
		}
		if at := chunk.OffsetIndexOffset; at != nil {
			l.pages = metadata.NewOffsetIndex(from.copy(*at, *at+int64(chunk.GetOffsetIndexLength())), nil, nil)
			chunk.OffsetIndexOffset, chunk.OffsetIndexLength = nil, nil
		}
		if at := chunk.MetaData.BloomFilterOffset; at != nil {
			l.bloom = from.copy(*at, *at+int64(chunk.MetaData.GetBloomFilterLength()))
			chunk.MetaData.BloomFilterOffset, chunk.MetaData.BloomFilterLength = nil, nil
		}
		out[i] = l
	}
	return out, nil
}

// encodings returns the encodings of a column's leaves, chosen from samples of the arrays.
func (f *file) encodings(st *state, c *column, arrays []arrow.Array) (opts []parquet.WriterProperty) {
	under := make([][]arrow.Array, len(c.leaves))
	for _, arr := range arrays {
		at := 0
		spread(under, &at, arr)
	}
	for i, leaf := range c.leaves {
		path := parquet.ColumnPath(leaf.ColumnPath())
		how := f.leafChoice(st, leaf, under[i])
		opts = append(opts, parquet.WithDictionaryPath(path, how.dictionary))
		if how.encoding != parquet.Encodings.Plain {
			opts = append(opts, parquet.WithEncodingPath(path, how.encoding))
		}
		if f.blooms(c) {
			opts = append(opts, parquet.WithBloomFilterEnabledPath(path, true), parquet.WithAdaptiveBloomFilterEnabledPath(path, true))
		}
	}
	return opts
}

// spread appends the arrays of leaves of a nested array to those that there are, in Parquet's order.
func spread(under [][]arrow.Array, at *int, arr arrow.Array) {
	switch arr := arr.(type) {
	case *array.Struct:
		for i := range arr.NumField() {
			spread(under, at, arr.Field(i))
		}
		return
	case array.ListLike:
		spread(under, at, arr.ListValues())
		return
	}
	if *at < len(under) {
		under[*at] = append(under[*at], arr)
	}
	*at++
}

func (f *file) leafChoice(st *state, leaf *schema.Column, arrays []arrow.Array) choice {
	how := choice{encoding: parquet.Encodings.Plain}
	if len(arrays) == 0 {
		return how
	}
	t := target{column: leaf, codec: st.codec, limits: f.limits()}
	typ := arrays[0].DataType()
	k, width, ok := numeric(typ)
	if typ.ID() == arrow.TIMESTAMP { // seconds too, which are multiplied
		k, width, ok = signedKind, 8, true
	}
	switch {
	case typ.ID() == arrow.DICTIONARY:
		how.dictionary = true
	case ok && width == 8:
		if v := newValues[uint64](k, width, arrays); v.rows > 0 {
			how = st.wide.choose(v, &st.wide.dict, t)
		}
	case ok:
		if v := newValues[uint32](k, width, arrays); v.rows > 0 {
			how = st.narrow.choose(v, &st.narrow.dict, t)
		}
	default:
		how.dictionary = repeated(arrays, t.limits)
	}
	if f.o.compat == Format1 {
		how.encoding = parquet.Encodings.Plain
	}
	return how
}

// repeated reports whether a sample of texts or other bytes has so many equal ones that a dictionary pays.
func repeated(arrays []arrow.Array, l limits) bool {
	var value func(arr arrow.Array, i int) []byte
	switch arrays[0].(type) {
	case *array.String, *array.LargeString:
		value = func(arr arrow.Array, i int) []byte { return []byte(arr.(interface{ Value(int) string }).Value(i)) }
	case *array.Binary, *array.LargeBinary, *array.FixedSizeBinary:
		value = func(arr arrow.Array, i int) []byte { return arr.(interface{ Value(int) []byte }).Value(i) }
	default:
		return true
	}
	rows := 0
	for _, arr := range arrays {
		rows += arr.Len()
	}
	counts := map[string]int{}
	seen, bytes, start := 0, 0, 0
	step := max(1, rows/(sampleRuns*sampleRows))
	at := 0
	for _, arr := range arrays {
		for ; at < start+arr.Len(); at += step {
			if i := at - start; arr.IsValid(i) {
				v := value(arr, i)
				counts[string(v)]++
				seen, bytes = seen+1, bytes+len(v)+4
			}
		}
		start += arr.Len()
	}
	if seen == 0 {
		return false
	}
	distinct := estimate(counts, rows, step == 1)
	mean := bytes/seen + 1
	return distinct*minRepeats <= rows && distinct <= l.dictionary/mean && distinct < math.MaxInt32
}

// estimate returns how many different values there are in all rows.
func estimate(counts map[string]int, rows int, all bool) int {
	if all {
		return len(counts)
	}
	seen := [3]int{}
	for _, k := range counts {
		seen[min(k, 3)%3]++
	}
	return chao(len(counts), seen[1], seen[2], rows)
}
