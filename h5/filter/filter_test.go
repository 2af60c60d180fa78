package filter

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// fixture is a chunk as the HDF5 library stores it, and what it reads from it: see testdata/make.py.
type fixture struct {
	Family  string
	Name    string
	Filters []Spec
	Mask    uint32
	Encoded []byte
	Data    string
	decoded []byte
}

func fixtures(t testing.TB) []fixture {
	t.Helper()
	names, err := filepath.Glob("testdata/*.json.gz")
	if err != nil || len(names) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	var all []fixture
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var family struct {
			Data  map[string][]byte
			Cases []fixture
		}
		if err := json.NewDecoder(z).Decode(&family); err != nil {
			t.Fatal(err)
		}
		f.Close()
		for _, c := range family.Cases {
			r, err := zlib.NewReader(bytes.NewReader(family.Data[c.Data]))
			if err != nil {
				t.Fatal(err)
			}
			if c.decoded, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
			c.Family = strings.TrimSuffix(filepath.Base(name), ".json.gz")
			all = append(all, c)
		}
	}
	return all
}

func TestFixtures(t *testing.T) {
	st := NewState()
	defer st.Close()
	for _, c := range fixtures(t) {
		t.Run(c.Family+"/"+c.Name, func(t *testing.T) {
			p, err := New(c.Filters)
			if err != nil {
				t.Fatal(err)
			}
			src := bytes.Clone(c.Encoded)
			dst := bytes.Repeat([]byte{0xa5}, len(c.decoded)+64)
			if err := p.Decode(st, dst[:len(c.decoded):len(c.decoded)], src, c.Mask); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(dst[:len(c.decoded)], c.decoded) {
				t.Fatalf("%v: other bytes, first at %d of %d", c.Filters, firstDifference(dst, c.decoded), len(c.decoded))
			}
			if bytes.Count(dst[len(c.decoded):], []byte{0xa5}) != 64 {
				t.Fatal("bytes after the destination were written")
			}
			if !bytes.Equal(src, c.Encoded) {
				t.Fatal("the source was written")
			}
			// Bits past the end of the pipeline are ignored.
			if err := p.Decode(st, dst[:len(c.decoded)], c.Encoded, c.Mask|^uint32(1<<len(c.Filters)-1)); err != nil {
				t.Fatal(err)
			}
			got, err := p.DecodeUnknown(st, c.Encoded, c.Mask, len(c.decoded)+len(c.decoded)/2)
			if err != nil || !bytes.Equal(got, c.decoded) {
				t.Fatalf("size not known: %d bytes, %v", len(got), err)
			}
		})
	}
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// TestOtherSizes asks for one byte more and less, for half and twice as much.
func TestOtherSizes(t *testing.T) {
	st := NewState()
	defer st.Close()
	for _, c := range fixtures(t) {
		p, err := New(c.Filters)
		if err != nil {
			t.Fatal(err)
		}
		n := len(c.decoded)
		for _, size := range []int{0, n / 2, n - 1, n + 1, 2*n + 8} {
			if size == n {
				continue
			}
			if err := p.Decode(st, make([]byte, size), c.Encoded, c.Mask); !h5err.Is(err, h5err.Corrupt) {
				t.Errorf("%s/%s: %d bytes into %d: %v", c.Family, c.Name, n, size, err)
			}
		}
		if got, err := p.DecodeUnknown(st, c.Encoded, c.Mask, n-1); !h5err.Is(err, h5err.Corrupt) {
			t.Errorf("%s/%s: size not known, at most %d of %d: %d bytes, %v", c.Family, c.Name, n-1, n, len(got), err)
		}
	}
}

// TestCut decodes prefixes of each chunk. They must not decode to the data, unless the missing part has no meaning.
func TestCut(t *testing.T) {
	st := NewState()
	defer st.Close()
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range fixtures(t) {
		p, err := New(c.Filters)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, len(c.decoded))
		n := len(c.Encoded)
		for _, cut := range []int{0, 1, 2, 3, 4, 8, 12, 16, n / 2, n - 9, n - 5, n - 2, n - 1, r.IntN(n), r.IntN(n), r.IntN(n)} {
			if cut < 0 || cut >= n {
				continue
			}
			clear(dst)
			err := p.Decode(st, dst, c.Encoded[:cut], c.Mask)
			if err == nil && !bytes.Equal(dst, c.decoded) {
				t.Fatalf("%s/%s: %d of %d bytes decode", c.Family, c.Name, cut, n)
			}
			if err != nil && !h5err.Is(err, h5err.Corrupt) {
				t.Fatalf("%s/%s: %d of %d bytes: %v", c.Family, c.Name, cut, n, err)
			}
		}
	}
}

