package check_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
	"github.com/h5arrow/h5arrow/h5/source"
)

// fixture reads a file of testdata, or one of the index packages.
func fixture(tb testing.TB, name string) []byte {
	tb.Helper()
	if !strings.HasSuffix(name, ".gz") {
		b, err := os.ReadFile(h5test.Fixture(tb, name))
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
	return h5test.Unpacked(tb, filepath.Join("..", "internal", "testdata", name))
}

func openBytes(tb testing.TB, b []byte) (*h5.File, error) {
	tb.Helper()
	src := source.FromReaderAt(bytes.NewReader(b), int64(len(b)), "x.h5")
	f, err := h5.NewFile(src)
	if err != nil {
		src.Release()
		return nil, err
	}
	tb.Cleanup(func() { f.Close() })
	return f, nil
}

// checkBytes checks a file in memory.
func checkBytes(tb testing.TB, b []byte, o check.Options) (errs []*h5err.Error, notes []string) {
	tb.Helper()
	f, err := openBytes(tb, b)
	if err != nil {
		var e *h5err.Error
		if !errors.As(err, &e) {
			tb.Fatal(err)
		}
		return []*h5err.Error{e}, nil
	}
	o.Note = func(n check.Note) { notes = append(notes, n.String()) }
	if _, err := check.File(context.Background(), f, o, func(err error) {
		var e *h5err.Error
		if !errors.As(err, &e) || e.File == "" {
			tb.Fatalf("error %v of type %T", err, err)
		}
		errs = append(errs, e)
	}); err != nil {
		tb.Fatal(err)
	}
	return errs, notes
}

type structure struct {
	off, n int64
	what   string
}

// structures lists what a file is made of.
func structures(tb testing.TB, b []byte) (all []structure) {
	tb.Helper()
	f, err := openBytes(tb, b)
	if err != nil {
		tb.Fatal(err)
	}
	seen := map[structure]bool{}
	watch, err := h5.Inspect(f, inspect.Observer{Structure: func(off, n int64, what string) {
		if s := (structure{off, n, what}); !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}})
	if err != nil {
		tb.Fatal(err)
	}
	defer watch.Close()
	if err := watch.File().Walk(func(o h5.Object) error {
		_, err := o.Attributes()
		if d, ok := o.(*h5.Dataset); ok && err == nil {
			_, err = d.Chunks()
		}
		return err
	}); err != nil {
		tb.Fatal(err)
	}
	return all
}

// find returns the first structure of a kind.
func find(tb testing.TB, b []byte, what string) structure {
	tb.Helper()
	for _, s := range structures(tb, b) {
		if s.what == what {
			return s
		}
	}
	tb.Fatalf("no %s", what)
	return structure{}
}

// resum makes a structure's checksum right again.
func resum(b []byte, s structure) {
	end := s.off + s.n
	binary.LittleEndian.PutUint32(b[end-4:], meta.Checksum(b[s.off:end-4]))
}

// guarded are the structures that have a checksum, by the start of their names.
var guarded = []string{"B-tree header", "B-tree leaf", "fractal heap header", "fractal heap indirect block", "fixed array", "extensible array",
	"shared message table", "object header continuation"}

// TestEveryChecksum changes a byte in the middle and one at the end of each structure that has a checksum. Each change is
// reported at its place.
func TestEveryChecksum(t *testing.T) {
	kinds := map[string]int{}
	for _, name := range []string{"new.h5", "shared.h5", "chunks_v2_filtered.h5.gz", "extensible_2.h5.gz", "fixed_2_filtered.h5.gz", "attrs_dense.h5.gz"} {
		sound := fixture(t, name)
		if errs, _ := checkBytes(t, sound, check.Options{}); len(errs) > 0 {
			t.Fatalf("%s: %v", name, errs)
		}
		per := map[string]int{}
		for _, s := range structures(t, sound) {
			sum := slices.ContainsFunc(guarded, func(g string) bool { return strings.HasPrefix(s.what, g) })
			if s.what == "object header" || s.what == "superblock" { // only the new ones
				sum = string(sound[s.off:s.off+4]) == "OHDR" || s.what == "superblock" && sound[s.off+8] >= 2
			}
			if per[s.what]++; !sum || per[s.what] > 4 {
				continue
			}
			kinds[s.what]++
			for _, at := range []int64{s.off + s.n/2, s.off + s.n - 1} {
				b := bytes.Clone(sound)
				b[at] ^= 0x10
				errs, _ := checkBytes(t, b, check.Options{})
				if !slices.ContainsFunc(errs, func(e *h5err.Error) bool {
					return e.Kind == h5err.Corrupt && e.Offset >= s.off && e.Offset < s.off+s.n && strings.Contains(e.Msg, "checksum")
				}) {
					t.Errorf("%s: byte %d of %s of %d bytes at %d: %v", name, at, s.what, s.n, s.off, errs)
				}
			}
		}
	}
	for _, what := range []string{"superblock", "object header", "object header continuation", "B-tree header", "B-tree leaf", "fractal heap header", "fractal heap indirect block",
		"fixed array header", "fixed array data block", "fixed array page", "extensible array header", "extensible array index block", "extensible array secondary block",
		"extensible array data block", "extensible array page", "shared message table"} {
		if kinds[what] == 0 {
			t.Errorf("no %s was changed: %v", what, kinds)
		}
	}
}

// TestSignatures changes the signature of each structure that has one, whether it has a checksum or not.
func TestSignatures(t *testing.T) {
	kinds := map[string]int{}
	for _, name := range []string{"old.h5", "new.h5", "shared.h5", "group_old.h5.gz", "links_dense.h5.gz", "heap_global.h5.gz"} {
		sound := fixture(t, name)
		for _, sig := range []string{"OHDR", "OCHK", "TREE", "SNOD", "HEAP", "GCOL", "BTHD", "BTIN", "BTLF", "FRHP", "FHDB", "FHIB", "FAHD", "FADB", "EAHD", "EAIB", "EASB", "EADB",
			"SMTB", "SMLI", "FSHD", "FSSE"} {
			n := 0
			for at := 0; ; at += 4 {
				i := bytes.Index(sound[at:], []byte(sig))
				if i < 0 || n == 3 {
					break
				}
				at += i
				b := bytes.Clone(sound)
				b[at+3] ^= 0x20
				errs, _ := checkBytes(t, b, check.Options{Deep: true})
				if !slices.ContainsFunc(errs, func(e *h5err.Error) bool { return e.Kind == h5err.Corrupt && e.Offset == int64(at) }) {
					t.Errorf("%s: %s at %d: %v", name, sig, at, errs)
				}
				n++
			}
			kinds[sig] += n
		}
	}
	for sig, n := range kinds {
		if n == 0 {
			t.Errorf("no %s was changed", sig)
		}
	}
}
