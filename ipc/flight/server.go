package flight

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
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
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

// Option changes how a Server works.
type Option func(*options) error

type options struct {
	token         func(token string) bool // nil: none is needed
	tls           *tls.Config
	key           []byte
	life          time.Duration
	streams       int
	clientStreams int
	conns         int
	hostConns     int
	firstCall     time.Duration
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
	sqlTimeout    time.Duration // 0: none
	sqlTables     []SQLTable
	observe       func(Call)
	put           Put // nil: nothing is taken
	putBytes      int64
}

// Defaults, where no option says otherwise.
const (
	DefaultTicketLife    = time.Hour
	DefaultMaxStreams    = 1024
	DefaultMaxMemory     = 1 << 30
	DefaultSendTimeout   = 30 * time.Second
	DefaultFirstCall     = 10 * time.Second
	DefaultBatchBytes    = 2 << 20
	DefaultEndpointBytes = 128 << 20
	defaultConnections   = 2048
)

// patience is how long a stream waits for memory while others are served.
const patience = 2 * time.Minute

// minMemory is the smallest memory limit of a server, in bytes.
const minMemory = 16 << 20

func positive[N int | int64 | time.Duration](to *N, n N, what string) error {
	if n <= 0 {
		return h5err.New(h5err.Argument, "%s: %v is not positive", what, n)
	}
	*to = n
	return nil
}

// WithTokens requires one of these bearer tokens in the metadata of every call: "authorization: Bearer TOKEN". The only
// exception is grpc.health.v1.Health/Check. No tokens at all, or an empty one, are an error of kind Argument.
func WithTokens(tokens ...string) Option {
	return func(o *options) error {
		list, err := NewTokens(tokens...)
		if err != nil {
			return err
		}
		return WithTokenCheck(list.Has)(o)
	}
}

// WithTokenCheck is WithTokens for tokens that may change: known reports whether a token is accepted now. It is called at the
// start of each call and before each message of a stream, by several goroutines, so a stream ends soon after its token has
// been withdrawn.
func WithTokenCheck(known func(token string) bool) Option {
	return func(o *options) error {
		if known == nil {
			return h5err.New(h5err.Argument, "no tokens")
		}
		o.token = known
		return nil
	}
}

// Tokens is a set of bearer tokens. It keeps their SHA-256 sums only.
type Tokens struct{ sums [][sha256.Size]byte }

// NewTokens returns a set of tokens. No tokens at all, or an empty one, are an error of kind Argument.
func NewTokens(tokens ...string) (*Tokens, error) {
	if len(tokens) == 0 {
		return nil, h5err.New(h5err.Argument, "no tokens")
	}
	t := &Tokens{}
	for _, s := range tokens {
		if s == "" {
			return nil, h5err.New(h5err.Argument, "an empty token")
		}
		t.sums = append(t.sums, sha256.Sum256([]byte(s)))
	}
	return t, nil
}

// Has reports whether a token is in the set. How long it takes does not depend on which one it is.
func (t *Tokens) Has(token string) bool {
	sum := sha256.Sum256([]byte(token))
	known := 0
	for i := range t.sums {
		known |= subtle.ConstantTimeCompare(sum[:], t.sums[i][:])
	}
	return known == 1
}

// WithTLS encrypts connections. The configuration may demand client certificates.
func WithTLS(c *tls.Config) Option {
	return func(o *options) error {
		o.tls = c
		return nil
	}
}

// WithTicketKey sets the key that signs tickets, of at least 32 bytes, so that several servers accept one another's
// tickets. The default is a random key.
func WithTicketKey(key []byte) Option {
	return func(o *options) error {
		if len(key) < sha256.Size {
			return h5err.New(h5err.Argument, "a ticket key of %d bytes", len(key)).WithHint("it must have at least %d", sha256.Size)
		}
		o.key = append([]byte{}, key...)
		return nil
	}
}

// WithTicketLife sets how long a ticket is valid, at least one second. The default is DefaultTicketLife.
func WithTicketLife(d time.Duration) Option {
	return func(o *options) error {
		if d < time.Second {
			return h5err.New(h5err.Argument, "tickets that are valid for %v", d).WithHint("they must be valid for at least a second")
		}
		o.life = d
		return nil
	}
}

