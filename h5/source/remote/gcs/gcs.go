// Package gcs opens and writes objects of Google Cloud Storage. Credentials come from where Google's own library looks for them. If the environment
// variable STORAGE_EMULATOR_HOST names a server, that is asked without any.
package gcs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

const (
	readOnly = "https://www.googleapis.com/auth/devstorage.read_only"
	writing  = "https://www.googleapis.com/auth/devstorage.read_write"
	maxList  = 16 << 20 // bytes of one page of a listing
)

// Client opens and writes objects with one configuration.
type Client struct {
	opts   []remote.Option
	http   *http.Client
	host   string
	tokens oauth2.TokenSource // nil: anonymous
}

// New returns a client. If it is anonymous, requests have no credentials; otherwise an error of kind IO says that none were found.
func New(ctx context.Context, anonymous bool, opts ...remote.Option) (*Client, error) {
	client, err := remote.Client(opts...)
	if err != nil {
		return nil, err
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &Client{opts: opts, http: client, host: "https://storage.googleapis.com"}
	if host := os.Getenv("STORAGE_EMULATOR_HOST"); host != "" {
		if !strings.Contains(host, "://") {
			host = "http://" + host
		}
		c.host = strings.TrimSuffix(host, "/")
		return c, nil
	}
	if anonymous {
		return c, nil
	}
	c.tokens, err = c.credentials(ctx, readOnly)
	return c, err
}

// credentials returns the tokens of what the environment names.
func (c *Client) credentials(ctx context.Context, scope string) (oauth2.TokenSource, error) {
	found, err := google.FindDefaultCredentials(context.WithValue(ctx, oauth2.HTTPClient, c.http), scope)
	if err != nil {
		return nil, h5err.Wrap(h5err.IO, err, "no credentials for Google Cloud Storage were found").WithOption("gcs.New", "read public objects")
	}
	return found.TokenSource, nil
}

// Open opens an object, with more options than the client has. Reads end with ctx.
func (c *Client) Open(ctx context.Context, bucket, key string, more ...remote.Option) (*source.Source, error) {
	return remote.New(ctx, &object{c, bucket, key}, "gs://"+bucket+"/"+key, slices.Concat(c.opts, more)...)
}

// request returns a request with the caller's credentials.
func (c *Client) request(ctx context.Context, bucket, rest string, query url.Values) (*http.Request, error) {
	return newRequest(ctx, http.MethodGet, c.host+"/storage/v1/b/"+url.PathEscape(bucket)+"/o"+rest+"?"+query.Encode(), c.tokens)
}

// newRequest returns a request with a token, if tokens is not nil.
func newRequest(ctx context.Context, method, at string, tokens oauth2.TokenSource) (*http.Request, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, h5err.Wrap(h5err.Argument, err, "the address of the server")
	}
	req := (&http.Request{Method: method, URL: u, Host: u.Host, Header: http.Header{}}).WithContext(ctx)
	if tokens != nil {
		token, err := tokens.Token()
		if err != nil {
			return nil, h5err.Wrap(h5err.IO, err, "no access token")
		}
		token.SetAuthHeader(req)
	}
	return req, nil
}

// List calls fn with the keys of a bucket that start with a prefix, in their order.
func (c *Client) List(ctx context.Context, bucket, prefix string, fn func(key string) error) error {
	query := url.Values{"prefix": {prefix}, "fields": {"items(name),nextPageToken"}}
	for {
		var page struct {
			Items         []struct{ Name string }
			NextPageToken string
		}
		if err := c.page(ctx, bucket, query, &page); err != nil {
			return h5err.In(h5err.Wrap(h5err.IO, err, "can't list the objects"), "gs://"+bucket+"/"+prefix, "")
		}
		for _, o := range page.Items {
			if err := fn(o.Name); err != nil {
				return err
			}
		}
		if page.NextPageToken == "" || page.NextPageToken == query.Get("pageToken") {
			return nil
		}
		query.Set("pageToken", page.NextPageToken)
	}
}

func (c *Client) page(ctx context.Context, bucket string, query url.Values, out any) error {
	req, err := c.request(ctx, bucket, "", query)
	if err != nil {
		return err
	}
	a, _, err := remote.Do(c.http, req, true)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.Status != http.StatusOK {
		return fmt.Errorf("%d %s", a.Status, http.StatusText(a.Status))
	}
	return json.NewDecoder(io.LimitReader(a.Body, maxList)).Decode(out)
}

// object is the Getter of an object.
type object struct {
	c           *Client
	bucket, key string
}

// Get implements remote.Getter. Pins are generations.
func (o *object) Get(ctx context.Context, off, n int64, pin remote.Pin) (*remote.Answer, error) {
	query := url.Values{"alt": {"media"}}
	if pin.Tag != "" {
		query.Set("ifGenerationMatch", pin.Tag)
	}
	req, err := o.c.request(ctx, o.bucket, "/"+url.PathEscape(o.key), query)
	if err != nil {
		return nil, remote.Lasting(err, true)
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
	req.Header.Set("Accept-Encoding", "gzip") // as it is stored, where it is stored so: else it is decoded and has no ranges
	a, _, err := remote.Do(o.c.http, req, pin == remote.Pin{})
	if err == nil {
		a.Pin = remote.Pin{Tag: a.Generation}
	}
	return a, err
}
