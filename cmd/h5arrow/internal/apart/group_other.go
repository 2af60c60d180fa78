//go:build !unix

package apart

import "os/exec"

// apartFrom does nothing.
func apartFrom(*exec.Cmd) {}
