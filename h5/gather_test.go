package h5_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// slowFile is a Backend that counts how often a reader has to wait: one wait brings all blocks that were asked for until then.
type slowFile struct {
	data  []byte
	block int64
	blind bool // it is not a Holder
	here  map[int64]bool
	asked []int64
	waits int
}

func (s *slowFile) Hints() source.Hints { return source.Hints{MetadataBlock: s.block} }

func (s *slowFile) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	return s.ReadMetadata(ctx, p, off)
}

func (s *slowFile) ReadMetadata(_ context.Context, p []byte, off int64) (int, error) {
	if r := (source.Range{Off: off, Size: int64(len(p))}); !s.holds(r) {
		s.Expect([]source.Range{r})
		for _, i := range s.asked {
			s.here[i] = true
		}
		s.asked = nil
		s.waits++
	}
	return copy(p, s.data[off:]), nil
}

func (s *slowFile) Expect(ranges []source.Range) {
	for _, r := range ranges {
		for i := r.Off / s.block; i <= (r.Off+r.Size-1)/s.block; i++ {
			if !s.here[i] {
				s.asked = append(s.asked, i)
			}
		}
	}
}

func (s *slowFile) Paged(int64) {}

func (s *slowFile) holds(r source.Range) bool {
	for i := r.Off / s.block; i <= (r.Off+r.Size-1)/s.block; i++ {
		if !s.here[i] {
			return false
		}
	}
	return true
}

func (s *slowFile) Holds(r source.Range) bool { return !s.blind && s.holds(r) }

// TestWaits counts how often a reader waits for what leads to a dataset: once for a group's names and its nodes, and where only the
// names are not here, those of the groups in it come with them.
func TestWaits(t *testing.T) {
	data := h5test.Wide(200)
	waits := func(s *slowFile) int {
		s.data = data
		f, err := h5.NewFile(source.New(s, int64(len(data)), "slow.h5"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Lookup("/table/columns/c00150/data"); err != nil {
			t.Fatal(err)
		}
		return s.waits
	}
	if n := waits(&slowFile{block: 4096, here: map[int64]bool{}}); n > 7 {
		t.Errorf("%d waits for four groups", n)
	}
	head := int64(len(data))
	data = namesApart(data)
	names := func(blind bool) *slowFile {
		s := &slowFile{block: 4096, here: map[int64]bool{}, blind: blind}
		for i := range head / s.block {
			s.here[i] = true
		}
		return s
	}
	blind, sees := waits(names(true)), waits(names(false))
	if sees >= blind {
		t.Errorf("%d waits for names, %d without knowing what is here", sees, blind)
	}
}

// namesApart moves the names of each group to the end of a file with symbol tables, as they are where a group grew, and notes in the
// entries of groups where their names and nodes are, as libhdf5 does.
func namesApart(data []byte) []byte {
	le := binary.LittleEndian
	out := append(bytes.Clone(data), make([]byte, 4096)...)
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], []byte("HEAP\x00\x00\x00\x00"))
		if i < 0 {
			break
		}
		at += i
		n, from := le.Uint64(data[at+8:]), le.Uint64(data[at+24:])
		le.PutUint64(out[at+24:], uint64(len(out)))
		out = append(append(out, data[from:from+n]...), make([]byte, 4096)...)
	}
	for at := bytes.Index(data, []byte("SNOD\x01")); at >= 0; at++ { // entries of groups have a copy of what is in their headers
		for e := at + 8; e < at+8+40*int(le.Uint16(data[at+6:])); e += 40 {
			if h := le.Uint64(data[e+8:]); le.Uint16(data[h+16:]) == 0x11 {
				out[e+16] = 1
				copy(out[e+24:e+40], data[h+24:h+40])
			}
		}
		next := bytes.Index(data[at+1:], []byte("SNOD\x01"))
		if next < 0 {
			break
		}
		at += next
	}
	le.PutUint64(out[40:], uint64(len(out))) // the end of the file
	return out
}
