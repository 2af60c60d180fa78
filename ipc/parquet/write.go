package parquet

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// Default and fixed sizes.
const (
	defaultGroupBytes = 32 << 20
	minGroupBytes     = 1 << 20
	columnBytes       = 8 << 10 // of a column in a row group, of which about 1 KiB of metadata is kept until the end
	maxGroupRows      = 4 << 20
	codecBytes        = 16 << 20 // of a worker, for compressors and dictionaries
	smallPageBytes    = 64 << 10 // of pages and dictionaries if memory is limited
)

// Option changes how Write works.
type Option func(*options) error

type options struct {
	compression Compression
	workers     int
	rows, bytes int64
	maxMemory   int64
	mem         memory.Allocator
	progress    func(ipc.Stats)
	pageBytes   int64 // 0 for the default
	compat      Compat
	blooms      []string
	groups      int // that are encoded at a time
}

// WithCompression sets the codec. The default is Zstd, or Snappy with Format1. Columns of numbers that it hardly makes smaller are
// stored without it.
func WithCompression(c Compression) Option {
	return func(o *options) error {
		if c < None || c > Zstd {
			return h5err.New(h5err.Argument, "unknown %v", c)
		}
		o.compression = c
		return nil
	}
}

// WithCompat writes for older readers. The default is FormatLatest.
func WithCompat(c Compat) Option {
	return func(o *options) error {
		if c > Format1 {
			return h5err.New(h5err.Argument, "unknown Compat %d", c)
		}
		o.compat = c
		return nil
	}
}

// WithBloomFilters adds Bloom filters to these columns, with which readers skip row groups that do not have a value. Of nested
// columns all leaves have one. A column that is not there is an error of kind Argument.
func WithBloomFilters(columns ...string) Option {
	return func(o *options) error {
		o.blooms = append(o.blooms, columns...)
		return nil
	}
}

// WithWorkers sets how many columns are encoded at a time. The default is the number of processors.
func WithWorkers(n int) Option {
	return func(o *options) error {
		if n < 1 {
			return h5err.New(h5err.Argument, "%d workers", n)
		}
		o.workers = n
		return nil
	}
}

// WithGroupRows sets the rows of a row group. The last one may have fewer. By default, 0, complete batches are gathered by
// their bytes, and batches of more than four million rows are divided.
func WithGroupRows(n int64) Option {
	return func(o *options) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "row groups of %d rows", n)
		}
		o.rows = n
		return nil
	}
}

// WithGroupBytes sets how many bytes of Arrow data are gathered for a row group, unless WithGroupRows is given. The default,
// 0, is 32 MiB, or less if memory is limited.
func WithGroupBytes(n int64) Option {
	return func(o *options) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "row groups of %d bytes", n)
		}
		o.bytes = n
		return nil
	}
}

// WithMaxMemory limits the size of row groups, how many are held, and the number of workers so that gathering and encoding takes about n bytes.
// Below 128 MiB, pages that Zstd compresses are smaller, too. About 2 KiB of schema and metadata for each column, and 1 KiB
// for each column of each row group, come on top. The default, 0, means no limit.
func WithMaxMemory(n int64) Option {
	return func(o *options) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "%d bytes of memory", n)
		}
		o.maxMemory = n
		return nil
	}
}

// WithAllocator sets the allocator of buffers. The default is memory.DefaultAllocator.
func WithAllocator(mem memory.Allocator) Option {
	return func(o *options) error {
		o.mem = mem
		return nil
	}
}

// WithProgress calls fn after each row group, one call at a time. The batches of its Stats are row groups.
func WithProgress(fn func(ipc.Stats)) Option {
	return func(o *options) error {
		o.progress = fn
		return nil
	}
}

// Write writes all batches of rr to w as a Parquet file. It neither releases rr nor closes w. The batches of its Stats are
// row groups. After an error, what has been written is not a complete file. Errors are those of rr and ctx, of kind IO if w
// fails or an input is cut short, and Unsupported for types without a counterpart in Parquet.
func Write(ctx context.Context, w io.Writer, rr array.RecordReader, opts ...Option) (ipc.Stats, error) {
	o, err := defaults(opts)
	if err != nil {
		return ipc.Stats{}, err
	}
	o.sizes(leaves(rr.Schema().Fields()))
	f, err := newFile(ctx, w, rr.Schema(), o)
	if err != nil {
		return ipc.Stats{}, err
	}
	p, err := newParallel(f)
	if err != nil {
		return ipc.Stats{}, err
	}
	err = p.finish(feed(ctx, rr, &gathering{options: o, add: p.add}))
	if err == nil {
		err = f.finish()
	}
	f.stats.Bytes = f.out.Bytes()
	return f.stats, plain(err)
}

