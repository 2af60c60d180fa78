//go:build !(linux || darwin || freebsd)

package service

import (
	"io/fs"
	"net"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// ListenSocket listens on a Unix-domain socket, which this system is not known to have.
func ListenSocket(path string, _ fs.FileMode) (net.Listener, error) {
	return nil, h5err.New(h5err.Unsupported, "can't listen on %s: no Unix-domain sockets on this system", path)
}