// TestFlipped decodes chunks with changed bytes: whatever comes out, nothing else may happen.
func TestFlipped(t *testing.T) {
	st := NewState()
	defer st.Close()
	r := rand.New(rand.NewPCG(2, 2))
	rounds := 60
	if underRace {
		rounds = 6
	}
	for _, c := range fixtures(t) {
		p, err := New(c.Filters)
		if err != nil {
			t.Fatal(err)
		}
		dst := bytes.Repeat([]byte{0xa5}, len(c.decoded)+32)
		for k := range rounds {
			src := bytes.Clone(c.Encoded)
			for range k%3 + 1 {
				at := r.IntN(len(src))
				if k%2 == 0 {
					at = r.IntN(min(len(src), 120)) // heads
				}
				src[at] = byte(r.Uint32())
			}
			p.Decode(st, dst[:len(c.decoded):len(c.decoded)], src, c.Mask)
			if bytes.Count(dst[len(c.decoded):], []byte{0xa5}) != 32 {
				t.Fatalf("%s/%s: bytes after the destination were written", c.Family, c.Name)
			}
		}
	}
}

func TestGarbage(t *testing.T) {
	st := NewState()
	defer st.Close()
	r := rand.New(rand.NewPCG(3, 3))
	seen := map[string]bool{}
	for _, c := range fixtures(t) {
		key := fmt.Sprint(c.Filters)
		if seen[key] || c.Mask != 0 {
			continue
		}
		seen[key] = true
		p, err := New(c.Filters)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, len(c.decoded))
		for range 50 {
			src := make([]byte, 50)
			for i := range src {
				src[i] = byte(r.Uint32())
			}
			err := p.Decode(st, dst, src, 0)
			if err == nil && len(dst) > 60 && !sizeOnly(c.Filters) {
				t.Fatalf("%v: garbage decodes to %d bytes", c.Filters, len(dst))
			}
			if err != nil && !h5err.Is(err, h5err.Corrupt) {
				t.Fatalf("%v: %v", c.Filters, err)
			}
		}
	}
}

// sizeOnly reports whether any bytes decode if there are enough of them.
func sizeOnly(specs []Spec) bool {
	for _, s := range specs {
		if s.ID != 2 && s.ID != 5 {
			return false
		}
	}
	return true
}

func TestEmpty(t *testing.T) {
	for _, p := range []*Pipeline{new(Pipeline), pipeline(t)} {
		dst := make([]byte, 5)
		if err := p.Decode(NewState(), dst, []byte("abcde"), 0); err != nil || string(dst) != "abcde" {
			t.Errorf("%q, %v", dst, err)
		}
		for _, src := range []string{"", "abcd", "abcdef"} {
			if err := p.Decode(NewState(), dst, []byte(src), ^uint32(0)); !h5err.Is(err, h5err.Corrupt) {
				t.Errorf("%d bytes, not to 5: %v", len(src), err)
			}
		}
		if p.Len() != 0 {
			t.Error("an empty pipeline has filters")
		}
	}
}

