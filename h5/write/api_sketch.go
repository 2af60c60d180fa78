package write

import (
	"io"
	"os"

	"github.com/h5arrow/h5arrow/h5"
)

// Unknown is the first dimension of a shape whose number of rows is that of the rows written.
const Unknown = h5.Unlimited

// Shape returns the dataspace of fixed dimensions; a scalar if there are none.
func Shape(dims ...uint64) h5.Space

// Growing returns a dataspace whose first dimension can grow without bound.
func Growing(dims ...uint64) h5.Space

// File is a file that is being written. Only one goroutine may use it and its objects.
type File struct{}

// Create starts a file in w. The caller closes File, and afterwards w.
func Create(w io.WriterAt, opts ...Option) (*File, error)

// CreateStream starts a file in w that is written strictly from its start to its end. All objects and attributes must be made
// before the first value is written, all shapes must be known, datasets must be contiguous, compact, or chunked without filters,
// and their values must be written one dataset after the other in the order in which the datasets were made. Anything else is an
// error of kind Unsupported or Argument that says which dataset.
func CreateStream(w io.Writer, opts ...Option) (*File, error)

// Append opens a file to add objects, attributes and rows. New data and metadata are written past the file's end; Close flushes
// them and then replaces the superblock, so that a crash at any moment leaves the old file or the new one. The file must have a
// superblock of version 2 or 3. One that something else has open for writing, or has locked, is an error of kind IO or Corrupt. The
// options for version, user block, pages and metadata first don't apply.
func Append(f *os.File, opts ...Option) (*File, error)

// Close finishes all datasets, writes the metadata and at last the superblock. It does not close the output. After an error, the
// output is not a complete file; that of Append is in its old state.
func (f *File) Close() error

// Abandon stops the workers and removes temporary files without finishing the file. After Close it does nothing.
func (f *File) Abandon()

// Size returns the number of bytes that the file has so far, with the space that is reserved.
func (f *File) Size() int64

// Object is a group, a dataset or a committed datatype.
type Object interface {
	// ID is the object's number in values of reference types.
	ID() uint64
	// Path is the path by which the object was made.
	Path() string
	// Attribute adds an attribute. A second one of the same name replaces the first.
	Attribute(a Attribute) error
	// TrackOrder has the creation order of the object's attributes, and of a group's links, tracked and indexed.
	TrackOrder(attributes, links bool)
}

// Attribute is a small named value of an object. Data has all elements, in the form of the package comment.
type Attribute struct {
	Name  string
	Type  *h5.Type
	Named *NamedType // the committed datatype that Type is, nil: none
	Space h5.Space
	Data  []byte
}

// Group is a set of links.
type Group struct{}

// NamedType is a committed datatype.
type NamedType struct{}

// Group makes the group at a path and those on the way, or returns the one that exists. "/" is the root.
func (f *File) Group(path string) (*Group, error)

// Commit makes a committed datatype at a path.
func (f *File) Commit(path string, t *h5.Type) (*NamedType, error)

// Lookup returns an object that was made, or that was in the file that Append opened, without following soft and external links. If
// there is none, the error has kind NotFound.
func (f *File) Lookup(path string) (Object, error)

// HardLink makes a further hard link to an object.
func (f *File) HardLink(path string, target Object) error

// SoftLink makes a soft link. The target need not exist.
func (f *File) SoftLink(path, target string) error

// ExternalLink makes a link to an object of another file, which need not exist.
func (f *File) ExternalLink(path, file, target string) error

// Spec describes a dataset.
type Spec struct {
	Type  *h5.Type
	Named *NamedType // the committed datatype that Type is, nil: none

	// Space is the shape. Dims[0] may be Unknown; the number of rows is then that of the rows written.
	Space h5.Space

	Storage   h5.Storage    // 0: chunked if there are ChunkDims, else contiguous
	ChunkDims []uint64      // Chunked
	Index     h5.ChunkIndex // Chunked; 0: the one that the HDF5 library would choose
	RawEdges  bool          // Chunked: chunks that reach over the shape's end are stored without filters
	Filters   []h5.Filter   // Chunked; see filter.NewEncoder for which can be applied
	Fill      []byte        // fill value, one element; nil: zeros, not defined

	External []h5.ExternalExtent // External
	Virtual  []h5.VirtualMapping // Virtual
}

// Dataset is a dataset that is being written.
type Dataset struct{}

// Dataset makes a dataset at a path, and missing groups on the way. Types and shapes that HDF5 can't represent are errors of kind
// Argument; those that the file's Version can't, of kind Unsupported.
func (f *File) Dataset(path string, s Spec) (*Dataset, error)

// Write appends rows: elements in the form of the package comment, row-major. data holds any number of whole rows; it may be used
// again after Write returns. A scalar is one row. Rows that are never written have the fill value, except in a dataset of Unknown rows.
func (d *Dataset) Write(data []byte) error

// WriteChunk stores bytes unchanged for the chunk whose first element is at the coordinates at, which are multiples of the chunk's
// dimensions. If bit i of mask is set, filter i was not applied. Chunks may be written in any order, each once, and not together
// with Write; those that are not written have the fill value.
func (d *Dataset) WriteChunk(at []uint64, mask uint32, stored []byte) error

// Rows returns the number of rows: those that the dataset had when it was opened by Append and those written since.
func (d *Dataset) Rows() uint64

// Resize sets the shape of a chunked dataset after the fact, within Space.Max: the shape that readers see.
func (d *Dataset) Resize(dims ...uint64) error

// Scale makes the dataset a dimension scale (HDF5 Dimension Scale Specification) of a name, which may be empty.
func (d *Dataset) Scale(name string) error

// Attach attaches a dimension scale to a dimension. Close writes DIMENSION_LIST and REFERENCE_LIST.
func (d *Dataset) Attach(dim int, scale *Dataset) error
