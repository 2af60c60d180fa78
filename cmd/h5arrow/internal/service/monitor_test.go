package service

import (
	"net"
	"testing"
)

// An IPv4 address is listened to by IPv4 only, and no address by all.
func TestListen(t *testing.T) {
	for _, c := range []struct {
		address string
		four    bool
	}{{"0.0.0.0:0", true}, {"127.0.0.1:0", true}, {":0", false}} {
		l, err := Listen(c.address)
		if err != nil {
			t.Fatal(err)
		}
		a := l.Addr().(*net.TCPAddr)
		if (a.IP.To4() != nil) != c.four {
			t.Errorf("%s: listens on %v", c.address, a)
		}
		l.Close()
	}
	for _, bad := range []string{"host", "127.0.0.1:99999", "1.2.3.4.5:1"} {
		if l, err := Listen(bad); err == nil {
			l.Close()
			t.Errorf("%q is an address", bad)
		}
	}
}
