// Package azure opens and writes blobs of Azure Storage. Credentials come from the environment variables AZURE_STORAGE_CONNECTION_STRING,
// AZURE_STORAGE_KEY (with AZURE_STORAGE_ACCOUNT) or AZURE_STORAGE_SAS_TOKEN, or else from where Azure's own library looks for them.
package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// Client opens and writes blobs of any account.
type Client struct {
	opts      []remote.Option
	http      *http.Client
	anonymous bool

	mu       sync.Mutex
	accounts map[string]*azblob.Client
}

// New returns a client. If it is anonymous, requests have no credentials.
func New(anonymous bool, opts ...remote.Option) (*Client, error) {
	client, err := remote.Client(opts...)
	if err != nil {
		return nil, err
	}
	return &Client{opts: opts, http: client, anonymous: anonymous, accounts: map[string]*azblob.Client{}}, nil
}

// account returns the client of a storage account.
func (c *Client) account(name string) (*azblob.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.accounts[name]; a != nil {
		return a, nil
	}
	a, err := c.connect(name)
	if err != nil {
		return nil, h5err.In(h5err.Wrap(h5err.IO, err, "no credentials for the storage account %s", name).WithOption("azure.New", "read public objects"), "az://"+name, "")
	}
	c.accounts[name] = a
	return a, nil
}

func (c *Client) connect(name string) (*azblob.Client, error) {
	o := &azblob.ClientOptions{ClientOptions: policy.ClientOptions{Transport: c.http, Retry: policy.RetryOptions{MaxRetries: -1}}}
	server := "https://" + name + ".blob.core.windows.net/"
	if conn := os.Getenv("AZURE_STORAGE_CONNECTION_STRING"); conn != "" {
		if has := field(conn, "AccountName"); has != "" && has != name {
			return nil, fmt.Errorf("AZURE_STORAGE_CONNECTION_STRING is for the account %s", has)
		}
		if !c.anonymous {
			return azblob.NewClientFromConnectionString(conn, o)
		}
		if own := field(conn, "BlobEndpoint"); own != "" {
			server = own
		}
	}
	key, sas := os.Getenv("AZURE_STORAGE_KEY"), os.Getenv("AZURE_STORAGE_SAS_TOKEN")
	switch account := os.Getenv("AZURE_STORAGE_ACCOUNT"); {
	case c.anonymous:
		return azblob.NewClientWithNoCredential(server, o)
	case key != "" && (account == "" || account == name):
		cred, err := azblob.NewSharedKeyCredential(name, key)
		if err != nil {
			return nil, err
		}
		return azblob.NewClientWithSharedKeyCredential(server, cred, o)
	case sas != "":
		return azblob.NewClientWithNoCredential(server+"?"+strings.TrimPrefix(sas, "?"), o)
	}
	cred, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, err
	}
	return azblob.NewClient(server, cred, o)
}

// Account returns the storage account that the environment names, "" if there is none.
func Account() string {
	for _, name := range []string{"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"} {
		if a := os.Getenv(name); a != "" {
			return a
		}
	}
	return field(os.Getenv("AZURE_STORAGE_CONNECTION_STRING"), "AccountName")
}

// field returns a field of a connection string.
func field(conn, name string) string {
	for part := range strings.SplitSeq(conn, ";") {
		if k, v, ok := strings.Cut(part, "="); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return v
		}
	}
	return ""
}

// Open opens a blob. Reads end with ctx.
func (c *Client) Open(ctx context.Context, account, container, key string, more ...remote.Option) (*source.Source, error) {
	a, err := c.account(account)
	if err != nil {
		return nil, err
	}
	return remote.New(ctx, &object{a, container, key}, "az://"+account+"/"+container+"/"+key, slices.Concat(c.opts, more)...)
}

// List calls fn with the names of the blobs of a container that start with a prefix, in their order.
func (c *Client) List(ctx context.Context, account, container, prefix string, fn func(key string) error) error {
	a, err := c.account(account)
	if err != nil {
		return err
	}
	pages := a.NewListBlobsFlatPager(container, &azblob.ListBlobsFlatOptions{Prefix: &prefix})
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if a, e := answer(err); e == nil {
				err = fmt.Errorf("%d %s", a.Status, a.Why)
			}
			return h5err.In(h5err.Wrap(h5err.IO, err, "can't list the objects"), "az://"+account+"/"+container+"/"+prefix, "")
		}
		for _, b := range page.Segment.BlobItems {
			if b.Name == nil {
				continue
			}
			if err := fn(*b.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// object is the Getter of a blob.
type object struct {
	c              *azblob.Client
	container, key string
}

// Get implements remote.Getter.
func (o *object) Get(ctx context.Context, off, n int64, pin remote.Pin) (*remote.Answer, error) {
	opts := &azblob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: off, Count: n}}
	if pin.Tag != "" {
		tag := azcore.ETag(pin.Tag)
		opts.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &tag}}
	}
	out, err := o.c.DownloadStream(ctx, o.container, o.key, opts)
	if err != nil {
		a, err := answer(err)
		return a, remote.Lasting(err, pin == remote.Pin{})
	}
	a := &remote.Answer{Status: http.StatusOK, Body: out.Body}
	if out.ETag != nil {
		a.Pin.Tag = string(*out.ETag)
	}
	if out.ContentRange != nil {
		a.Status, a.Range = http.StatusPartialContent, *out.ContentRange
	}
	return a, nil
}

// answer returns the server's answer that an error of the library is about, or the error if there was none.
func answer(err error) (*remote.Answer, error) {
	e, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return nil, err
	}
	a := &remote.Answer{Status: e.StatusCode, Why: e.ErrorCode, Body: http.NoBody}
	if e.RawResponse != nil {
		a.After, a.Range = e.RawResponse.Header.Get("Retry-After"), e.RawResponse.Header.Get("Content-Range")
	}
	return a, nil
}
