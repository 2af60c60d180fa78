package flight

import (
	"fmt"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/ipc/flight/internal/h2"
)

// listener limits and tracks connections.
type listener struct {
	net.Listener
	s     *Server
	room  chan struct{}
	extra chan struct{} // for connections beyond the limits
	next  atomic.Uint64 // number of the next client of a Unix-domain socket
}

func newListener(l net.Listener, s *Server) *listener {
	return &listener{Listener: l, s: s, room: make(chan struct{}, s.o.conns), extra: make(chan struct{}, maxRefused)}
}

// Connections beyond the limits are accepted for a short time, so that their clients learn why their calls are refused.
const (
	maxRefused = 64 // at a time; further ones are closed at once
	refusal    = time.Second
)

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if nc := l.admit(c); nc != nil {
			if isSocket(c) && l.s.o.tls == nil { // other types read in Write what they write
				nc.wire = h2.NewWriter(nc.writeAll, func() { c.Close() })
			}
			return nc, nil
		}
		c.Close() // nothing was written
	}
}

// isSocket reports whether the system reads what is written to a connection.
func isSocket(c net.Conn) bool {
	switch c.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

// unixAddr is the address of a client of a Unix-domain socket, which has none of its own. In the place of a port it has the number
// of the connection, so that connections differ and all such clients have the limits of one address.
type unixAddr uint64

// localBuffer is how many bytes the system keeps for a client on the same machine. The default of a Unix-domain socket is a tenth
// of a message, and each time it is full both sides have to be woken up. That of TCP grows to several messages, which suits long
// distances only: here the client takes all of it at once, into memory that it has to ask the system for, before it looks at any.
const localBuffer = 512 << 10

// onSameMachine reports whether both addresses of a TCP connection are of one machine.
func onSameMachine(remote, local net.Addr) bool {
	r, ok := remote.(*net.TCPAddr)
	if !ok {
		return false
	}
	l, ok := local.(*net.TCPAddr)
	return r.IP.IsLoopback() || ok && r.IP.Equal(l.IP)
}

func (unixAddr) Network() string  { return "unix" }
func (a unixAddr) String() string { return fmt.Sprintf("unix:%d", uint64(a)) }

// admit returns a connection that is tracked, nil if there are too many even of those that are refused.
func (l *listener) admit(c net.Conn) *netConn {
	nc := &netConn{Conn: c, l: l, room: l.room, remote: c.RemoteAddr(), host: hostOf(c.RemoteAddr())}
	_, unix := c.(*net.UnixConn)
	if unix {
		nc.remote = unixAddr(l.next.Add(1))
	}
	if b, ok := c.(interface{ SetWriteBuffer(n int) error }); ok && (unix || onSameMachine(c.RemoteAddr(), c.LocalAddr())) {
		_ = b.SetWriteBuffer(localBuffer) // the system's own limit holds, too
	}
	limit := l.s.o.firstCall
	nc.refused = l.enter(nc)
	if nc.refused != nil {
		select {
		case l.extra <- struct{}{}:
		default:
			return nil
		}
		nc.room, nc.host = l.extra, ""
		limit = refusal
	}
	l.s.mu.Lock()
	l.s.conns[nc.key()] = nc
	l.s.mu.Unlock()
	nc.first = time.AfterFunc(math.MaxInt64, nc.unused)
	nc.first.Reset(limit)
	return nc
}

// enter counts a connection, unless that would exceed a limit.
func (l *listener) enter(c *netConn) error {
	select {
	case l.room <- struct{}{}:
	default:
		return status.Error(codes.ResourceExhausted, "the server has too many connections; try again later")
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if c.host != "" && l.s.hosts[c.host] >= l.s.o.hostConns {
		<-l.room
		return status.Error(codes.ResourceExhausted, "too many connections from this address; close some, or try again later")
	}
	l.s.hosts[c.host]++
	return nil
}

// forget removes a connection.
func (l *listener) forget(c *netConn) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.s.conns[c.key()] == c {
		delete(l.s.conns, c.key())
	}
	if c.refused != nil {
		return
	}
	if l.s.hosts[c.host]--; l.s.hosts[c.host] == 0 {
		delete(l.s.hosts, c.host)
	}
}

// hostOf returns the address of a client without its port, "" if the network has no such addresses.
func hostOf(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return ""
	}
	return t.IP.String()
}

// netConn is a connection whose writes have a deadline.
type netConn struct {
	net.Conn
	l       *listener
	wire    *h2.Writer // nil: encrypted, or not a socket
	room    chan struct{}
	remote  net.Addr
	host    string // "" is not limited
	refused error  // the connection is beyond a limit: its calls end with this
	once    sync.Once
	used    atomic.Bool // a call was admitted
	first   *time.Timer // closes the connection if none is
}

// admit records that a call of the connection was admitted.
func (c *netConn) admit() {
	if c.used.CompareAndSwap(false, true) {
		c.first.Stop()
	}
}

// unused closes a connection that had no admitted call.
func (c *netConn) unused() {
	if !c.used.Load() {
		c.Close() // its client has no call that could fail
	}
}

func addresses(remote, local net.Addr) string { return remote.String() + " " + local.String() }

// RemoteAddr implements net.Conn.
func (c *netConn) RemoteAddr() net.Addr { return c.remote }

func (c *netConn) key() string { return addresses(c.RemoteAddr(), c.LocalAddr()) }

// Write implements net.Conn.
func (c *netConn) Write(b []byte) (int, error) {
	if c.wire != nil {
		return c.wire.Write(b)
	}
	if err := c.hurry(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Read implements net.Conn.
func (c *netConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.wire != nil {
		c.wire.Received(b[:n])
	}
	return n, err
}

// hurry sets a deadline for a write: keepalive pings have to wait for it.
func (c *netConn) hurry() error { return c.SetWriteDeadline(time.Now().Add(2 * c.l.s.o.sendTimeout)) }

func (c *netConn) writeAll(v *net.Buffers) error {
	if err := c.hurry(); err != nil {
		return err
	}
	_, err := v.WriteTo(c.Conn)
	return err
}

// Close implements net.Conn.
func (c *netConn) Close() error {
	c.once.Do(func() {
		c.first.Stop()
		c.l.forget(c)
		<-c.room
	})
	return c.Conn.Close()
}
