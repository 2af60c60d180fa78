package remote

import (
	"fmt"
	"testing"
)

// FuzzParseRange accepts only what a server may send, and what it accepts is inside the object.
func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"bytes 0-9/10", "bytes 5-5/6", "Bytes 0-0/1", "bytes */10", "bytes 0-9/*", "bytes 9-0/10", "bytes 0-10/10", "bytes -1-2/3", "items 0-9/10",
		"bytes 0-9223372036854775806/9223372036854775807", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		off, n, size, err := parseRange(s)
		if err != nil {
			return
		}
		if off < 0 || n < 1 || off > size-n {
			t.Errorf("%q is %d bytes at %d of %d", s, n, off, size)
		}
		again := fmt.Sprintf("bytes %d-%d/%d", off, off+n-1, size)
		if o, m, z, err := parseRange(again); err != nil || o != off || m != n || z != size {
			t.Errorf("%q is not %q: %v", s, again, err)
		}
	})
}
