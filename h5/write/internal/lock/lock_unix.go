//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

// Package lock keeps other writers away from a file that is changed.
package lock

import (
	"os"
	"syscall"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// File keeps other writers away: those of the HDF5 library hold an exclusive lock by flock, its readers a shared one, which does not
// matter; further calls of Append are kept away by a lock of the whole file by fcntl.
func File(w *os.File) (unlock func(), err error) {
	fd := int(w.Fd())
	whole := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(uintptr(fd), syscall.F_SETLK, &whole); err == syscall.EACCES || err == syscall.EAGAIN {
		return nil, h5err.New(h5err.IO, "another process adds to the file")
	}
	if err := syscall.Flock(fd, syscall.LOCK_SH|syscall.LOCK_NB); err == syscall.EWOULDBLOCK {
		return nil, h5err.New(h5err.IO, "another program has the file open for writing")
	}
	return func() {
		syscall.Flock(fd, syscall.LOCK_UN)
		free := syscall.Flock_t{Type: syscall.F_UNLCK}
		syscall.FcntlFlock(uintptr(fd), syscall.F_SETLK, &free)
	}, nil
}
