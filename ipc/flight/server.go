package flight

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/flight/internal/h2"
)

// Option changes how a Server works.
type Option func(*options) error

type options struct {
	tokens        [][sha256.Size]byte
	tls           *tls.Config
	key           []byte
	life          time.Duration
	streams       int
	clientStreams int
	conns         int
	memory        int64
	clientMemory  int64
	sendTimeout   time.Duration
	batchRows     int64
	batchBytes    int64
	endpoints     int
	endpointBytes int64
	trust         bool
	workers       int
	sql           SQL
	sqlTables     []SQLTable
	observe       func(Call)
}

// Defaults, where no option says otherwise.
const (
	DefaultTicketLife    = time.Hour
	DefaultMaxStreams    = 1024
	DefaultMaxMemory     = 1 << 30
	DefaultSendTimeout   = 30 * time.Second
	DefaultBatchBytes    = 2 << 20
	DefaultEndpointBytes = 128 << 20
	defaultConnections   = 2048
)

// patience is how long a stream waits for memory. It is in turn: others are served meanwhile.
const patience = 2 * time.Minute

// minMemory is the memory that a server can do with.
const minMemory = 16 << 20

func positive[N int | int64 | time.Duration](to *N, n N, what string) error {
	if n <= 0 {
		return h5err.New(h5err.Argument, "%s: %v is not above 0", what, n)
	}
	*to = n
	return nil
}

// WithTokens makes every call need one of these bearer tokens, in its metadata: "authorization: Bearer TOKEN". The only
// call without one is grpc.health.v1.Health/Check. No tokens at all, or an empty one, are an Argument error.
func WithTokens(tokens ...string) Option {
	return func(o *options) error {
		if len(tokens) == 0 {
			return h5err.New(h5err.Argument, "there is no token")
		}
		for _, t := range tokens {
			if t == "" {
				return h5err.New(h5err.Argument, "a token is empty")
			}
			o.tokens = append(o.tokens, sha256.Sum256([]byte(t)))
		}
		return nil
	}
}

// WithTLS encrypts connections. A configuration that asks for clients' certificates makes it mutual.
func WithTLS(c *tls.Config) Option {
	return func(o *options) error {
		o.tls = c
		return nil
	}
}

// WithTicketKey sets the key that signs tickets, of 32 bytes at least, so that several servers take one another's
// tickets. The default is a random one.
func WithTicketKey(key []byte) Option {
	return func(o *options) error {
		if len(key) < sha256.Size {
			return h5err.New(h5err.Argument, "a ticket key of %d bytes", len(key)).WithHint("it must have %d at least", sha256.Size)
		}
		o.key = append([]byte{}, key...)
		return nil
	}
}

// WithTicketLife sets how long a ticket is good: one second at least.
func WithTicketLife(d time.Duration) Option {
	return func(o *options) error {
		if d < time.Second {
			return h5err.New(h5err.Argument, "tickets that are good for %v", d).WithHint("give them a second at least")
		}
		o.life = d
		return nil
	}
}

// WithMaxStreams sets how many streams of record batches there are at most. Further ones are refused.
func WithMaxStreams(n int) Option {
	return func(o *options) error { return positive(&o.streams, n, "streams") }
}

// WithClientStreams sets how many streams one client has at most. A client is a token, else a certificate, else an address.
func WithClientStreams(n int) Option {
	return func(o *options) error { return positive(&o.clientStreams, n, "streams of a client") }
}

// WithMaxConnections sets how many connections there are at most. Further ones are closed at once.
func WithMaxConnections(n int) Option {
	return func(o *options) error { return positive(&o.conns, n, "connections") }
}

// WithMaxMemory bounds the memory for decoded rows and messages of all streams, in bytes. A stream that finds none waits.
func WithMaxMemory(n int64) Option {
	return func(o *options) error {
		if n < minMemory {
			return h5err.New(h5err.Argument, "%d bytes of memory", n).WithHint("a server needs %d at least", int64(minMemory))
		}
		o.memory = n
		return nil
	}
}

