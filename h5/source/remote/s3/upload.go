package s3

import (
	"context"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// Create starts an upload of an object, which ends with ctx. An object that exists is replaced only if replace is set.
func (c *Client) Create(ctx context.Context, bucket, key string, replace bool) (*remote.Upload, error) {
	return remote.NewUpload(ctx, remote.Target{Name: "s3://" + bucket + "/" + key, Object: &object{c, bucket, key}, Replace: replace,
		Start: func(ctx context.Context) (remote.Parts, *remote.Answer, error) {
			u, a, err := c.start(ctx, bucket, key, replace)
			if err == nil && c.moved(a) {
				u, a, err = c.start(ctx, bucket, key, replace)
			}
			return u, a, err
		}}, c.opts...)
}

func (c *Client) start(ctx context.Context, bucket, key string, replace bool) (*upload, *remote.Answer, error) {
	out, err := c.client().CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key})
	if err != nil {
		a, err := answer(err)
		return nil, a, remote.Lasting(err, true)
	}
	return &upload{c: c, bucket: bucket, key: key, id: aws.ToString(out.UploadId), replace: replace}, done(), nil
}

// done is the answer to a request that has succeeded.
func done() *remote.Answer { return &remote.Answer{Status: http.StatusOK, Body: http.NoBody} }

// upload is the Parts of a multipart upload.
type upload struct {
	c           *Client
	bucket, key string
	id          string
	replace     bool

	mu   sync.Mutex
	tags []string // of the parts
}

// Put implements remote.Parts.
func (u *upload) Put(ctx context.Context, n int, p *remote.Body) (*remote.Answer, error) {
	number := int32(n) + 1
	if _, err := p.Seek(0, 0); err != nil {
		return nil, err
	}
	out, err := u.c.client().UploadPart(ctx, &s3.UploadPartInput{Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, PartNumber: &number, Body: p,
		ContentLength: aws.Int64(p.Size())})
	if err != nil {
		a, err := answer(err)
		return a, remote.Lasting(err, false)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.tags) <= n {
		u.tags = append(u.tags, "")
	}
	u.tags[n] = aws.ToString(out.ETag)
	return done(), nil
}

// Complete implements remote.Parts.
func (u *upload) Complete(ctx context.Context, n int, p *remote.Body) (*remote.Answer, error) {
	if a, err := u.Put(ctx, n, p); err != nil || a.Status != http.StatusOK {
		return a, err
	}
	in := &s3.CompleteMultipartUploadInput{Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, MultipartUpload: &types.CompletedMultipartUpload{}}
	for i, tag := range u.tags {
		in.MultipartUpload.Parts = append(in.MultipartUpload.Parts, types.CompletedPart{ETag: aws.String(tag), PartNumber: aws.Int32(int32(i) + 1)})
	}
	if !u.replace {
		in.IfNoneMatch = aws.String("*")
	}
	if _, err := u.c.client().CompleteMultipartUpload(ctx, in); err != nil {
		a, err := answer(err)
		return a, remote.Lasting(err, false)
	}
	return done(), nil
}

// Abort implements remote.Parts.
func (u *upload) Abort(ctx context.Context) error {
	_, err := u.c.client().AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.bucket, Key: &u.key, UploadId: &u.id})
	return err
}
