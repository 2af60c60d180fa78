package parquet

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	pqfile "github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/h5arrow/h5arrow/ipc/parquet/internal/encode"
)

// The sizes of data pages.
const (
	defaultPageBytes = 1 << 20 // of values before they are encoded
	maxPageRows      = 128 << 10
)

// numbers encodes columns of numbers that are not nested. It keeps its buffers for the next one.
type numbers[T encode.Word] struct {
	sampler[T]
	dict    encode.Dictionary[T]
	indices []uint32
	levels  []byte
	pages   []pageInfo[T]
	body    []byte
}

// pageInfo is what is known of a page before it is written.
type pageInfo[T encode.Word] struct {
	row, rows, present int
	levels             []byte
	bounds             bounds[T]
}

// target is where a column is written.
type target struct {
	column *schema.Column
	codec  *compressor
	limits limits
	mem    memory.Allocator
	to     *pieces
}

// limits are the bytes of pages before they are compressed.
type limits struct{ page, dictionary int }

// encode writes the pages of a column, and returns what describes them.
func (e *numbers[T]) encode(t target, v *values[T]) (*leaf, error) {
	how := e.choose(v, &e.dict, t)
	e.pages, e.levels, e.indices = e.pages[:0], e.levels[:0], e.indices[:0]
	if how.dictionary && !e.index(t, v) {
		how.dictionary = false
		e.pages, e.levels, e.indices = e.pages[:0], e.levels[:0], e.indices[:0]
	}
	w, err := newPages(t, how)
	if err != nil {
		return nil, err
	}
	if how.dictionary {
		err = e.indexed(w)
	} else {
		err = e.direct(w, v)
	}
	if err != nil {
		return nil, err
	}
	return w.finish(e.statistics(v))
}

// next describes a page that starts at a row.
func (e *numbers[T]) next(t target, v *values[T], row int) page[T] {
	p := v.page(row, min(maxPageRows, max(1, t.limits.page/encode.Width[T]())))
	at := len(e.levels)
	if t.column.MaxDefinitionLevel() > 0 {
		e.levels = encode.Levels(e.levels, p.valid, p.rows)
	}
	e.pages = append(e.pages, pageInfo[T]{row, p.rows, len(p.present), e.levels[at:], boundsOf(v.kind, p.present)})
	return p
}

// index makes the dictionary and the indices of all values. It reports whether the dictionary is small enough.
func (e *numbers[T]) index(t target, v *values[T]) (ok bool) {
	e.dict.Reset(dictLimit[T](v.rows, t.limits))
	for row := 0; row < v.rows; {
		p := e.next(t, v, row)
		if e.indices, ok = e.dict.Add(e.indices, p.present); !ok {
			return false
		}
		row += p.rows
	}
	return true
}

// indexed writes the dictionary and the pages of indices.
func (e *numbers[T]) indexed(w *pages) error {
	e.body = encode.Plain(e.body[:0], e.dict.Values)
	if err := w.dictionary(e.body, len(e.dict.Values)); err != nil {
		return err
	}
	width := encode.IndexWidth(len(e.dict.Values))
	at := 0
	for _, p := range e.pages {
		e.body = encode.Indices(append(e.body[:0], p.levels...), e.indices[at:at+p.present], width)
		if err := w.add(e.body, p.rows, p.row, statistics(p.bounds, p.rows, p.present)); err != nil {
			return err
		}
		at += p.present
	}
	return nil
}

// direct writes pages of the values themselves.
func (e *numbers[T]) direct(w *pages, v *values[T]) error {
	for row := 0; row < v.rows; {
		p := e.next(w.target, v, row)
		info := e.pages[len(e.pages)-1]
		e.body = append(e.body[:0], info.levels...)
		switch w.how.encoding {
		case parquet.Encodings.DeltaBinaryPacked:
			e.body = encode.Delta(e.body, p.present)
		case parquet.Encodings.ByteStreamSplit:
			e.body = encode.Split(e.body, p.present)
		default:
			e.body = encode.Plain(e.body, p.present)
		}
		if err := w.add(e.body, p.rows, row, statistics(info.bounds, p.rows, info.present)); err != nil {
			return err
		}
		row += p.rows
	}
	return nil
}

