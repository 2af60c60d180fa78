package text

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What is longer than the terminal goes to the pager, all else past it; a pager that does not exist is none.
func TestPage(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the pager is a shell script")
	}
	script := filepath.Join(t.TempDir(), "pager")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"paged $1\"\ncat\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		pager string
		lines int
		paged bool
	}{{script + " -x", 3, true}, {script, 4, false}, {script, 0, false}, {"", 3, false}, {script + "gone", 3, false}} {
		t.Setenv("PAGER", c.pager)
		var out strings.Builder
		if err := Page(context.Background(), &out, c.lines, []byte("a\nb\nc\n")); err != nil {
			t.Fatal(err)
		}
		want := "a\nb\nc\n"
		if c.paged {
			want = "paged -x\n" + want
		}
		if out.String() != want {
			t.Errorf("%q with %d lines: %q, want %q", c.pager, c.lines, out.String(), want)
		}
	}
}
