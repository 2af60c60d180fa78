// Package indextest provides fixtures for the tests of the index packages: small HDF5 files written by h5py, and what h5py reads
// from them. See testdata/make.py.
package indextest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// File is a fixture.
type File struct {
	Name string
	Data []byte
	R    *meta.Reader
	Want Want
}

// Want is the content of a fixture.
type Want struct {
	OffsetSize int            `json:"offset_size"`
	LengthSize int            `json:"length_size"`
	Links      map[string]any // float64: an address, string: a soft link's target
	Chunks     []Chunk
	Attributes map[string][2]int // value and number of its bytes
	Words      []string
}

// Chunk is one allocated chunk.
type Chunk struct {
	Number uint64   // in arrays
	Offset []uint64 // in other indexes
	Addr   uint64
	Size   uint64
	Mask   uint32
}

// UnmarshalJSON reads [number or offsets, address, size, mask].
func (c *Chunk) UnmarshalJSON(p []byte) error {
	var where json.RawMessage
	if err := json.Unmarshal(p, &[]any{&where, &c.Addr, &c.Size, &c.Mask}); err != nil {
		return err
	}
	if where[0] == '[' {
		return json.Unmarshal(where, &c.Offset)
	}
	return json.Unmarshal(where, &c.Number)
}

func unpack(name string) ([]byte, error) {
	f, err := os.Open(filepath.Join("..", "testdata", name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

var expected = sync.OnceValues(func() (map[string]Want, error) {
	p, err := unpack("expected.json.gz")
	if err != nil {
		return nil, err
	}
	var w map[string]Want
	return w, json.Unmarshal(p, &w)
})

// Names returns the fixtures whose names start with one of the prefixes: at least one for each.
func Names(tb testing.TB, prefixes ...string) []string {
	tb.Helper()
	all, err := expected()
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, p := range prefixes {
		n := len(out)
		for name := range all {
			if strings.HasPrefix(name, p) {
				out = append(out, name)
			}
		}
		if len(out) == n {
			tb.Fatalf("no fixture starts with %q", p)
		}
	}
	return out
}

// Load reads a fixture.
func Load(tb testing.TB, name string) *File {
	tb.Helper()
	all, err := expected()
	if err != nil {
		tb.Fatal(err)
	}
	w, ok := all[name]
	if !ok {
		tb.Fatalf("nothing is expected of fixture %q", name)
	}
	data, err := unpack(name + ".h5.gz")
	if err != nil {
		tb.Fatal(err)
	}
	return &File{Name: name, Data: data, R: Reader(data, w.OffsetSize, w.LengthSize), Want: w}
}

// Reader returns a reader of a file in memory.
func Reader(data []byte, offsetSize, lengthSize int) *meta.Reader {
	r := meta.NewReader(bytes.NewReader(data), int64(len(data)), meta.Limits{})
	r.OffsetSize, r.LengthSize = offsetSize, lengthSize
	return r
}

// All returns the addresses of all structures that start with a signature and that ok, unless nil, accepts.
func (f *File) All(sig string, ok func(p []byte) bool) []uint64 {
	var out []uint64
	for at := 0; ; at++ {
		i := bytes.Index(f.Data[at:], []byte(sig))
		if i < 0 {
			return out
		}
		if at += i; ok == nil || len(f.Data)-at >= 16 && ok(f.Data[at:]) {
			out = append(out, uint64(at))
		}
	}
}

// Find returns the one address that All finds.
func (f *File) Find(tb testing.TB, sig string, ok func(p []byte) bool) uint64 {
	tb.Helper()
	all := f.All(sig, ok)
	if len(all) != 1 {
		tb.Fatalf("%s: %d structures of signature %q, 1 expected", f.Name, len(all), sig)
	}
	return all[0]
}

// RootV1 returns the address of the version 1 B-tree of a node type that has the most levels.
func (f *File) RootV1(tb testing.TB, typ byte) uint64 {
	tb.Helper()
	level := -1
	for _, a := range f.All("TREE", func(p []byte) bool { return p[4] == typ }) {
		level = max(level, int(f.Data[a+5]))
	}
	return f.Find(tb, "TREE", func(p []byte) bool { return p[4] == typ && int(p[5]) == level })
}
