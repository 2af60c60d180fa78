package output

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Where the system has no files without names, the output has a hidden name until it is complete.
func TestNamedOutput(t *testing.T) {
	for _, replace := range []bool{false, true} {
		for _, finish := range []string{"commit", "close", "give up", "other came"} {
			dir := t.TempDir()
			s := &Set{}
			path := filepath.Join(dir, "x.arrow")
			if replace {
				if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			o := &file{set: s, path: path, replace: replace, temp: tempName(path)}
			s.add(o)
			var err error
			if o.File, err = os.OpenFile(o.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := o.WriteString("new"); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(filepath.Base(o.temp), ".x.arrow.") || filepath.Dir(o.temp) != dir {
				t.Errorf("the hidden name is %s", o.temp)
			}
			want := "new"
			switch finish {
			case "commit":
				if err := o.commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			case "give up":
				s.GiveUp()
				want = ""
			case "close":
				want = ""
			case "other came":
				if err := os.WriteFile(path, []byte("other"), 0o644); err != nil {
					t.Fatal(err)
				}
				if err := o.commit(t.Context()); (err == nil) != replace {
					t.Errorf("replace %v: %v", replace, err)
				}
				if !replace {
					want = "other"
				}
			}
			if err := o.close(); err != nil {
				t.Fatal(err)
			}
			if want == "" && replace {
				want = "old"
			}
			got, _ := os.ReadFile(path)
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want || len(entries) != min(1, len(want)) {
				t.Errorf("replace %v, %s: %q in %v", replace, finish, got, entries)
			}
		}
	}
}

// What is brought to the disk early is the same file, whatever ends the writing.
func TestFlushed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const piece, n = 1 << 20, 40
	err = flushed(f, f.Name(), func(w io.WriterAt) error {
		for i := range n { // the last first
			if _, err := w.WriteAt(bytes.Repeat([]byte{byte(n - i)}, piece), int64(n-1-i)*piece); err != nil {
				return err
			}
		}
		return nil
	})
	got, err2 := os.ReadFile(name)
	if err != nil || err2 != nil || len(got) != n*piece {
		t.Fatalf("%d bytes, %v, %v", len(got), err, err2)
	}
	for i := range n {
		if !bytes.Equal(got[i*piece:(i+1)*piece], bytes.Repeat([]byte{byte(i + 1)}, piece)) {
			t.Fatalf("other bytes in piece %d", i)
		}
	}
	failed := errors.New("failed")
	if err := flushed(f, f.Name(), func(io.WriterAt) error { return failed }); err != failed {
		t.Errorf("%v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := flushed(f, f.Name(), func(io.WriterAt) error { return nil }); !h5err.Is(err, h5err.IO) {
		t.Errorf("a closed file: %v", err)
	}
	err = flushed(f, "out.h5", func(w io.WriterAt) error {
		_, err := w.WriteAt([]byte{1}, 0)
		return h5err.In(err, "in.h5", "/x")
	})
	if e, ok := errors.AsType[*h5err.Error](err); !ok || e.File != "out.h5" || e.Object != "" {
		t.Errorf("an error of the output: %v", err)
	}
}
