package write_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// memory is an output in memory.
type memory struct{ b []byte }

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if need := int(off) + len(p); need > len(m.b) {
		m.b = append(m.b, make([]byte, need-len(m.b))...)
	}
	return copy(m.b[off:], p), nil
}

// The bytes of a file do not depend on the number of workers, nor on how rows are divided.
func TestWorkers(t *testing.T) {
	const rows = 20000
	x, text := make([]byte, 8*rows), []string{}
	for i := range rows {
		binary.LittleEndian.PutUint64(x[8*i:], uint64(i*i))
		text = append(text, strings.Repeat("z", i%7))
	}
	var first []byte
	for _, workers := range []int{1, 2, 8} {
		out := &memory{}
		f, err := write.Create(out, write.WithWorkers(workers), write.WithMemory(64<<10))
		must(t, err)
		var numbers []*write.Dataset
		for _, filters := range [][]h5.Filter{nil, {{ID: encode.Shuffle}, {ID: encode.Zstd}}, {{ID: encode.Deflate}}, {{ID: encode.Blosc2}}} {
			d, err := f.Dataset("/x"+string(rune('a'+len(numbers))), write.Spec{Type: fixed(8, true), Space: write.Growing(write.Unknown), ChunkDims: []uint64{500}, Filters: filters})
			must(t, err)
			numbers = append(numbers, d)
		}
		s, err := f.Dataset("/s", write.Spec{Type: varString(), Space: write.Shape(write.Unknown), ChunkDims: []uint64{100}})
		must(t, err)
		for at := 0; at < rows; at += 2500 {
			for _, d := range numbers {
				for k := 0; k < 2500; k += 2500 / workers {
					must(t, d.Write(x[8*(at+k):8*(at+min(k+2500/workers, 2500))]))
				}
			}
			must(t, s.Write(texts(text[at:at+2500]...)))
		}
		must(t, f.Close())
		if first == nil {
			first = out.b
		} else if !bytes.Equal(out.b, first) {
			t.Errorf("%d workers: %d bytes that differ from the %d of one", workers, len(out.b), len(first))
		}
	}
}

// Raw data is aligned, from the start of the file.
func TestAlignment(t *testing.T) {
	name := filepath.Join(t.TempDir(), "aligned.h5")
	w, err := os.Create(name)
	must(t, err)
	f, err := write.Create(w, write.WithUserBlock(512, nil))
	must(t, err)
	for _, n := range []uint64{3, 100000, 5} {
		d, err := f.Dataset("/d"+string(rune('a'+n%26)), write.Spec{Type: fixed(1, false), Space: write.Shape(n)})
		must(t, err)
		must(t, d.Write(make([]byte, n)))
	}
	must(t, f.Close())
	w.Close()
	r, err := h5.Open(name)
	must(t, err)
	defer r.Close()
	must(t, r.Walk(func(o h5.Object) error {
		if d, ok := o.(*h5.Dataset); ok {
			l, err := d.Layout()
			must(t, err)
			want := int64(64)
			if l.Size >= 64<<10 {
				want = 4096
			}
			if l.Offset%want != 0 {
				t.Errorf("%s: %d bytes at %d", o.Path(), l.Size, l.Offset)
			}
		}
		return nil
	}))
}

