//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package source

import (
	"errors"
	"os"
)

func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapFile([]byte) {}

func hideMapping([]byte) {}
