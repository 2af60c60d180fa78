//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package source

import (
	"os"

	"golang.org/x/sys/unix"
)

func mapFile(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
}

func unmapFile(b []byte) {
	_ = unix.Munmap(b) // fails for a range that is not mapped only, and there is nobody to tell
}

// hideMapping makes the range unreadable for good, so that a use after the last release is found.
func hideMapping(b []byte) {
	_ = unix.Mprotect(b, unix.PROT_NONE)
}
