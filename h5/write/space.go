package write

import (
	"errors"
	"io"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// output is where the file is written.
type output struct {
	w    io.WriterAt
	base int64 // bytes of the user block
	end  int64 // highest address that was written, and one
}

// put writes bytes at an address.
func (o *output) put(p []byte, addr int64) error {
	if len(p) == 0 {
		return nil
	}
	o.end = max(o.end, addr+int64(len(p)))
	n, err := o.w.WriteAt(p, o.base+addr)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return failure(err)
}

// failure is an error of the output.
func failure(err error) error {
	if err == nil {
		return nil
	}
	if e := (*h5err.Error)(nil); errors.As(err, &e) {
		return err
	}
	return h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write")
}

// sequence writes ascending pieces to a Writer, with zeros in gaps.
type sequence struct {
	w  io.Writer
	at int64
}

// WriteAt implements io.WriterAt.
func (s *sequence) WriteAt(p []byte, off int64) (int, error) {
	if off < s.at {
		return 0, h5err.New(h5err.Unsupported, "the output is not seekable: %d bytes at %d after %d were written", len(p), off, s.at)
	}
	var zeros [4096]byte
	for s.at < off {
		n, err := s.w.Write(zeros[:min(int64(len(zeros)), off-s.at)])
		s.at += int64(n)
		if err != nil {
			return 0, err
		}
	}
	n, err := s.w.Write(p)
	s.at += int64(n)
	return n, err
}

// extent is a part of the file.
type extent struct{ at, end int64 }

// take returns the address of n bytes of an alignment from the extent, if they fit. The alignment is that of at+base.
func (e *extent) take(n, align, base int64) (int64, bool) {
	at := up(e.at+base, align) - base
	if n > e.end-at {
		return 0, false
	}
	e.at = at + n
	return at, true
}

// up returns the next multiple of align, a power of two or a page.
func up(n, align int64) int64 {
	if r := n % align; r != 0 {
		return n + align - r
	}
	return n
}

// space allocates the file's addresses.
type space struct {
	o         *options
	end       int64
	raw, meta extent // with pages: rests of the last page of each kind
	ascending bool   // raw data is written in the order in which it gets its addresses
}

func newSpace(o *options, superblock int64) space {
	s := space{o: o, end: superblock}
	if o.page > 0 {
		s.meta = extent{superblock, o.page}
		s.end = o.page
	}
	return s
}

// align returns the alignment of n bytes of raw data.
func (s *space) align(n int64) int64 {
	if n >= s.o.largeFrom {
		return s.o.largeAlign
	}
	return s.o.align
}

// data returns the address of n new bytes of raw data.
func (s *space) data(n, align int64) int64 { return s.alloc(&s.raw, n, align) }

// metadata returns the address of n new bytes of metadata.
func (s *space) metadata(n int64) int64 { return s.alloc(&s.meta, n, 8) }

// alloc returns n bytes at the end of the file, or of the last page of a kind: what is smaller than a page does not cross the end of
// one, and what is larger starts one.
func (s *space) alloc(page *extent, n, align int64) int64 {
	base := s.o.userBlock
	if s.o.page == 0 {
		at := up(s.end+base, align) - base
		s.end = at + n
		return at
	}
	if n < s.o.page && (!s.ascending || page.end == s.end) {
		if at, ok := page.take(n, align, base); ok {
			return at
		}
	}
	start := up(s.end, s.o.page)
	at := up(start+base, align) - base
	s.end = up(at+n, s.o.page)
	if n < s.o.page {
		*page = extent{at + n, s.end}
	}
	return at
}
