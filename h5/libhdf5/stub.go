//go:build !(libhdf5 && cgo)

package libhdf5

import (
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Available reports whether the C library is linked into this build.
const Available = false

func absent() error {
	return h5err.New(h5err.Unsupported, "built without libhdf5").WithHint("build with cgo and -tags libhdf5")
}

// Version returns the version of the linked C library.
func Version() (string, error) { return "", absent() }

// File is a file that the C library has opened for reading.
type File struct{}

// Open opens a file for reading.
func Open(path string, opts ...Option) (*File, error) {
	if _, err := newConfig(opts); err != nil {
		return nil, err
	}
	return nil, absent()
}

// Close closes the file.
func (*File) Close() error { return nil }

// Objects lists all objects that hard links reach.
func (*File) Objects() ([]Object, error) { return nil, absent() }

// Datasets lists the paths of all datasets that hard links reach.
func (*File) Datasets() ([]string, error) { return nil, absent() }

// Dataset describes a dataset.
func (*File) Dataset(path string) (*Info, error) { return nil, absent() }

// Read reads a whole dataset.
func (*File) Read(path string) ([]byte, error) { return nil, absent() }

// ReadRows is Read for the rows [a,b) of the first dimension.
func (*File) ReadRows(path string, a, b int64) ([]byte, error) { return nil, absent() }

// ReadFlat reads a whole dataset in flat form.
func (*File) ReadFlat(path string) ([]byte, error) { return nil, absent() }

// ReadFlatRows is ReadFlat for the rows [a,b) of the first dimension.
func (*File) ReadFlatRows(path string, a, b int64) ([]byte, error) { return nil, absent() }

// Strings reads a dataset of variable strings.
func (*File) Strings(path string) ([]string, error) { return nil, absent() }

// Chunks lists the allocated chunks of a chunked dataset.
func (*File) Chunks(path string) ([]ChunkInfo, error) { return nil, absent() }

// ReadChunk reads the stored bytes of a chunk.
func (*File) ReadChunk(path string, coord []uint64) (data []byte, mask uint32, err error) {
	return nil, 0, absent()
}

// Attributes reads the attributes of the object at path.
func (*File) Attributes(path string) ([]Attribute, error) { return nil, absent() }

// Writer is a file that the C library is writing.
type Writer struct{}

// Create creates a file for writing, or truncates an existing one.
func Create(path string, opts ...CreateOption) (*Writer, error) {
	if _, err := newCreateConfig(opts); err != nil {
		return nil, err
	}
	return nil, absent()
}

// Close writes everything to the file and closes it.
func (*Writer) Close() error { return nil }

// Group creates a group and its missing parents.
func (*Writer) Group(path string) error { return absent() }

// HardLink creates a hard link at path to the object at target.
func (*Writer) HardLink(path, target string) error { return absent() }

// SoftLink creates a soft link at path.
func (*Writer) SoftLink(path, target string) error { return absent() }

// ExternalLink creates a link at path to target in another file.
func (*Writer) ExternalLink(path, file, target string) error { return absent() }

// Commit stores a type as a committed datatype at path.
func (*Writer) Commit(path string, t *h5.Type) error { return absent() }

// Write creates a dataset and writes its elements.
func (*Writer) Write(path string, s Spec, data []byte) error { return absent() }

// WriteRows overwrites rows.
func (*Writer) WriteRows(path string, a, b int64, data []byte) error { return absent() }

// WriteChunk stores bytes unchanged for a chunk.
func (*Writer) WriteChunk(path string, coord []uint64, mask uint32, data []byte) error {
	return absent()
}

// Resize changes the shape of a chunked dataset.
func (*Writer) Resize(path string, dims ...uint64) error { return absent() }

// Attribute writes an attribute of the object at path.
func (*Writer) Attribute(path string, a Attribute) error { return absent() }

// StringAttribute writes a scalar string attribute.
func (*Writer) StringAttribute(path, name, value string) error { return absent() }
