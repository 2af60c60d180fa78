package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

const (
	maxHeaderBytes = 64 << 10 // of an answer
	maxRedirects   = 10
	connections    = 64 // to one server that are kept
)

// Redact returns a URL without its query, which may hold a signature, user and password.
func Redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		s, _, _ := strings.Cut(raw, "?")
		if scheme, rest, ok := strings.Cut(s, "://"); ok {
			s = scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:]
		}
		return s
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment = nil, "", false, ""
	return u.String()
}

// signatures are what presigned URLs of object stores have in their queries, by the parameter that holds the signature. With a name that ends in a
// hyphen all parameters that start with it.
var signatures = map[string][]string{
	"X-Amz-Signature":  {"X-Amz-"},
	"X-Goog-Signature": {"X-Goog-"},
	"Signature":        {"Signature", "Expires", "AWSAccessKeyId", "GoogleAccessId", "Key-Pair-Id", "Policy"},
	"sig":              {"sig", "se", "st", "sp", "sv", "sr", "skoid", "sktid", "skt", "ske", "sks", "skv", "spr", "sip", "ss", "srt"},
}

// unsigned returns a URL without user, password and the signature in its query, which may be another one each time.
func unsigned(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	u.User, u.Fragment = nil, ""
	query := u.Query()
	for sign, names := range signatures {
		if !query.Has(sign) {
			continue
		}
		for name := range query {
			if slices.ContainsFunc(names, func(n string) bool { return name == n || strings.HasSuffix(n, "-") && strings.HasPrefix(name, n) }) {
				query.Del(name)
			}
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// web is the Getter of a file of a web server.
type web struct {
	url    *url.URL
	header http.Header
	client *http.Client

	mu sync.Mutex
	at *url.URL // where the server's redirects led to, nil if they did not
}

func newWeb(raw string, o *options) (*web, error) {
	u, err := url.Parse(raw)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL
		}
		return nil, h5err.In(h5err.Wrap(h5err.Argument, err, "not a URL"), Redact(raw), "")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, h5err.In(h5err.New(h5err.Argument, "not a URL of a web server"), Redact(raw), "")
	}
	w := &web{url: u, header: o.header}
	w.client = newClient(o)
	w.client.CheckRedirect = w.redirect
	return w, nil
}

// Client returns an HTTP client for a Getter, whose requests and bytes are counted and traced as the options say.
func Client(opts ...Option) (*http.Client, error) {
	o, err := resolve(opts)
	if err != nil {
		return nil, err
	}
	return newClient(o), nil
}

func newClient(o *options) *http.Client {
	dial := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext, TLSClientConfig: o.tls.Clone(),
		TLSHandshakeTimeout: 15 * time.Second, MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns: 4 * connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: 60 * time.Second,
		DisableCompression: true,
	}
	return &http.Client{Transport: &counter{t, o}}
}

// Close closes the connections that are not in use.
func (w *web) Close() error {
	w.client.CloseIdleConnections()
	return nil
}

// redirect keeps what is meant for one server from others.
func (w *web) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return h5err.New(h5err.IO, "more than %d redirects", maxRedirects)
	}
	req.Header.Del("Referer") // it holds the URL, with its query
	if req.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https" {
		return h5err.New(h5err.IO, "the server redirects from https to %s", req.URL.Scheme)
	}
	for _, r := range slices.Concat(via[1:], []*http.Request{req}) {
		if !sameServer(r.URL, w.url) {
			for name := range w.header {
				req.Header.Del(name)
			}
			break
		}
	}
	return nil
}

func sameServer(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host)
}

// Get asks the server that the last redirect led to, and the first one again if that refuses: the place may be for a short time.
func (w *web) Get(ctx context.Context, off, n int64, pin Pin) (*Answer, error) {
	w.mu.Lock()
	at := w.at
	w.mu.Unlock()
	if at != nil {
		a, err := w.ask(ctx, at, off, n, pin)
		if err != nil || a.Status < 400 || a.Status >= 500 || a.Status == http.StatusPreconditionFailed || a.Status == http.StatusTooManyRequests {
			return a, err
		}
		a.Body.Close()
		w.mu.Lock()
		w.at = nil
		w.mu.Unlock()
	}
	return w.ask(ctx, w.url, off, n, pin)
}

