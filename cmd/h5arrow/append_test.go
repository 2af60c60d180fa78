//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// rowsOf returns the rows of the first table of a file, "" for no file, after a check of all that is in it.
func rowsOf(t *testing.T, name string) string {
	t.Helper()
	if _, err := os.Stat(name); os.IsNotExist(err) {
		return ""
	}
	expect(t, 0, "check", "--deep", name)
	return expect(t, 0, "head", name, "-n", "100000", "--json").out
}

// TestImportAppend makes a table by --append and adds rows to it.
func TestImportAppend(t *testing.T) {
	workplace(t)
	for i, rows := range []string{"0:1000", "1000:1001", "1001:4000"} {
		expect(t, 0, "convert", "sample.h5", "--rows", rows, fmt.Sprint(i, ".arrow"))
	}
	for _, args := range []string{"", "--layout plain", "--compression zstd --shuffle", "--nulls sentinel", "--layout plain --nulls bitmap"} {
		os.Remove("out.h5")
		for i := range 3 {
			r := expect(t, 0, append([]string{"import", fmt.Sprint(i, ".arrow"), "out.h5", "--append", "--json"}, strings.Fields(args)...)...)
			if want := []string{`"rows":1000,`, `"rows":1,`, `"rows":2999,`}[i]; !strings.Contains(r.out, want) {
				t.Errorf("%s: %s, want %s", args, r.out, want)
			}
		}
		if got, want := rowsOf(t, "out.h5"), expect(t, 0, "head", "sample.h5", "-n", "4000", "--json").out; got != want {
			t.Errorf("%q: the rows are others: %.300s", args, got)
		}
	}
	expect(t, 0, "convert", "sample.h5", "--columns", "fare", "fare.arrow")
	expect(t, 0, "import", "fare.arrow", "fixed.h5")
	before := rowsOf(t, "fixed.h5")
	for args, want := range map[string]string{
		"fare.arrow out.h5 --append":         "rows of 1 columns for a table of",
		"fare.arrow fixed.h5 --append":       "write it again with --chunk-rows",
		"out.h5 out.h5 --append":             "the output is the input",
		"0.arrow out.h5 --append --force":    "append",
		"fare.arrow sample.h5 --append":      "superblock of version 0",
		"fare.arrow broken.h5 --append":      "broken.h5",
		"fare.arrow no/such/out.h5 --append": "no such file",
	} {
		r := command(t, append([]string{"import"}, strings.Fields(args)...)...)
		if r.status == 0 || !strings.Contains(r.err, want) {
			t.Errorf("%s: status %d: %s", args, r.status, r.err)
		}
	}
	if rowsOf(t, "fixed.h5") != before {
		t.Error("fixed.h5 has changed")
	}
}

// TestAppendOften adds rows many times: the file grows evenly.
func TestAppendOften(t *testing.T) {
	workplace(t)
	expect(t, 0, "convert", "sample.h5", "--rows", "0:100", "in.arrow")
	var sizes []int64
	for range 3 {
		for range 8 {
			expect(t, 0, "import", "in.arrow", "out.h5", "--append", "--quiet")
		}
		info, err := os.Stat("out.h5")
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, info.Size())
	}
	if a, b := sizes[1]-sizes[0], sizes[2]-sizes[1]; b > a*5/4 {
		t.Errorf("8 steps add %d bytes, then %d", a, b)
	}
	if n := strings.Count(rowsOf(t, "out.h5"), `"fare"`); n != 2400 {
		t.Errorf("%d rows", n)
	}
}

// TestAppendLocked refuses a file that the HDF5 library has open for writing, or that was not closed.
func TestAppendLocked(t *testing.T) {
	py := h5test.Python(t, "h5py")
	if py == "" {
		t.Skip("no Python with h5py")
	}
	workplace(t)
	expect(t, 0, "convert", "sample.h5", "--rows", "0:100", "in.arrow")
	expect(t, 0, "import", "in.arrow", "out.h5", "--append")
	before := rowsOf(t, "out.h5")
	writer := exec.Command(py, "-c", `import h5py, sys; f = h5py.File("out.h5", "r+", libver="latest"); print("open", flush=True); sys.stdin.read()`)
	stdin, err := writer.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if r := command(t, "import", "in.arrow", "out.h5", "--append"); r.status == 0 || !strings.Contains(r.err, "open") {
		t.Errorf("status %d: %s", r.status, r.err)
	}
	stdin.Close()
	if err := writer.Wait(); err != nil {
		t.Fatal(err)
	}
	if rowsOf(t, "out.h5") != before {
		t.Error("the rows have changed")
	}
	expect(t, 0, "import", "in.arrow", "out.h5", "--append")
}

