package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
)

// TestRemoteDoc runs the commands of docs/remote.md with a server of the test data, and compares what they print. -update writes it.
func TestRemoteDoc(t *testing.T) {
	const site = "https://files.example.org"
	s := webserver.New(t)
	put(t, s, h5test.Fixture(t, "vaex.h5"))
	page := filepath.Join(h5test.Root(t), "docs", "remote.md")
	text := string(readFile(t, page))
	elapsed := regexp.MustCompile(`[0-9]+\.[0-9]{3} s`)
	n := 0
	got := regexp.MustCompile("(?ms)^```console\n(.*?)^```$").ReplaceAllStringFunc(text, func(block string) string {
		var b strings.Builder
		for line := range strings.Lines(block) {
			args, ok := strings.CutPrefix(line, "$ h5arrow ")
			if !ok {
				continue
			}
			n++
			r := command(t, words(strings.ReplaceAll(strings.TrimSpace(args), site, s.URL))...)
			b.WriteString(line + elapsed.ReplaceAllString(strings.ReplaceAll(r.err+r.out, s.URL, site), "0.020 s"))
		}
		return "```console\n" + b.String() + "```"
	})
	if n == 0 {
		t.Error("no commands")
	}
	if *update {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != text {
		t.Errorf("docs/remote.md differs from what its commands print:\n%s", got)
	}
}