// WithMaxStreams limits streams of record batches. Further ones are refused. The default is DefaultMaxStreams.
func WithMaxStreams(n int) Option {
	return func(o *options) error { return positive(&o.streams, n, "streams") }
}

// WithClientStreams limits the streams of one client. The default is the limit of all streams.
func WithClientStreams(n int) Option {
	return func(o *options) error { return positive(&o.clientStreams, n, "streams of a client") }
}

// WithMaxConnections limits connections. Calls on further ones are refused with RESOURCE_EXHAUSTED, and they are closed soon.
// The default is 2048.
func WithMaxConnections(n int) Option {
	return func(o *options) error { return positive(&o.conns, n, "connections") }
}

// WithAddressConnections limits the connections from one address. The default is a quarter of the limit of all connections.
// Clients behind a proxy share its address.
func WithAddressConnections(n int) Option {
	return func(o *options) error { return positive(&o.hostConns, n, "connections from an address") }
}

// WithFirstCall sets how long a connection may exist without a call that was admitted: one with its token, where tokens are
// needed. Then it is closed. The default is DefaultFirstCall.
func WithFirstCall(d time.Duration) Option {
	return func(o *options) error { return positive(&o.firstCall, d, "time until the first call") }
}

// WithMaxMemory limits the memory for decoded rows and messages of all streams, in bytes. Streams wait for memory. The
// default is DefaultMaxMemory.
func WithMaxMemory(n int64) Option {
	return func(o *options) error {
		if n < minMemory {
			return h5err.New(h5err.Argument, "%d bytes of memory", n).WithHint("a server needs at least %d", int64(minMemory))
		}
		o.memory = n
		return nil
	}
}

// WithClientMemory limits the memory of one client's streams, in bytes. The default is the limit of all streams.
func WithClientMemory(n int64) Option {
	return func(o *options) error {
		if n < minMemory {
			return h5err.New(h5err.Argument, "%d bytes of memory for a client", n).WithHint("a stream needs at least %d", int64(minMemory))
		}
		o.clientMemory = n
		return nil
	}
}

// WithSendTimeout sets how long a message may wait for its client to read. After that the stream ends with
// DEADLINE_EXCEEDED. If the client does not read what was sent before within the same time again, its connection is closed.
// The default is DefaultSendTimeout.
func WithSendTimeout(d time.Duration) Option {
	return func(o *options) error { return positive(&o.sendTimeout, d, "send timeout") }
}

// WithSQLTimeout limits how long a statement may run, from its start until its client has read the result. Then its call ends
// with DEADLINE_EXCEEDED. By default only the client's deadline limits it.
func WithSQLTimeout(d time.Duration) Option {
	return func(o *options) error { return positive(&o.sqlTimeout, d, "time of a statement") }
}

// WithBatchRows sets the rows of a message. The last one of an endpoint may have fewer. The default is set by WithBatchBytes.
func WithBatchRows(n int64) Option {
	return func(o *options) error { return positive(&o.batchRows, n, "rows of a batch") }
}

// WithBatchBytes limits the bytes of a message, approximately. The default is DefaultBatchBytes.
func WithBatchBytes(n int64) Option {
	return func(o *options) error { return positive(&o.batchBytes, n, "bytes of a batch") }
}

// WithEndpoints splits every flight into n endpoints, or fewer if it has too few rows. The default is set
// by WithEndpointBytes.
func WithEndpoints(n int) Option {
	return func(o *options) error {
		if n > maxEndpoints {
			return h5err.New(h5err.Argument, "%d endpoints", n).WithHint("the maximum is %d", maxEndpoints)
		}
		return positive(&o.endpoints, n, "endpoints")
	}
}

// WithEndpointBytes sets the approximate bytes of an endpoint. The default is DefaultEndpointBytes.
func WithEndpointBytes(n int64) Option {
	return func(o *options) error { return positive(&o.endpointBytes, n, "bytes of an endpoint") }
}

// WithTrustedInput sends mapped bytes without any copies, including offsets and indices, and values on encrypted
// connections. If a file is cut short while it is sent, the process ends: use it only for files that nobody changes.
func WithTrustedInput() Option {
	return func(o *options) error {
		o.trust = true
		return nil
	}
}