// WithClientMemory bounds the memory of one client's streams.
func WithClientMemory(n int64) Option {
	return func(o *options) error {
		if n < minMemory {
			return h5err.New(h5err.Argument, "%d bytes of memory for a client", n).WithHint("a stream needs %d at least", int64(minMemory))
		}
		o.clientMemory = n
		return nil
	}
}

// WithSendTimeout sets how long a message may wait for its client to read. Then the stream ends with DEADLINE_EXCEEDED;
// a client that does not take what was sent before within the same time once more loses its connection.
func WithSendTimeout(d time.Duration) Option {
	return func(o *options) error { return positive(&o.sendTimeout, d, "send timeout") }
}

// WithBatchRows sets the rows of a message; the last one of an endpoint may be smaller. The default is by bytes.
func WithBatchRows(n int64) Option {
	return func(o *options) error { return positive(&o.batchRows, n, "rows of a batch") }
}

// WithBatchBytes sets about how many bytes a message has at most. The default is DefaultBatchBytes.
func WithBatchBytes(n int64) Option {
	return func(o *options) error { return positive(&o.batchBytes, n, "bytes of a batch") }
}

// WithEndpoints splits every flight into so many endpoints, as far as its rows allow. The default is by bytes.
func WithEndpoints(n int) Option {
	return func(o *options) error {
		if n > maxEndpoints {
			return h5err.New(h5err.Argument, "%d endpoints", n).WithHint("%d are the most", maxEndpoints)
		}
		return positive(&o.endpoints, n, "endpoints")
	}
}

// WithEndpointBytes sets about how many bytes an endpoint has. The default is DefaultEndpointBytes.
func WithEndpointBytes(n int64) Option {
	return func(o *options) error { return positive(&o.endpointBytes, n, "bytes of an endpoint") }
}

// WithTrustedInput copies no mapped bytes at all before they are sent: neither offsets and indices, nor, on encrypted
// connections, values. A file that is cut short while it is sent then ends the process: it is for files that nobody changes.
func WithTrustedInput() Option {
	return func(o *options) error {
		o.trust = true
		return nil
	}
}

// WithWorkers sets how many goroutines decode for a stream. The default is one for each processor.
func WithWorkers(n int) Option {
	return func(o *options) error { return positive(&o.workers, n, "workers") }
}

// WithObserver calls fn at the end of each call, from several goroutines. It is for logs and metrics.
func WithObserver(fn func(Call)) Option {
	return func(o *options) error {
		o.observe = fn
		return nil
	}
}

// Server serves the tables of Roots by Arrow Flight.
type Server struct {
	flight.BaseFlightServer
	o      options
	roots  *Roots
	keys   *keyring
	limits *limiter
	pool   *pool
	work   chan struct{} // taken while a file is described
	sql    flight.FlightServer
	grpc   *grpc.Server
	health *health.Server

	methods map[string]bool // full names of all that can be called

	mu    sync.Mutex
	conns map[string]*netConn // by addresses
}