// What can't be written is an error that says why, and nothing is allocated for it.
func TestRefused(t *testing.T) {
	f, err := write.Create(&memory{})
	must(t, err)
	defer f.Abandon()
	g := func(t *h5.Type) write.Spec { return write.Spec{Type: t, Space: write.Shape(1)} }
	deep := fixed(1, false)
	for range 100 {
		deep = &h5.Type{Class: h5.ClassArray, Size: 1, Dims: []uint64{1}, Base: deep}
	}
	huge := uint64(1) << 62
	for name, s := range map[string]write.Spec{
		"no type":               g(nil),
		"0 bytes":               g(&h5.Type{Class: h5.ClassFixed}),
		"huge element":          g(&h5.Type{Class: h5.ClassOpaque, Size: -1}),
		"bits":                  g(&h5.Type{Class: h5.ClassFixed, Size: 1, Precision: 9}),
		"deep":                  g(deep),
		"member outside":        g(&h5.Type{Class: h5.ClassCompound, Size: 4, Members: []h5.Member{{Name: "a", Offset: 3, Type: fixed(4, true)}}}),
		"no members":            g(&h5.Type{Class: h5.ClassCompound, Size: 4}),
		"enum values":           g(&h5.Type{Class: h5.ClassEnum, Size: 1, Base: fixed(1, false), Names: []string{"a"}}),
		"array overflow":        g(&h5.Type{Class: h5.ClassArray, Size: 1, Base: fixed(8, false), Dims: []uint64{huge, 4}}),
		"long tag":              g(&h5.Type{Class: h5.ClassOpaque, Size: 1, Tag: strings.Repeat("x", 300)}),
		"float without fields":  g(&h5.Type{Class: h5.ClassFloat, Size: 4, Precision: 32}),
		"class":                 g(&h5.Type{Class: 99, Size: 4}),
		"shape":                 {Type: fixed(8, true), Space: write.Shape(huge, huge)},
		"no space":              {Type: fixed(8, true)},
		"rank":                  {Type: fixed(8, true), Space: write.Shape(make([]uint64, 40)...)},
		"chunks of 0":           {Type: fixed(8, true), Space: write.Shape(4), ChunkDims: []uint64{0}},
		"huge chunks":           {Type: fixed(8, true), Space: write.Shape(4), ChunkDims: []uint64{1 << 31}},
		"rank of chunks":        {Type: fixed(8, true), Space: write.Shape(4), ChunkDims: []uint64{2, 2}},
		"filters in contiguous": {Type: fixed(8, true), Space: write.Shape(4), Filters: []h5.Filter{{ID: 1}}},
		"contiguous grows":      {Type: fixed(8, true), Space: write.Growing(4)},
		"compact too large":     {Type: fixed(8, true), Space: write.Shape(10000), Storage: h5.StorageCompact},
		"fill value":            {Type: fixed(8, true), Space: write.Shape(4), Fill: []byte{1}},
		"implicit chunks":       {Type: fixed(8, true), Space: write.Shape(1 << 40), ChunkDims: []uint64{1}, Index: h5.IndexImplicit},
	} {
		if _, err := f.Dataset("/"+name, s); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d, err := f.Dataset("/d", write.Spec{Type: varString(), Space: write.Shape(2)})
	must(t, err)
	for name, data := range map[string][]byte{
		"length":   {1, 0, 0, 0, 0, 0, 0, 0},
		"huge":     bytes.Repeat([]byte{255}, 16),
		"cut":      {1, 0, 0},
		"too many": texts("a", "b", "c"),
	} {
		if err := d.Write(data); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, path := range []string{"", "/", "/d", "/d/x", "/a\x00b"} {
		if _, err := f.Dataset(path, write.Spec{Type: fixed(1, true), Space: write.Shape()}); !h5err.Is(err, h5err.Argument) {
			t.Errorf("path %q: %v", path, err)
		}
	}
	must(t, f.Close())
}

// broken is an output that fails after some bytes.
type broken struct {
	memory
	left int
}

var errFull = errors.New("no space left on device")

func (b *broken) WriteAt(p []byte, off int64) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errFull
	}
	return b.memory.WriteAt(p, off)
}

// A full disk is an error, wherever it happens, and the file is not complete.
func TestFullDisk(t *testing.T) {
	whole := 1 << 30
	for left := whole; left >= 0; left = min(left, whole) - 97 {
		out := &broken{left: left}
		f, err := write.Create(out)
		must(t, err)
		d, err := f.Dataset("/a/x", write.Spec{Type: fixed(1, true), Space: write.Shape(2000), ChunkDims: []uint64{100}, Filters: []h5.Filter{{ID: encode.Fletcher32}}})
		must(t, err)
		werr := d.Write(make([]byte, 2000))
		cerr := f.Close()
		if left > whole || whole == 1<<30 {
			must(t, cerr)
			whole -= out.left // what is needed
			continue
		}
		if cerr == nil || !errors.Is(cerr, errFull) || !h5err.Is(cerr, h5err.IO) {
			t.Errorf("%d bytes of %d: %v, then %v", left, whole, werr, cerr)
		} else if bytes.HasPrefix(out.b, []byte("\x89HDF")) {
			t.Errorf("%d bytes: a superblock", left)
		}
	}
}

// An output that is not seekable is refused by name where sizes are not known.
func TestStreamRefuses(t *testing.T) {
	for name, s := range map[string]write.Spec{
		"filters": {Type: fixed(1, true), Space: write.Shape(4), ChunkDims: []uint64{4}, Filters: []h5.Filter{{ID: encode.Deflate}}},
		"text":    {Type: varString(), Space: write.Shape(1)},
	} {
		f, err := write.CreateStream(io.Discard)
		must(t, err)
		d, err := f.Dataset("/d", s)
		must(t, err)
		data := []byte{1, 2, 3, 4}
		if name == "text" {
			data = texts("a")
		}
		if err := d.Write(data); !h5err.Is(err, h5err.Unsupported) || !strings.Contains(err.Error(), "/d: ") {
			t.Errorf("%s: %v", name, err)
		}
		f.Abandon()
	}
}
