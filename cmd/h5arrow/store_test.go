package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
)

// stores sets the environment for a store, and returns the URLs of a bucket in it by scheme.
func stores(t *testing.T, s *webserver.Store) map[string]string {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.URL, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1",
		"AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"), "AWS_EC2_METADATA_DISABLED": "true",
		"STORAGE_EMULATOR_HOST":           s.URL,
		"AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=http;AccountName=account;AccountKey=c2VjcmV0;BlobEndpoint=" + s.URL + "/account;",
	} {
		t.Setenv(name, value)
	}
	return map[string]string{"s3": "s3://bucket/", "gs": "gs://bucket/", "az": "az://account/bucket/"}
}

// TestStores reads test files from each store, several by a pattern, and compares values with the paths', and counts with the store's.
func TestStores(t *testing.T) {
	s := webserver.NewStore(t)
	for scheme, bucket := range stores(t, s) {
		for _, name := range []string{h5test.Fixture(t, "sample.h5"), h5test.Fixture(t, "vaex.h5"), h5test.Fixture(t, "latest.h5"), "testdata/two.h5"} {
			s.Put("/bucket/dir/"+filepath.Base(name), readFile(t, name))
			status, _, want := tablesOf(t, name, "--io", "read", "--skip-unsupported")
			got, message, files := tablesOf(t, bucket+"dir/"+filepath.Base(name), "--skip-unsupported")
			if got != status || len(files) != len(want) {
				t.Errorf("%s: %s: status %d, want %d: %s", scheme, name, got, status, message)
			}
			for f, data := range want {
				if !bytes.Equal(data, files[f]) {
					t.Errorf("%s: %s: %s differs", scheme, name, f)
				}
			}
		}
		for _, name := range []string{"part0.h5", "part1.h5", "part2.h5"} {
			s.Put("/bucket/parts/2024 x/"+name, readFile(t, filepath.Join("testdata", name)))
			s.Put("/bucket/parts/2024 x/inner/"+name, []byte("not matched"))
		}
		out := filepath.Join(t.TempDir(), "x.arrow")
		s.Reset()
		r := expect(t, 0, "convert", bucket+"parts/2024 x/part*.h5", out, "--json")
		if c := ioOf(t, r.out); c.Requests != int64(len(s.Requests())) || c.Bytes != s.Bytes() {
			t.Errorf("%s: %+v, the store counts %d requests, %d bytes", scheme, c, len(s.Requests()), s.Bytes())
		}
		expect(t, 0, "convert", filepath.Join("testdata", "part*.h5"), out+".local.arrow", "--io", "read")
		if !bytes.Equal(readFile(t, out), readFile(t, out+".local.arrow")) {
			t.Errorf("%s: a pattern of keys gives other bytes than one of paths", scheme)
		}
	}
}

// TestStoresUnderFaults has answers fail, and an object replaced.
func TestStoresUnderFaults(t *testing.T) {
	s := webserver.NewStore(t)
	kinds := []webserver.Fault{webserver.Unavailable, webserver.Cut, webserver.WrongRange, webserver.Reset}
	name := h5test.Fixture(t, "sample.h5")
	_, _, want := tablesOf(t, name, "--io", "read")
	for scheme, bucket := range stores(t, s) {
		s.Put("/bucket/a.h5", readFile(t, name))
		s.Reset()
		s.Break(func(n int, _ webserver.Request) webserver.Fault {
			if n%5 == 2 {
				return kinds[n/5%len(kinds)]
			}
			return webserver.None
		})
		status, message, files := tablesOf(t, bucket+"a.h5")
		if status != 0 || len(files) != 1 || !bytes.Equal(files["table.arrow"], want["table.arrow"]) {
			t.Errorf("%s: status %d: %s", scheme, status, message)
		}
		s.Break(func(n int, _ webserver.Request) webserver.Fault {
			if n == 2 {
				s.Put("/bucket/a.h5", readFile(t, name))
			}
			return webserver.None
		})
		s.Reset()
		if r := expect(t, exitFailed, "convert", bucket+"a.h5", filepath.Join(t.TempDir(), "x.arrow")); !strings.Contains(r.err, "the object was replaced since it was opened") {
			t.Errorf("%s: %s", scheme, r.err)
		}
		s.Break(nil)
	}
}

// TestStoresRefused has status 1 for what is missing or denied.
func TestStoresRefused(t *testing.T) {
	s := webserver.NewStore(t)
	urls := stores(t, s)
	s.Put("/bucket/a.h5", readFile(t, "testdata/two.h5"))
	for scheme, bucket := range urls {
		r := expect(t, exitFailed, "inspect", bucket+"gone.h5")
		if !strings.Contains(r.err, "no such object: 404") {
			t.Errorf("%s: %s", scheme, r.err)
		}
		if r := expect(t, exitFailed, "inspect", strings.Replace(bucket, "bucket/", "nobucket/", 1)+"a.h5"); !strings.Contains(r.err, "no such object: 404") {
			t.Errorf("%s: %s", scheme, r.err)
		}
		expect(t, exitFailed, "convert", bucket+"none*.h5", filepath.Join(t.TempDir(), "x.arrow"))
		expect(t, exitUsage, "inspect", scheme+"://bucket")
		expect(t, exitUsage, "inspect", bucket+"a[.h5")
		if scheme == "gs" {
			continue // the emulator asks for no credentials
		}
		if r := expect(t, exitFailed, "inspect", bucket+"a.h5", "--anonymous"); !strings.Contains(r.err, "access is denied: 403") {
			t.Errorf("%s: %s", scheme, r.err)
		}
		s.Public = true
		expect(t, 0, "inspect", bucket+"a.h5", "--anonymous")
		s.Public = false
	}
	gone := webserver.NewStore(t)
	for scheme, bucket := range stores(t, gone) {
		gone.Close()
		if r := expect(t, exitFailed, "inspect", bucket+"a.h5"); !strings.Contains(r.err, "can't reach the server") || strings.Count(r.err, "\n") != 1 {
			t.Errorf("%s: %s", scheme, r.err)
		}
	}
	stores(t, s)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if r := expect(t, exitFailed, "inspect", "s3://bucket/a.h5"); !strings.Contains(r.err, "no credentials for S3") || !strings.Contains(r.err, "--anonymous") {
		t.Error(r.err)
	}
	if r := expect(t, exitFailed, "inspect", "az://other/bucket/a.h5"); !strings.Contains(r.err, "is for the account account") {
		t.Error(r.err)
	}
}
