package parquet

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	arrowipc "github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// magic is at the start and the end of a Parquet file.
const magic = "PAR1"

// schemaKey is where readers that know Arrow look for its schema.
const schemaKey = "ARROW:schema"

// file is a Parquet file that is assembled from encoded columns.
type file struct {
	o       options
	types   *types
	props   *parquet.WriterProperties
	schema  *schema.Schema
	columns []*column
	bloomed map[string]bool // fields with Bloom filters
	out     *sink.Sink
	stats   ipc.Stats
	meta    *metadata.FileMetaData
}

func newFile(ctx context.Context, w io.Writer, s *arrow.Schema, o options) (*file, error) {
	t, err := newTypes(s, o.compat)
	if err != nil {
		return nil, err
	}
	f := &file{o: o, types: t, out: sink.New(ctx, w), bloomed: map[string]bool{}}
	f.props = parquet.NewWriterProperties(f.common()...)
	if f.schema, err = pqarrow.ToParquet(t.encoded, f.props, f.arrowProps()); err != nil {
		return nil, err
	}
	if f.columns, err = columns(t.encoded, f.schema); err != nil {
		return nil, err
	}
	for _, name := range o.blooms {
		if _, ok := s.FieldsByName(name); !ok {
			return nil, h5err.New(h5err.Argument, "no column %q for a Bloom filter", name)
		}
		f.bloomed[name] = true
	}
	if f.meta, err = f.empty(); err != nil {
		return nil, err
	}
	f.meta.Schema = nil // it is not written, and takes some hundred bytes for each column
	return f, f.put([]byte(magic))
}

// put writes b to the file.
func (f *file) put(b []byte) error {
	_, err := f.out.Write(b)
	return err
}

// common returns the properties of all columns.
func (f *file) common() []parquet.WriterProperty {
	props := []parquet.WriterProperty{parquet.WithAllocator(f.o.mem), parquet.WithCompression(f.o.compression.codec()),
		parquet.WithCompressionLevel(compressionLevel), parquet.WithPageIndexEnabled(f.o.compat != Format1)}
	if f.o.compat == Format1 {
		props = append(props, parquet.WithVersion(parquet.V1_0))
	}
	if f.o.pageBytes > 0 {
		props = append(props, parquet.WithDataPageSize(f.o.pageBytes), parquet.WithDictionaryPageSizeLimit(f.o.pageBytes))
	}
	return props
}

func (f *file) arrowProps() pqarrow.ArrowWriterProperties {
	return pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(f.o.mem))
}

func (f *file) limits() limits {
	if f.o.pageBytes > 0 {
		return limits{int(f.o.pageBytes), int(f.o.pageBytes)}
	}
	return limits{defaultPageBytes, defaultPageBytes}
}

// blooms reports whether a column of a field has a Bloom filter.
func (f *file) blooms(c *column) bool { return f.bloomed[c.field.Name] }

// empty returns the metadata of a file without rows.
func (f *file) empty() (*metadata.FileMetaData, error) {
	w, err := pqarrow.NewFileWriter(f.types.encoded, io.Discard, f.props, f.arrowProps())
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

// serialized returns a schema in the form in which it is stored: an IPC message in base64.
func serialized(s *arrow.Schema) (string, error) {
	var b bytes.Buffer
	if err := arrowipc.NewWriter(&b, arrowipc.WithSchema(s)).Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
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
	return f.out.Close()
}
