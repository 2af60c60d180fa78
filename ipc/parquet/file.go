package parquet

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"io"
	"math"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	arrowipc "github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// magic is at the start and the end of a Parquet file.
const magic = "PAR1"

// schemaKey is where readers that know Arrow look for its schema.
const schemaKey = "ARROW:schema"

// file is a Parquet file that is assembled from row groups. arrow-go's writer makes a file of each one. Its pages are copied
// unchanged, and their positions are adjusted.
type file struct {
	o     options
	types *types
	props *parquet.WriterProperties
	out   *sink.Sink
	stats ipc.Stats
	meta  *metadata.FileMetaData
}

// group describes an encoded row group.
type group struct {
	meta *metadata.FileMetaData // of a file of this row group alone
	rows int64
}

func newFile(ctx context.Context, w io.Writer, s *arrow.Schema, o options) (*file, error) {
	t, err := newTypes(s)
	if err != nil {
		return nil, err
	}
	props := []parquet.WriterProperty{parquet.WithAllocator(o.mem), parquet.WithCompression(o.compression.codec())}
	if o.pageBytes > 0 {
		props = append(props, parquet.WithDataPageSize(o.pageBytes), parquet.WithDictionaryPageSizeLimit(o.pageBytes))
	}
	f := &file{o: o, types: t, out: sink.New(ctx, w), props: parquet.NewWriterProperties(props...)}
	if f.meta, err = f.empty(); err != nil {
		return nil, err
	}
	f.meta.Schema = nil // it is not written, and takes some hundred bytes for each column
	if _, err := f.out.Write([]byte(magic)); err != nil {
		return nil, err
	}
	return f, nil
}

// empty returns the metadata of a file without rows.
func (f *file) empty() (*metadata.FileMetaData, error) {
	w, err := f.writer(io.Discard)
	if err != nil {
		return nil, err
	}
	stored, err := serialized(f.types.stored)
	if err != nil {
		return nil, err
	}
	if err := w.AppendKeyValueMetadata(schemaKey, stored); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return w.FileMetadata()
}

func (f *file) writer(w io.Writer) (*pqarrow.FileWriter, error) {
	return pqarrow.NewFileWriter(f.types.encoded, w, f.props, pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(f.o.mem)))
}

// serialized returns a schema in the form in which it is stored: an IPC message in base64.
func serialized(s *arrow.Schema) (string, error) {
	var b bytes.Buffer
	if err := arrowipc.NewWriter(&b, arrowipc.WithSchema(s)).Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// encode writes a row group to memory.
func (f *file) encode(to *pieces, parts []part) (g *group, err error) {
	w, err := f.writer(to)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.Close() // frees its buffers; its output is dropped
		}
	}()
	if err := w.NewRowGroupChecked(); err != nil {
		return nil, err
	}
	g = &group{}
	for _, p := range parts {
		g.rows += p.rows
	}
	for i, field := range f.types.encoded.Fields() {
		if err := f.column(w, parts, i, field.Type, g.rows); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	g.meta, err = w.FileMetadata()
	return g, err
}

func (f *file) column(w *pqarrow.FileWriter, parts []part, i int, typ arrow.DataType, rows int64) error {
	chunks := make([]arrow.Array, len(parts))
	for k, p := range parts {
		arr, err := lowering{f.o.mem}.array(p.column(i), typ, nil)
		if err != nil {
			return err
		}
		defer arr.Release()
		chunks[k] = arr
	}
	data := arrow.NewChunked(chunks[0].DataType(), chunks)
	defer data.Release()
	return w.WriteColumnChunked(data, 0, rows)
}

// append writes the pages of a row group to the file.
func (f *file) append(from *pieces, g *group) error {
	start, end := int64(len(magic)), from.n-int64(len(magic))-4
	if end < start || len(g.meta.RowGroups) != 1 {
		return h5err.New(h5err.Unsupported, "the Parquet writer did not make a row group")
	}
	end -= int64(binary.LittleEndian.Uint32(from.tail(8)))
	by := f.out.Bytes() - start
	rg := g.meta.RowGroups[0]
	move := func(at *int64) {
		if at != nil {
			*at += by
		}
	}
	for _, c := range rg.Columns {
		if c.FileOffset > 0 {
			c.FileOffset += by
		}
		c.MetaData.DataPageOffset += by
		move(c.MetaData.DictionaryPageOffset)
		move(c.MetaData.IndexPageOffset)
		stats := c.MetaData.EncodingStats
		sort.Slice(stats, func(i, k int) bool { // arrow-go has them in the order of a map
			if stats[i].PageType != stats[k].PageType {
				return stats[i].PageType > stats[k].PageType // the dictionary first
			}
			return stats[i].Encoding < stats[k].Encoding
		})
	}
	move(rg.FileOffset)
	rg.Ordinal = nil
	if n := len(f.meta.RowGroups); n <= math.MaxInt16 {
		ordinal := int16(n)
		rg.Ordinal = &ordinal
	}
	if err := from.each(start, end, func(p []byte) error {
		_, err := f.out.Write(p)
		return err
	}); err != nil {
		return err
	}
	f.meta.RowGroups = append(f.meta.RowGroups, rg)
	f.meta.NumRows += g.rows
	f.stats.Rows += g.rows
	f.stats.Batches++
	f.stats.Bytes = f.out.Bytes()
	if f.o.progress != nil {
		f.o.progress(f.stats)
	}
	return nil
}

// finish writes the footer.
func (f *file) finish() error {
	n, err := f.meta.WriteTo(f.out, nil)
	if err != nil {
		return err
	}
	if n > math.MaxInt32 {
		return h5err.New(h5err.Limit, "%d bytes of metadata", n).WithOption("parquet.WithGroupRows", "ask for larger row groups")
	}
	if _, err := f.out.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(n)), magic...)); err != nil {
		return err
	}
	return f.out.Flush()
}

// pieces is a buffer that grows without being moved.
type pieces struct {
	list [][]byte
	n    int64
}

const pieceBytes = 1 << 20

// Write implements io.Writer.
func (p *pieces) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		at := int(p.n % pieceBytes)
		k := int(p.n / pieceBytes)
		if k == len(p.list) {
			p.list = append(p.list, make([]byte, pieceBytes))
		}
		n := copy(p.list[k][at:], rest)
		rest = rest[n:]
		p.n += int64(n)
	}
	return len(b), nil
}

func (p *pieces) reset() { p.n = 0 }

// each calls fn for the bytes from a up to b, piece by piece.
func (p *pieces) each(a, b int64, fn func([]byte) error) error {
	for a < b {
		at := a % pieceBytes
		part := p.list[a/pieceBytes][at:min(pieceBytes, at+b-a)]
		if err := fn(part); err != nil {
			return err
		}
		a += int64(len(part))
	}
	return nil
}

// tail returns a copy of the last n bytes.
func (p *pieces) tail(n int64) []byte {
	var out []byte
	p.each(p.n-n, p.n, func(b []byte) error { // never fails
		out = append(out, b...)
		return nil
	})
	return out
}
