// Package filter undoes HDF5's chunk filters: one small file per codec, and the pipeline that chains them.
//
// A [Pipeline] is compiled once from a dataset's filter message and may be shared by any number of goroutines. What
// changes while decoding (scratch memory, codec tables) is in a [State], one per worker, which keeps it from chunk to
// chunk, so that decoding allocates nothing in the steady state.
//
// Encoded bytes are never trusted. Whatever they contain, nothing larger than the caller's buffer and a small overhead is
// written or allocated, and a chunk that does not decode to the size that the caller expects is corrupt.
//
// # Not promised
//
// That src may be mapped memory: with the build tags libdeflate and libzstd, C code reads it, and if the mapped file is cut short meanwhile,
// the process ends. This package does not encode.
package filter

import (
	"errors"
	"fmt"
	"math"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Spec is one entry of a filter pipeline message (HDF5 File Format Specification, IV.A.2.l).
type Spec struct {
	ID       uint16   // registered filter number
	Name     string   // the name stored in the file, may be empty
	Optional bool     // flag bit 0: the writer was allowed to skip it
	Values   []uint32 // client data
}

// maxStages is the number of filters that a pipeline message can hold: a chunk's filter mask has 32 bits.
const maxStages = 32

// decoder undoes one filter. Implementations are immutable: all that changes is in State.
type decoder interface {
	// decode writes the decoded form of src to dst and returns its number of bytes, at most len(dst). If there are
	// more, it returns errTooLong. It may use all of dst as scratch, and must not keep dst or src.
	decode(st *State, dst, src []byte) (int, error)
	// bound returns the maximum length of the encoded form of n bytes, and whether the length is always the maximum.
	bound(n int) (size int, exact bool)
}

// viewer is a decoder whose output is a part of its input.
type viewer interface {
	view(src []byte) ([]byte, error)
}

// corrupt is an error about encoded bytes; unsupported one about a feature of a format.
type (
	corrupt     string
	unsupported string
)

func (e corrupt) Error() string     { return string(e) }
func (e unsupported) Error() string { return string(e) }

const (
	errTooLong = corrupt("decodes to more than the chunk holds")
	errShort   = corrupt("the encoded bytes end early")
)

type stage struct {
	id   uint16
	name string
	dec  decoder
}

func (s *stage) String() string { return fmt.Sprintf("filter %d (%s)", s.id, s.name) }

func (s *stage) err(err error) error {
	if e := (*h5err.Error)(nil); errors.As(err, &e) {
		return err
	}
	var u unsupported
	if errors.As(err, &u) {
		return h5err.Wrap(h5err.Unsupported, err, "%v", s)
	}
	return h5err.Wrap(h5err.Corrupt, err, "%v", s)
}

// Pipeline is a chain of filters, in the order in which a writer applies them. It is immutable and safe for use by
// several goroutines at once.
type Pipeline struct {
	stages []stage
}

// New compiles the filters of a pipeline message. A filter that this package does not decode is an error of kind Unsupported
// with its number and name. Without filters, the pipeline copies.
//
// Invalid client data is an error of kind Corrupt, but only for chunks to which the filter was applied: the library can't apply
// such a filter either, and records that in the mask of the chunks.
func New(specs []Spec) (*Pipeline, error) {
	p, err := NewLazy(specs)
	if err == nil {
		err = p.Unsupported()
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// NewLazy is New for data whose writer may have lacked an optional filter: an unsupported filter, too, is an error only for
// chunks to which it was applied.
func NewLazy(specs []Spec) (*Pipeline, error) {
	if len(specs) > maxStages {
		return nil, h5err.New(h5err.Corrupt, "a pipeline of %d filters; at most %d are possible", len(specs), maxStages)
	}
	p := &Pipeline{stages: make([]stage, 0, len(specs))}
	for i := range specs {
		s := stage{id: specs[i].ID, name: nameOf(&specs[i])}
		var err error
		if e := lookup(s.id); e == nil || e.compile == nil {
			err = h5err.New(h5err.Unsupported, "%v is not implemented", &s)
		} else if s.dec, err = e.compile(specs[i].Values); err != nil {
			err = s.err(err)
		}
		if err != nil {
			s.dec = broken{err}
		}
		p.stages = append(p.stages, s)
	}
	return p, nil
}

// broken is a filter that can't be undone.
type broken struct{ err error }

func (broken) bound(n int) (int, bool) { return n, false }

func (b broken) decode(*State, []byte, []byte) (int, error) { return 0, b.err }

// Unsupported returns the error of the first filter that is not implemented, or nil if there is none.
func (p *Pipeline) Unsupported() error {
	for i := range p.stages {
		if b, ok := p.stages[i].dec.(broken); ok && h5err.Is(b.err, h5err.Unsupported) {
			return b.err
		}
	}
	return nil
}

// Len returns the number of filters.
func (p *Pipeline) Len() int { return len(p.stages) }

// Decode undoes the filters of one chunk, last to first, and fills dst with the result. If bit i of mask is set, filter i was
// not applied to this chunk; bits past the end of the pipeline are ignored. If the chunk does not decode to len(dst) bytes, the
// error has kind Corrupt, and the content of dst is undefined. src is not changed; it must not overlap dst.
func (p *Pipeline) Decode(st *State, dst, src []byte, mask uint32) error {
	n, err := p.decode(st, dst, src, mask, true)
	if err == nil && n != len(dst) {
		err = h5err.New(h5err.Corrupt, "a chunk decodes to %d bytes, not to %d", n, len(dst))
	}
	return err
}

// DecodeEither is Decode for a chunk that decodes to len(dst) bytes or, by some writers, to its first short bytes alone. It
// returns how many there are. With a short that is not less than len(dst), it is Decode.
func (p *Pipeline) DecodeEither(st *State, dst, src []byte, mask uint32, short int) (int, error) {
	err := p.Decode(st, dst, src, mask)
	if err == nil {
		return len(dst), nil
	}
	if short > 0 && short < len(dst) && h5err.Is(err, h5err.Corrupt) && p.Decode(st, dst[:short], src, mask) == nil {
		return short, nil
	}
	return 0, err
}

// DecodeUnknown undoes the filters of bytes whose decoded size is unknown but at most max, and returns the result in new
// memory.
func (p *Pipeline) DecodeUnknown(st *State, src []byte, mask uint32, max int) ([]byte, error) {
	if max < 0 {
		return nil, h5err.New(h5err.Argument, "negative size %d", max)
	}
	size := 4096
	if len(src) < math.MaxInt/8 {
		size += 4 * len(src)
	}
	// Decoding again into a larger buffer costs at most twice the work, and works with codecs that can't stop midway.
	for {
		size = min(size, max)
		dst := make([]byte, size)
		n, err := p.decode(st, dst, src, mask, false)
		if err == nil {
			return dst[:n:n], nil
		}
		if size == max || !errors.Is(err, errTooLong) {
			return nil, err
		}
		if size > math.MaxInt/4 {
			size = max
		}
		size *= 4
	}
}

// decode is Decode. exact means that the decoded size is known to be len(dst).
func (p *Pipeline) decode(st *State, dst, src []byte, mask uint32, exact bool) (int, error) {
	// Sizes between two stages, as the writer had them: the size before stage i is want[i].
	var want [maxStages]int
	first := -1
	// Filters enlarge their input only a little, however many there are.
	limit := 2*min(len(dst), math.MaxInt/4) + 1<<16
	n := len(dst)
	for i := range p.stages {
		if mask&(1<<i) != 0 {
			continue
		}
		if first < 0 {
			first = i
		}
		want[i] = n
		if !exact {
			want[i] = -n - 1
		}
		b, ok := p.stages[i].dec.bound(n)
		n, exact = b, exact && ok
		if n < 0 || n > limit {
			n, exact = limit, false
		}
	}
	cur := src
	for i := len(p.stages) - 1; i >= 0; i-- {
		if mask&(1<<i) != 0 {
			continue
		}
		s := &p.stages[i]
		if v, ok := s.dec.(viewer); ok {
			out, err := v.view(cur)
			if err != nil {
				return 0, s.err(err)
			}
			cur = out
			continue
		}
		size, known := want[i], true
		if size < 0 {
			size, known = -size-1, false
		}
		out := dst
		if i != first {
			out = st.between(size)
		}
		n, err := s.dec.decode(st, out, cur)
		if err != nil {
			return 0, s.err(err)
		}
		if known && n != size {
			return 0, s.err(corrupt(fmt.Sprintf("decodes to %d bytes, not to %d", n, size)))
		}
		if i == first {
			return n, nil
		}
		cur = out[:n]
	}
	if len(cur) > len(dst) {
		return 0, h5err.Wrap(h5err.Corrupt, errTooLong, "a chunk of %d bytes, %d expected", len(cur), len(dst))
	}
	return copy(dst, cur), nil
}
