//go:build !cgo || !(linux || darwin || freebsd)

package plugins_test

import (
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/plugins"
)

func TestAbsent(t *testing.T) {
	if _, err := plugins.Read("x.h5", "/d", 0, 1); !h5err.Is(err, h5err.Unsupported) || plugins.Available {
		t.Error(err)
	}
	if _, err := plugins.Version(); !h5err.Is(err, h5err.Unsupported) {
		t.Error(err)
	}
}
