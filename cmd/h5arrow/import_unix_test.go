//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"
)

// TestImportThrough writes to a FIFO and to devices.
func TestImportThrough(t *testing.T) {
	dir := workplace(t)
	expect(t, 0, "convert", "sample.h5", "in.arrow")
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan []byte)
	go func() {
		b, err := os.ReadFile("pipe")
		if err != nil {
			t.Error(err)
		}
		read <- b
	}()
	expect(t, 0, "import", "in.arrow", "pipe")
	if err := os.WriteFile("copy.h5", <-read, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := expect(t, 0, "head", "copy.h5", "-n", "50", "--json").out, expect(t, 0, "head", "sample.h5", "-n", "50", "--json").out; got != want {
		t.Errorf("through a FIFO: the rows are others: %.300s", got)
	}
	before := listing(t, dir)
	if _, err := os.Stat("/dev/full"); err == nil {
		expect(t, exitFailed, "import", "in.arrow", "/dev/full")
	}
	onlyNew(t, dir, before)
}
