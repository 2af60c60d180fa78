// Package remote opens objects of servers as sources: files of web servers (Open), and what any other protocol reads by ranges
// (New), as the packages below this one do for object stores.
//
// An object is pinned when it is opened: every later answer must be about the same length and the same entity tag, or time of
// modification where there is no tag, and requests have it as a condition (If-Match). If it was replaced meanwhile, reads fail with ErrChanged;
// bytes of two versions are never mixed.
//
// Requests that fail for a reason that may pass are repeated with growing, random pauses, or after the time that the server asks
// for. Each must make progress within a deadline. Answers with another range, with fewer bytes, or with more than were
// asked for are noticed.
//
// Headers that were given for a server (WithHeader) are never sent to another one that it redirects to, and are in no message.
// Neither are a URL's query, which may hold a signature, and its user and password.
package remote

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/block"
	"github.com/h5arrow/h5arrow/h5/source/disk"
	"github.com/h5arrow/h5arrow/h5/source/kept"
)

// Stats counts what was asked of servers. Several objects may share one.
type Stats struct {
	requests, bytes, hits, retries atomic.Int64
}

// Counts are the numbers of a Stats at one moment.
type Counts struct {
	Requests  int64 `json:"requests"`   // of every kind, failed ones too
	Bytes     int64 `json:"bytes"`      // of bodies
	CacheHits int64 `json:"cache_hits"` // reads that needed no request
	Retries   int64 `json:"retries"`    // requests that were repeated
}

// Counts returns the numbers now.
func (s *Stats) Counts() Counts {
	return Counts{s.requests.Load(), s.bytes.Load(), s.hits.Load(), s.retries.Load()}
}

// Event describes one request that was answered, or has failed.
type Event struct {
	Method, URL, Range string // URL without query, user and password
	Status             int    // 0 if there was no answer
	Bytes              int64  // of the body that were read
	Elapsed            time.Duration
	Err                error
}

// Option changes how objects are opened.
type Option func(*options) error

type options struct {
	header   http.Header
	stats    *Stats
	trace    func(Event)
	tls      *tls.Config
	attempts int
	stall    time.Duration
	pause    time.Duration
	blocks   block.Options
	cache    *disk.Cache
	index    *kept.Index
	download bool
	opening  int64 // bytes that are asked for to open an object; 0: the default
}

// What is asked for to open an object: that is done before anything else, so some ms more are well spent if they save a round trip, as the
// metadata that most writers make first is at the start. With an index it is there already.
const (
	opening   = 1 << 20
	openKept  = 64 << 10
	minOpened = 512
	maxOpened = 64 << 20
)

func resolve(opts []Option) (*options, error) {
	o := &options{header: http.Header{}, stats: new(Stats), attempts: 6, stall: 20 * time.Second, pause: 200 * time.Millisecond}
	for _, opt := range opts {
		if err := opt(o); err != nil {
			return nil, err
		}
	}
	o.blocks.Hit = func(int64) { o.stats.hits.Add(1) }
	switch {
	case o.opening != 0:
	case o.index != nil:
		o.opening = openKept
	default:
		o.opening = opening
	}
	return o, nil
}

// WithHeader sends a header with each request, to the server of the URL only. It may be repeated.
func WithHeader(name, value string) Option {
	return func(o *options) error {
		switch http.CanonicalHeaderKey(name) {
		case "", "Range", "If-Match", "If-Range", "If-Unmodified-Since", "Accept-Encoding", "Content-Length", "Transfer-Encoding":
			return h5err.New(h5err.Argument, "the header %q can't be set", name)
		}
		for _, c := range name {
			if c <= ' ' || c >= 0x7f || c == ':' {
				return h5err.New(h5err.Argument, "%q is not the name of a header", name)
			}
		}
		for _, c := range value {
			if c < ' ' && c != '\t' || c == 0x7f {
				return h5err.New(h5err.Argument, "the value of the header %q has a control character", name)
			}
		}
		o.header.Add(name, value)
		return nil
	}
}

