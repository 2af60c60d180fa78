package source

import (
	"context"
	"io"
	"math/bits"
	"time"
)

// Backend reads the bytes of one object: a file of a server, an object of a store, memory. It may be used by several
// goroutines.
//
// A Backend that also implements Hinter, MetadataReader, Holder, Changer, Versioner, Grower, Dater or io.Closer is asked for hints when its
// Source is made, asked for metadata in its own way, asked what it has, asked whether the object changed, when, which version and how long it is, and
// closed by the last release.
type Backend interface {
	// ReadAtContext is io.ReaderAt's ReadAt; it returns early, with the context's error, when ctx ends. It must not
	// use p after it returned. Ranges are inside the size that the Source was made with; fewer bytes than were asked for
	// are an error, io.EOF where the object is shorter than that.
	ReadAtContext(ctx context.Context, p []byte, off int64) (n int, err error)
}

// Hinter is a Backend that says how it is read best.
type Hinter interface{ Hints() Hints }

// Changer is a Backend that notices that its object changed since it was opened.
type Changer interface {
	// Changed returns an error that says what changed, or why that is not known; nil while nothing did.
	Changed(ctx context.Context) error
}

// Versioner is a Backend that knows which version of its object it reads.
type Versioner interface {
	// Version returns a text that is another one for each version of the object, "" if there is none.
	Version() string
}

// Range is a part of an object.
type Range struct{ Off, Size int64 }

// MetadataReader is a Backend that reads metadata in another way than data: through a cache that reads ahead.
type MetadataReader interface {
	// ReadMetadata is ReadAtContext for metadata.
	ReadMetadata(ctx context.Context, p []byte, off int64) (n int, err error)

	// Expect says which metadata will be read soon. It does not wait for it. What is outside the object is ignored.
	Expect(ranges []Range)

	// Paged says that metadata is in pages of size bytes of its own, which start at the multiples of size.
	Paged(size int64)
}

// Holder is a Backend that knows what it has already.
type Holder interface {
	// Holds reports whether ReadMetadata of a range needs no request. It does not wait.
	Holds(r Range) bool
}

// Hints say how a Source is read best. They never change what is read. A zero field means the value for local files.
type Hints struct {
	// Gap is how many bytes that nobody asked for are read along to make one read of two: 8 KiB.
	Gap int64

	// Span is the size of a read, in bytes, up to which ranges are joined, and into which contiguous data is cut where
	// reads are under way apart from the workers: 1 MiB.
	Span int64

	// Join is the size of a range, in bytes, up to which it is joined with its neighbors: 128 KiB. Larger ones are read
	// straight to where they are needed.
	Join int64

	// MetadataBlock is how many bytes of metadata are read at once, rounded up to a power of two: 16 KiB.
	MetadataBlock int64

	// InFlight is how many reads of data may be under way at once. With 0, the value for local files, workers read what
	// they decode: there are as many reads as workers. What was read and is not decoded yet takes 3 times Span of memory for each
	// worker, and 1.5 times InFlight times Span at most.
	InFlight int
}

// LocalHints returns the hints of local files.
func LocalHints() Hints {
	return Hints{Gap: 8 << 10, Span: 1 << 20, Join: 128 << 10, MetadataBlock: 16 << 10}
}

// maxMetadataBlock bounds blocks of metadata, of which several are kept.
const maxMetadataBlock = 16 << 20

// resolved returns hints without zero fields, InFlight apart.
func (h Hints) resolved() Hints {
	d := LocalHints()
	for _, f := range []struct {
		p           *int64
		def, lo, hi int64
	}{
		{&h.Gap, d.Gap, 1, 1 << 30},
		{&h.Span, d.Span, 4 << 10, 1 << 30},
		{&h.Join, d.Join, 1, 1 << 30},
		{&h.MetadataBlock, d.MetadataBlock, 512, maxMetadataBlock},
	} {
		if *f.p == 0 {
			*f.p = f.def
		}
		*f.p = min(max(*f.p, f.lo), f.hi)
	}
	h.MetadataBlock = 1 << bits.Len64(uint64(h.MetadataBlock-1))
	h.InFlight = max(h.InFlight, 0)
	return h
}

// Grower is a Backend whose object may become longer while it is read.
type Grower interface {
	// Length returns the number of bytes that the object has now.
	Length(ctx context.Context) (int64, error)
}

// readerAt is a Backend over an io.ReaderAt. Reads that have started can't be interrupted.
type readerAt struct{ io.ReaderAt }

func (r readerAt) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	return r.ReadAt(p, off)
}

// Dater is a Backend that knows when its object was modified.
type Dater interface{ ModTime() time.Time }
