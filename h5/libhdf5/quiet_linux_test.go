//go:build libhdf5 && cgo

package libhdf5_test

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/h5arrow/h5arrow/h5/libhdf5"
)

// TestQuiet checks that the library prints nothing on any thread, also after errors.
func TestQuiet(t *testing.T) {
	path := write(t, func(w *libhdf5.Writer) { must(t, w.Group("/g")) })
	r, w, err := os.Pipe()
	must(t, err)
	restore := redirectStderr(t, w)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			f, err := libhdf5.Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if _, err := f.Read("/nothing"); !strings.Contains(err.Error(), "doesn't exist") {
				t.Errorf("without the library's text: %v", err)
			}
		})
	}
	wg.Wait()
	restore()
	w.Close()
	var out bytes.Buffer
	_, err = out.ReadFrom(r)
	must(t, err)
	check(t, "printed", out.String(), "")
}

// redirectStderr sends what is written to file descriptor 2 to w, also by C code, until restore is called.
func redirectStderr(t *testing.T, w *os.File) (restore func()) {
	t.Helper()
	saved, err := unix.Dup(2)
	must(t, err)
	must(t, unix.Dup3(int(w.Fd()), 2, 0))
	return func() {
		must(t, unix.Dup3(saved, 2, 0))
		must(t, unix.Close(saved))
	}
}
