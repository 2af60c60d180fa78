package flight

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// limiter limits streams and memory, of all clients together and of each one. Streams beyond the limits are refused;
// streams wait in a queue for memory.
type limiter struct {
	streams, clientStreams int   // limits
	memory, clientMemory   int64 // limits, in bytes
	patience               time.Duration

	mu      sync.Mutex
	used    usage
	clients map[string]*usage
	queue   []*waiter
}

type usage struct {
	streams int
	memory  int64
}

// waiter is a stream that waits for memory.
type waiter struct {
	client string
	need   int64
	ready  chan struct{}
	given  bool
}

// grant is what one stream was given. The stream holds it, and so does each of its messages that has not been written.
type grant struct {
	l      *limiter
	client string
	memory int64
	refs   int // guarded by limiter.mu
}

// hold adds a reference.
func (g *grant) hold() {
	g.l.mu.Lock()
	g.refs++
	g.l.mu.Unlock()
}

// stream admits one more stream of a client. The caller releases the grant.
func (l *limiter) stream(client string) (*grant, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.clients[client]
	switch {
	case l.used.streams >= l.streams:
		return nil, status.Errorf(codes.ResourceExhausted, "all %d streams are in use; try again later", l.streams)
	case u != nil && u.streams >= l.clientStreams:
		return nil, status.Errorf(codes.ResourceExhausted, "all %d streams of a client are in use; try again later", l.clientStreams)
	case u == nil:
		u = &usage{}
		l.clients[client] = u
	}
	l.used.streams++
	u.streams++
	return &grant{l: l, client: client, refs: 1}, nil
}

// maxGrant returns how many bytes a stream can have at most.
func (l *limiter) maxGrant() int64 { return min(l.memory, l.clientMemory) }

// reserve waits until n more bytes are available to the stream's client, or as many as a stream can have.
func (g *grant) reserve(ctx context.Context, n int64) error {
	l := g.l
	n = min(n, l.maxGrant())
	l.mu.Lock()
	w := &waiter{client: g.client, need: n, ready: make(chan struct{})}
	l.queue = append(l.queue, w)
	l.serve()
	l.mu.Unlock()
	limit := time.NewTimer(l.patience)
	defer limit.Stop()
	var err error
	select {
	case <-w.ready:
	case <-ctx.Done():
		err = ctx.Err()
	case <-limit.C:
		err = status.Errorf(codes.ResourceExhausted, "no memory became available for the stream within %v; try again later", l.patience)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && !w.given {
		for i, x := range l.queue {
			if x == w {
				l.queue = append(l.queue[:i], l.queue[i+1:]...)
				break
			}
		}
		l.serve()
		return err
	}
	g.memory += n // it was granted even if err is not nil: release returns it
	return err
}

// serve grants memory from the head of the queue on. A stream that waits for its own client's memory does not block others.
func (l *limiter) serve() {
	rest := l.queue[:0]
	blocked := false
	for _, w := range l.queue {
		u := l.clients[w.client]
		switch {
		case blocked || l.used.memory+w.need > l.memory:
			blocked = true
		case u.memory+w.need > l.clientMemory:
		default:
			l.used.memory += w.need
			u.memory += w.need
			w.given = true
			close(w.ready)
			continue
		}
		rest = append(rest, w)
	}
	clear(l.queue[len(rest):])
	l.queue = rest
}

// release drops a reference; the last one returns everything.
func (g *grant) release() {
	l := g.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if g.refs--; g.refs > 0 {
		return
	}
	u := l.clients[g.client]
	l.used.streams--
	u.streams--
	l.used.memory -= g.memory
	u.memory -= g.memory
	g.memory = 0
	if u.streams == 0 && u.memory == 0 {
		delete(l.clients, g.client)
	}
	l.serve()
}

// now returns what is in use, and how many streams wait.
func (l *limiter) now() (u usage, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used, len(l.queue)
}
