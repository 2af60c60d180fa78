package write

import (
	"runtime"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write/internal/space"
)

// Version is the oldest release of the HDF5 library that shall be able to read a file.
type Version uint8

// The versions.
const (
	V110     Version = iota // superblock 3, the chunk indexes of HDF5 1.10; the default
	V18                     // superblock 2, links and attributes in object headers and fractal heaps; chunks in version 1 B-trees
	Earliest                // superblock 0, symbol tables, version 1 object headers: before HDF5 1.8
)

var versionNames = [...]string{"1.10", "1.8", "earliest"}

// String returns the version's name.
func (v Version) String() string {
	if int(v) < len(versionNames) {
		return versionNames[v]
	}
	return "invalid"
}

// Option changes how a file is written.
type Option func(*options) error

type options struct {
	version    Version
	userBlock  int64
	userData   []byte
	align      int64 // of raw data
	largeAlign int64 // of raw data of at least largeFrom bytes
	largeFrom  int64
	page       int64 // 0: none
	ordered    bool
	workers    int
	first      bool   // metadata first
	spool      string // directory, "": the system's
	memory     int64
}

func defaults() options {
	return options{align: 64, largeAlign: 4096, largeFrom: 64 << 10, workers: runtime.GOMAXPROCS(0), memory: 64 << 20}
}

// rules returns the rules for addresses.
func (o *options) rules() space.Rules {
	return space.Rules{Base: o.userBlock, Raw: o.align, Large: o.largeAlign, From: o.largeFrom, Page: o.page}
}

func (o *options) apply(opts []Option) error {
	for _, opt := range opts {
		if err := opt(o); err != nil {
			return err
		}
	}
	if o.page > 0 && o.version == Earliest {
		return h5err.New(h5err.Argument, "pages need at least version %v of HDF5", V110)
	}
	return nil
}

// WithVersion sets which versions of HDF5 can read the file. Default: V110.
func WithVersion(v Version) Option {
	return func(o *options) error {
		if v > Earliest {
			return h5err.New(h5err.Argument, "version %d", v)
		}
		o.version = v
		return nil
	}
}

// WithUserBlock reserves bytes before the superblock: 512, 1024, 2048, ... or 0, which is the default. The block starts with
// content and is filled with zeros.
func WithUserBlock(size int64, content []byte) Option {
	return func(o *options) error {
		if size < 0 || size > 1<<40 || size != 0 && (size < 512 || size&(size-1) != 0) {
			return h5err.New(h5err.Argument, "a user block of %d bytes; it must have 0, 512, or a larger power of two", size)
		}
		if int64(len(content)) > size {
			return h5err.New(h5err.Argument, "%d bytes in a user block of %d", len(content), size)
		}
		o.userBlock, o.userData = size, content
		return nil
	}
}

// WithAlignment sets the alignment of raw data, and of that of at least from bytes, in bytes from the start of the file. Both are
// powers of two. Default: 64, and 4096 from 64 KiB on. Chunks are aligned only where a dataset has no filters.
func WithAlignment(raw, large, from int64) Option {
	return func(o *options) error {
		for _, n := range []int64{raw, large} {
			if n < 1 || n > 1<<30 || n&(n-1) != 0 {
				return h5err.New(h5err.Argument, "an alignment of %d bytes; it must be a power of two up to 1 GiB", n)
			}
		}
		if from < 0 {
			return h5err.New(h5err.Argument, "a negative size %d", from)
		}
		o.align, o.largeAlign, o.largeFrom = raw, large, from
		return nil
	}
}

// WithPageSize has space divided into pages of n bytes, which hold either metadata or raw data ("paged aggregation", HDF5 1.10.1).
// Readers far away then fetch metadata in few pieces, above all together with WithMetadataFirst. 0 is the default: no pages.
func WithPageSize(n int64) Option {
	return func(o *options) error {
		if n != 0 && (n < 512 || n > 1<<30) {
			return h5err.New(h5err.Argument, "pages of %d bytes; they may have 512 bytes to 1 GiB", n)
		}
		o.page = n
		return nil
	}
}

// WithCreationOrder has groups and objects track and index the order in which links and attributes are made, so that readers list
// them in that order. Default: only where Object.TrackOrder asks for it.
func WithCreationOrder() Option {
	return func(o *options) error {
		o.ordered = true
		return nil
	}
}

// WithWorkers sets the number of goroutines that encode chunks. It doesn't change the bytes of the file. Default: GOMAXPROCS.
func WithWorkers(n int) Option {
	return func(o *options) error {
		if n < 1 {
			return h5err.New(h5err.Argument, "%d workers", n)
		}
		o.workers = n
		return nil
	}
}

// WithMemory sets how many bytes of chunks may be in flight to the workers. Default: 64 MiB. One chunk per worker is always allowed.
func WithMemory(n int64) Option {
	return func(o *options) error {
		if n < 1 {
			return h5err.New(h5err.Argument, "a memory of %d bytes", n)
		}
		o.memory = n
		return nil
	}
}

// WithMetadataFirst has all metadata written before the values. All objects and attributes must then be made before the first
// value is written, and every shape must be known. Variable-length values are raw data in this sense.
func WithMetadataFirst() Option {
	return func(o *options) error {
		o.first = true
		return nil
	}
}

// WithSpool sets the directory of temporary files, which hold the values of contiguous datasets of an unknown number of rows until
// Close. Default: that of os.TempDir.
func WithSpool(dir string) Option {
	return func(o *options) error {
		o.spool = dir
		return nil
	}
}