// statistics returns those of all pages.
func (e *numbers[T]) statistics(v *values[T]) metadata.EncodedStatistics {
	var all bounds[T]
	present := 0
	for _, p := range e.pages {
		all.join(v.kind, p.bounds)
		present += p.present
	}
	return statistics(all, v.rows, present)
}

func statistics[T encode.Word](b bounds[T], rows, present int) metadata.EncodedStatistics {
	s := metadata.EncodedStatistics{HasNullCount: true, NullCount: int64(rows - present), AllNullValue: present == 0}
	if b.any {
		lo, hi := b.bytes()
		s.SetMin(lo).SetMax(hi)
	}
	return s
}

// pages writes the pages of a column, with arrow-go's headers.
type pages struct {
	target
	how     choice
	meta    *metadata.ColumnChunkMetaDataBuilder
	w       pqfile.PageWriter
	index   metadata.ColumnIndexBuilder
	offsets *metadata.OffsetIndexBuilder
	indices parquet.Encoding
}

func newPages(t target, how choice) (*pages, error) {
	opts := []parquet.WriterProperty{parquet.WithAllocator(t.mem), parquet.WithDictionaryDefault(how.dictionary),
		parquet.WithCompressionLevel(compressionLevel)}
	codec := compress.Codecs.Uncompressed
	if how.compress {
		codec = t.codec.codec
	}
	opts = append(opts, parquet.WithCompression(codec))
	if !how.dictionary {
		opts = append(opts, parquet.WithEncoding(how.encoding))
	}
	props := parquet.NewWriterProperties(opts...)
	p := &pages{target: t, how: how, meta: metadata.NewColumnChunkMetaDataBuilder(props, t.column), indices: props.DictionaryIndexEncoding(),
		index: metadata.NewColumnIndexBuilder(t.column), offsets: &metadata.OffsetIndexBuilder{}}
	var err error
	p.w, err = pqfile.NewPageWriter(t.to, codec, compressionLevel, p.meta, 0, 0, t.mem, false, nil, nil)
	if err != nil {
		return nil, err
	}
	p.w.SetIndexBuilders(p.index, p.offsets)
	return p, nil
}

func (p *pages) dictionary(values []byte, n int) error {
	page := pqfile.NewDictionaryPage(memory.NewBufferBytes(values), int32(n), parquet.Encodings.Plain)
	_, err := p.w.WriteDictionaryPage(page)
	return err
}

// add writes a page of levels and values, whose first row is row.
func (p *pages) add(body []byte, rows, row int, stats metadata.EncodedStatistics) error {
	stored := body
	if p.how.compress {
		stored = p.codec.page(body)
	}
	encoding := p.how.encoding
	if p.how.dictionary {
		encoding = p.indices
	}
	_, err := p.w.WriteDataPage(pqfile.NewDataPageV1WithConfig(memory.NewBufferBytes(stored), parquet.Encodings.RLE, parquet.Encodings.RLE,
		pqfile.DataPageConfig{Num: int32(rows), Encoding: encoding, UncompressedSize: int32(len(body)), Stats: stats, FirstRowIndex: int64(row)}))
	return err
}

// finish returns what describes the column.
func (p *pages) finish(stats metadata.EncodedStatistics) (*leaf, error) {
	p.meta.SetStats(stats)
	if err := p.w.Close(p.how.dictionary, false); err != nil {
		return nil, err
	}
	l := &leaf{meta: p.meta, pages: p.offsets.Build()}
	var index bytes.Buffer
	if _, err := p.index.WriteTo(&index, nil); err != nil {
		return nil, err
	}
	l.index = index.Bytes()
	return l, nil
}
