//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package source

import (
	"os"

	"golang.org/x/sys/unix"
)

// identify returns the identity of an open file, the zero value where it is not known.
func identify(f *os.File) Identity {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return Identity{}
	}
	return Identity{uint64(st.Dev), uint64(st.Ino), st.Size, st.Mtim.Nano(), st.Ctim.Nano()}
}
