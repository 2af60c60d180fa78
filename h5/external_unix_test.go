//go:build unix

package h5

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// TestExternalFIFO has a link to a FIFO without a writer, which must not be waited for.
func TestExternalFIFO(t *testing.T) {
	dir := tree(t, map[string][]msg{"main.h5": {external("x", "fifo", "/")}})
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(filepath.Join(dir, "main.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = f.Lookup("/x")
	needError(t, err, h5err.IO, `"fifo" is not a regular file`, -1)
	_, err = f.OpenExternal("fifo")
	needError(t, err, h5err.IO, `"fifo" is not a regular file`, -1)
}
