package flight

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/h5arrow/h5arrow/h5/source"
)

// Call describes one call of a client after it has ended.
type Call struct {
	Method   string // such as "DoGet"; "other" for unknown methods
	Peer     string // the client's address
	Client   string // to whom limits apply: "token:..." and "certificate:..." (prefixes of SHA-256 sums), or "address:..."
	File     string // what was asked for, if known
	Table    string
	SQL      string
	Rows     int64 // sent
	Batches  int64
	Bytes    int64 // of messages
	Start    time.Time
	Duration time.Duration
	Status   string // a gRPC code, such as "OK" or "NotFound"
	Err      error  // may name paths of the server, which the client does not see
}

// call is a call in progress.
type call struct {
	Call
	conn    *conn
	cut     context.CancelCauseFunc // ends the call with a reason, even while grpc waits for the client
	coding  coding
	allowed func() bool // reports whether the call's token is still accepted; nil without tokens
	sending atomic.Bool // grpc sends a message: if the call is cut now, grpc chooses the status
}

// Reasons for which the server ends a call.
var (
	errSlow    = status.Error(codes.DeadlineExceeded, "the client did not read for too long")
	errClosing = status.Error(codes.Unavailable, "the server is shutting down; try again later")
	errRevoked = status.Error(codes.Unauthenticated, "the token is no longer accepted")
)

type (
	callKey struct{}
	connKey struct{}
)

// Client returns the name of the client of a call, whose context SQL gets; "" for other contexts.
func Client(ctx context.Context) string {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.Client
	}
	return ""
}

// callOf returns the call that a context belongs to.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// slowContext reports an expired deadline when the call is cut for that reason, so that the client receives
// DEADLINE_EXCEEDED.
type slowContext struct{ context.Context }

// Err implements context.Context.
func (c slowContext) Err() error {
	err := c.Context.Err()
	if err != nil && status.Code(context.Cause(c.Context)) == codes.DeadlineExceeded {
		return context.DeadlineExceeded
	}
	return err
}

// reason returns the error that the server ended a call with, else err.
func reason(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if _, ours := status.FromError(cause); err != nil && cause != nil && ours {
		return cause
	}
	return err
}

// tap runs before anything is done for a call. It checks the token.
func (s *Server) tap(ctx context.Context, info *tap.Info) (context.Context, error) {
	c := &call{Call: Call{Start: time.Now(), Method: "other"}} // an unknown method may have any name
	if s.methods[info.FullMethodName] {
		c.Method = info.FullMethodName[strings.LastIndexByte(info.FullMethodName, '/')+1:]
	}
	c.conn, _ = ctx.Value(connKey{}).(*conn)
	var err error
	p, _ := peer.FromContext(ctx)
	if p != nil {
		c.Peer = p.Addr.String()
	}
	if c.Client, c.allowed, err = s.client(p, info); c.conn != nil && c.conn.refused != nil {
		err = c.conn.refused
	}
	if err != nil {
		s.observe(&c.Call, err)
		return ctx, err
	}
	if c.conn != nil && (c.allowed != nil || s.o.token == nil) {
		c.conn.admit()
	}
	ctx, c.cut = context.WithCancelCause(context.WithValue(ctx, callKey{}, c))
	return slowContext{ctx}, nil
}

// client identifies the client of a call, and returns a function that reports whether its token is still accepted. A call
// without its token is an error.
func (s *Server) client(p *peer.Peer, info *tap.Info) (name string, allowed func() bool, err error) {
	if s.o.token == nil || info.FullMethodName == healthpb.Health_Check_FullMethodName {
		return peerName(p), nil, nil
	}
	given := info.Header.Get("authorization")
	if len(given) != 1 || len(given[0]) <= len("Bearer ") || !strings.EqualFold(given[0][:len("Bearer ")], "Bearer ") {
		return "", nil, status.Error(codes.Unauthenticated, `a bearer token is needed: metadata "authorization: Bearer TOKEN"`)
	}
	token := given[0][len("Bearer "):]
	if !s.o.token(token) {
		return "", nil, status.Error(codes.Unauthenticated, "the token is not known")
	}
	sum := sha256.Sum256([]byte(token))
	return "token:" + hex.EncodeToString(sum[:4]), func() bool { return s.o.token(token) }, nil
}

