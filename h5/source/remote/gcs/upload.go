package gcs

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// Create starts a resumable upload of an object, which ends with ctx. An object that exists is replaced only if replace is set.
func (c *Client) Create(ctx context.Context, bucket, key string, replace bool) (*remote.Upload, error) {
	var tokens oauth2.TokenSource
	if c.tokens != nil {
		var err error
		if tokens, err = c.credentials(ctx, writing); err != nil {
			return nil, err
		}
	}
	return remote.NewUpload(ctx, remote.Target{Name: "gs://" + bucket + "/" + key, Object: &object{c, bucket, key}, Replace: replace, Ordered: true,
		Start: func(ctx context.Context) (remote.Parts, *remote.Answer, error) {
			return c.start(ctx, bucket, key, replace, tokens)
		}}, c.opts...)
}

func (c *Client) start(ctx context.Context, bucket, key string, replace bool, tokens oauth2.TokenSource) (remote.Parts, *remote.Answer, error) {
	query := url.Values{"uploadType": {"resumable"}, "name": {key}}
	if !replace {
		query.Set("ifGenerationMatch", "0")
	}
	req, err := newRequest(ctx, http.MethodPost, c.host+"/upload/storage/v1/b/"+url.PathEscape(bucket)+"/o?"+query.Encode(), tokens)
	if err != nil {
		return nil, nil, remote.Lasting(err, true)
	}
	req.Header.Set("Content-Type", "application/json; charset=UTF-8")
	a, _, err := remote.Do(c.http, req, true)
	if err != nil || a.Status >= 300 {
		return nil, a, err
	}
	at, err := req.URL.Parse(a.Location)
	if err == nil && (a.Location == "" || at.Scheme != req.URL.Scheme) {
		err = fmt.Errorf("the server names no place for the upload")
	}
	if err != nil {
		a.Body.Close()
		return nil, nil, remote.Lasting(h5err.Wrap(h5err.IO, err, "can't start the upload"), true)
	}
	return &upload{c: c, at: at.String()}, a, nil
}

// upload is the Parts of a resumable upload. They are stored in order.
type upload struct {
	c   *Client
	at  string // the URL of the upload, which needs no token
	n   int    // of the part that comes next
	off int64  // where it starts
	add int64  // the bytes of the part before
}

// Put implements remote.Parts.
func (u *upload) Put(ctx context.Context, n int, p *remote.Body) (*remote.Answer, error) {
	return u.put(ctx, n, p, false)
}

// Complete implements remote.Parts.
func (u *upload) Complete(ctx context.Context, n int, p *remote.Body) (*remote.Answer, error) {
	return u.put(ctx, n, p, true)
}

func (u *upload) put(ctx context.Context, n int, p *remote.Body, last bool) (*remote.Answer, error) {
	if u.n < n { // not the same one again
		u.n, u.off = n, u.off+u.add
	}
	u.add = p.Size()
	if _, err := p.Seek(0, 0); err != nil {
		return nil, err
	}
	req, err := newRequest(ctx, http.MethodPut, u.at, nil)
	if err != nil {
		return nil, remote.Lasting(err, false)
	}
	req.Body, req.ContentLength = p, p.Size()
	span, total := fmt.Sprintf("%d-%d", u.off, u.off+p.Size()-1), "*"
	if p.Size() == 0 {
		req.Body, span = http.NoBody, "*"
	}
	if last {
		total = fmt.Sprint(u.off + p.Size())
	}
	req.Header.Set("Content-Range", "bytes "+span+"/"+total)
	a, _, err := remote.Do(u.c.http, req, false)
	return a, err
}

// Abort implements remote.Parts.
func (u *upload) Abort(ctx context.Context) error {
	req, err := newRequest(ctx, http.MethodDelete, u.at, nil)
	if err != nil {
		return err
	}
	a, _, err := remote.Do(u.c.http, req, false)
	if err == nil {
		a.Body.Close()
	}
	return err
}
