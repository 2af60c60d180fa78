package check_test

import (
	"context"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// brokenInCorpus are the files of the corpus that are broken though they are not said to be, and why.
var brokenInCorpus = map[string]string{
	"purehdf/blosc.h5":              "its last B-tree node is past the end that the superblock names: libhdf5 refuses the dataset, too",
	"hdf5-official/filter_error.h5": "made for a filter that always fails, under the number of another one",
}

// TestCorpus checks the files of other projects. Sound ones have no defects.
func TestCorpus(t *testing.T) {
	dir, files := h5test.Corpus(t), h5test.CorpusFiles(t, ".")
	broken := map[string]bool{}
	for _, p := range files {
		name, err := filepath.Rel(dir, p)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.ToSlash(name)
		f, err := h5.Open(p)
		if err != nil {
			if !h5err.Is(err, h5err.Unsupported) {
				t.Error(err)
			}
			continue
		}
		_, err = check.File(context.Background(), f, check.Options{Deep: true}, func(err error) {
			if !h5err.Is(err, h5err.Corrupt) {
				return
			}
			broken[name] = true
			if brokenInCorpus[name] == "" {
				t.Error(err)
			}
		})
		f.Close()
		if err != nil {
			t.Error(err)
		}
	}
	for name := range brokenInCorpus {
		if !broken[name] {
			t.Errorf("%s is not broken", name)
		}
	}
}

// TestCorpusBroken checks the files of the corpus that are broken on purpose: each check returns, with errors of ours.
func TestCorpusBroken(t *testing.T) {
	dir := h5test.Corpus(t)
	n, found := 0, 0
	err := filepath.WalkDir(filepath.Join(dir, "bad"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		n++
		f, err := h5.Open(p)
		if err != nil {
			found++
			return nil
		}
		defer f.Close()
		errs := 0
		_, err = check.File(context.Background(), f, check.Options{Deep: true, MaxMemory: 16 << 20}, func(error) { errs++ })
		if errs > 0 {
			found++
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if n == 0 || found < n*3/4 {
		t.Errorf("of %d broken files %d are reported", n, found)
	}
}
