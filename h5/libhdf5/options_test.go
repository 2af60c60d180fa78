package libhdf5_test

import (
	"reflect"
	"testing"

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
