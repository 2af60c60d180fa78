package remote

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Parts stores one object in parts. Nobody sees it before Complete. As with a Getter, an answer of the server, whatever its
// status, is not an error; an Answer's body is closed by the caller.
type Parts interface {
	// Put stores part n, counted from 0. Every part but the last has a multiple of 256 KiB, and 8 MiB at least.
	Put(ctx context.Context, n int, p *Body) (*Answer, error)
	// Complete stores the last part, and has the object appear.
	Complete(ctx context.Context, n int, p *Body) (*Answer, error)
	// Abort drops what was stored.
	Abort(ctx context.Context) error
}

// Body is a part, which can be read several times.
type Body struct {
	r        bytes.Reader
	progress func()
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.progress()
	return n, err
}

// Seek implements io.Seeker.
func (b *Body) Seek(off int64, whence int) (int64, error) { return b.r.Seek(off, whence) }

// Close implements io.Closer, and does nothing.
func (b *Body) Close() error { return nil }

// Size is the number of bytes.
func (b *Body) Size() int64 { return b.r.Size() }

// Target is where an Upload goes.
type Target struct {
	Name    string
	Object  Getter // of the object with that name, if there is one
	Replace bool   // an object that exists may be replaced
	Ordered bool   // parts are stored one after the other
	// Start starts the upload. Complete is to fail with status 412 if Replace is not set and the object exists.
	Start func(ctx context.Context) (Parts, *Answer, error)
}

// Upload writes one object, which appears whole with Commit, or not at all. Up to 4 parts are filled or under way at once. One
// goroutine may use it at a time, except for Abort.
type Upload struct {
	o       *options
	name    string
	ordered bool
	ctx     context.Context
	cancel  context.CancelFunc
	parts   Parts
	buf     []byte // of part n, which is being filled
	n       int
	slots   chan []byte // one for each part that may be filled or under way: memory to use again, or nil
	flying  sync.WaitGroup

	mu    sync.Mutex
	err   error // the first of a part
	ended bool
}

const (
	firstPart   = 8 << 20
	partsInSize = 2500 // then parts get four times as large: stores take 10,000
	inFlight    = 4    // 32 MiB of memory
	abortTime   = 5 * time.Second
)

// partSize returns the bytes of part n.
func partSize(n int) int { return firstPart << min(2*(n/partsInSize), 6) }

// NewUpload starts an upload, which ends with ctx. If the object exists and may not be replaced, the cause of the error is
// fs.ErrExist, here or from Commit. The caller calls Commit or Abort.
func NewUpload(ctx context.Context, t Target, opts ...Option) (*Upload, error) {
	o, err := resolve(opts)
	if err != nil {
		return nil, err
	}
	u := &Upload{o: o, name: t.Name, ordered: t.Ordered, slots: make(chan []byte, inFlight)}
	u.ctx, u.cancel = context.WithCancel(ctx)
	room := inFlight
	if t.Ordered {
		room = 2
	}
	for range room {
		u.slots <- nil
	}
	if !t.Replace {
		err = u.absent(t.Object)
	}
	if err == nil {
		err = u.do(u.ctx, func(ctx context.Context, _ func()) (a *Answer, err error) {
			u.parts, a, err = t.Start(ctx)
			return a, err
		})
	}
	if err != nil {
		u.cancel()
		return nil, h5err.In(err, t.Name, "")
	}
	return u, nil
}

// absent returns an error if there is an object. Who may write may not be allowed to look: the store does it then, at the end.
func (u *Upload) absent(g Getter) error {
	return u.o.repeat(u.ctx, func(ctx context.Context, progress func()) error {
		a, err := g.Get(ctx, 0, 1, Pin{})
		if err != nil {
			return again(err)
		}
		defer a.Body.Close()
		progress()
		switch a.Status {
		case http.StatusOK, http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable:
			return existing()
		case http.StatusNotFound, http.StatusForbidden, http.StatusUnauthorized:
			return nil
		}
		return refusal(a)
	})
}

