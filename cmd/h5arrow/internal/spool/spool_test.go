package spool

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// empty checks that nothing is left in the directory for temporary files.
func empty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func temporaryDir(t *testing.T) string {
	h5test.Leaks(t)
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, dir)
	}
	return dir
}

func TestCopy(t *testing.T) {
	dir := temporaryDir(t)
	for _, size := range []int{0, 1, 1000, block, block + 5} {
		data := bytes.Repeat([]byte{7}, size)
		f, err := Copy(t.Context(), io.NopCloser(bytes.NewReader(data)), int64(block+5))
		if err != nil {
			t.Fatal(size, err)
		}
		src := f.Source("x")
		f.Release() // the source has its own
		got := make([]byte, size)
		if n, err := src.ReadAt(got, 0); n != size || err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(got, data) || src.Path() != "" {
			t.Errorf("%d: %d bytes, %v", size, n, err)
		}
		src.Release()
	}
	empty(t, dir)
}

// What is too large, can't be read or is given up leaves nothing.
func TestCopyFails(t *testing.T) {
	dir := temporaryDir(t)
	_, err := Copy(t.Context(), io.NopCloser(strings.NewReader("12345")), 4)
	if !h5err.Is(err, h5err.IO) || !strings.Contains(err.Error(), "spool.Copy") {
		t.Errorf("too large: %v", err)
	}
	broken := errors.New("broken")
	if _, err := Copy(t.Context(), io.NopCloser(io.MultiReader(strings.NewReader("1"), failed{broken})), 1000); !errors.Is(err, broken) {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	go func() {
		_, _ = w.Write([]byte("part"))
		stop() // the next read waits
	}()
	if _, err := Copy(ctx, r, 1000); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	empty(t, dir)
}

type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
