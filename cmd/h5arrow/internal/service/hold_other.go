//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package service

import "os"

// hold does nothing: this system does not remove files that are open.
func hold(*os.File) {}

func abandoned(*os.File) bool { return true }
