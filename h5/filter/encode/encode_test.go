package encode_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// chunks are values of several kinds: each has n elements of a width.
func chunks(n, width int) map[string][]byte {
	r := rand.New(rand.NewPCG(uint64(n), uint64(width)))
	random, steps, text := make([]byte, n*width), make([]byte, n*width), make([]byte, n*width)
	for i := range n {
		var p [8]byte
		binary.LittleEndian.PutUint64(p[:], uint64(i*i/7))
		copy(steps[i*width:(i+1)*width], p[:])
	}
	for i := range random {
		random[i] = byte(r.Uint32())
		text[i] = "the quick brown fox "[r.IntN(20)]
		if i > 100 && r.IntN(9) > 0 {
			text[i] = text[i-1-r.IntN(100)]
		}
	}
	return map[string][]byte{"random": random, "steps": steps, "text": text, "zeros": make([]byte, n*width)}
}

// pipelines are the pipelines that are tested, for chunks of n elements of a width.
func pipelines(n, width int) map[string][]filter.Spec {
	w, size := uint32(width), uint32(n*width)
	all := map[string][]filter.Spec{
		"none":          nil,
		"shuffle":       {{ID: encode.Shuffle, Values: []uint32{w}}},
		"deflate":       {{ID: encode.Deflate, Values: []uint32{1}}},
		"deflate 0":     {{ID: encode.Deflate, Values: []uint32{0}}},
		"shuffled gzip": {{ID: encode.Shuffle, Values: []uint32{w}}, {ID: encode.Deflate, Values: []uint32{9}, Optional: true}},
		"fletcher32":    {{ID: encode.Fletcher32}},
		"four":          {{ID: encode.Shuffle, Values: []uint32{w}}, {ID: encode.LZF, Optional: true}, {ID: encode.Zstd, Optional: true}, {ID: encode.Fletcher32}},
		"lzf":           {{ID: encode.LZF}},
		"lz4":           {{ID: encode.LZ4}},
		"lz4 blocks":    {{ID: encode.LZ4, Values: []uint32{1000}}},
		"zstd":          {{ID: encode.Zstd, Values: []uint32{7}}},
		"bits":          {{ID: encode.Bitshuffle, Values: []uint32{0, 4, w}}},
		"bits lz4":      {{ID: encode.Bitshuffle, Values: []uint32{0, 4, w, 0, 2}}},
		"bits zstd":     {{ID: encode.Bitshuffle, Values: []uint32{0, 4, w, 128, 3, 3}}},
	}
	for _, c := range []uint32{1, 4, 5} {
		for s := range uint32(3) {
			all[fmt.Sprint("blosc ", c, s)] = []filter.Spec{{ID: encode.Blosc, Values: []uint32{2, 2, w, size, 5, s, c}}}
			all[fmt.Sprint("blosc2 ", c, s)] = []filter.Spec{{ID: encode.Blosc2, Values: []uint32{1, 0, w, size, 5, s, c}}}
		}
	}
	if width == 1 || width == 2 || width == 4 || width == 8 {
		for signed := range uint32(2) {
			for fill := range uint32(2) {
				v := make([]uint32, 20)
				copy(v, []uint32{2, 0, uint32(n), 0, w, signed, signed, fill})
				all[fmt.Sprint("scaleoffset ", signed, fill)] = []filter.Spec{{ID: encode.ScaleOffset, Values: v}}
			}
		}
	}
	return all
}

func TestRoundTrip(t *testing.T) {
	st, de := encode.NewState(), filter.NewState()
	defer st.Close()
	defer de.Close()
	counts := []int{1, 7, 8, 1000, 20001}
	if testing.Short() {
		counts[len(counts)-1] = 3001
	}
	for _, n := range counts {
		for _, width := range []int{1, 2, 3, 8} {
			values := chunks(n, width)
			for name, specs := range pipelines(n, width) {
				e, err := encode.New(specs)
				if err != nil {
					t.Fatal(name, err)
				}
				d, err := filter.New(specs)
				if err != nil {
					t.Fatal(name, err)
				}
				for kind, src := range values {
					roundTrip(t, fmt.Sprintf("%s, %d elements of %d bytes, %s", name, n, width, kind), e, d, st, de, src)
				}
			}
		}
	}
}

func roundTrip(t *testing.T, what string, e *encode.Encoder, d *filter.Pipeline, st *encode.State, de *filter.State, src []byte) {
	before := bytes.Clone(src)
	stored, mask, err := e.Encode(st, src)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !bytes.Equal(src, before) {
		t.Fatalf("%s: the values were changed", what)
	}
	got := make([]byte, len(src))
	if err := d.Decode(de, got, stored, mask); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !bytes.Equal(got, src) {
		t.Fatalf("%s: other values come back", what)
	}
	if len(src) < 1000 || len(src) > 20000 {
		return
	}
	fresh := encode.NewState()
	defer fresh.Close()
	if again, m, err := e.Encode(fresh, src); err != nil || m != mask || !bytes.Equal(again, stored) {
		t.Fatalf("%s: another result with a new state", what)
	}
}

// What is optional and does not help is left out; what must be applied is applied.
func TestOptional(t *testing.T) {
	st := encode.NewState()
	defer st.Close()
	src := chunks(1000, 4)["random"]
	for _, optional := range []bool{false, true} {
		e, err := encode.New([]filter.Spec{{ID: encode.Shuffle, Values: []uint32{4}, Optional: true}, {ID: encode.LZF, Optional: optional}})
		if err != nil {
			t.Fatal(err)
		}
		stored, mask, err := e.Encode(st, src)
		if err != nil || optional != (mask == 2) || optional != (len(stored) == len(src)) {
			t.Errorf("optional %v: %d bytes, mask %b, %v", optional, len(stored), mask, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		spec filter.Spec
		kind h5err.Kind
		text string
	}{
		{filter.Spec{ID: 4}, h5err.Unsupported, "filter 4 (szip) can be undone but not applied"},
		{filter.Spec{ID: 999, Name: "mine"}, h5err.Unsupported, "filter 999 (mine)"},
		{filter.Spec{ID: 2}, h5err.Argument, "no element size"},
		{filter.Spec{ID: 1, Values: []uint32{10}}, h5err.Argument, "level 10"},
		{filter.Spec{ID: 6, Values: make([]uint32, 20)}, h5err.Argument, "integers of 0 bytes"},
		{filter.Spec{ID: 6, Values: []uint32{0, 2, 9, 1, 4, 1, 0, 0}}, h5err.Unsupported, "not be stored exactly"},
		{filter.Spec{ID: 32001, Values: []uint32{2, 2, 4, 400, 5, 1, 0}}, h5err.Unsupported, "codec 0 inside"},
		{filter.Spec{ID: 32015, Values: []uint32{23}}, h5err.Argument, "level 23"},
		{filter.Spec{ID: 32008, Values: []uint32{0, 0, 4, 9}}, h5err.Argument, "blocks of 9 elements"},
	} {
		_, err := encode.New([]filter.Spec{tt.spec})
		if !h5err.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("filter %d: %v", tt.spec.ID, err)
		}
	}
}
