//go:build unix

package apart

import (
	"os/exec"
	"syscall"
)

// apartFrom keeps the signals of a terminal from a process: the server decides when it ends.
func apartFrom(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
