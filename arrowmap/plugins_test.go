package arrowmap_test

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// TestPlugins reads a dataset whose filter this module does not know by a function that the test supplies, and shows
// that it is asked only for that dataset, and only when the option is given.
func TestPlugins(t *testing.T) {
	name := filepath.Join("testdata", "foreign.h5") // /x has filter 32000+17, /y has deflate; both hold 0 to 9
	f, err := arrowmap.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := show(f, "", "/x"); h5errKind(got) != h5err.Unsupported {
		t.Errorf("without the option: %s", got)
	}
	asked := 0
	read := func(_, dataset string, a, b int64) ([]byte, error) {
		if dataset != "/x" {
			t.Errorf("asked for %s", dataset)
		}
		asked++
		var out []byte
		for i := a; i < b; i++ {
			out = binary.LittleEndian.AppendUint32(out, uint32(i))
		}
		return out, nil
	}
	g, err := arrowmap.Open(name, arrowmap.WithPlugins(read))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if got, want := show(g, "", "/x", "/y"), "x int32 0 1 2 3 4 5 6 7 8 9\ny int32 0 1 2 3 4 5 6 7 8 9"; got != want || asked == 0 {
		t.Errorf("got %s, want %s; asked %d times", got, want, asked)
	}
	short, err := arrowmap.Open(name, arrowmap.WithPlugins(func(string, string, int64, int64) ([]byte, error) { return nil, nil }))
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	if got := show(short, "", "/x"); h5errKind(got) != h5err.Corrupt {
		t.Errorf("too few bytes: %s", got)
	}
	tab, err := g.Datasets("/x")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := tab.Reader(ctx)
	if err == nil {
		defer r.Release()
		if r.Next() || r.Err() == nil {
			t.Error("reading goes on after the context was canceled")
		}
	}
	none, err := arrowmap.Open(name, arrowmap.WithPlugins(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	if got := show(none, "", "/x"); h5errKind(got) != h5err.Unsupported {
		t.Errorf("no function: %s", got)
	}
}

// h5errKind finds the kind that show put before an error's text.
func h5errKind(s string) h5err.Kind {
	for k := h5err.Corrupt; k <= h5err.Limit; k++ {
		if len(s) > len(k.String()) && s[:len(k.String())+1] == k.String()+":" {
			return k
		}
	}
	return 0
}
