//go:build linux || darwin || freebsd

package output

import "golang.org/x/sys/unix"

// Free returns how many bytes there are for new files in a directory. ok is false where the system does not say.
func Free(dir string) (n uint64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	blocks, size := int64(s.Bavail), int64(s.Bsize) // blocks are signed in FreeBSD: less than none are left for users
	return uint64(max(blocks, 0)) * uint64(max(size, 0)), s.Blocks > 0
}
