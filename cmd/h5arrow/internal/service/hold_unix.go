//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package service

import (
	"os"
	"syscall"
)

// hold keeps a file from being taken for abandoned while it is open. Readers by the HDF5 library may lock it as well.
func hold(w *os.File) { _ = syscall.Flock(int(w.Fd()), syscall.LOCK_SH) } // not all file systems have locks

// abandoned reports whether nobody holds a file.
func abandoned(w *os.File) bool {
	return syscall.Flock(int(w.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
