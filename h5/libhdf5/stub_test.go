//go:build !(libhdf5 && cgo)

package libhdf5_test

import (
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/libhdf5"
)

func TestAbsent(t *testing.T) {
	calls := map[string]func() error{
		"Open":    func() error { _, err := libhdf5.Open("x.h5"); return err },
		"Create":  func() error { _, err := libhdf5.Create("x.h5"); return err },
		"Version": func() error { _, err := libhdf5.Version(); return err },
	}
	for name, call := range calls {
		if err := call(); !h5err.Is(err, h5err.Unsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
