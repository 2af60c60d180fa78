package parquet

import (
	"math"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// column is a field of the schema, which has a column in Parquet for each of its leaves.
type column struct {
	field   arrow.Field   // in the form for arrow-go's writer
	encoded *arrow.Schema // of this field alone
	leaves  []*schema.Column
}

// columns returns the fields of a schema.
func columns(s *arrow.Schema, pq *schema.Schema) ([]*column, error) {
	var out []*column
	at := 0
	for _, field := range s.Fields() {
		c := &column{field: field, encoded: arrow.NewSchema([]arrow.Field{field}, nil)}
		for range leaves([]arrow.Field{field}) {
			if at < pq.NumColumns() {
				c.leaves = append(c.leaves, pq.Column(at))
			}
			at++
		}
		out = append(out, c)
	}
	if at != pq.NumColumns() {
		return nil, h5err.New(h5err.Unsupported, "the Parquet writer makes %d columns of %d", pq.NumColumns(), at)
	}
	return out, nil
}

// leaf describes the pages of a column in Parquet. Positions are those in the buffer of its field.
type leaf struct {
	meta  *metadata.ColumnChunkMetaDataBuilder
	index []byte               // column index, as it is stored
	pages metadata.OffsetIndex // nil: none
	bloom []byte               // Bloom filter, as it is stored
	by    int64                // by how much pages have been moved
}

// chunk is an encoded field of a row group.
type chunk struct {
	bytes  pieces
	leaves []*leaf
}

// state is what a worker keeps from one column to the next.
type state struct {
	codec  *compressor
	narrow numbers[uint32]
	wide   numbers[uint64]
}

// encode encodes a field of a row group. It is called inside sink.Guard.
func (f *file) encode(st *state, parts []part, i int, rows int64) (*chunk, error) {
	out := &chunk{}
	var err error
	if out.leaves, err = f.fill(&out.bytes, st, parts, i, rows); err != nil {
		out.bytes.release()
		return nil, err
	}
	out.bytes.fit()
	return out, nil
}

func (f *file) fill(to *pieces, st *state, parts []part, i int, rows int64) ([]*leaf, error) {
	c := f.columns[i]
	arrays := make([]arrow.Array, len(parts))
	nulls := 0
	for k, p := range parts {
		arr, err := lowering{f.o.mem}.array(p.column(i), c.field.Type, nil)
		if err != nil {
			return nil, err
		}
		defer arr.Release()
		arrays[k] = arr
		nulls += arr.NullN()
	}
	if kind, width, ok := numeric(arrays[0].DataType()); ok && f.ours(c) && (nulls == 0 || c.field.Nullable) {
		return f.numbers(to, st, c, kind, width, arrays)
	}
	return f.upstream(to, st, c, arrays, rows)
}

// ours reports whether a column of numbers is encoded here, and not by arrow-go's writer.
func (f *file) ours(c *column) bool { return f.o.compat != Format1 && !f.blooms(c) }

func (f *file) numbers(to *pieces, st *state, c *column, k kind, width int, arrays []arrow.Array) ([]*leaf, error) {
	if _, err := to.Write([]byte(magic)); err != nil { // positions are never 0
		return nil, err
	}
	t := target{column: c.leaves[0], codec: st.codec, limits: f.limits(), mem: f.o.mem, to: to}
	var l *leaf
	var err error
	if width == 8 {
		l, err = st.wide.encode(t, newValues[uint64](k, width, arrays))
	} else {
		l, err = st.narrow.encode(t, newValues[uint32](k, width, arrays))
	}
	return []*leaf{l}, err
}

// append writes a row group to the file: pages, Bloom filters, column indexes and then offset indexes, so that each of these lies
// together.
func (f *file) append(chunks []*chunk, rows int64) error {
	b := metadata.NewFileMetadataBuilder(f.schema, f.props, nil)
	rg := b.AppendRowGroup()
	rg.SetNumRows(int(rows))
	start := f.out.Bytes()
	var all []*leaf
	for _, c := range chunks {
		for _, l := range c.leaves {
			if err := f.pages(rg, c, l); err != nil {
				return err
			}
			all = append(all, l)
		}
	}
	if err := f.indexes(all); err != nil {
		return err
	}
	n := len(f.meta.RowGroups)
	if err := rg.Finish(0, int16(min(n, math.MaxInt16))); err != nil {
		return err
	}
	meta, err := b.Finish()
	if err != nil {
		return err
	}
	group := meta.RowGroups[0]
	group.FileOffset = &start
	if n > math.MaxInt16 {
		group.Ordinal = nil
	}
	f.meta.RowGroups = append(f.meta.RowGroups, group)
	f.written(rows)
	return nil
}

// written counts a row group.
func (f *file) written(rows int64) {
	f.meta.NumRows += rows
	f.stats.Rows += rows
	f.stats.Batches++
	f.stats.Bytes = f.out.Bytes()
	if f.o.progress != nil {
		f.o.progress(f.stats)
	}
}

// pages writes the pages of a column, and puts its description into that of the row group.
func (f *file) pages(rg *metadata.RowGroupMetaDataBuilder, c *chunk, l *leaf) error {
	desc := l.meta.Contents()
	start := desc.MetaData.DataPageOffset
	if at := desc.MetaData.DictionaryPageOffset; at != nil {
		start = min(start, *at)
	}
	end := start + desc.MetaData.TotalCompressedSize
	if start < int64(len(magic)) || end < start || end > c.bytes.n {
		return h5err.New(h5err.Unsupported, "the Parquet writer did not make a row group")
	}
	by := f.out.Bytes() - start
	move := func(at *int64) {
		if at != nil {
			*at += by
		}
	}
	move(&desc.MetaData.DataPageOffset)
	move(desc.MetaData.DictionaryPageOffset)
	move(desc.MetaData.IndexPageOffset)
	desc.FileOffset = f.out.Bytes()
	stats := desc.MetaData.EncodingStats
	sort.Slice(stats, func(i, k int) bool { // arrow-go has them in the order of a map
		if stats[i].PageType != stats[k].PageType {
			return stats[i].PageType > stats[k].PageType // the dictionary first
		}
		return stats[i].Encoding < stats[k].Encoding
	})
	if err := c.bytes.each(start, end, f.put); err != nil {
		return err
	}
	l.meta, l.by = rg.NextColumnChunk(), by
	*l.meta.Contents() = *desc
	return nil
}

// indexes writes the Bloom filters and page indexes of a row group.
func (f *file) indexes(all []*leaf) error {
	for _, l := range all {
		if l.bloom == nil {
			continue
		}
		at, n := f.out.Bytes(), int32(len(l.bloom))
		meta := l.meta.Contents().MetaData
		meta.BloomFilterOffset, meta.BloomFilterLength = &at, &n
		if err := f.put(l.bloom); err != nil {
			return err
		}
	}
	for _, l := range all {
		if len(l.index) == 0 {
			continue
		}
		at, n := f.out.Bytes(), int32(len(l.index))
		l.meta.Contents().ColumnIndexOffset, l.meta.Contents().ColumnIndexLength = &at, &n
		if err := f.put(l.index); err != nil {
			return err
		}
	}
	for _, l := range all {
		if l.pages == nil {
			continue
		}
		var moved metadata.OffsetIndexBuilder
		for _, p := range l.pages.GetPageLocations() {
			if err := moved.AddPage(p.Offset+l.by, p.FirstRowIndex, p.CompressedPageSize); err != nil {
				return err
			}
		}
		if err := moved.Finish(0); err != nil {
			return err
		}
		at := f.out.Bytes()
		if _, err := moved.WriteTo(f.out, nil); err != nil {
			return err
		}
		n := int32(f.out.Bytes() - at)
		l.meta.Contents().OffsetIndexOffset, l.meta.Contents().OffsetIndexLength = &at, &n
	}
	return nil
}
