package arrowmap

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
	"github.com/h5arrow/h5arrow/arrowmap/internal/nonnull"
	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Align is what to do with mapped values that are not aligned to their width.
type Align uint8

// The policies. HDF5 puts data at any byte; IPC writers, Flight and most engines accept that, the C data interface's
// consumers often do not.
const (
	AlignKeep   Align = iota // return them as they are
	AlignCopy                // copy them to aligned memory
	AlignRefuse              // refuse the column
)

// Option changes how a file is opened.
type Option func(*options) error

type options struct {
	h5         []h5.Option
	types      dtype.Options
	align      Align
	convention string
	flatten    bool
	plugins    PluginReader
	sorted     []string // see WithSorted
	nulls      *NullCache
	strict     bool // see WithUntrusted
}

func resolve(opts []Option) (options, error) {
	var o options
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return o, err
		}
	}
	if o.flatten {
		if o.convention != "" && o.convention != "netcdf" {
			return o, h5err.New(h5err.Argument, "only variables of netCDF can be flat, not tables of convention %s", o.convention)
		}
		o.convention = detect.Flat
	}
	if o.strict && o.plugins != nil {
		return o, h5err.New(h5err.Argument, "plugins for a file that is not trusted")
	}
	return o, nil
}

// WithUntrusted opens a file of unknown origin under the strict rules of h5.WithUntrusted: nothing outside the file is read, and
// its limits are lower. Beyond them, a table of more than 16,384 columns, or of columns that declare more bytes than
// Limits.Expansion allows for the bytes of the file, is an error of kind Limit, and WithPlugins is an Argument error.
func WithUntrusted() Option {
	return func(o *options) error {
		o.strict = true
		o.h5 = append(o.h5, h5.WithUntrusted())
		return nil
	}
}

// WithoutMapping reads the file instead of mapping it: everything is copied.
func WithoutMapping() Option {
	return func(o *options) error {
		o.h5 = append(o.h5, h5.WithoutMapping())
		return nil
	}
}

// External says which files an HDF5 file may refer to: see h5.External. The zero value allows its own folder and below.
type External = h5.External

// WithExternal sets what the file may refer to outside itself. The default is the file's own directory and what is below
// it.
func WithExternal(e External) Option {
	return func(o *options) error {
		o.h5 = append(o.h5, h5.WithExternal(e))
		return nil
	}
}

// WithLimits sets limits on what the file may ask for. A field that is zero is its default.
func WithLimits(l h5.Limits) Option {
	return func(o *options) error {
		o.h5 = append(o.h5, h5.WithLimits(l))
		return nil
	}
}

// WithTypes sets how types are mapped.
func WithTypes(t dtype.Options) Option {
	return func(o *options) error {
		o.types = t
		return nil
	}
}

// WithAlign sets the policy for values that are not aligned. The default is AlignKeep.
func WithAlign(a Align) Option {
	return func(o *options) error {
		if a > AlignRefuse {
			return h5err.New(h5err.Argument, "alignment policy %d", a)
		}
		o.align = a
		return nil
	}
}

// WithConvention looks for tables of one convention only. The empty name is all conventions; an unknown name is an
// Argument error.
func WithConvention(name string) Option {
	return func(o *options) error {
		if name != "" {
			if _, err := detect.Find(name); err != nil {
				return err
			}
		}
		o.convention = name
		return nil
	}
}

// WithFlatten makes tables of the variables of netCDF-4 and of other datasets with dimension scales, and no others: one for each
// list of dimensions that variables have, with a row for each cell. Its path is the group's and the names of the dimensions, such as
// /time,lat,lon, by which File.Table finds it without this option if there are several. The columns are the coordinates of the
// dimensions, or the index from 0 where a dimension has none; the variables; and those that have some of the dimensions, repeated.
// Rows are in row-major order, or block by block as chunks are where a band of them is large; see docs/conventions.md.
func WithFlatten() Option {
	return func(o *options) error {
		o.flatten = true
		return nil
	}
}

