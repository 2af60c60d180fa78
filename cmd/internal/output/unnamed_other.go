//go:build !linux

package output

import (
	"errors"
	"os"
)

// unnamed returns nil: only Linux has files without a name.
func unnamed(string) (*os.File, error) { return nil, nil }

func publish(*os.File, string) error { return errors.ErrUnsupported }
