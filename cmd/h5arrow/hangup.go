//go:build !js

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyHangup relays SIGHUP.
func notifyHangup(to chan<- os.Signal) { signal.Notify(to, syscall.SIGHUP) }