// WithSorted says that columns of these names are sorted, in all tables that have them: values ascend or descend, as conditions compare
// them, several may be equal, and nulls and NaN are at one end or both. Conditions on such a column (WithWhere, Table.Possible) then search it by
// halves and read only the rows between what they find. In a table of several files each file is sorted by itself; the groups of a stack
// are, too, of which all rows are read.
//
// All values of these columns that are read, with or without conditions, are verified: one that is not in order with those read before is an Argument
// error, as is a column whose values have no order. Rows of a column that is not sorted may be missed where no value that is read shows it.
func WithSorted(columns ...string) Option {
	return func(o *options) error {
		o.sorted = append(o.sorted, columns...)
		return nil
	}
}

// PluginReader reads rows [a,b) of a dataset as stored: whole elements in C order, and nothing else. Package h5/plugins has
// one, Read.
type PluginReader func(file, dataset string, a, b int64) ([]byte, error)

// WithPlugins reads datasets whose filters are not built in through read. All other datasets use the built-in decoders,
// so a hostile file can reach read only where this option is given. A nil read is the default: such datasets are
// Unsupported.
func WithPlugins(read PluginReader) Option {
	return func(o *options) error {
		o.plugins = read
		return nil
	}
}

// NullCache remembers which rows of mapped columns have no null: no NaT and, with NaNAsNull, no NaN. Arrow needs to know that before such
// values are returned, so all of them are looked at when they are read first. A File remembers it as long as it is open; a NullCache, which
// may be shared by all files of a process, also when a file is opened again. Files are told apart by their device, number, size and times;
// of one that was changed within a minute before it was opened nothing is remembered.
type NullCache struct{ of *nonnull.Cache }

// NewNullCache returns a NullCache for as many files, those that were opened last.
func NewNullCache(files int) *NullCache { return &NullCache{nonnull.NewCache(files)} }

// WithNullCache makes a file use and fill a NullCache. Nil is none.
func WithNullCache(c *NullCache) Option {
	return func(o *options) error {
		o.nulls = c
		return nil
	}
}

// ReadOption changes how a table is read.
type ReadOption func(*readOptions) error

type readOptions struct {
	pass.Options
	where *Where
}

// WithWorkers sets how many goroutines decode. Zero is one for each processor.
func WithWorkers(n int) ReadOption {
	return func(o *readOptions) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "%d workers", n)
		}
		o.Workers = n
		return nil
	}
}

// WithBatchRows sets the rows of a batch; the last of a table may be smaller. Zero chooses by bytes.
func WithBatchRows(n int64) ReadOption {
	return func(o *readOptions) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "batches of %d rows", n)
		}
		o.BatchRows = n
		return nil
	}
}

// WithBatchBytes sets about how many bytes a batch has at most. Zero is 64 MiB, less where memory is bounded; 8 MiB where most columns are
// gathered from rows; where chunks of a local file have filters, 4 MiB or, if that is more, one row of chunks.
func WithBatchBytes(n int64) ReadOption {
	return func(o *readOptions) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "batches of %d bytes", n)
		}
		o.BatchBytes = n
		return nil
	}
}

// WithMaxMemory bounds the memory of rows that are being decoded or wait for Next, in bytes. Zero means
// about 64 MiB a worker. A batch that needs more ends the reading with an error of kind Memory.
func WithMaxMemory(n int64) ReadOption {
	return func(o *readOptions) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "%d bytes of memory", n)
		}
		o.MaxMemory = n
		return nil
	}
}

// WithSlowStart starts with small batches and grows read-ahead by one batch per Next, for callers that may stop early.
func WithSlowStart() ReadOption {
	return func(o *readOptions) error {
		o.SlowStart = true
		return nil
	}
}

// WithAllocator sets where memory comes from. Nil is Go's.
func WithAllocator(mem memory.Allocator) ReadOption {
	return func(o *readOptions) error {
		o.Alloc = mem
		return nil
	}
}

// Range is the rows [From, To) of a table.
type Range = pass.Range

// WithRanges reads only these rows of the table. Ranges are in order and don't overlap; a range that the table does not have,
// or that is out of order, is an Argument error of Reader. No batch has rows of two ranges. A nil slice is all rows.
func WithRanges(ranges []Range) ReadOption {
	return func(o *readOptions) error {
		o.Ranges = ranges
		return nil
	}
}
