package service

import (
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Socket returns the absolute path of a Unix-domain socket from an address as gRPC writes it, unix:PATH or unix:///PATH. It is ""
// for other addresses.
func Socket(address string) (string, error) {
	path, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return "", nil
	}
	path = strings.TrimPrefix(path, "//")
	if path == "" || strings.ContainsRune(path, 0) {
		return "", h5err.New(h5err.Argument, "%q names no socket", address)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", h5err.Wrap(h5err.IO, err, "can't find the folder of socket %s", path)
	}
	return abs, nil
}

// SocketURL returns how Arrow's clients write the address of a socket.
func SocketURL(path string) string { return (&url.URL{Scheme: "grpc+unix", Path: path}).String() }

// socket is a listener that removes its file when it is closed, unless another one has taken its place.
type socket struct {
	*net.UnixListener
	path string
	info fs.FileInfo
}

// Close implements net.Listener.
func (s *socket) Close() error {
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.info) {
		os.Remove(s.path) // a file that is left is found to be stale next time
	}
	return s.UnixListener.Close()
}