// peerName identifies a client by its certificate or its address.
func peerName(p *peer.Peer) string {
	if p == nil {
		return "unknown"
	}
	if t, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(t.State.PeerCertificates) > 0 {
		sum := sha256.Sum256(t.State.PeerCertificates[0].Raw)
		return "certificate:" + hex.EncodeToString(sum[:4])
	}
	host, _, err := net.SplitHostPort(p.Addr.String())
	if err != nil {
		host = p.Addr.String()
	}
	return "address:" + host
}

// observe reports a call that has ended.
func (s *Server) observe(c *Call, err error) {
	c.Duration, c.Err = time.Since(c.Start), err
	c.Status = status.Code(s.statusOf(err)).String()
	s.o.observe(*c)
}

// guard runs a call. It turns panics into errors, and gives errors a code.
func (s *Server) guard(ctx context.Context, fn func() error) (err error) {
	c := callOf(ctx)
	defer context.AfterFunc(s.closing, func() {
		if !c.sending.Load() { // otherwise the next message ends the call
			c.cut(errClosing)
		}
	})()
	defer func() {
		if r := recover(); r != nil {
			s.observe(&c.Call, fmt.Errorf("panic: %v\n%s", r, debug.Stack()))
			err = status.Error(codes.Internal, "an internal error")
			return
		}
		if c.conn != nil {
			err = c.conn.cause(err)
		}
		err = reason(ctx, err)
		s.observe(&c.Call, err)
		err = s.statusOf(err)
	}()
	return source.Guard(fn)
}

func (s *Server) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	err = s.guard(ctx, func() error {
		var err error
		resp, err = next(ctx, req)
		return err
	})
	return resp, err
}

func (s *Server) streaming(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	t := &timedStream{ServerStream: ss, c: callOf(ss.Context()), timeout: s.o.sendTimeout, closing: s.closing}
	return s.guard(ss.Context(), func() error { return next(srv, t) })
}

// timedStream is a stream whose messages wait for their client only for the given time.
type timedStream struct {
	grpc.ServerStream
	c       *call
	timeout time.Duration
	timer   *time.Timer
	closing context.Context // done when the server is
}

// SendMsg implements grpc.ServerStream.
func (t *timedStream) SendMsg(m any) error {
	t.c.sending.Store(true)
	defer t.c.sending.Store(false)
	if err := t.refusal(); err != nil {
		if m, ok := m.(*message); ok {
			m.parts.Free() // as grpc does when it can't send
		}
		return err
	}
	if t.timer == nil {
		t.timer = time.AfterFunc(t.timeout, func() { t.c.cut(errSlow) })
	} else {
		t.timer.Reset(t.timeout)
	}
	err := t.ServerStream.SendMsg(m)
	t.timer.Stop()
	if err != nil && errors.Is(context.Cause(t.Context()), errSlow) {
		return errSlow
	}
	return err
}

// refusal returns why no more messages are sent, nil if they are.
func (t *timedStream) refusal() error {
	switch {
	case t.closing.Err() != nil:
		return errClosing
	case t.c.allowed != nil && !t.c.allowed():
		return errRevoked
	}
	return nil
}

// connStats is notified of connections.
type connStats Server

// TagConn implements stats.Handler.
func (s *connStats) TagConn(ctx context.Context, info *stats.ConnTagInfo) context.Context {
	c := &conn{out: map[*message]struct{}{}, admit: func() {}, close: func() {}}
	s.mu.Lock()
	if nc := s.conns[addresses(info.RemoteAddr, info.LocalAddr)]; nc != nil {
		c.admit, c.refused = nc.admit, nc.refused
		c.close = func() { nc.Close() } // a client that does not read gets no message either
		if c.wire = nc.wire; c.wire != nil {
			c.wire.SetMemory(c)
		}
	}
	s.mu.Unlock()
	return context.WithValue(ctx, connKey{}, c)
}

// HandleConn implements stats.Handler. ConnEnd comes when nothing reads from messages any more.
func (s *connStats) HandleConn(ctx context.Context, what stats.ConnStats) {
	if _, ok := what.(*stats.ConnEnd); ok {
		ctx.Value(connKey{}).(*conn).end()
	}
}

// TagRPC implements stats.Handler.
func (s *connStats) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements stats.Handler.
func (s *connStats) HandleRPC(context.Context, stats.RPCStats) {}
