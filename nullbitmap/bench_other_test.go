//go:build !amd64 || purego

package nullbitmap

import "testing"

// Without assembly the yardsticks are what the standard library has.

func benchRead(b *testing.B, p []byte) {
	dst := make([]byte, len(p))
	loop(b, "read/copy", len(p), func() { copy(dst, p) })
}

func benchWrite(b *testing.B, p []byte) { loop(b, "write/clear", len(p), func() { clear(p) }) }
