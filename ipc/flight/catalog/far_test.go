package catalog

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// TestSource serves a file of a web server. Many clients at a time cost little more than one, and a file that was replaced is
// opened again.
func TestSource(t *testing.T) {
	data, err := os.ReadFile(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	web := webserver.New(t)
	web.Latency = 20 * time.Millisecond
	url := web.Put("/sample.h5", data)
	roots, err := Open(nil, WithSource("a.h5", url, func() (*source.Source, error) { return remote.Open(context.Background(), url) }))
	if err != nil {
		t.Fatal(err)
	}
	defer roots.Close()
	if err := roots.Check(); err != nil {
		t.Fatal(err)
	}
	read := func() (rows int64) {
		h, err := roots.Acquire("a.h5")
		if err != nil {
			t.Error(err)
			return 0
		}
		defer h.Release()
		table, err := h.Table("")
		if err != nil {
			t.Error(err)
			return 0
		}
		r, err := table.Reader(context.Background())
		if err != nil {
			t.Error(err)
			return 0
		}
		defer r.Release()
		for r.Next() {
			rows += r.RecordBatch().NumRows()
		}
		if r.Err() != nil {
			t.Error(r.Err())
		}
		return rows
	}
	web.Reset()
	read()
	one := web.Bytes()
	web.Reset()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if n := read(); n != 50000 {
				t.Errorf("%d rows", n)
			}
		})
	}
	all.Wait()
	if n := web.Bytes(); n > 10*one+1<<20 {
		t.Errorf("50 readers cost %d bytes, one %d", n, one)
	}
	web.Put("/sample.h5", data)
	if err := func() error {
		h, err := roots.Acquire("a.h5")
		if err != nil {
			return err
		}
		defer h.Release()
		_, err = h.Source.ReadAt(make([]byte, 1<<20), 1<<20)
		return err
	}(); !h5err.Is(err, h5err.IO) {
		t.Errorf("the replaced file: %v", err)
	}
	if n := read(); n != 50000 {
		t.Errorf("%d rows of the replaced file", n)
	}
	if _, err := Open(nil, WithSource("a", "x", nil), WithSource("a", "y", nil)); !h5err.Is(err, h5err.Argument) {
		t.Error(err)
	}
}
