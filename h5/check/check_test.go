package check_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// run checks a file and returns the errors.
func run(t testing.TB, path string, o check.Options) ([]*h5err.Error, check.Counts) {
	t.Helper()
	f, err := h5.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []*h5err.Error
	counts, err := check.File(context.Background(), f, o, func(err error) {
		var e *h5err.Error
		if !errors.As(err, &e) {
			t.Errorf("error of type %T: %v", err, err)
			return
		}
		if e.File == "" {
			t.Errorf("no file is named: %v", err)
		}
		out = append(out, e)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, counts
}

func TestSoundFiles(t *testing.T) {
	for _, path := range h5test.Fixtures(t) {
		for _, deep := range []bool{false, true} {
			errs, counts := run(t, path, check.Options{Deep: deep})
			for _, e := range errs {
				// One dataset's external storage is missing on purpose.
				if e.Kind != h5err.IO || filepath.Base(path) != "external.h5" || e.Object != "/missing" || !deep {
					t.Errorf("deep %v: %v", deep, e)
				}
			}
			if counts.Groups == 0 || counts.Datasets == 0 || counts.Chunks > 0 && !deep {
				t.Errorf("%s: %+v", path, counts)
			}
		}
	}
}

// spoiled returns a copy of a test file after something was done to its bytes.
func spoiled(t testing.TB, name string, spoil func(b []byte)) string {
	t.Helper()
	b, err := os.ReadFile(h5test.Fixture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	spoil(b)
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func dataset(t testing.TB, file, path string) (*h5.File, *h5.Dataset) {
	t.Helper()
	f, err := h5.Open(h5test.Fixture(t, file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	o, err := f.Lookup(path)
	if err != nil {
		t.Fatal(err)
	}
	return f, o.(*h5.Dataset)
}

// TestBrokenChunks reports every broken chunk at its offset, in order, for any number of workers.
func TestBrokenChunks(t *testing.T) {
	for _, c := range []struct{ file, path string }{
		{"old.h5", "/layouts/fletcher32"}, {"old.h5", "/layouts/deflate"}, {"old.h5", "/layouts/all"},
		{"new.h5", "/index/btree_deflate"}, {"latest.h5", "/index/extensible_deflate"}, {"latest.h5", "/index/fixed_deflate"},
	} {
		_, d := dataset(t, c.file, c.path)
		chunks, err := d.Chunks()
		if err != nil || len(chunks) < 2 {
			t.Fatalf("%s %s: %d chunks, %v", c.file, c.path, len(chunks), err)
		}
		path := spoiled(t, c.file, func(b []byte) {
			for i, ch := range chunks {
				if i%2 == 1 {
					copy(b[ch.Offset:ch.Offset+ch.Size], bytes.Repeat([]byte{0xa7}, int(ch.Size)))
				}
			}
		})
		var first string
		for _, workers := range []int{1, 2, 8} {
			errs, _ := run(t, path, check.Options{Deep: true, Workers: workers})
			var at, want []int64
			for _, e := range errs {
				if e.Kind != h5err.Corrupt || e.Object != c.path {
					t.Errorf("%v", e)
				}
				at = append(at, e.Offset)
			}
			for i, ch := range chunks {
				if i%2 == 1 {
					want = append(want, ch.Offset)
				}
			}
			if !slices.Equal(at, want) {
				t.Errorf("%s %s: %d workers: broken at %v, want %v", c.file, c.path, workers, at, want)
			}
			if all := fmt.Sprint(errs); first == "" {
				first = all
			} else if all != first {
				t.Errorf("%d workers find\n%s\none finds\n%s", workers, all, first)
			}
		}
		if errs, _ := run(t, path, check.Options{}); len(errs) > 0 {
			t.Errorf("%s: without decoding: %v", c.file, errs)
		}
		if errs, _ := run(t, path, check.Options{Deep: true, MaxErrors: 1}); len(errs) != min(2, len(chunks)/2) {
			t.Errorf("%s: at most one and a count: %v", c.file, errs)
		}
	}
}

func TestBrokenMetadata(t *testing.T) {
	raw, err := os.ReadFile(h5test.Fixture(t, "latest.h5"))
	if err != nil {
		t.Fatal(err)
	}
	// Each object header of the new format has a checksum. Spoil the last one in the file, which is not a group with others in it.
	at := bytes.LastIndex(raw, []byte("OHDR"))
	path := spoiled(t, "latest.h5", func(b []byte) { b[at+12] ^= 0x40 })
	sound, before := run(t, h5test.Fixture(t, "latest.h5"), check.Options{})
	errs, after := run(t, path, check.Options{})
	if len(sound) != 0 || len(errs) == 0 {
		t.Fatalf("errors are %v, before %v", errs, sound)
	}
	if e := errs[0]; e.Kind != h5err.Corrupt || e.Offset < int64(at) || e.Offset > int64(at)+600 || e.Object == "" {
		t.Errorf("the header at %d: %v", at, e)
	}
	if after.Datasets+after.Groups+after.Types >= before.Datasets+before.Groups+before.Types || after.Datasets == 0 {
		t.Errorf("%+v were walked, of %+v", after, before)
	}
}

// TestBrokenHeap reports a value with a wrong heap address by its row, and not the rows around it.
func TestBrokenHeap(t *testing.T) {
	for _, name := range []string{"old.h5", "new.h5"} {
		f, err := h5.Open(h5test.Fixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		tried := 0
		err = f.Walk(func(o h5.Object) error {
			d, ok := o.(*h5.Dataset)
			if !ok || d.Type().Class != h5.ClassVLen || d.Rows() < 2 || len(d.RowDims()) > 0 {
				return nil
			}
			l, err := d.Layout()
			if err != nil || l.Storage != h5.StorageContiguous {
				return err
			}
			tried++
			cell := l.Offset + int64(d.Type().Size)
			path := spoiled(t, name, func(b []byte) {
				copy(b[cell:], "\x01\x00\x00\x00\xff\xff\xff\x00\x00\x00\x00\x00\x01\x00\x00\x00")
			})
			errs, _ := run(t, path, check.Options{Deep: true})
			if len(errs) != 1 || errs[0].Object != d.Path() || !strings.HasPrefix(errs[0].Msg, "row 1: ") || errs[0].Kind != h5err.Corrupt {
				t.Errorf("%s %s: %v", name, d.Path(), errs)
			}
			return nil
		})
		f.Close()
		if err != nil || tried == 0 {
			t.Errorf("%s: %d datasets were tried, %v", name, tried, err)
		}
	}
}

func TestCanceled(t *testing.T) {
	f, err := h5.Open(h5test.Fixture(t, "old.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := check.File(ctx, f, check.Options{Deep: true}, func(err error) { t.Error(err) }); err != context.Canceled {
		t.Error(err)
	}
}

func TestMemory(t *testing.T) {
	errs, _ := run(t, h5test.Fixture(t, "old.h5"), check.Options{Deep: true, MaxMemory: 64})
	if len(errs) == 0 {
		t.Error("chunks are decoded in 64 bytes")
	}
	for _, e := range errs {
		if e.Kind != h5err.Memory {
			t.Error(e)
		}
	}
}

// FuzzFile changes bytes of a sound file.
func FuzzFile(f *testing.F) {
	files := []string{"linked.h5", "shared.h5", "vaex_hand.h5", "external.h5"}
	var contents [][]byte
	for i, name := range files {
		b, err := os.ReadFile(h5test.Fixture(f, name))
		if err != nil {
			f.Fatal(err)
		}
		contents = append(contents, b)
		f.Add(uint8(i), uint32(700), []byte{0xff}, uint32(0))
		f.Add(uint8(i), uint32(40), []byte{1, 2, 3}, uint32(90))
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint32, patch []byte, cut uint32) {
		b := bytes.Clone(contents[int(which)%len(contents)])
		copy(b[int(at)%len(b):], patch)
		b = b[:len(b)-int(cut)%len(b)]
		src := source.FromReaderAt(bytes.NewReader(b), int64(len(b)), "x")
		file, err := h5.NewFile(src, h5.WithExternal(h5.External{Only: true}))
		if err != nil {
			src.Release()
			return
		}
		defer file.Close()
		check.File(context.Background(), file, check.Options{Deep: true, MaxMemory: 16 << 20}, func(err error) {
			var e *h5err.Error
			if !errors.As(err, &e) {
				t.Errorf("error of type %T: %v", err, err)
			}
		})
	})
}
