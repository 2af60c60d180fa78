package metadata_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap/metadata"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// TestKerchunk has zarr and xarray read datasets of all types and filters that they know, by a reference file.
func TestKerchunk(t *testing.T) {
	py := h5test.Python(t, "h5py", "hdf5plugin", "numpy", "zarr", "fsspec", "xarray")
	if py == "" {
		t.Skip("no Python with zarr and xarray")
	}
	name, out := filepath.Join(t.TempDir(), "a.h5"), filepath.Join(t.TempDir(), "a.json")
	run := func(args ...string) {
		t.Helper()
		if b, err := exec.Command(py, append([]string{"testdata/kerchunk.py"}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
	}
	run("make", name)
	f, err := h5.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	left, err := metadata.Kerchunk(t.Context(), w, f, name)
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	var got []string
	for _, err := range left {
		path, why, _ := strings.Cut(strings.TrimPrefix(err.Error(), name+": /left_out/"), ": ")
		got = append(got, path+": "+strings.TrimPrefix(why, "unsupported: Zarr can't represent "))
	}
	want := []string{"gap: compounds with gaps", "lists: the type vlen<i32le>", "lz4: the filter 32004", "reference: the type ref8",
		"scaled: the filter 6", "text: the type vstr(utf8,nullterm)"}
	if !slices.Equal(got, want) {
		t.Errorf("left out are %q", got)
	}
	run("check", name, out, "44")
}

// TestKerchunkFixtures writes reference files of all test files: what can't be represented is an error of one dataset only.
func TestKerchunkFixtures(t *testing.T) {
	for _, name := range h5test.Fixtures(t) {
		f, err := h5.Open(name)
		if err != nil {
			continue // a damaged one
		}
		var b strings.Builder
		left, err := metadata.Kerchunk(t.Context(), &b, f, "https://example.org/a.h5")
		if err != nil || !strings.HasSuffix(b.String(), "\n}}\n") {
			t.Errorf("%s: %v", name, err)
		}
		for _, err := range left {
			if !strings.Contains(err.Error(), ": /") {
				t.Errorf("%s: an error without a path: %v", name, err)
			}
		}
		f.Close()
	}
}