// defaults returns the options, with defaults for those that are not given.
func defaults(opts []Option) (options, error) {
	o := options{workers: runtime.GOMAXPROCS(0), mem: memory.DefaultAllocator}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return options{}, err
		}
	}
	switch {
	case o.compression != 0:
	case o.compat == Format1:
		o.compression = Snappy
	default:
		o.compression = Zstd
	}
	return o, nil
}

// sizes chooses the bytes of a row group, which must not depend on the number of workers, and then the number of workers.
// Encoding a row group takes memory for its batches, levels and pages, the result, and the codec.
func (o *options) sizes(columns int64) {
	if o.bytes == 0 {
		o.bytes = defaultGroupBytes
		if o.maxMemory > 0 {
			wide := min(columns*columnBytes, o.maxMemory/2)
			o.bytes = max(minGroupBytes, min(o.bytes, max(o.maxMemory/16, wide)))
		}
	}
	o.groups = 1 + int((int64(o.workers)+columns-1)/max(1, columns)) // so that all workers have columns
	if o.maxMemory > 0 {
		o.workers = int(max(1, min(int64(o.workers), o.maxMemory/(2*codecBytes))))
		o.groups = int(max(1, min(int64(o.groups), (o.maxMemory-int64(o.workers)*codecBytes)/(2*o.bytes))))
	}
	// For pages longer than a block of 128 KiB, the codec allocates a window of codecBytes, again after each garbage collection.
	if o.compression == Zstd && o.maxMemory > 0 && o.maxMemory < 8*codecBytes {
		o.pageBytes = smallPageBytes
	}
}

// leaves returns how many columns the fields have in Parquet.
func leaves(fields []arrow.Field) (n int64) {
	for _, f := range fields {
		if nested, ok := f.Type.(arrow.NestedType); ok {
			n += leaves(nested.Fields())
		} else {
			n++
		}
	}
	return n
}

// plain gives errors of arrow-go a kind.
func plain(err error) error {
	var e *h5err.Error
	if err != nil && !errors.As(err, &e) && errors.Is(err, arrow.ErrInvalid) {
		return h5err.Wrap(h5err.Unsupported, err, "can't be written as Parquet")
	}
	return sink.Plain(err)
}

func feed(ctx context.Context, rr array.RecordReader, g *gathering) error {
	var err error
	for err == nil && rr.Next() {
		err = g.take(rr.RecordBatch())
	}
	if err == nil {
		err = rr.Err()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = g.flush()
	}
	g.drop()
	return err
}

// gathering collects batches for the next row group.
type gathering struct {
	options
	add   func([]part) error // releases them
	parts []part
	n     int64 // rows
	bytes int64
}

func (g *gathering) take(rec arrow.RecordBatch) error {
	maxRows := g.rows
	if maxRows == 0 {
		maxRows = maxGroupRows
		if n := rec.NumRows(); n > maxRows { // in equal parts
			parts := (n + maxRows - 1) / maxRows
			maxRows = (n + parts - 1) / parts
		}
	}
	for at := int64(0); at < rec.NumRows(); {
		end := min(rec.NumRows(), at+maxRows-g.n)
		if at == end { // the batch before fills the row group
			if err := g.flush(); err != nil {
				return err
			}
			continue
		}
		p := newPart(rec, at, end)
		g.parts = append(g.parts, p)
		g.n += p.rows
		at = end
		if g.rows == 0 {
			if err := g.weigh(p); err != nil {
				return err
			}
		}
		if g.n >= maxRows || g.rows == 0 && g.bytes >= g.options.bytes {
			if err := g.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *gathering) weigh(p part) error {
	return sink.Guard(func() error {
		for i := range p.columns {
			g.bytes += weight(p.column(i))
		}
		return nil
	})
}

// flush passes the row group on.
func (g *gathering) flush() error {
	if len(g.parts) == 0 {
		return nil
	}
	parts := g.parts
	g.parts, g.n, g.bytes = nil, 0, 0
	return g.add(parts)
}

func (g *gathering) drop() {
	releaseAll(g.parts)
	g.parts = nil
}
