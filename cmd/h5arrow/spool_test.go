package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

// piped runs a command line with data on stdin.
func piped(data []byte, args ...string) result {
	var out, err bytes.Buffer
	status := run(context.Background(), args, streams{bytes.NewReader(data), &out, &err})
	return result{out.String(), err.String(), status}
}

// With --spool, stdin is read like the file that it comes from; nothing is left in the directory for temporary files.
func TestSpool(t *testing.T) {
	workplace(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	data := readFile(t, "sample.h5")
	for _, args := range [][]string{
		{"inspect", "FILE", "/table/columns/fare"}, {"head", "FILE", "-n", "2"}, {"tail", "FILE", "-n", "2"}, {"stats", "FILE", "-c", "fare"},
		{"plot", "FILE", "-c", "fare", "--json"}, {"check", "FILE"}, {"check", "FILE", "--json"}, {"convert", "FILE", "-", "--rows", ":3"},
	} {
		run := func(name string, more ...string) result {
			of := append([]string(nil), args...)
			of[1] = name
			r := piped(data, append(of, more...)...)
			r.out = strings.ReplaceAll(strings.ReplaceAll(r.out, `"file":"`+name, `"file":"`), name+":", "FILE:")
			return r
		}
		if want, got := run("sample.h5"), run("-", "--spool"); got != want || want.status != 0 {
			t.Errorf("%q: %v, of the file it is %v", args, got, want)
		}
	}
	for _, c := range []struct {
		args   []string
		data   []byte
		status int
		err    string
	}{
		{[]string{"head", "-"}, data, exitUsage, "stdin can't be read: parts of a file are read in any order; copy it to a temporary file first with --spool"},
		{[]string{"head", "-", "--spool=1000"}, data, exitFailed, "-: there are more than 1000 bytes; allow more with --spool"},
		{[]string{"head", "-", "--spool"}, data[:5000], exitCorrupt, "-: "},
		{[]string{"head", "-", "--spool"}, nil, exitCorrupt, "-: at byte 0: corrupt: no HDF5 signature: the file is empty"},
		{[]string{"index", "-", "x", "--spool"}, data, exitUsage, "--spool is not for index, which describes a file that stays"},
	} {
		if r := piped(c.data, c.args...); r.status != c.status || !strings.HasPrefix(r.err, "h5arrow: "+c.err) || r.out != "" {
			t.Errorf("%q: %v", c.args, r)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
