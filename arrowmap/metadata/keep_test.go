package metadata_test

import (
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/metadata"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
	"github.com/h5arrow/h5arrow/h5/source/kept"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// TestKeep opens a file with what was kept of it, which costs the request that asks for its version.
func TestKeep(t *testing.T) {
	server := webserver.New(t)
	url := server.Put("/wide.h5", h5test.Wide(4000))
	src, err := remote.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	x, err := metadata.Keep(t.Context(), src)
	src.Release()
	if err != nil {
		t.Fatal(err)
	}
	b, err := x.Encode()
	if err != nil || len(b) > 1<<20 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if x, err = kept.Decode(b); err != nil {
		t.Fatal(err)
	}
	server.Reset()
	describe := func(opts ...remote.Option) (n int) {
		t.Helper()
		src, err := remote.Open(t.Context(), url, opts...)
		if err != nil {
			t.Fatal(err)
		}
		f, err := arrowmap.NewFile(src)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		tables, err := f.Tables()
		if err != nil || len(tables) != 1 {
			t.Fatal(len(tables), err)
		}
		err = f.H5().Walk(func(o h5.Object) error {
			n++
			_, err := o.Attributes()
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return n
	}
	n := describe(remote.WithIndex(x))
	if got := len(server.Requests()); got != 1 {
		t.Errorf("%d requests", got)
	}
	if m := describe(); n != m || n < 8000 {
		t.Errorf("%d objects with the index, %d without", n, m)
	}
	server.Put("/wide.h5", h5test.Wide(4000))
	if _, err := remote.Open(t.Context(), url, remote.WithIndex(x)); !h5err.Is(err, h5err.Argument) {
		t.Errorf("an index of another version: %v", err)
	}
}
