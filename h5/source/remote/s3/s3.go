// Package s3 opens and writes objects of Amazon S3 and of stores with its protocol. Credentials, region and endpoint come from the environment,
// files and services that AWS' own library asks.
package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// Client opens and writes objects with one configuration.
type Client struct {
	opts []remote.Option
	cfg  aws.Config

	mu  sync.Mutex
	api *s3.Client
}

// New returns a client. If it is anonymous, requests are not signed; otherwise an error of kind IO says that no credentials were found.
func New(ctx context.Context, anonymous bool, opts ...remote.Option) (*Client, error) {
	load := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{}),
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} })}
	if anonymous {
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, h5err.Wrap(h5err.IO, err, "the configuration of AWS")
	}
	if own, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok { // it may trust further authorities (AWS_CA_BUNDLE)
		opts = append(opts, remote.WithTLS(own.GetTransport().TLSClientConfig))
	}
	if cfg.HTTPClient, err = remote.Client(opts...); err != nil {
		return nil, err
	}
	if !anonymous {
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
			return nil, h5err.Wrap(h5err.IO, plain(err), "no credentials for S3 were found").WithOption("s3.New", "read public objects")
		}
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	c := &Client{opts: opts, cfg: cfg}
	c.connect(cfg.Region)
	return c, nil
}

// plain returns the innermost cause of an error of the library, which wraps it in what it tried.
func plain(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// connect makes the client of a region.
func (c *Client) connect(region string) *s3.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.api = s3.NewFromConfig(c.cfg, func(o *s3.Options) {
		o.Region = region
		o.UsePathStyle = o.BaseEndpoint != nil // servers of one's own seldom have a name for each bucket
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	return c.api
}

func (c *Client) client() *s3.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.api
}

// Open opens an object, with more options than the client has. Reads end with ctx.
func (c *Client) Open(ctx context.Context, bucket, key string, more ...remote.Option) (*source.Source, error) {
	return remote.New(ctx, &object{c, bucket, key}, "s3://"+bucket+"/"+key, slices.Concat(c.opts, more)...)
}

// List calls fn with the keys of a bucket that start with a prefix, in their order.
func (c *Client) List(ctx context.Context, bucket, prefix string, fn func(key string) error) error {
	in := &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix}
	for {
		out, err := c.client().ListObjectsV2(ctx, in)
		if err != nil {
			a, err := answer(err)
			if err == nil && c.moved(a) {
				continue
			}
			if err == nil {
				err = fmt.Errorf("%d %s", a.Status, a.Why)
			}
			return h5err.In(h5err.Wrap(h5err.IO, err, "can't list the objects"), "s3://"+bucket+"/"+prefix, "")
		}
		for _, o := range out.Contents {
			if err := fn(aws.ToString(o.Key)); err != nil {
				return err
			}
		}
		if in.ContinuationToken = out.NextContinuationToken; in.ContinuationToken == nil {
			return nil
		}
	}
}

// object is the Getter of an object.
type object struct {
	c           *Client
	bucket, key string
}

// Get implements remote.Getter. A bucket of another region is asked for there.
func (o *object) Get(ctx context.Context, off, n int64, pin remote.Pin) (*remote.Answer, error) {
	a, err := o.ask(ctx, off, n, pin)
	if err == nil && o.c.moved(a) {
		a.Body.Close()
		a, err = o.ask(ctx, off, n, pin)
	}
	return a, err
}

func (o *object) ask(ctx context.Context, off, n int64, pin remote.Pin) (*remote.Answer, error) {
	in := &s3.GetObjectInput{Bucket: &o.bucket, Key: &o.key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, off+n-1))}
	if pin.Tag != "" {
		in.IfMatch = &pin.Tag
	}
	out, err := o.c.client().GetObject(ctx, in)
	if err != nil {
		a, err := answer(err)
		return a, remote.Lasting(err, pin == remote.Pin{})
	}
	a := &remote.Answer{Status: http.StatusOK, Body: out.Body, Pin: remote.Pin{Tag: aws.ToString(out.ETag)}}
	if out.ContentRange != nil {
		a.Status, a.Range = http.StatusPartialContent, *out.ContentRange
	}
	return a, nil
}

// answer returns the server's answer that an error of the library is about, or the error if there was none.
func answer(err error) (*remote.Answer, error) {
	e, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || e.Response == nil || e.HTTPStatusCode() == 0 {
		return nil, plain(err)
	}
	a := &remote.Answer{Status: e.HTTPStatusCode(), After: e.Response.Header.Get("Retry-After"), Range: e.Response.Header.Get("Content-Range"),
		Region: e.Response.Header.Get("X-Amz-Bucket-Region"), Body: http.NoBody}
	if api, ok := errors.AsType[smithy.APIError](err); ok && !strings.ContainsAny(api.ErrorCode(), " \n") {
		a.Why = api.ErrorCode()
	}
	return a, nil
}

// moved reports whether an answer says that the bucket is in another region, and goes there.
func (c *Client) moved(a *remote.Answer) bool {
	if a.Status != http.StatusMovedPermanently && a.Status != http.StatusBadRequest || a.Region == "" || a.Region == c.client().Options().Region {
		return false
	}
	c.connect(a.Region)
	return true
}
