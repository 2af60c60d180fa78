package arrowmap_test

import (
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// A batch of which one column needs more memory than there is gives up what its other columns hold.
func TestRefusedBatch(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	f, err := arrowmap.Open(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tab, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := tab.Reader(t.Context(), arrowmap.WithMaxMemory(37_500))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if r.Next() || !h5err.Is(r.Err(), h5err.Memory) {
		t.Errorf("%v", r.Err())
	}
}