// New returns a server. Serve starts it. It does not close the roots.
func New(roots *Roots, opts ...Option) (*Server, error) {
	o := options{life: DefaultTicketLife, streams: DefaultMaxStreams, conns: defaultConnections, memory: DefaultMaxMemory,
		sendTimeout: DefaultSendTimeout, batchBytes: DefaultBatchBytes, endpointBytes: DefaultEndpointBytes, observe: func(Call) {}}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if o.clientStreams == 0 || o.clientStreams > o.streams {
		o.clientStreams = o.streams
	}
	if o.clientMemory == 0 || o.clientMemory > o.memory {
		o.clientMemory = o.memory
	}
	s := &Server{o: o, roots: roots, keys: newKeyring(o.key, o.life), work: make(chan struct{}, 32), conns: map[string]*netConn{}, methods: map[string]bool{},
		pool: &pool{maxKept: int(min(o.memory/8, 256<<20))}}
	s.limits = &limiter{streams: o.streams, clientStreams: o.clientStreams, memory: o.memory, clientMemory: o.clientMemory,
		patience: patience, clients: map[string]*usage{}}
	if o.sql != nil {
		var err error
		if s.sql, err = newSQLServer(s); err != nil {
			return nil, err
		}
	}
	s.grpc = grpc.NewServer(s.serverOptions()...)
	flight.RegisterFlightServiceServer(s.grpc, s)
	s.health = health.NewServer()
	s.health.SetServingStatus(serviceName, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	for service, info := range s.grpc.GetServiceInfo() {
		for _, m := range info.Methods {
			s.methods["/"+service+"/"+m.Name] = true
		}
	}
	return s, nil
}

const serviceName = "arrow.flight.protocol.FlightService"

func (s *Server) serverOptions() []grpc.ServerOption {
	opts := []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{encoding.GetCodecV2(proto.Name)}),
		grpc.InTapHandle(s.tap),
		grpc.StatsHandler((*connStats)(s)),
		grpc.ChainUnaryInterceptor(s.unary),
		grpc.ChainStreamInterceptor(s.streaming),
		grpc.MaxConcurrentStreams(uint32(s.o.streams)),
		grpc.MaxRecvMsgSize(1 << 20),
		grpc.MaxHeaderListSize(16 << 10),
		grpc.StaticStreamWindowSize(64 << 10),
		grpc.StaticConnWindowSize(256 << 10),
		grpc.WriteBufferSize(0), // wire gathers
		grpc.ReadBufferSize(16 << 10),
		grpc.ConnectionTimeout(20 * time.Second),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 10 * time.Minute, Time: time.Minute, Timeout: 20 * time.Second}),
	}
	if s.o.tls != nil {
		opts = append(opts, grpc.WriteBufferSize(writeBuffer), grpc.Creds(credentials.NewTLS(s.o.tls)))
	}
	return opts
}

// writeBuffer is what grpc gathers frames in before they are encrypted.
const writeBuffer = 64 << 10

// Serve accepts connections from l until Shutdown or Close; then it returns nil.
func (s *Server) Serve(l net.Listener) error {
	err := s.grpc.Serve(&listener{Listener: l, s: s, room: make(chan struct{}, s.o.conns)})
	if err == nil || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return h5err.Wrap(h5err.IO, err, "can't serve")
}

// Shutdown takes no new calls and lets those that run end by themselves. When ctx ends they are cut off, and its error
// is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.health.Shutdown()
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.grpc.Stop()
	<-done
	return ctx.Err()
}

// Close cuts off all calls and waits until they have ended.
func (s *Server) Close() error {
	s.health.Shutdown()
	s.grpc.Stop()
	return nil
}

// Stats is what a server is busy with.
type Stats struct {
	Connections int
	Streams     int   // of record batches
	Waiting     int   // streams that wait for memory
	Memory      int64 // bytes granted to streams
	Files       int   // open files
}

// Stats returns what the server is busy with now.
func (s *Server) Stats() Stats {
	var st Stats
	u, waiting := s.limits.now()
	st.Streams, st.Memory, st.Waiting = u.streams, u.memory, waiting
	s.mu.Lock()
	st.Connections = len(s.conns)
	s.mu.Unlock()
	s.roots.mu.Lock()
	st.Files = s.roots.all
	s.roots.mu.Unlock()
	return st
}

// listener counts connections.
type listener struct {
	net.Listener
	s    *Server
	room chan struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.room <- struct{}{}:
		default:
			c.Close() // too many: nothing was promised
			continue
		}
		nc := &netConn{Conn: c, l: l}
		if _, ok := c.(*net.TCPConn); ok && l.s.o.tls == nil { // others read what they are to write themselves
			nc.wire = h2.NewWriter(nc.writeAll, func() { c.Close() })
		}
		l.s.mu.Lock()
		l.s.conns[nc.key()] = nc
		l.s.mu.Unlock()
		return nc, nil
	}
}

// netConn is a connection whose writes do not wait for ever.
type netConn struct {
	net.Conn
	l    *listener
	wire *h2.Writer // nil: encrypted, or not a socket
	once sync.Once
}

func addresses(remote, local net.Addr) string { return remote.String() + " " + local.String() }

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

// hurry sets a limit for a write: keepalive pings wait behind it.
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
		c.l.s.mu.Lock()
		if c.l.s.conns[c.key()] == c {
			delete(c.l.s.conns, c.key())
		}
		c.l.s.mu.Unlock()
		<-c.l.room
	})
	return c.Conn.Close()
}
