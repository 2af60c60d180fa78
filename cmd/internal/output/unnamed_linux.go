package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// hasDescriptors reports whether the system shows open files as names.
var hasDescriptors = sync.OnceValue(func() bool {
	_, err := os.Stat("/proc/self/fd")
	return err == nil
})

// unnamed creates a file without a name in a directory: however this process ends, nothing is left of it. It returns nil
// where the file system or the system has no such files.
func unnamed(dir string) (*os.File, error) {
	if !hasDescriptors() {
		return nil, nil // publish needs them
	}
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o666)
	if err != nil {
		return nil, nil // a file with a name fails likewise, and says why
	}
	return os.NewFile(uintptr(fd), dir), nil
}

// publish gives an unnamed file a name that no other file has.
func publish(f *os.File, name string) error {
	err := unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", f.Fd()), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
	if errors.Is(err, unix.EEXIST) {
		return fs.ErrExist
	}
	return err
}
