// Package encode applies HDF5's chunk filters. It is the counterpart of package filter, which undoes them.
//
// An [Encoder] is compiled once from a dataset's filter pipeline and may be shared by any number of goroutines. What changes
// while encoding is in a [State], one per worker. The result depends on nothing but the values and the filters.
package encode

import (
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Numbers of filters (HDF5 File Format Specification, IV.A.2.l, and The HDF Group's list of registered filters).
const (
	Deflate     = 1
	Shuffle     = 2
	Fletcher32  = 3
	ScaleOffset = 6
	LZF         = 32000
	Blosc       = 32001
	LZ4         = 32004
	Bitshuffle  = 32008
	Zstd        = 32015
	Blosc2      = 32026
)

// codec applies one filter. Implementations are immutable: all that changes is in State.
type codec interface {
	// encode appends the encoded form of src to dst, which is empty and does not overlap it.
	encode(st *State, dst, src []byte) ([]byte, error)
}

type stage struct {
	codec
	name     string
	optional bool // skipped for chunks that it does not make smaller
}

// Encoder is a chain of filters. It is immutable and safe for use by several goroutines at once.
type Encoder struct {
	stages []stage
}

// kinds are the filters that can be applied, by their numbers.
var kinds = map[uint16]struct {
	compile    func(values []uint32) (codec, error)
	compresses bool
}{
	Deflate:     {newDeflate, true},
	Shuffle:     {newShuffle, false},
	Fletcher32:  {newFletcher32, false},
	ScaleOffset: {newScaleOffset, false},
	LZF:         {newLZF, true},
	Blosc:       {newBlosc, true},
	LZ4:         {newLZ4, true},
	Bitshuffle:  {newBitshuffle, true},
	Zstd:        {newZstd, true},
	Blosc2:      {newBlosc2, true},
}

// New compiles the filters of a pipeline. A filter that this package can't apply is an error of kind Unsupported with its number
// and name; invalid client data is one of kind Argument.
func New(specs []filter.Spec) (*Encoder, error) {
	if len(specs) > 32 {
		return nil, h5err.New(h5err.Argument, "%d filters; at most 32 are possible", len(specs))
	}
	e := &Encoder{}
	for _, s := range specs {
		k, ok := kinds[s.ID]
		name := filter.Name(s.ID)
		if name == "" {
			name = s.Name
		}
		if !ok {
			return nil, h5err.New(h5err.Unsupported, "filter %d (%s) can be undone but not applied", s.ID, name)
		}
		c, err := k.compile(s.Values)
		if err != nil {
			kind := h5err.Argument
			if h5err.Is(err, h5err.Unsupported) {
				kind = h5err.Unsupported
			}
			return nil, h5err.Wrap(kind, err, "filter %d (%s)", s.ID, name)
		}
		e.stages = append(e.stages, stage{c, name, s.Optional && k.compresses})
	}
	return e, nil
}

// Len returns the number of filters.
func (e *Encoder) Len() int { return len(e.stages) }

// Encode applies the filters to a chunk, first to last. The result is valid until the next call with the same state; without
// filters it is src. If bit i of mask is set, filter i was not applied, because it is optional and would have made the chunk no
// smaller.
func (e *Encoder) Encode(st *State, src []byte) (stored []byte, mask uint32, err error) {
	for i := range e.stages {
		s := &e.stages[i]
		out, err := s.encode(st, st.between(len(src) + len(src)/8 + 128)[:0], src)
		if err != nil {
			return nil, 0, h5err.Wrap(h5err.KindOf(err), err, "filter %s", s.name)
		}
		st.keep(out)
		if s.optional && len(out) >= len(src) {
			mask |= 1 << i
			st.turn ^= 1 // src may be in the other buffer
			continue
		}
		src = out
	}
	return src, mask, nil
}