func (w *web) ask(ctx context.Context, at *url.URL, off, n int64, pin Pin) (*Answer, error) {
	req := (&http.Request{Method: http.MethodGet, URL: at, Host: at.Host, Header: http.Header{}}).WithContext(ctx)
	if sameServer(at, w.url) {
		req.Header = w.header.Clone()
		if host := w.header.Get("Host"); host != "" {
			req.Host = host
		}
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
	req.Header.Set("Accept-Encoding", "identity")
	switch {
	case strings.HasPrefix(pin.Tag, `"`):
		req.Header.Set("If-Match", pin.Tag)
	case pin.Modified != "":
		req.Header.Set("If-Unmodified-Since", pin.Modified)
	}
	a, led, err := Do(w.client, req, pin == Pin{})
	if err == nil && a.Status < 300 && led != at && led.User == nil {
		w.mu.Lock()
		w.at = led
		w.mu.Unlock()
	}
	return a, err
}

// Do sends a request, such as one for a range, and returns the answer, and where redirects led. opening says that nothing was read of the object
// yet: then a server that does not listen is not asked again.
func Do(client *http.Client, req *http.Request, opening bool) (*Answer, *url.URL, error) {
	resp, err := client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL
		}
		return nil, nil, Lasting(err, opening)
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		resp.Body.Close()
		return nil, nil, permanent{h5err.New(h5err.IO, "the server sends the file encoded (%.20q)", e)}
	}
	a := &Answer{Status: resp.StatusCode, Range: clip(resp.Header.Get("Content-Range")), After: resp.Header.Get("Retry-After"), Body: resp.Body,
		Pin:        Pin{Tag: resp.Header.Get("ETag"), Modified: resp.Header.Get("Last-Modified")},
		Generation: resp.Header.Get("X-Goog-Generation"), Location: resp.Header.Get("Location")}
	return a, resp.Request.URL, nil
}

// permanent is an error of a Getter that no other attempt will change.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Lasting marks errors of a Getter that no other attempt will change. That nobody listens counts only when an object is opened.
func Lasting(err error, opening bool) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*h5err.Error](err); ok {
		return permanent{e}
	}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	dns, ok := errors.AsType[*net.DNSError](err)
	if certificate || ok && dns.IsNotFound || opening && errors.Is(err, syscall.ECONNREFUSED) {
		return permanent{h5err.Wrap(h5err.IO, err, "can't reach the server")}
	}
	return err
}

// clip cuts a text of a server, which may be long, for messages.
func clip(s string) string { return s[:min(len(s), 100)] }

// counter counts and traces requests.
type counter struct {
	http.RoundTripper
	o *options
}

// RoundTrip implements http.RoundTripper.
func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	c.o.stats.requests.Add(1)
	req = c.watched(req)
	e := Event{Method: req.Method, URL: Redact(req.URL.String()), Range: req.Header.Get("Range")}
	start := time.Now()
	resp, err := c.RoundTripper.RoundTrip(req)
	if err != nil {
		e.Elapsed, e.Err = time.Since(start), err
		c.done(e)
		return nil, err
	}
	e.Status = resp.StatusCode
	resp.Body = &countedBody{ReadCloser: resp.Body, c: c, e: e, start: start}
	return resp, nil
}

// watched returns a request of which package net/http's own repetitions are counted: if a connection that was used before breaks, it sends
// a request once more, and says nothing about it.
func (c *counter) watched(req *http.Request) *http.Request {
	var sent atomic.Int32
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{WroteHeaders: func() {
		if sent.Add(1) > 1 {
			c.o.stats.requests.Add(1)
			c.o.stats.retries.Add(1)
		}
	}}))
}

// CloseIdleConnections closes the connections that are not in use.
func (c *counter) CloseIdleConnections() {
	if t, ok := c.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func (c *counter) done(e Event) {
	if c.o.trace != nil {
		c.o.trace(e)
	}
}

type countedBody struct {
	io.ReadCloser
	c     *counter
	e     Event
	start time.Time
	once  sync.Once
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.e.Bytes += int64(n)
	b.c.o.stats.bytes.Add(int64(n))
	return n, err
}

// drained is how much of a body that nobody wants is read so that its connection can be used again.
const drained = 16 << 10

func (b *countedBody) Close() error {
	if b.e.Status >= 300 {
		io.CopyN(io.Discard, b, drained) // the error is that of the request
	}
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		b.e.Elapsed = time.Since(b.start)
		b.c.done(b.e)
	})
	return err
}
