//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// process prepares the command as a process of its own.
func process(args ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

func status(t testing.TB, err error) int {
	t.Helper()
	var e *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.ExitCode()
	}
	t.Fatal(err)
	return 0
}

// mapped waits until a process has mapped a file: it is at work, and signals are caught.
func mapped(t testing.TB, pid int, file string) {
	t.Helper()
	maps := fmt.Sprintf("/proc/%d/maps", pid)
	if _, err := os.Stat(maps); err != nil {
		t.Skipf("this system does not list what a process has mapped: %v", err)
	}
	h5test.Eventually(t, time.Minute, func() bool {
		b, err := os.ReadFile(maps)
		return err == nil && bytes.Contains(b, []byte(file))
	})
}

func TestUmask(t *testing.T) {
	dir := workplace(t)
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	for _, out := range []string{"a.arrow", "b.arrow"} {
		if out == "b.arrow" { // replacing a file makes no difference
			if err := os.WriteFile(out, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, 0, "convert", "part0.h5", out, "--force")
		info, err := os.Stat(filepath.Join(dir, out))
		if err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: %v, %v", out, info.Mode(), err)
		}
	}
}

func TestFIFO(t *testing.T) {
	dir := workplace(t)
	for _, name := range []string{"pipe", "pipe.arrow"} {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
		before := listing(t, dir)
		read := make(chan []byte)
		go func() {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Error(err)
			}
			read <- b
		}()
		expect(t, 0, "convert", "sample.h5", name)
		b := <-read
		if n := rowCount(readBack(t, b)); n != 50000 {
			t.Errorf("%s: %d rows", name, n)
		}
		if isFile := bytes.HasPrefix(b, []byte("ARROW1")); isFile != (name == "pipe.arrow") {
			t.Errorf("%s is a file: %v", name, isFile)
		}
		for path := range before {
			if filepath.Base(path) == name { // its time may change
				delete(before, path)
			}
		}
		onlyNew(t, dir, before, name)
	}
}

func TestDevices(t *testing.T) {
	dir := workplace(t)
	before := listing(t, dir)
	expect(t, 0, "convert", "sample.h5", "/dev/null")
	if _, err := os.Stat("/dev/full"); err == nil {
		if r := expect(t, exitFailed, "convert", "sample.h5", "/dev/full"); r.err != "h5arrow: /dev/full: can't write: no space left on device\n" {
			t.Errorf("%q", r.err)
		}
	}
	onlyNew(t, dir, before)
}

// A reader that goes away ends the command with an error.
func TestBrokenPipe(t *testing.T) {
	workplace(t)
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		f, err := os.Open("pipe")
		if err != nil {
			t.Error(err)
			return
		}
		io.ReadFull(f, make([]byte, 10))
		f.Close()
	}()
	expect(t, exitFailed, "convert", "sample.h5", "pipe")
}

// An interrupted command ends with 130 and leaves nothing, also when it is stuck.
func TestSignals(t *testing.T) {
	dir := workplace(t)
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for name, args := range map[string][]string{
			"opening": {"convert", "sample.h5", "pipe"}, // waits for a reader
			"writing": {"convert", "sample.h5", "pipe", "--batch-rows", "100"},
			"stdout":  {"convert", "sample.h5", "-"},
		} {
			before := listing(t, dir)
			cmd := process(args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			var out io.ReadCloser
			var err error
			if name == "stdout" {
				if out, err = cmd.StdoutPipe(); err != nil {
					t.Fatal(err)
				}
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if name == "writing" {
				if out, err = os.Open("pipe"); err != nil {
					t.Fatal(err)
				}
			}
			if out != nil { // it is at work when something has come
				if _, err := io.ReadFull(out, make([]byte, 100)); err != nil {
					t.Fatal(err)
				}
			} else {
				mapped(t, cmd.Process.Pid, "sample.h5")
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			werr := cmd.Wait()
			if out != nil {
				out.Close()
			}
			if s := status(t, werr); s != exitInterrupted || stderr.String() != "h5arrow: interrupted\n" {
				t.Errorf("%v while %s: status %d, %q", sig, name, s, stderr.String())
			}
			for path := range before {
				if filepath.Base(path) == "pipe" {
					delete(before, path)
				}
			}
			onlyNew(t, dir, before, "pipe")
		}
	}
}

// Whenever a command is killed, its output is complete or absent.
func TestEndedAtAnyTime(t *testing.T) {
	if testing.Short() {
		t.Skip("processes, which the race detector only makes slower")
	}
	dir := workplace(t)
	before := listing(t, dir)
	convert := func(sig os.Signal, after time.Duration) {
		cmd := process("convert", "sample.h5", "x.arrow", "--batch-rows", "500", "--compression", "zstd", "--force")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if sig != nil {
			defer time.AfterFunc(after, func() {
				if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Error(err)
				}
			}).Stop()
		}
		cmd.Wait() // any status will do
		if _, err := os.Stat("x.arrow"); err == nil {
			if n := rowCount(readBack(t, readFile(t, "x.arrow"))); n != 50000 {
				t.Errorf("%d rows", n)
			}
			if err := os.Remove("x.arrow"); err != nil {
				t.Fatal(err)
			}
		} else if sig == nil {
			t.Fatal(err)
		}
		if sig != syscall.SIGKILL {
			onlyNew(t, dir, before)
		}
	}
	start := time.Now()
	convert(nil, 0)
	whole := time.Since(start)
	for i := range time.Duration(12) {
		convert([]os.Signal{syscall.SIGINT, syscall.SIGKILL}[i%2], whole*i/11)
	}
}

// An input that is cut short while its mapped columns are written ends the command with an error.
func TestInputCutShort(t *testing.T) {
	workplace(t)
	for _, name := range []string{"pipe", "pipe.parquet"} {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	whole := readFile(t, "sample.h5")
	for _, codec := range []string{"none", "lz4", "zstd", "parquet"} {
		for _, rows := range []string{"500", "50000"} {
			args := []string{"convert", "cut.h5", "pipe", "--compression", codec, "--batch-rows", rows}
			if codec == "parquet" {
				if args = []string{"convert", "cut.h5", "pipe.parquet", "--compression", "none", "--batch-rows", rows}; rows == "50000" {
					continue // a row group is read before anything is written: there is no way to cut in between
				}
			}
			if err := os.WriteFile("cut.h5", whole, 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := process(args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			out, err := os.Open(args[2])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(out, make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate("cut.h5", 8192); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, out); err != nil {
				t.Fatal(err)
			}
			s := status(t, cmd.Wait())
			out.Close()
			if line := stderr.String(); s != exitFailed || !strings.HasPrefix(line, "h5arrow: cut.h5: ") || !strings.Contains(line, "cut short") || strings.Count(line, "\n") != 1 {
				t.Errorf("%s, %s rows: status %d, %q", codec, rows, s, line)
			}
		}
	}
}

// A FIFO is refused with the reason, or copied if that is asked for.
func TestSpoolFIFO(t *testing.T) {
	workplace(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "h5arrow: pipe: can't open: it is a FIFO, and parts of a file are read in any order; copy it to a temporary file first with --spool\n"
	if r := expect(t, exitFailed, "head", "pipe"); r.err != want {
		t.Errorf("%q", r.err)
	}
	data := readFile(t, "sample.h5")
	go func() {
		if err := os.WriteFile("pipe", data, 0); err != nil {
			t.Error(err)
		}
	}()
	if got, want := expect(t, 0, "head", "pipe", "--spool"), expect(t, 0, "head", "sample.h5"); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
