package session

import (
	"context"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// scheme returns the scheme of a URL in lower case, "" for a path.
func scheme(name string) string {
	s, _, ok := strings.Cut(name, "://")
	if !ok || len(s) < 2 || strings.ContainsAny(s, `/\.`) { // C:// is a drive
		return ""
	}
	return strings.ToLower(s)
}

// shown is what a file is called: its name, without what is secret in a URL.
func shown(name string) string {
	if scheme(name) == "" {
		return name
	}
	return remote.Redact(name)
}

// openKept is openURL, but ctx bounds the opening alone; end ends what reads.
func openKept(ctx context.Context, url string, headers map[string]string, opts []arrowmap.Option) (f *arrowmap.File, end func(), err error) {
	reading, end := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, end)()
	if f, err = openURL(reading, url, headers, opts); err != nil {
		end()
		return nil, nil, err
	}
	return f, end, nil
}

// openURL opens a file of a web server, by the strict rules for what others may have made. It is opened and read under ctx.
func openURL(ctx context.Context, url string, headers map[string]string, opts []arrowmap.Option) (*arrowmap.File, error) {
	if s := scheme(url); s != "http" && s != "https" {
		return nil, h5err.In(h5err.New(h5err.Unsupported, "URLs of %s can't be opened", s).
			WithHint("http and https can, and paths of a folder that the store is mounted as"), shown(url), "")
	}
	var more []remote.Option
	for name, value := range headers {
		more = append(more, remote.WithHeader(name, value))
	}
	src, err := remote.Open(ctx, url, more...)
	if err != nil {
		return nil, err
	}
	opts = append(opts, arrowmap.WithUntrusted(), arrowmap.WithLimits(h5.UntrustedLimits()))
	f, err := arrowmap.NewFile(src, opts...)
	if err != nil {
		src.Release()
	}
	return f, err
}
