// Package space has the output of a file that is written, and its addresses.
package space

import (
	"errors"
	"io"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Output is where the file is written.
type Output struct {
	W    io.WriterAt
	Base int64 // bytes of the user block
	End  int64 // highest address that was written, and one
}

// Put writes bytes at an address.
func (o *Output) Put(p []byte, addr int64) error {
	if len(p) == 0 {
		return nil
	}
	o.End = max(o.End, addr+int64(len(p)))
	n, err := o.W.WriteAt(p, o.Base+addr)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return Failure(err)
}

// Failure is an error of the output.
func Failure(err error) error {
	if err == nil {
		return nil
	}
	if e := (*h5err.Error)(nil); errors.As(err, &e) {
		return err
	}
	return h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write")
}

// Sequence writes ascending pieces to a Writer, with zeros in gaps.
type Sequence struct {
	W  io.Writer
	at int64
}

// WriteAt implements io.WriterAt.
func (s *Sequence) WriteAt(p []byte, off int64) (int, error) {
	if off < s.at {
		return 0, h5err.New(h5err.Unsupported, "the output is not seekable: %d bytes at %d after %d were written", len(p), off, s.at)
	}
	var zeros [4096]byte
	for s.at < off {
		n, err := s.W.Write(zeros[:min(int64(len(zeros)), off-s.at)])
		s.at += int64(n)
		if err != nil {
			return 0, err
		}
	}
	n, err := s.W.Write(p)
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

// Space allocates the file's addresses.
type Space struct {
	Rules
	End       int64
	raw, meta extent // with pages: rests of the last page of each kind
	Ascending bool   // raw data is written in the order in which it gets its addresses
}

// Rules say where data may go.
type Rules struct {
	Base       int64 // bytes of the user block
	Raw        int64 // alignment of raw data
	Large      int64 // and of that of at least From bytes
	From, Page int64 // Page 0: no pages
}

// New returns the space of a file that has a superblock.
func New(r Rules, superblock int64) Space {
	s := Space{Rules: r, End: superblock}
	if r.Page > 0 {
		s.meta = extent{superblock, r.Page}
		s.End = r.Page
	}
	return s
}

// Align returns the alignment of n bytes of raw data.
func (s *Space) Align(n int64) int64 {
	if n >= s.From {
		return s.Large
	}
	return s.Raw
}

// Data returns the address of n new bytes of raw data.
func (s *Space) Data(n, align int64) int64 { return s.alloc(&s.raw, n, align) }

// Metadata returns the address of n new bytes of metadata.
func (s *Space) Metadata(n int64) int64 { return s.alloc(&s.meta, n, 8) }

// alloc returns n bytes at the end of the file, or of the last page of a kind: what is smaller than a page does not cross the end of
// one, and what is larger starts one.
func (s *Space) alloc(page *extent, n, align int64) int64 {
	base := s.Base
	if s.Page == 0 {
		at := up(s.End+base, align) - base
		s.End = at + n
		return at
	}
	if n < s.Page && (!s.Ascending || page.end == s.End) {
		if at, ok := page.take(n, align, base); ok {
			return at
		}
	}
	start := up(s.End, s.Page)
	at := up(start+base, align) - base
	s.End = up(at+n, s.Page)
	if n < s.Page {
		*page = extent{at + n, s.End}
	}
	return at
}
