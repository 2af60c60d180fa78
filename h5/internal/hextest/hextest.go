// Package hextest reads bytes that tests write down in hex with comments, and golden files of such bytes.
//
// A golden file, testdata/NAME.hex, shows a small part of an HDF5 file field by field and, after a line of dashes, what
// reading it prints:
//
//	# A comment.
//	[header @40]                 a structure, and where it must start
//	'OHDR'        ; signature    bytes, and the name of the field
//	02
//	00**4         ; reserved     a byte, repeated
//	checksum      ; checksum     of all bytes of the structure before it
//	----
//	version 2
//
// With -update, tests write the second part again.
package hextest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

var update = flag.Bool("update", false, "write what golden files of hex expect again")

const dashes = "----\n"

// Bytes decodes hex. Text from // to the end of a line is comment, 'text' stands for its bytes, and **n after a byte repeats
// it n times. It panics if s is anything else.
func Bytes(s string) []byte {
	var out []byte
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "//")
		for _, word := range strings.Fields(line) {
			p, err := decode(word)
			if err != nil {
				panic("bytes of a test: " + word)
			}
			out = append(out, p...)
		}
	}
	return out
}

func decode(word string) ([]byte, error) {
	if strings.HasPrefix(word, "'") {
		return []byte(strings.Trim(word, "'")), nil
	}
	word, times, repeated := strings.Cut(word, "**")
	p, err := hex.DecodeString(word)
	if err != nil || !repeated {
		return p, err
	}
	n, err := strconv.Atoi(times)
	if err != nil {
		return nil, err
	}
	return bytes.Repeat(p, n), nil
}

// File is a golden file.
type File struct {
	Bytes []byte
	path  string
	text  string // of the bytes
	want  string // what reading them prints
	spans map[string]span
	sums  []span // from the start of a structure to its checksum
}

type span struct{ from, to int }

var twice = span{-1, -1} // marks a name of several fields

// Load reads testdata/name.hex.
func Load(tb testing.TB, name string) *File {
	tb.Helper()
	path := filepath.Join("testdata", name+".hex")
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	f := &File{path: path, spans: map[string]span{}}
	var ok bool
	if f.text, f.want, ok = strings.Cut(string(b), dashes); !ok {
		tb.Fatalf("%s has no line of dashes", path)
	}
	if err := f.parse(); err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return f
}

func (f *File) parse() error {
	structure, start := "", 0
	for line := range strings.Lines(f.text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] == '[':
			name, at, ok := strings.Cut(strings.Trim(line, "[]"), " @")
			if n, err := strconv.ParseInt(at, 16, 32); !ok || err != nil || int(n) != len(f.Bytes) {
				return fmt.Errorf("%s starts at %x", line, len(f.Bytes))
			}
			structure, start = name, len(f.Bytes)
			continue
		}
		words, field, _ := strings.Cut(line, ";")
		from := len(f.Bytes)
		for _, word := range strings.Fields(words) {
			if word == "checksum" {
				f.sums = append(f.sums, span{start, from})
				word = "00**4"
			}
			p, err := decode(word)
			if err != nil {
				return fmt.Errorf("line %q: %w", line, err)
			}
			f.Bytes = append(f.Bytes, p...)
		}
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		key := structure + ": " + field
		if _, ok := f.spans[key]; ok {
			f.spans[key] = twice
		} else {
			f.spans[key] = span{from, len(f.Bytes)}
		}
	}
	f.seal(f.Bytes)
	return nil
}

// seal writes the checksums.
func (f *File) seal(b []byte) {
	for _, s := range f.sums {
		binary.LittleEndian.PutUint32(b[s.to:], meta.Checksum(b[s.from:s.to]))
	}
}

// At returns the offset of a field, which is named "structure: field".
func (f *File) At(tb testing.TB, field string) int {
	tb.Helper()
	return f.span(tb, field).from
}

// Field returns the bytes of a field.
func (f *File) Field(tb testing.TB, field string) []byte {
	tb.Helper()
	s := f.span(tb, field)
	return f.Bytes[s.from:s.to]
}

func (f *File) span(tb testing.TB, field string) span {
	tb.Helper()
	s, ok := f.spans[field]
	if !ok || s == twice {
		tb.Fatalf("%s has no field %q, or several", f.path, field)
	}
	return s
}

// Patch returns a copy of the bytes with other values at the start of a field, and with checksums that fit unless it is a
// checksum that was changed.
func (f *File) Patch(tb testing.TB, field string, v ...byte) []byte {
	tb.Helper()
	s := f.span(tb, field)
	if len(v) > s.to-s.from {
		tb.Fatalf("%s: %d bytes for field %q of %d", f.path, len(v), field, s.to-s.from)
	}
	b := bytes.Clone(f.Bytes)
	copy(b[s.from:], v)
	f.seal(b)
	for _, sum := range f.sums {
		if sum.to == s.from {
			copy(b[s.from:], v)
		}
	}
	return b
}

// Check compares what reading the bytes printed with what the file expects.
func (f *File) Check(tb testing.TB, got string) {
	tb.Helper()
	if *update {
		if err := os.WriteFile(f.path, []byte(f.text+dashes+got), 0o666); err != nil {
			tb.Fatal(err)
		}
		return
	}
	if got != f.want {
		tb.Errorf("%s: reading the bytes prints\n%s\nwant\n%s", f.path, got, f.want)
	}
}
