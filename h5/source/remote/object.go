package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/temporary"
)

// ErrChanged is the cause of errors about objects that were replaced since they were opened.
var ErrChanged = errors.New("the object was replaced since it was opened")

// Getter asks for a range of one object, once.
type Getter interface {
	// Get asks for n bytes at an offset of the object, as it was when it had the given pin, whose zero value is any. An
	// answer of the server, whatever its status, is not an error. The caller closes the body. Requests end with ctx.
	Get(ctx context.Context, off, n int64, pin Pin) (*Answer, error)
}

// Pin identifies one version of an object.
type Pin struct {
	Tag      string // entity tag, with its quotes, or whatever a Getter identifies versions by
	Modified string // time of modification, as the server writes it
}

// same reports whether two pins are of one version. Strong tags identify it alone: servers that share an object may have other times for it. Weak ones do
// with the time, and one of two servers may send as weak what the other sends as strong.
func (p Pin) same(q Pin) bool {
	if p.strong() && q.strong() {
		return p.Tag == q.Tag
	}
	return strings.TrimPrefix(p.Tag, "W/") == strings.TrimPrefix(q.Tag, "W/") && p.Modified == q.Modified
}

func (p Pin) strong() bool { return p.Tag != "" && !strings.HasPrefix(p.Tag, "W/") }

// settled is how old an object must be for its time of modification, in seconds, to identify its version.
const settled = 5 * time.Second

// Version returns a text that is another one for each version of an object, "" if there is no such text: weak tags are of what is
// alike, and an object may be replaced twice in a second.
func (x *object) Version() string {
	p := x.pin
	if !p.strong() {
		t, err := http.ParseTime(p.Modified)
		if err != nil || time.Since(t) < settled {
			return ""
		}
	}
	return p.Tag + "\n" + p.Modified
}

// Answer is a server's answer to a Get.
type Answer struct {
	Status int    // of HTTP: 206 for a range
	Range  string // as the header Content-Range
	Pin    Pin
	After  string // as the header Retry-After
	Why    string // what the server says about an error, a short text
	Body   io.ReadCloser

	Generation string // as the header X-Goog-Generation
	Region     string // as the header X-Amz-Bucket-Region
	Location   string // as the header Location
}

// object is the Backend of an object.
type object struct {
	get  Getter
	o    *options
	name string
	size int64
	pin  Pin
	copy *temporary.File // nil unless the object was downloaded as a whole

	mu      sync.Mutex
	changed error
}

// Hints are for latencies of some 10 ms and rates of some 100 MB/s.
func (x *object) Hints() source.Hints {
	return source.Hints{Gap: 64 << 10, Span: 8 << 20, Join: 8 << 20, InFlight: 16}
}

// Changed returns the error of a read that noticed that the object was replaced. It asks for nothing: every read looks.
func (x *object) Changed(context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.changed
}

// Close closes the Getter.
func (x *object) Close() error {
	if x.copy != nil {
		x.copy.Close()
	}
	if c, ok := x.get.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// open asks for the first bytes, which says how long the object is and what pins it.
func (x *object) open(ctx context.Context) (first []byte, err error) {
	err = x.o.repeat(ctx, func(ctx context.Context, progress func()) error {
		first, err = x.opening(ctx, progress)
		return err
	})
	return first, err
}

func (x *object) opening(ctx context.Context, progress func()) ([]byte, error) {
	want := x.o.opening
	a, err := x.get.Get(ctx, 0, want, Pin{})
	if err != nil {
		return nil, again(err)
	}
	defer a.Body.Close()
	progress()
	switch a.Status {
	case http.StatusPartialContent:
		if strings.HasSuffix(a.Range, "/*") {
			return nil, h5err.New(h5err.IO, "the server does not say how long the file is (%.100q)", a.Range)
		}
		off, n, size, err := parseRange(a.Range)
		if err != nil || off != 0 || n > want || n < min(want, size, minPart) {
			return nil, again(fmt.Errorf("asked for its first %d bytes, the server sent %s", want, sent(a)))
		}
		first := make([]byte, n)
		if _, err := io.ReadFull(&moving{a.Body, progress}, first); err != nil {
			return nil, again(short(err))
		}
		x.size, x.pin = size, a.Pin
		return first, nil
	case http.StatusOK: // an object that is not larger is here as a whole
		first, err := io.ReadAll(io.LimitReader(&moving{a.Body, progress}, want+1))
		if err != nil {
			return nil, again(short(err))
		}
		if int64(len(first)) > want {
			return nil, x.download(first, a, progress)
		}
		x.size, x.pin = int64(len(first)), a.Pin
		return first, nil
	case http.StatusRequestedRangeNotSatisfiable:
		if strings.HasSuffix(a.Range, "/0") {
			return nil, nil // empty
		}
	}
	return nil, refusal(a)
}

// minPart is what a server must send of a range, unless the range is smaller. It may send less than it was asked for, and be asked for the rest.
const minPart = 64 << 10

// ReadAtContext fills p. A request that was cut short goes on where it stopped.
func (x *object) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	if err := x.Changed(ctx); err != nil {
		return 0, err
	}
	done, err := 0, error(nil)
	for done < len(p) && err == nil {
		err = x.o.repeat(ctx, func(ctx context.Context, progress func()) error {
			n, err := x.once(ctx, p[done:], off+int64(done), progress)
			done += n
			return err
		})
	}
	if errors.Is(err, ErrChanged) {
		x.mu.Lock()
		x.changed = err
		x.mu.Unlock()
	}
	return done, err
}

