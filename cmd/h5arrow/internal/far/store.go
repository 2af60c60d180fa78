package far

import (
	"context"
	"path"
	"strings"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/remote"
	"github.com/h5arrow/h5arrow/h5/source/remote/azure"
	"github.com/h5arrow/h5arrow/h5/source/remote/gcs"
	"github.com/h5arrow/h5arrow/h5/source/remote/s3"
)

// store is an object store. A bucket of Azure's is an account and a container.
type store interface {
	Open(ctx context.Context, bucket, key string, more ...remote.Option) (*source.Source, error)
	List(ctx context.Context, bucket, prefix string, fn func(key string) error) error
	Create(ctx context.Context, bucket, key string, replace bool) (*remote.Upload, error)
}

// store returns the store of a scheme, which is made once.
func (o *Opener) store(ctx context.Context, scheme string, opts []remote.Option) (store, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if strings.HasPrefix(scheme, "abfs") {
		scheme = "az"
	}
	if s := o.stores[scheme]; s != nil {
		return s, nil
	}
	var s store
	var err error
	switch scheme {
	case "s3":
		s, err = s3.New(ctx, o.anonymous, opts...)
	case "gs":
		s, err = gcs.New(ctx, o.anonymous, opts...)
	default:
		var c *azure.Client
		c, err = azure.New(o.anonymous, opts...)
		s = accounts{c}
	}
	if err != nil {
		return nil, err
	}
	if o.stores == nil {
		o.stores = map[string]store{}
	}
	o.stores[scheme] = s
	return s, nil
}

// accounts is Azure's store.
type accounts struct{ c *azure.Client }

func (a accounts) Open(ctx context.Context, bucket, key string, more ...remote.Option) (*source.Source, error) {
	account, container, _ := strings.Cut(bucket, "/")
	return a.c.Open(ctx, account, container, key, more...)
}

func (a accounts) List(ctx context.Context, bucket, prefix string, fn func(key string) error) error {
	account, container, _ := strings.Cut(bucket, "/")
	return a.c.List(ctx, account, container, prefix, fn)
}

func (a accounts) Create(ctx context.Context, bucket, key string, replace bool) (*remote.Upload, error) {
	account, container, _ := strings.Cut(bucket, "/")
	return a.c.Create(ctx, account, container, key, replace)
}

// split returns the bucket and the key of a URL of a store.
func split(url string) (bucket, key string, err error) {
	_, rest, _ := strings.Cut(url, "://")
	bucket, key, _ = strings.Cut(rest, "/")
	switch scheme(url) {
	case "az":
		var container string
		container, key, _ = strings.Cut(key, "/")
		bucket = join(bucket, container)
	case "abfs", "abfss":
		container, host, ok := strings.Cut(bucket, "@")
		account, _, _ := strings.Cut(host, ".")
		if !ok {
			account = azure.Account()
		}
		if bucket = join(account, container); bucket == "" && container != "" {
			return "", "", h5err.In(h5err.New(h5err.Argument, "no storage account").WithHint("write abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY, or set AZURE_STORAGE_ACCOUNT"), Name(url), "")
		}
	}
	if bucket == "" || key == "" {
		return "", "", h5err.In(h5err.New(h5err.Argument, "no bucket and key").WithHint("write s3://BUCKET/KEY, gs://BUCKET/KEY or az://ACCOUNT/CONTAINER/KEY"), Name(url), "")
	}
	return bucket, key, nil
}

// join returns the bucket of an account and a container, "" if one of them is missing.
func join(account, container string) string {
	if account == "" || container == "" {
		return ""
	}
	return account + "/" + container
}

// inStore reports whether a scheme is that of an object store.
func inStore(scheme string) bool { return scheme != "" && scheme != "http" && scheme != "https" }

// maxMatches is the maximum number of objects that a pattern may match.
const maxMatches = 100_000

// Expand returns the URLs of the objects that a URL with a pattern matches, whose wildcards do not match a slash, and any other URL
// as it is.
func (o *Opener) Expand(ctx context.Context, url string) ([]string, error) {
	s := scheme(url)
	if !inStore(s) || !strings.ContainsAny(url, "*?[") {
		return []string{url}, nil
	}
	bucket, pattern, err := split(url)
	if err != nil {
		return nil, err
	}
	if _, err := path.Match(pattern, ""); err != nil || strings.ContainsAny(bucket, "*?[") {
		return nil, h5err.In(h5err.New(h5err.Argument, "the pattern is malformed"), url, "")
	}
	opts, err := o.options()
	if err != nil {
		return nil, err
	}
	st, err := o.store(ctx, s, opts)
	if err != nil {
		return nil, h5err.In(err, url, "")
	}
	var out []string
	err = st.List(ctx, bucket, pattern[:strings.IndexAny(pattern, "*?[\\")], func(key string) error {
		if ok, _ := path.Match(pattern, key); ok {
			if len(out) == maxMatches {
				return h5err.In(h5err.New(h5err.Limit, "more than %d objects match", maxMatches), url, "")
			}
			out = append(out, url[:len(url)-len(pattern)]+key)
		}
		return nil
	})
	if err == nil && len(out) == 0 {
		err = h5err.In(h5err.New(h5err.IO, "no object matches"), url, "")
	}
	return out, err
}