// WithWorkers sets how many goroutines decode for a stream. The default is one per processor.
func WithWorkers(n int) Option {
	return func(o *options) error { return positive(&o.workers, n, "workers") }
}

// WithObserver calls fn at the end of each call, from several goroutines, for logs and metrics.
func WithObserver(fn func(Call)) Option {
	return func(o *options) error {
		o.observe = fn
		return nil
	}
}

// Server serves the tables of a catalog by Arrow Flight.
type Server struct {
	flight.BaseFlightServer
	o       options
	catalog *catalog.Catalog
	keys    *keyring
	limits  *limiter
	pool    *pool
	work    chan struct{} // limits the files that are described at a time
	sql     flight.FlightServer
	grpc    *grpc.Server
	health  *health.Server

	methods map[string]bool // full names of known methods

	mu    sync.Mutex
	conns map[string]*netConn // by addresses
	hosts map[string]int      // connections by the address of their client, without port

	closing context.Context // done when calls must end
	cut     context.CancelFunc
}

// New returns a server for the tables of files, which Serve starts. It does not close the catalog.
func New(files *catalog.Catalog, opts ...Option) (*Server, error) {
	o := options{life: DefaultTicketLife, streams: DefaultMaxStreams, conns: defaultConnections, memory: DefaultMaxMemory,
		sendTimeout: DefaultSendTimeout, firstCall: DefaultFirstCall, batchBytes: DefaultBatchBytes, endpointBytes: DefaultEndpointBytes, observe: func(Call) {}}
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
	if o.hostConns == 0 {
		o.hostConns = max(1, o.conns/4)
	}
	s := &Server{o: o, catalog: files, hosts: map[string]int{}, keys: newKeyring(o.key, o.life), work: make(chan struct{}, 32), conns: map[string]*netConn{}, methods: map[string]bool{},
		pool: &pool{maxKept: int(min(o.memory/8, 256<<20))}}
	s.closing, s.cut = context.WithCancel(context.Background())
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
	received := 1 << 20
	if s.o.put != nil {
		received = maxPutMessage
	}
	opts := []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{encoding.GetCodecV2(proto.Name)}),
		grpc.InTapHandle(s.tap),
		grpc.StatsHandler((*connStats)(s)),
		grpc.ChainUnaryInterceptor(s.unary),
		grpc.ChainStreamInterceptor(s.streaming),
		grpc.MaxConcurrentStreams(uint32(s.o.streams)),
		grpc.MaxRecvMsgSize(received),
		grpc.MaxHeaderListSize(16 << 10),
		grpc.StaticStreamWindowSize(64 << 10),
		grpc.StaticConnWindowSize(256 << 10),
		grpc.WriteBufferSize(0), // h2.Writer gathers frames
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

// writeBuffer is the size of the buffer in which grpc gathers frames before they are encrypted.
const writeBuffer = 64 << 10

// Serve accepts connections from l until Shutdown or Close is called; then it returns nil.
func (s *Server) Serve(l net.Listener) error {
	err := s.grpc.Serve(newListener(l, s))
	if err == nil || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return h5err.Wrap(h5err.IO, err, "can't serve")
}

// goodbye is how long calls that are cut off have to tell their clients why.
const goodbye = time.Second

// Shutdown refuses new calls and waits until those in progress have ended. When ctx ends first, it ends them with UNAVAILABLE
// and returns the error of ctx.
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
	s.cut()
	select {
	case <-done:
	case <-time.After(goodbye):
		s.grpc.Stop()
		<-done
	}
	return ctx.Err()
}

// Close cancels all calls and waits until they have ended.
func (s *Server) Close() error {
	s.health.Shutdown()
	s.cut()
	s.grpc.Stop()
	return nil
}

// Stats describes the load of a server.
type Stats struct {
	Connections int
	Streams     int   // of record batches
	Waiting     int   // streams that wait for memory
	Memory      int64 // bytes granted to streams
	Files       int   // open files
}

// Stats returns the current load of the server.
func (s *Server) Stats() Stats {
	var st Stats
	u, waiting := s.limits.now()
	st.Streams, st.Memory, st.Waiting = u.streams, u.memory, waiting
	s.mu.Lock()
	st.Connections = len(s.conns)
	s.mu.Unlock()
	st.Files = s.catalog.OpenFiles()
	return st
}
