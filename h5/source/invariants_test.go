//go:build invariants

package source

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// TestLeakIsFound runs itself again, as a process that forgets a Source.
func TestLeakIsFound(t *testing.T) {
	const env = "SOURCE_TEST_LEAK"
	if path := os.Getenv(env); path != "" {
		func() { open(t, path) }()
		h5test.Eventually(t, time.Second, func() bool { // the process ends before
			runtime.GC()
			return false
		})
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLeakIsFound$")
	cmd.Env = append(os.Environ(), env+"="+file(t, pattern(10)))
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("was never released (1 references)")) ||
		!bytes.Contains(out, []byte("invariants_test.go")) {
		t.Errorf("a leak is not found: %v\n%s", err, out)
	}
}