func pipeline(t testing.TB, specs ...Spec) *Pipeline {
	t.Helper()
	p, err := New(specs)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMask(t *testing.T) {
	// All filters are skipped: the bytes are copied.
	p := pipeline(t, Spec{ID: 2, Values: []uint32{4}}, Spec{ID: 1}, Spec{ID: 3})
	dst := make([]byte, 8)
	if err := p.Decode(NewState(), dst, []byte("abcdefgh"), 7); err != nil || string(dst) != "abcdefgh" {
		t.Errorf("%q, %v", dst, err)
	}
	if err := p.Decode(NewState(), dst, []byte("abcdefgh"), 6); err != nil || string(dst) != "acegbdfh" {
		t.Errorf("%q, %v", dst, err)
	}
}

func TestNew(t *testing.T) {
	many := make([]Spec, 33)
	for i := range many {
		many[i].ID = 1
	}
	for _, c := range []struct {
		specs []Spec
		kind  h5err.Kind
		text  string
	}{
		{[]Spec{{ID: 32013}}, h5err.Unsupported, "filter 32013 (zfp) is not implemented"},
		{[]Spec{{ID: 1}, {ID: 32017, Name: "SZ compressor"}}, h5err.Unsupported, "filter 32017 (sz)"},
		{[]Spec{{ID: 405, Name: "my\nfilter"}}, h5err.Unsupported, `filter 405 ("my\nfilter")`},
		{[]Spec{{ID: 500}}, h5err.Unsupported, "filter 500 (not registered)"},
		{[]Spec{{ID: 0}}, h5err.Unsupported, "filter 0"},
		{many, h5err.Corrupt, "33 filters"},
		{[]Spec{{ID: 2}}, h5err.Corrupt, "filter 2 (shuffle)"},
		{[]Spec{{ID: 2, Values: []uint32{0}}}, h5err.Corrupt, "element size"},
		{[]Spec{{ID: 4, Values: []uint32{0, 8, 8}}}, h5err.Corrupt, "client data"},
		{[]Spec{{ID: 4, Values: []uint32{0, 7, 8, 8}}}, h5err.Corrupt, "block"},
		{[]Spec{{ID: 4, Values: []uint32{0, 8, 8, 0}}}, h5err.Corrupt, "scan line"},
		{[]Spec{{ID: 4, Values: []uint32{0, 8, 33, 8}}}, h5err.Corrupt, "bits"},
		{[]Spec{{ID: 5}}, h5err.Corrupt, "client data"},
		{[]Spec{{ID: 5, Values: []uint32{8, 0, 1, 1, 4, 0, 33, 0}}}, h5err.Corrupt, "precision"},
		{[]Spec{{ID: 5, Values: []uint32{8, 0, 1, 1, 4, 0, 16, 17}}}, h5err.Corrupt, "precision"},
		{[]Spec{{ID: 5, Values: []uint32{8, 0, 1, 1, 0, 0, 16, 17}}}, h5err.Corrupt, "size"},
		{[]Spec{{ID: 5, Values: []uint32{8, 0, 1, 3, 4, 1, 1, 1, 4, 0, 8, 0}}}, h5err.Corrupt, "member"},
		{[]Spec{{ID: 5, Values: []uint32{8, 0, 1, 9, 4}}}, h5err.Corrupt, "kind"},
		{[]Spec{{ID: 5, Values: append([]uint32{100, 0, 1}, bytesOf(2, 200)...)}}, h5err.Corrupt, "types nested too deeply"},
		{[]Spec{{ID: 6}}, h5err.Corrupt, "client data"},
		{[]Spec{{ID: 6, Values: []uint32{1, 0, 1, 1, 4, 0, 0, 0}}}, h5err.Unsupported, "fixed number of bits"},
		{[]Spec{{ID: 6, Values: []uint32{2, 0, 1, 0, 3, 0, 0, 0}}}, h5err.Corrupt, "size of values"},
		{[]Spec{{ID: 6, Values: []uint32{2, 0, 1, 0, 4, 0, 0, 1}}}, h5err.Corrupt, "client data"},
		{[]Spec{{ID: 32008, Values: []uint32{0, 3, 0}}}, h5err.Corrupt, "element size"},
		{[]Spec{{ID: 32008, Values: []uint32{0, 3, 4, 12}}}, h5err.Corrupt, "block size"},
		{[]Spec{{ID: 32008, Values: []uint32{0, 3, 4, 8, 9}}}, h5err.Unsupported, "compression"},
	} {
		p, err := New(c.specs)
		if c.kind == h5err.Corrupt && len(c.specs) == 1 {
			// Only for chunks to which it was applied.
			if err != nil {
				t.Errorf("%v: %v", c.specs, err)
				continue
			}
			if err := p.Decode(NewState(), make([]byte, 1), make([]byte, 1), 1); err != nil {
				t.Errorf("%v, not applied: %v", c.specs, err)
			}
			err, p = p.Decode(NewState(), make([]byte, 100), make([]byte, 100), 0), nil
		}
		if p != nil || !h5err.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v: %v", c.specs, err)
		}
	}
}

