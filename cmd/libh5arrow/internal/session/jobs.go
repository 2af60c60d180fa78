package session

import (
	"context"
	"sync"
	"time"
)

// Jobs is the work that reads streams of the caller. It must be over before the process ends: the streams may be an
// interpreter's, which fails when another thread comes back to it by then.
type Jobs struct {
	ctx    context.Context
	cancel context.CancelFunc
	idle   chan struct{} // gets a value when nothing runs

	mu      sync.Mutex
	running int
}

// NewJobs returns an empty set.
func NewJobs() *Jobs {
	j := &Jobs{idle: make(chan struct{}, 1)}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	return j
}

// enter adds work, which runs under the context that it returns, until done is called. After End it fails.
func (j *Jobs) enter() (ctx context.Context, done func(), err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ctx.Err() != nil {
		return nil, nil, context.Canceled // the process ends
	}
	j.running++
	ctx, cancel := context.WithCancel(j.ctx)
	return ctx, func() {
		cancel()
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.running--; j.running == 0 {
			select {
			case j.idle <- struct{}{}:
			default:
			}
		}
	}, nil
}

// Do runs fn as a part of the set.
func (j *Jobs) Do(fn func() error) error {
	_, done, err := j.enter()
	if err != nil {
		return err
	}
	defer done()
	return fn()
}

// End cancels what runs and waits until it is over, but not longer than d. It reports whether it is.
func (j *Jobs) End(d time.Duration) bool {
	j.cancel()
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		j.mu.Lock()
		n := j.running
		j.mu.Unlock()
		if n == 0 {
			return true
		}
		select {
		case <-j.idle:
		case <-timer.C:
			return false
		}
	}
}