// once makes one request, and returns how many bytes of p are filled: fewer than all, without an error, if the server sent a part.
func (x *object) once(ctx context.Context, p []byte, off int64, progress func()) (int, error) {
	a, err := x.get.Get(ctx, off, int64(len(p)), x.pin)
	if err != nil {
		return 0, again(err)
	}
	defer a.Body.Close()
	progress()
	switch a.Status {
	case http.StatusPartialContent:
	case http.StatusPreconditionFailed:
		return 0, changed()
	case http.StatusOK, http.StatusRequestedRangeNotSatisfiable:
		if !a.Pin.same(x.pin) {
			return 0, changed()
		}
		return 0, again(fmt.Errorf("asked for %d bytes at %d, the server did not send a range", len(p), off))
	default:
		return 0, refusal(a)
	}
	at, n, size, err := parseRange(a.Range)
	switch {
	case !a.Pin.same(x.pin) || err == nil && size != x.size:
		return 0, changed()
	case err != nil || at != off || n > int64(len(p)) || n < min(int64(len(p)), minPart):
		return 0, again(fmt.Errorf("asked for %d bytes at %d, the server sent %s", len(p), off, sent(a)))
	}
	got, err := io.ReadFull(&moving{a.Body, progress}, p[:n])
	if err != nil {
		return got, again(short(err))
	}
	return got, nil
}

func changed() error {
	return &h5err.Error{Kind: h5err.IO, Offset: h5err.NoOffset, Err: ErrChanged, Hint: "open it again"}
}

func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the answer was cut short")
	}
	return err
}

// sent describes the range of an answer.
func sent(a *Answer) string {
	if a.Range == "" {
		return "no Content-Range"
	}
	return fmt.Sprintf("the range %.100q", a.Range)
}

// parseRange reads a header Content-Range, such as "bytes 0-99/1234".
func parseRange(s string) (off, n, size int64, err error) {
	unit, rest, _ := strings.Cut(strings.TrimSpace(s), " ")
	span, total, ok := strings.Cut(rest, "/")
	a, b, ok2 := strings.Cut(span, "-")
	off, err1 := strconv.ParseInt(a, 10, 64)
	last, err2 := strconv.ParseInt(b, 10, 64)
	size, err3 := strconv.ParseInt(total, 10, 64)
	if !ok || !ok2 || !strings.EqualFold(unit, "bytes") || errors.Join(err1, err2, err3) != nil || off < 0 || last < off || last >= size {
		return 0, 0, 0, fmt.Errorf("the server sent the range %q", s)
	}
	return off, last - off + 1, size, nil
}

// passing is an error that another attempt may not have.
type passing struct {
	error
	after time.Duration // to wait at least
}

func (p passing) Unwrap() error { return p.error }

// again marks an error as passing, unless the Getter knows better.
func again(err error) error {
	if p, ok := errors.AsType[permanent](err); ok {
		return p.error
	}
	return passing{error: err}
}

// moving calls progress for each read that returned something.
type moving struct {
	r        io.Reader
	progress func()
}

func (m *moving) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if n > 0 {
		m.progress()
	}
	return n, err
}

const (
	maxPause      = 10 * time.Second
	maxRetryAfter = 60 * time.Second
	maxStalls     = 15 // how often the time in which a server must send something one answer may take
)

// repeat calls fn until it succeeds, fails for good, or has failed too often. fn calls progress when the server sends
// something; its context ends when it did not for too long.
func (o *options) repeat(ctx context.Context, fn func(ctx context.Context, progress func()) error) error {
	for try := 1; ; try++ {
		err := o.attempt(ctx, fn)
		p, ok := errors.AsType[passing](err)
		if !ok {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if try >= o.attempts {
			if try > 1 {
				return h5err.Wrap(h5err.IO, p.error, "gave up after %d attempts", try)
			}
			return h5err.Wrap(h5err.IO, p.error, "")
		}
		pause := min(o.pause<<(try-1), maxPause)
		pause = max(pause/2+rand.N(pause/2+1), p.after)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		o.stats.retries.Add(1)
	}
}

func (o *options) attempt(ctx context.Context, fn func(ctx context.Context, progress func()) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := fmt.Errorf("the server sent nothing for %v", o.stall)
	longest := maxStalls * o.stall
	if o.download {
		longest = longestDownload
	}
	slow := fmt.Errorf("the answer took more than %v", longest)
	watch := time.AfterFunc(o.stall, func() { cancel(stalled) })
	defer watch.Stop()
	defer time.AfterFunc(longest, func() { cancel(slow) }).Stop()
	err := fn(ctx, func() { watch.Reset(o.stall) })
	if cause := context.Cause(ctx); err != nil && (cause == stalled || cause == slow) {
		return again(cause)
	}
	return err
}

// refusal is the error of an answer that is not the range.
func refusal(a *Answer) error {
	said := fmt.Errorf("%d %s", a.Status, said(a))
	switch a.Status {
	case http.StatusNotFound, http.StatusGone:
		return h5err.Wrap(h5err.IO, missing{said}, "no such object")
	case http.StatusUnauthorized, http.StatusForbidden:
		return h5err.Wrap(h5err.IO, said, "access is denied")
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return passing{fmt.Errorf("the server answers: %w", said), retryAfter(a.After)}
	}
	return h5err.Wrap(h5err.IO, said, "the server answers")
}

// missing is an error that is fs.ErrNotExist.
type missing struct{ error }

func (missing) Is(target error) bool { return target == fs.ErrNotExist }

// said is what an answer says about an error.
func said(a *Answer) string {
	if a.Why != "" {
		return a.Why
	}
	return http.StatusText(a.Status)
}

// retryAfter reads a header Retry-After: seconds, or a time.
func retryAfter(s string) time.Duration {
	if s == "" {
		return 0
	}
	d := time.Duration(0)
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(s); err == nil {
		d = time.Until(t)
	}
	return min(max(d, 0), maxRetryAfter)
}