func bytesOf(v uint32, n int) []uint32 {
	b := make([]uint32, n)
	for i := range b {
		b[i] = v
	}
	return b
}

func TestLazy(t *testing.T) {
	p, err := NewLazy([]Spec{{ID: 2, Values: []uint32{2}}, {ID: 32013, Optional: true}})
	if err != nil {
		t.Fatal(err)
	}
	if !h5err.Is(p.Unsupported(), h5err.Unsupported) {
		t.Error("nothing is unsupported")
	}
	dst := make([]byte, 4)
	if err := p.Decode(NewState(), dst, []byte("acbd"), 2); err != nil || string(dst) != "abcd" {
		t.Errorf("%q, %v", dst, err)
	}
	if err := p.Decode(NewState(), dst, []byte("acbd"), 0); !h5err.Is(err, h5err.Unsupported) {
		t.Error(err)
	}
	if _, err := p.DecodeUnknown(NewState(), []byte("acbd"), 0, 4); !h5err.Is(err, h5err.Unsupported) {
		t.Error(err)
	}
	if _, err := NewLazy(make([]Spec, 33)); !h5err.Is(err, h5err.Corrupt) {
		t.Error(err)
	}
	if err := pipeline(t, Spec{ID: 1}).Unsupported(); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for i := 1; i < len(known); i++ {
		if known[i].id <= known[i-1].id {
			t.Errorf("%d comes after %d", known[i].id, known[i-1].id)
		}
	}
	for _, c := range []struct {
		id        uint16
		name      string
		supported bool
	}{{1, "deflate", true}, {32001, "blosc", true}, {32013, "zfp", false}, {7, "", false}} {
		if Name(c.id) != c.name || implemented(c.id) != c.supported {
			t.Errorf("%d: %q, %v", c.id, Name(c.id), implemented(c.id))
		}
	}
}

// TestBomb decodes streams that would fill a thousand times the room they have.
func TestBomb(t *testing.T) {
	var z bytes.Buffer
	w, _ := zlib.NewWriterLevel(&z, 9)
	w.Write(make([]byte, 1<<24))
	w.Close()
	st := NewState()
	defer st.Close()
	dst := make([]byte, 400)
	for _, p := range []*Pipeline{pipeline(t, Spec{ID: 1}), pipeline(t, Spec{ID: 2, Values: []uint32{4}}, Spec{ID: 1}), pipeline(t, Spec{ID: 1}, Spec{ID: 1})} {
		if err := p.Decode(st, dst, z.Bytes(), 0); !errors.Is(err, errTooLong) {
			t.Error(err)
		}
	}
	if n := cap(st.stages[0]) + cap(st.stages[1]); n > 1<<18 {
		t.Errorf("%d bytes were set aside for a chunk of %d", n, len(dst))
	}
	if _, err := pipeline(t, Spec{ID: 1}).DecodeUnknown(st, z.Bytes(), 0, 1<<20); !h5err.Is(err, h5err.Corrupt) {
		t.Error(err)
	}
	// The results between filters stay small, however many filters there are.
	specs := make([]Spec, 32)
	for i := range specs {
		specs[i] = Spec{ID: 32004, Values: []uint32{1}}
	}
	st = NewState()
	if err := pipeline(t, specs...).Decode(st, dst, z.Bytes(), 0); !h5err.Is(err, h5err.Corrupt) {
		t.Error(err)
	}
	if n := cap(st.stages[0]) + cap(st.stages[1]); n > 1<<18 {
		t.Errorf("%d bytes were set aside for a chunk of %d", n, len(dst))
	}
}

func TestFletcher32Swapped(t *testing.T) {
	for _, c := range fixtures(t) {
		if c.Family != "chain" || !strings.HasPrefix(c.Name, "fletcher32 of ") {
			continue
		}
		p := pipeline(t, c.Filters...)
		n := len(c.Encoded) - 4
		dst, src := make([]byte, n), bytes.Clone(c.Encoded)
		src[n], src[n+1], src[n+2], src[n+3] = src[n+1], src[n], src[n+3], src[n+2]
		if err := p.Decode(NewState(), dst, src, 0); err != nil {
			t.Errorf("%s: sum of an old library: %v", c.Name, err)
		}
		src = bytes.Clone(c.Encoded)
		src[n/2] ^= 0x10
		if err := p.Decode(NewState(), dst, src, 0); !h5err.Is(err, h5err.Corrupt) || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("%s: a changed byte: %v", c.Name, err)
		}
	}
	if err := pipeline(t, Spec{ID: 3}).Decode(NewState(), nil, []byte("abc"), 0); !h5err.Is(err, h5err.Corrupt) {
		t.Error(err)
	}
}

