package remote_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/remote"
	"github.com/h5arrow/h5arrow/h5/source/remote/azure"
	"github.com/h5arrow/h5arrow/h5/source/remote/gcs"
	"github.com/h5arrow/h5arrow/h5/source/remote/s3"
)

// openers sets the environment for a store, and returns functions that open /bucket/a.h5 in it, by scheme.
func openers(t *testing.T, s *webserver.Store, opts ...remote.Option) map[string]func(context.Context) (*source.Source, error) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.URL, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true", "STORAGE_EMULATOR_HOST": s.URL,
		"AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=http;AccountName=account;AccountKey=c2VjcmV0;BlobEndpoint=" + s.URL + "/account;",
	} {
		t.Setenv(name, value)
	}
	opts = quick(opts...)
	a, err := s3.New(t.Context(), false, opts...)
	g, err2 := gcs.New(t.Context(), false, opts...)
	z, err3 := azure.New(false, opts...)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	return map[string]func(context.Context) (*source.Source, error){
		"s3": func(ctx context.Context) (*source.Source, error) { return a.Open(ctx, "bucket", "a.h5") },
		"gs": func(ctx context.Context) (*source.Source, error) { return g.Open(ctx, "bucket", "a.h5") },
		"az": func(ctx context.Context) (*source.Source, error) { return z.Open(ctx, "account", "bucket", "a.h5") },
	}
}

// TestStoreFaults lets every tenth answer of each store fail, by each fault. What is read is right, and what is sent is bounded.
func TestStoreFaults(t *testing.T) {
	data := content(3 << 20)
	for name, fault := range map[string]webserver.Fault{"unavailable": webserver.Unavailable, "cut": webserver.Cut, "stalled": webserver.Stall,
		"wrong range": webserver.WrongRange, "longer": webserver.LyingRange, "headers": webserver.EndlessHeaders,
		"no range": webserver.Ignore, "reset": webserver.Reset} {
		s := webserver.NewStore(t)
		s.Break(func(n int, _ webserver.Request) webserver.Fault {
			if n%10 == 2 {
				return fault
			}
			return webserver.None
		})
		s.Put("/bucket/a.h5", data)
		var stats remote.Stats
		for scheme, open := range openers(t, s, remote.WithStats(&stats), remote.WithAttempts(20), remote.WithPauses(time.Millisecond, 300*time.Millisecond)) {
			s.Reset()
			src, err := open(t.Context())
			if err != nil {
				t.Errorf("%s: %s: %v", name, scheme, err)
				continue
			}
			readSome(t, src, data)
			src.Release()
		}
		silent := fault == webserver.LyingRange || fault == webserver.Reset // which net/http may repeat itself
		if c := stats.Counts(); c.Retries < 3 && !silent || c.Bytes > int64(12*len(data)) {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestStoreReplaced replaces the object in each store while it is read.
func TestStoreReplaced(t *testing.T) {
	s := webserver.NewStore(t)
	for scheme, open := range openers(t, s) {
		s.Put("/bucket/a.h5", content(2<<20))
		src, err := open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.Put("/bucket/a.h5", content(2<<20))
		if _, err := src.ReadAt(make([]byte, 100<<10), 1<<20); !errors.Is(err, remote.ErrChanged) {
			t.Errorf("%s: %v", scheme, err)
		}
		src.Release()
	}
}
