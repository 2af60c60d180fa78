package libhdf5

import (
	"fmt"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// DefaultMaxBytes is the limit of what one call reads, unless MaxBytes sets another.
const DefaultMaxBytes = 1 << 30

// Object is one object of a file.
type Object struct {
	Path string // the first of its paths in the C library's walk
	Kind ObjectKind
}

// ObjectKind is the kind of an object.
type ObjectKind uint8

// The kinds of objects.
const (
	_ ObjectKind = iota
	KindGroup
	KindDataset
	KindType
	KindOther // unknown to this package
)

var objectKinds = [...]string{"invalid", "group", "dataset", "type", "other"}

// String returns the kind's name.
func (k ObjectKind) String() string {
	if int(k) < len(objectKinds) {
		return objectKinds[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// FillState is the state of a fill value.
type FillState uint8

// The states of a fill value.
const (
	_             FillState = iota
	FillUndefined           // elements that were never written have no defined value
	FillDefault             // zeros
	FillUser                // set by the writer
)

var fillStates = [...]string{"invalid", "undefined", "default", "user"}

// String returns the state's name.
func (s FillState) String() string {
	if int(s) < len(fillStates) {
		return fillStates[s]
	}
	return fmt.Sprintf("fill(%d)", uint8(s))
}

// Info describes a dataset.
type Info struct {
	Type  *h5.Type
	Space *h5.Space

	Storage    h5.Storage    // never StorageNone: see StoredSize and Offset
	Index      h5.ChunkIndex // Chunked
	ChunkDims  []uint64      // Chunked: elements of a chunk along each dimension
	RawEdges   bool          // Chunked: partial edge chunks are stored unfiltered
	Filters    []h5.Filter
	Offset     int64 // Contiguous: absolute file offset of the data, -1 if not allocated
	StoredSize int64 // bytes of the data in the file

	FillState FillState
	Fill      []byte // one element, in flat form if the type points to the heap; nil if undefined

	External []h5.ExternalExtent
	Virtual  []h5.VirtualMapping
}

// Rows returns the extent of the first dimension: 1 for a scalar, 0 for a null dataspace.
func (i *Info) Rows() int64 { return rowsOf(i.Space) }

// HeapData reports whether elements point to the heap, so that they are read and written in flat form.
func (i *Info) HeapData() bool { return heapData(i.Type) }

// ChunkInfo is one allocated chunk.
type ChunkInfo struct {
	Coord  []uint64 // first element of the chunk in each dimension
	Offset int64    // absolute file offset
	Size   int64    // stored bytes
	Mask   uint32   // bit i set: filter i was skipped
}

// Attribute is one attribute of an object.
type Attribute struct {
	Name  string
	Type  *h5.Type
	Space *h5.Space
	Data  []byte // elements as stored, or in flat form if the type points to the heap
}

// Option changes how a file is opened for reading.
type Option func(*config) error

type config struct {
	maxBytes int64
	external bool
	plugins  bool
	dirs     []string
}

func newConfig(opts []Option) (config, error) {
	c := config{maxBytes: DefaultMaxBytes}
	for _, o := range opts {
		if err := o(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

// MaxBytes limits what one call may read to n bytes. More is an error of kind h5err.Limit.
func MaxBytes(n int64) Option {
	return func(c *config) error {
		if n <= 0 {
			return h5err.New(h5err.Argument, "a limit of %d bytes", n)
		}
		c.maxBytes = n
		return nil
	}
}

// Plugins lets the C library load filter plugins for this file from dirs or, if there are none, from its default path
// (HDF5_PLUGIN_PATH, else the path that it was built with). A plugin is native code, selected by a number in the file. Once
// loaded, it stays loaded in the process.
func Plugins(dirs ...string) Option {
	return func(c *config) error {
		for _, d := range dirs {
			if err := checkName(d); err != nil {
				return err
			}
		}
		c.plugins, c.dirs = true, append(c.dirs, dirs...)
		return nil
	}
}

// ExternalLinks lets the C library follow links to other files, wherever they lead.
func ExternalLinks() Option {
	return func(c *config) error { c.external = true; return nil }
}

// Compatibility is a bound for the versions of the file format that a writer uses.
type Compatibility uint8

// The bounds.
const (
	_        Compatibility = iota
	Earliest               // the oldest version of each structure that can represent the content
	V18                    // what HDF5 1.8 reads
	Latest                 // the newest version that the C library knows
)

// CreateOption changes how a file is created.
type CreateOption func(*createConfig) error

type createConfig struct {
	alignment, threshold uint64
	low, high            Compatibility
	userBlock            uint64
	offsetSize, lenSize  uint
	trackOrder           bool
	btreeK               uint
}

func newCreateConfig(opts []CreateOption) (createConfig, error) {
	c := createConfig{low: Earliest, high: Latest}
	for _, o := range opts {
		if err := o(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

// Align places every object of at least threshold bytes at a multiple of alignment bytes in the file.
func Align(threshold, alignment uint64) CreateOption {
	return func(c *createConfig) error {
		if alignment == 0 {
			return h5err.New(h5err.Argument, "an alignment of 0 bytes")
		}
		c.alignment, c.threshold = alignment, threshold
		return nil
	}
}

// Versions bounds the versions of the structures in the file. The default is from Earliest to Latest.
func Versions(low, high Compatibility) CreateOption {
	return func(c *createConfig) error {
		if low < Earliest || high > Latest || high < V18 || low > high {
			return h5err.New(h5err.Argument, "versions from %d to %d", low, high)
		}
		c.low, c.high = low, high
		return nil
	}
}

// UserBlock leaves n bytes free before the HDF5 content: a power of two, at least 512.
func UserBlock(n uint64) CreateOption {
	return func(c *createConfig) error {
		if n < 512 || n&(n-1) != 0 {
			return h5err.New(h5err.Argument, "a user block of %d bytes", n)
		}
		c.userBlock = n
		return nil
	}
}

// Sizes sets the bytes of file offsets and of lengths: 2, 4 or 8 each.
func Sizes(offset, length uint) CreateOption {
	return func(c *createConfig) error {
		for _, n := range []uint{offset, length} {
			if n != 2 && n != 4 && n != 8 {
				return h5err.New(h5err.Argument, "offsets or lengths of %d bytes", n)
			}
		}
		c.offsetSize, c.lenSize = offset, length
		return nil
	}
}

// TrackOrder makes all groups and objects of the file record the order in which links and attributes were created.
func TrackOrder() CreateOption {
	return func(c *createConfig) error { c.trackOrder = true; return nil }
}

// ChunkTreeK sets the half rank of the B-trees that index chunks (the library's default is 32). With a small one, few chunks make
// a deep tree.
func ChunkTreeK(k uint) CreateOption {
	return func(c *createConfig) error {
		if k < 1 || k > 32767 {
			return h5err.New(h5err.Argument, "a B-tree half rank of %d", k)
		}
		c.btreeK = k
		return nil
	}
}

// Spec describes a dataset that is to be created.
type Spec struct {
	Type  *h5.Type
	Space h5.Space // Max empty: the same as Dims

	Storage   h5.Storage  // 0: by what is set of ChunkDims, External and Virtual; else Contiguous
	ChunkDims []uint64    // Chunked
	RawEdges  bool        // Chunked: do not filter partial edge chunks (needs versions up to Latest)
	Filters   []h5.Filter // Chunked

	Fill      []byte // one element, in flat form if the type points to the heap; nil: the library's default of zeros
	NoFill    bool   // leave the fill value undefined
	Early     bool   // allocate all storage at once; the default depends on Storage
	SkipFill  bool   // never write fill values, not even into storage that is allocated early
	External  []h5.ExternalExtent
	Virtual   []h5.VirtualMapping
	TypePath  string // unless empty: use the committed type at this path instead of Type
	TrackTime bool   // store timestamps in the object header, so that two runs differ
}

// Shape returns a simple dataspace of fixed dims, or a scalar one if there are none.
func Shape(dims ...uint64) h5.Space {
	if len(dims) == 0 {
		return h5.Space{Class: h5.SpaceScalar}
	}
	return h5.Space{Class: h5.SpaceSimple, Dims: dims}
}

// Int returns the integer type of size bytes.
func Int(size int, signed bool, order h5.ByteOrder) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: size, Order: order, Signed: signed, Precision: 8 * size}
}

// Float returns the IEEE type of size bytes: 2, 4 or 8; nil for others.
func Float(size int, order h5.ByteOrder) *h5.Type {
	f := map[int]h5.FloatFields{
		2: {Sign: 15, ExpLoc: 10, ExpSize: 5, MantLoc: 0, MantSize: 10, Bias: 15, Norm: 2},
		4: {Sign: 31, ExpLoc: 23, ExpSize: 8, MantLoc: 0, MantSize: 23, Bias: 127, Norm: 2},
		8: {Sign: 63, ExpLoc: 52, ExpSize: 11, MantLoc: 0, MantSize: 52, Bias: 1023, Norm: 2},
	}
	fields, ok := f[size]
	if !ok {
		return nil
	}
	return &h5.Type{Class: h5.ClassFloat, Size: size, Order: order, Precision: 8 * size, Float: &fields}
}

// VarString returns the type of variable strings.
func VarString(cset h5.CharSet) *h5.Type {
	return &h5.Type{Class: h5.ClassVLen, Size: 16, VarString: true, CharSet: cset}
}

// FixedString returns the type of fixed-length strings of size bytes.
func FixedString(size int, pad h5.StringPad, cset h5.CharSet) *h5.Type {
	return &h5.Type{Class: h5.ClassString, Size: size, Pad: pad, CharSet: cset}
}

func rowsOf(s *h5.Space) int64 {
	switch {
	case s.Class == h5.SpaceScalar:
		return 1
	case s.Class != h5.SpaceSimple || len(s.Dims) == 0:
		return 0
	}
	return int64(s.Dims[0])
}

func heapData(t *h5.Type) bool {
	switch t.Class {
	case h5.ClassVLen:
		return true
	case h5.ClassArray:
		return heapData(t.Base)
	case h5.ClassCompound:
		for _, m := range t.Members {
			if heapData(m.Type) {
				return true
			}
		}
	}
	return false
}

// checkName refuses names that would be cut short as C strings.
func checkName(s string) error {
	if s == "" || strings.IndexByte(s, 0) >= 0 {
		return h5err.New(h5err.Argument, "%q can't be a name", s)
	}
	return nil
}