// change is a run of the command that replaces or extends a file, whose old and new rows are known.
type change struct {
	args     []string
	old      []byte // bytes of out.h5 before, nil: there is none
	was, new string // rows
}

// changes prepares a run of each command that writes.
func changes(t *testing.T) map[string]*change {
	t.Helper()
	expect(t, 0, "convert", "sample.h5", "--rows", "0:3000", "old.arrow")
	expect(t, 0, "convert", "sample.h5", "--rows", "3000:9000", "in.arrow")
	expect(t, 0, "import", "old.arrow", "old.h5", "--append", "--compression", "gzip", "--chunk-rows", "2000")
	expect(t, 0, "import", "in.arrow", "large.h5")
	old, err := os.ReadFile("old.h5")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*change{
		"new":     {args: []string{"import", "in.arrow", "out.h5", "--compression", "gzip:6"}},
		"replace": {args: []string{"import", "in.arrow", "out.h5", "--force", "--compression", "zstd:9"}, old: old},
		"append":  {args: []string{"import", "in.arrow", "out.h5", "--append"}, old: old},
		"repack":  {args: []string{"repack", "large.h5", "out.h5", "--force", "--compression", "zstd:7"}, old: old},
	}
	for _, c := range all {
		c.reset(t)
		c.was = rowsOf(t, "out.h5")
		expect(t, 0, c.args...)
		c.new = rowsOf(t, "out.h5")
	}
	return all
}

func (c *change) reset(t *testing.T) {
	t.Helper()
	os.Remove("out.h5")
	if c.old == nil {
		return
	}
	if err := os.WriteFile("out.h5", c.old, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestKill kills the command at random moments: the file has its old state or the new one. H5ARROW_KILLS is the number of moments.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("processes, which the race detector only makes slower")
	}
	workplace(t)
	n := 5
	if s := os.Getenv("H5ARROW_KILLS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range changes(t) {
		c.reset(t)
		start := time.Now()
		if out, err := process(c.args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		took := time.Since(start)
		var old, new int
		for range n {
			c.reset(t)
			cmd := process(c.args...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			kill := time.AfterFunc(time.Duration(rand.Float64()*1.1*float64(took)), func() { cmd.Process.Kill() }) // it may have finished
			cmd.Wait()
			kill.Stop()
			switch rowsOf(t, "out.h5") {
			case c.was:
				old++
			case c.new:
				new++
			default:
				t.Errorf("%s: neither the old rows nor the new ones", name)
			}
			if name == "append" { // what a dead process has left does not matter
				expect(t, 0, c.args...)
				rowsOf(t, "out.h5")
			}
		}
		t.Logf("%s: %d times the old state, %d times the new one", name, old, new)
	}
}

// TestFull has files that may not grow beyond a limit, at several steps: the error names that, and the old state stays.
func TestFull(t *testing.T) {
	if testing.Short() {
		t.Skip("processes, which the race detector only makes slower")
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	workplace(t)
	for name, c := range changes(t) {
		c.reset(t)
		expect(t, 0, c.args...)
		info, err := os.Stat("out.h5")
		if err != nil {
			t.Fatal(err)
		}
		first := int64(len(c.old))
		if name != "append" {
			first = 0
		}
		failed := 0
		for i := range int64(6) {
			c.reset(t)
			blocks := (first + (info.Size()-first)*(i+1)/6) / 512 // of ulimit in POSIX
			if i == 5 {
				blocks += 1024
			}
			p := process(c.args...)
			limited := exec.Command(sh, append([]string{"-c", fmt.Sprintf(`ulimit -f %d; exec "$0" "$@"`, blocks), p.Path}, c.args...)...)
			limited.Env = p.Env
			var stderr bytes.Buffer
			limited.Stderr, limited.Stdout = &stderr, io.Discard
			s := status(t, limited.Run())
			now := rowsOf(t, "out.h5")
			switch {
			case s == 0 && now == c.new:
			case s == exitFailed && strings.HasPrefix(stderr.String(), "h5arrow: out.h5: ") && strings.Contains(stderr.String(), "file too large") && now == c.was:
				failed++
			default:
				t.Errorf("%s, %d blocks: status %d, %s", name, blocks, s, stderr.String())
			}
			if b, err := os.ReadFile("out.h5"); s != 0 && c.old != nil && (err != nil || !bytes.Equal(b, c.old)) {
				t.Errorf("%s, %d blocks: the file has changed, %v", name, blocks, err)
			}
		}
		if failed < 3 {
			t.Errorf("%s: failed %d times", name, failed)
		}
	}
}
