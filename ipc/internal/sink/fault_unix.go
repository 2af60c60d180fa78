//go:build unix

package sink

import (
	"errors"
	"syscall"
)

// isFault reports whether the system could not read the bytes that it was to write.
func isFault(err error) bool { return errors.Is(err, syscall.EFAULT) }
