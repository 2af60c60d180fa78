// Package far opens the URLs that a command line names.
package far

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/indexfile"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/disk"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// Opener opens URLs as the flags of a command say.
type Opener struct {
	headers   []string
	trace     bool
	anonymous bool
	download  bool
	index     string
	cacheDir  string
	cacheSize flags.Size
	cmd       *cobra.Command

	mu     sync.Mutex
	used   bool
	stats  remote.Stats
	stores map[string]store  // by scheme
	values map[string][]byte // by URL: what their indexes know of values
	cache  *disk.Cache       // open until the process ends; nil: not opened yet
}

// defaultCache is the size of a cache, in bytes, unless a flag says another one.
const defaultCache = 4 << 30

// New returns an Opener with flags, which it adds to a command.
func New(cmd *cobra.Command) *Opener {
	o := &Opener{cmd: cmd}
	f := cmd.Flags()
	f.StringArrayVar(&o.headers, "header", nil, "send this header (`'Name: value'`) to the server of a URL (may be repeated)")
	f.BoolVar(&o.anonymous, "anonymous", false, "read objects of s3, gs and az URLs without credentials")
	f.BoolVar(&o.download, "download", false, "copy a URL's file as a whole to a temporary file if its server does not send ranges")
	f.StringVar(&o.index, "index", "", "the index of FILE: `INDEX`, a file or URL; auto: FILE"+indexfile.Suffix+" if it fits; none (default: auto, none for URLs)")
	f.StringVar(&o.cacheDir, "cache", "", "keep what is read of URLs in the directory `DIR`, for later runs")
	f.Var(&o.cacheSize, "cache-size", "maximum size of the cache, such as 512MiB (default: 4GiB)")
	f.BoolVar(&o.trace, "trace-io", false, "print each request for a URL on stderr")
	_ = cmd.MarkFlagDirname("cache") // it fails only for a flag that does not exist
	return o
}

// NewWriter returns an Opener for a command that only writes to URLs.
func NewWriter(cmd *cobra.Command) *Opener {
	o := &Opener{cmd: cmd, index: "none"}
	cmd.Flags().BoolVar(&o.trace, "trace-io", false, "print each request for a URL on stderr")
	return o
}

// Index returns what --index names.
func (o *Opener) Index() string { return o.index }

// scheme returns the scheme of a URL, "" for a path.
func scheme(name string) string {
	s, _, ok := strings.Cut(name, "://")
	if !ok {
		return ""
	}
	switch s = strings.ToLower(s); s {
	case "http", "https", "s3", "gs", "az", "abfs", "abfss":
		return s
	}
	return ""
}

// IsURL reports whether a name is a URL and not a path.
func IsURL(name string) bool { return scheme(name) != "" }

// Name returns a name without what is secret in a URL.
func Name(name string) string {
	if s := scheme(name); s != "http" && s != "https" {
		return name
	}
	return remote.Redact(name)
}

// Open opens a URL. Reads end with ctx.
func (o *Opener) Open(ctx context.Context, url string) (*source.Source, error) {
	opts, err := o.options()
	if err != nil {
		return nil, err
	}
	return o.openWith(ctx, url, opts)
}

// open opens a URL. opts are those of all URLs, more are for this one.
func (o *Opener) open(ctx context.Context, url string, opts []remote.Option, more ...remote.Option) (*source.Source, error) {
	if s := scheme(url); inStore(s) {
		bucket, key, err := split(url)
		if err != nil {
			return nil, err
		}
		st, err := o.store(ctx, s, opts)
		if err != nil {
			return nil, h5err.In(err, Name(url), "")
		}
		return st.Open(ctx, bucket, key, more...)
	}
	return remote.Open(ctx, url, slices.Concat(opts, more)...)
}

func (o *Opener) options() ([]remote.Option, error) {
	o.mu.Lock()
	o.used = true
	o.mu.Unlock()
	opts := []remote.Option{remote.WithStats(&o.stats)}
	for _, h := range o.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return nil, h5err.New(h5err.Argument, "--header needs a name, a colon and a value")
		}
		opts = append(opts, remote.WithHeader(strings.TrimSpace(name), strings.TrimSpace(value)))
	}
	if o.trace {
		opts = append(opts, remote.WithTrace(o.print))
	}
	if o.download {
		opts = append(opts, remote.WithDownload())
	}
	if o.cacheDir == "" {
		if o.cacheSize != 0 {
			return nil, h5err.New(h5err.Argument, "--cache-size is for --cache DIR")
		}
		return opts, nil
	}
	c, err := o.openCache()
	return append(opts, remote.WithCache(c)), err
}

// openCache opens the cache on disk, once.
func (o *Opener) openCache() (*disk.Cache, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cache != nil {
		return o.cache, nil
	}
	size := int64(o.cacheSize)
	if size == 0 {
		size = defaultCache
	}
	var err error
	o.cache, err = disk.Open(o.cacheDir, size)
	return o.cache, err
}

// print prints a request.
func (o *Opener) print(e remote.Event) {
	what := fmt.Sprintf("%d, %d bytes", e.Status, e.Bytes)
	if e.Err != nil {
		what = e.Err.Error()
	}
	if e.Range != "" {
		e.Range = " " + e.Range
	}
	line := fmt.Sprintf("h5arrow: %s %s%s: %s, %.3f s", e.Method, text.Printable(e.URL), e.Range, text.Printable(what), e.Elapsed.Round(time.Millisecond).Seconds())
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = text.WriteLine(o.cmd.ErrOrStderr(), line) // there is nowhere to report the error
}

// Counts returns what was asked of servers, nil if no URL was opened.
func (o *Opener) Counts() *remote.Counts {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.used {
		return nil
	}
	c := o.stats.Counts()
	return &c
}