// WithStats counts requests.
func WithStats(s *Stats) Option {
	return func(o *options) error { o.stats = s; return nil }
}

// WithTrace calls fn for each request, by the goroutine that made it.
func WithTrace(fn func(Event)) Option {
	return func(o *options) error { o.trace = fn; return nil }
}

// WithTLS sets what servers are trusted. nil is the default.
func WithTLS(c *tls.Config) Option {
	return func(o *options) error { o.tls = c; return nil }
}

// WithAttempts sets how often a request is made at most that fails for a reason that may pass: 6 times.
func WithAttempts(n int) Option {
	return func(o *options) error {
		if n < 1 {
			return h5err.New(h5err.Argument, "%d attempts", n)
		}
		o.attempts = n
		return nil
	}
}

// WithPauses sets the first pause before a request is repeated, which doubles each time, 0.2 s, and how long a server may
// send nothing until the request is given up, 20 s.
func WithPauses(first, stall time.Duration) Option {
	return func(o *options) error {
		if first < 0 || stall <= 0 {
			return h5err.New(h5err.Argument, "pauses of %v and %v", first, stall)
		}
		o.pause, o.stall = first, stall
		return nil
	}
}

// WithBlocks sets how metadata is read.
func WithBlocks(b block.Options) Option {
	return func(o *options) error { o.blocks = b; return nil }
}

// WithOpening sets how many bytes are asked for to open an object: 1 MiB, and with an index 64 KiB.
func WithOpening(n int64) Option {
	return func(o *options) error {
		if n < minOpened || n > maxOpened {
			return h5err.New(h5err.Argument, "%d bytes to open an object: there must be %d to %d", n, minOpened, maxOpened)
		}
		o.opening = n
		return nil
	}
}

// WithCache keeps what is read in c, unless the server sends nothing that pins an object, and finds there what was kept of the same version
// of an object. Opening asks the server, always. Requests that c saves are counted as cache hits. c must be open as long as the Source is used.
func WithCache(c *disk.Cache) Option {
	return func(o *options) error { o.cache = c; return nil }
}

// WithIndex finds metadata in x instead of asking the server. An object of another version is an Argument error.
func WithIndex(x *kept.Index) Option {
	return func(o *options) error { o.index = x; return nil }
}

// Open opens a file of a web server. Reads end with ctx, which must last as long as the Source is used. The name of the Source
// is the URL without its query, user and password. Errors are of kind IO.
func Open(ctx context.Context, url string, opts ...Option) (*source.Source, error) {
	o, err := resolve(opts)
	if err != nil {
		return nil, err
	}
	g, err := newWeb(url, o)
	if err != nil {
		return nil, err
	}
	return open(ctx, g, Redact(url), unsigned(url), o)
}

// New opens what a Getter reads. Options about headers have no effect.
func New(ctx context.Context, g Getter, name string, opts ...Option) (*source.Source, error) {
	o, err := resolve(opts)
	if err != nil {
		return nil, err
	}
	return open(ctx, g, name, name, o)
}

// open opens an object, which key names in the cache.
func open(ctx context.Context, g Getter, name, key string, o *options) (*source.Source, error) {
	x := &object{get: g, o: o, name: name}
	first, err := x.open(ctx)
	if err != nil {
		return nil, h5err.In(err, name, "")
	}
	version := x.Version()
	if o.index != nil && (o.index.Size() != x.size || o.index.Version() != version) {
		x.Close()
		return nil, h5err.In(h5err.New(h5err.Argument, "the index is of another version of the file"), name, "")
	}
	var b source.Backend = x
	if x.copy != nil {
		return source.New(downloaded{x}, x.size, name), nil
	}
	if o.cache != nil && version != "" {
		b = o.cache.Over(b, fmt.Sprintf("%s\n%d\n%s", key, x.size, version), x.size, o.blocks.Hit)
	}
	b = block.New(ctx, b, x.size, first, o.blocks)
	if o.index != nil {
		b = o.index.Over(b, o.blocks.Hit)
	}
	return source.New(b, x.size, name), nil
}
