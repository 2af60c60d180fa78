package libhdf5_test

import (
	"reflect"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/libhdf5"
)

func TestFlat(t *testing.T) {
	want := []string{"", "a", "grün"}
	flat := libhdf5.JoinFlat(want...)
	got, err := libhdf5.SplitFlat(flat)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	for n := 1; n < len(flat); n++ {
		if got, err := libhdf5.SplitFlat(flat[:n]); err == nil && n != 8 && n != 8+9 {
			t.Errorf("cut to %d bytes: %q", n, got)
		}
	}
}

func TestOptionsCheckTheirRange(t *testing.T) {
	path := t.TempDir() + "/x.h5"
	for name, o := range map[string]libhdf5.CreateOption{
		"alignment":  libhdf5.Align(0, 0),
		"user block": libhdf5.UserBlock(513),
		"sizes":      libhdf5.Sizes(3, 8),
		"versions":   libhdf5.Versions(libhdf5.Latest, libhdf5.V18),
		"rank":       libhdf5.ChunkTreeK(0),
	} {
		if _, err := libhdf5.Create(path, o); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, o := range map[string]libhdf5.Option{"limit": libhdf5.MaxBytes(0), "plugins": libhdf5.Plugins("")} {
		if _, err := libhdf5.Open(path, o); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
