package azure

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// Create starts an upload of a blob, which ends with ctx. A blob that exists is replaced only if replace is set.
func (c *Client) Create(ctx context.Context, account, container, key string, replace bool) (*remote.Upload, error) {
	a, err := c.account(account)
	if err != nil {
		return nil, err
	}
	u := &upload{b: a.ServiceClient().NewContainerClient(container).NewBlockBlobClient(key), replace: replace}
	return remote.NewUpload(ctx, remote.Target{Name: "az://" + account + "/" + container + "/" + key, Object: &object{a, container, key}, Replace: replace,
		Start: func(context.Context) (remote.Parts, *remote.Answer, error) { return u, done(), nil }}, c.opts...)
}

// done is the answer to a request that has succeeded.
func done() *remote.Answer { return &remote.Answer{Status: http.StatusOK, Body: http.NoBody} }

// upload is the Parts of a block blob.
type upload struct {
	b       *blockblob.Client
	replace bool
}

// id names a block. All have the same length.
func id(n int) string { return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "part-%08d", n)) }

// Put implements remote.Parts.
func (u *upload) Put(ctx context.Context, n int, p *remote.Body) (*remote.Answer, error) {
	if _, err := p.Seek(0, 0); err != nil {
		return nil, err
	}
	if _, err := u.b.StageBlock(ctx, id(n), p, nil); err != nil {
		a, err := answer(err)
		return a, remote.Lasting(err, false)
	}
	return done(), nil
}

// Complete implements remote.Parts.
func (u *upload) Complete(ctx context.Context, n int, p *remote.Body) (*remote.Answer, error) {
	ids := make([]string, 0, n+1)
	for i := range n {
		ids = append(ids, id(i))
	}
	if p.Size() > 0 {
		if a, err := u.Put(ctx, n, p); err != nil || a.Status != http.StatusOK {
			return a, err
		}
		ids = append(ids, id(n))
	}
	opts := &blockblob.CommitBlockListOptions{}
	if !u.replace {
		none := azcore.ETagAny
		opts.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &none}}
	}
	if _, err := u.b.CommitBlockList(ctx, ids, opts); err != nil {
		a, err := answer(err)
		return a, remote.Lasting(err, false)
	}
	return done(), nil
}

// Abort implements remote.Parts. Nothing can drop blocks that were not committed; Azure does after a week.
func (u *upload) Abort(context.Context) error { return nil }
