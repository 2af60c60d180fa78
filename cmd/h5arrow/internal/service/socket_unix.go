//go:build linux || darwin || freebsd

package service

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// ListenSocket listens on a Unix-domain socket whose file gets these permissions. A file that a server has left, to which nobody
// listens, is replaced; all other files are errors. The listener removes its file when it is closed.
//
// It changes the process's umask for a moment, so that the file never has other permissions.
func ListenSocket(path string, mode fs.FileMode) (net.Listener, error) {
	l, err := listenSocket(path, mode)
	if err != nil {
		if oe, ok := errors.AsType[*net.OpError](err); ok {
			err = oe.Err
		}
		return nil, h5err.Wrap(h5err.IO, err, "can't listen on %s", path)
	}
	return l, nil
}

func listenSocket(path string, mode fs.FileMode) (net.Listener, error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	// One server at a time looks and binds: another one could take a new socket for a stale one.
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		return nil, err
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	old := syscall.Umask(int(^mode & fs.ModePerm))
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	syscall.Umask(old)
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	info, err := os.Lstat(path)
	if err != nil {
		l.Close()
		return nil, err
	}
	return &socket{l, path, info}, nil
}

// removeStale removes a socket to which nobody listens.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return h5err.New(h5err.IO, "it exists and is not a socket")
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return h5err.New(h5err.IO, "another process listens on it")
	}
	return os.Remove(path)
}
