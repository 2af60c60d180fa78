//go:build !linux

package main

import (
	"errors"
	"os"
)

// unnamed returns nil: files without a name are a speciality of Linux.
func unnamed(string) (*os.File, error) { return nil, nil }

func publish(*os.File, string) error { return errors.ErrUnsupported }
