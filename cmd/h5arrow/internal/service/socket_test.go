//go:build linux || darwin || freebsd

package service

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

func TestSocket(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ address, path, url string }{
		{"127.0.0.1:8815", "", ""},
		{"unix:///run/a.sock", "/run/a.sock", "grpc+unix:///run/a.sock"},
		{"unix:/run/a b.sock", "/run/a b.sock", "grpc+unix:///run/a%20b.sock"},
		{"unix:a.sock", filepath.Join(here, "a.sock"), "grpc+unix://" + here + "/a.sock"},
	} {
		got, err := Socket(c.address)
		if err != nil || got != c.path || got != "" && SocketURL(got) != c.url {
			t.Errorf("%s: %q, %v, %s", c.address, got, err, SocketURL(got))
		}
	}
	for _, bad := range []string{"unix:", "unix://", "unix:a\x00b"} {
		if got, err := Socket(bad); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
}

// A socket has the permissions that were asked for, and is gone after Close.
func TestListenSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for _, mode := range []fs.FileMode{0o600, 0o660, 0o666} {
		l, err := ListenSocket(path, mode)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|mode {
			t.Errorf("%v, %v; want %v", info.Mode(), err, mode)
		}
		if _, err := ListenSocket(path, mode); !h5err.Is(err, h5err.IO) || !strings.Contains(err.Error(), "another process listens") {
			t.Errorf("a second listener: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); err == nil {
			t.Error("the socket is left")
		}
	}
}

// Only a socket to which nobody listens is replaced, and only the listener's own is removed.
func TestListenSocketStale(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	l, err := ListenSocket(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := ListenSocket(path, 0o600); !h5err.Is(err, h5err.IO) || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a file: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "a file" {
		t.Errorf("the file is %q, %v", b, err)
	}
	if _, err := ListenSocket(filepath.Join(path, "s"), 0o600); !h5err.Is(err, h5err.IO) {
		t.Errorf("no folder: %v", err)
	}
}