func existing() error { return h5err.Wrap(h5err.Argument, fs.ErrExist, "the object exists already") }

// do makes a request until it succeeds or fails for good.
func (u *Upload) do(ctx context.Context, ask func(ctx context.Context, progress func()) (*Answer, error)) error {
	return u.o.repeat(ctx, func(ctx context.Context, progress func()) error {
		a, err := ask(ctx, progress)
		if err != nil {
			return again(err)
		}
		defer a.Body.Close()
		io.CopyN(io.Discard, &moving{a.Body, progress}, drained) // so that the connection can be used again
		switch {
		case a.Status < 300, a.Status == http.StatusPermanentRedirect:
			return nil
		case a.Status == http.StatusPreconditionFailed, a.Why == "BlobAlreadyExists":
			return existing()
		case a.Status == http.StatusNotFound:
			return h5err.Wrap(h5err.IO, fmt.Errorf("%d %s", a.Status, said(a)), "no such bucket")
		}
		return refusal(a)
	})
}

// Write implements io.Writer. It waits while enough parts are under way.
func (u *Upload) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		if u.buf == nil {
			if err := u.take(); err != nil {
				return done, err
			}
		}
		n := min(len(p)-done, partSize(u.n)-len(u.buf))
		u.buf = append(u.buf, p[done:done+n]...)
		done += n
		// A full part is sent only when there is more: the last one is Commit's.
		if len(u.buf) == partSize(u.n) && done < len(p) {
			u.send()
		}
	}
	return done, nil
}

// take gets memory for the next part.
func (u *Upload) take() error {
	select {
	case u.buf = <-u.slots:
	case <-u.ctx.Done():
		return u.failure(u.ctx.Err())
	}
	if err := u.failure(nil); err != nil {
		return err
	}
	if cap(u.buf) < partSize(u.n) {
		u.buf = make([]byte, 0, min(partSize(u.n), 1<<20)) // small outputs need little
	}
	u.buf = u.buf[:0]
	return nil
}

// send stores the part that is full, while the caller goes on.
func (u *Upload) send() {
	n, p := u.n, u.buf
	u.n, u.buf = u.n+1, nil
	if u.ordered {
		u.flying.Wait()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return
	}
	u.flying.Go(func() {
		err := u.do(u.ctx, func(ctx context.Context, progress func()) (*Answer, error) {
			b := &Body{progress: progress}
			b.r.Reset(p)
			return u.parts.Put(ctx, n, b)
		})
		u.fail(err)
		u.slots <- p
	})
}

func (u *Upload) fail(err error) {
	if err == nil {
		return
	}
	u.mu.Lock()
	if u.err == nil {
		u.err = err
	}
	u.mu.Unlock()
	u.cancel() // the other parts are in vain
}

// failure returns the first error of a part, or else err.
func (u *Upload) failure(err error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		err = u.err
	}
	return h5err.In(err, u.name, "")
}

// Commit stores what is left and has the object appear. After an error the caller calls Abort.
func (u *Upload) Commit(ctx context.Context) error {
	u.flying.Wait()
	if err := u.failure(ctx.Err()); err != nil {
		return err
	}
	err := u.do(u.ctx, func(ctx context.Context, progress func()) (*Answer, error) {
		b := &Body{progress: progress}
		b.r.Reset(u.buf)
		return u.parts.Complete(ctx, u.n, b)
	})
	if err != nil {
		return h5err.In(err, u.name, "")
	}
	u.mu.Lock()
	u.ended = true
	u.mu.Unlock()
	u.cancel()
	return nil
}

// Abort ends an upload. Nothing appears, unless Commit has returned nil. It waits at most 5 s for the store to drop the parts.
func (u *Upload) Abort() {
	u.cancel()
	u.mu.Lock()
	ended := u.ended
	u.ended = true
	u.mu.Unlock()
	if ended {
		return
	}
	u.flying.Wait()
	ctx, stop := context.WithTimeout(context.WithoutCancel(u.ctx), abortTime)
	defer stop()
	u.parts.Abort(ctx) // what fails here is left to the rules of the store
}
