//go:build linux || darwin || freebsd

package output

import "golang.org/x/sys/unix"

// free returns how many bytes there are for new files in a directory. ok is false where the system does not say.
func free(dir string) (n uint64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil || s.Bsize <= 0 || s.Bavail < 0 {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), s.Blocks > 0
}