// TestAllocs decodes each fixture again and again with one state.
func TestAllocs(t *testing.T) {
	st := NewState()
	defer st.Close()
	seen := map[string]bool{}
	for _, c := range fixtures(t) {
		key := fmt.Sprint(c.Filters)
		if seen[key] {
			continue
		}
		seen[key] = true
		p := pipeline(t, c.Filters...)
		dst := make([]byte, len(c.decoded))
		if n := testing.AllocsPerRun(20, func() {
			if err := p.Decode(st, dst, c.Encoded, c.Mask); err != nil {
				t.Fatal(err)
			}
		}); n > 0 && !underRace {
			t.Errorf("%s/%s: %v allocations", c.Family, c.Name, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	all := fixtures(f)
	var pipelines []*Pipeline
	index := map[string]int{}
	for _, c := range all {
		key := fmt.Sprint(c.Filters)
		if _, ok := index[key]; !ok {
			index[key] = len(pipelines)
			pipelines = append(pipelines, pipeline(f, c.Filters...))
		}
		if len(c.Encoded) < 2000 {
			f.Add(index[key], c.Encoded, len(c.decoded))
		}
	}
	f.Fuzz(func(t *testing.T, which int, src []byte, size int) {
		if which < 0 || size < 0 || size > 1<<18 {
			return
		}
		p := pipelines[which%len(pipelines)]
		st := NewState()
		defer st.Close()
		dst := bytes.Repeat([]byte{0xa5}, size+32)
		in := bytes.Clone(src)
		err := p.Decode(st, dst[:size:size], in, 0)
		if bytes.Count(dst[size:], []byte{0xa5}) != 32 {
			t.Fatal("bytes after the destination were written")
		}
		if !bytes.Equal(in, src) {
			t.Fatal("the source was written")
		}
		if err != nil && !h5err.Is(err, h5err.Corrupt) && !h5err.Is(err, h5err.Unsupported) {
			t.Fatal(err)
		}
		if err == nil {
			again := make([]byte, size)
			if err := p.Decode(st, again, in, 0); err != nil || !bytes.Equal(again, dst[:size]) {
				t.Fatalf("another result the second time: %v", err)
			}
		}
		total := 0
		for _, b := range st.stages {
			total += cap(b)
		}
		for _, b := range st.tmp {
			total += cap(b)
		}
		if total > 160*(size+len(src))+1<<22 {
			t.Fatalf("%d bytes were set aside for %d bytes from %d", total, size, len(src))
		}
	})
}

// implemented reports whether a filter can be decoded.
func implemented(id uint16) bool {
	e := lookup(id)
	return e != nil && e.compile != nil
}

// FuzzNew compiles client data and decodes with what comes out.
func FuzzNew(f *testing.F) {
	for _, c := range fixtures(f) {
		for _, s := range c.Filters {
			if s.ID < 7 || s.ID == 32008 {
				var b []byte
				for _, v := range s.Values {
					b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
				}
				f.Add(s.ID, b, c.Encoded[:min(len(c.Encoded), 500)], len(c.decoded))
			}
		}
	}
	f.Fuzz(func(t *testing.T, id uint16, values, src []byte, size int) {
		if size < 0 || size > 1<<16 {
			return
		}
		s := Spec{ID: id}
		for ; len(values) >= 4; values = values[4:] {
			s.Values = append(s.Values, uint32(values[0])|uint32(values[1])<<8|uint32(values[2])<<16|uint32(values[3])<<24)
		}
		p, err := New([]Spec{s})
		if err == nil {
			err = p.Decode(NewState(), make([]byte, size), src, 0)
		}
		if err != nil && !h5err.Is(err, h5err.Corrupt) && !h5err.Is(err, h5err.Unsupported) {
			t.Fatal(err)
		}
	})
}
