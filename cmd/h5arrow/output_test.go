package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An output that exists is overwritten by --force only, and an input never.
func TestExistingOutput(t *testing.T) {
	dir := workplace(t)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("old.arrow", "precious")
	for name, make := range map[string]func(string) error{
		"soft.arrow":     func(n string) error { return os.Symlink("part0.h5", n) },
		"far.arrow":      func(n string) error { return os.Symlink("soft.arrow", n) },
		"hard.arrow":     func(n string) error { return os.Link("part0.h5", n) },
		"dangling.arrow": func(n string) error { return os.Symlink("target.arrow", n) },
		"old_link.arrow": func(n string) error { return os.Symlink("old.arrow", n) },
	} {
		if err := make(name); err != nil {
			t.Fatal(err)
		}
	}
	before := listing(t, dir)
	for _, name := range []string{"old.arrow", "old_link.arrow", "soft.arrow", "far.arrow", "hard.arrow", "dangling.arrow", "./part0.h5"} {
		expect(t, exitUsage, "convert", "part0.h5", name)
	}
	for _, name := range []string{"soft.arrow", "far.arrow", "hard.arrow", "part0.h5", dir + "/part0.h5", dir} {
		expect(t, exitUsage, "convert", "part0.h5", name, "--force")
		expect(t, exitUsage, "convert", "part1.h5", "part0.h5", "--force", name)
	}
	onlyNew(t, dir, before)

	// What fails later leaves the old output as it is.
	expect(t, exitCorrupt, "convert", "broken.h5", "old.arrow", "--force")
	expect(t, exitUsage, "convert", "two.h5", "old.arrow", "--force", "--table", "/nope")
	onlyNew(t, dir, before)

	expect(t, 0, "convert", "part0.h5", "old_link.arrow", "--force") // the target of the link, not the link
	expect(t, 0, "convert", "part0.h5", "dangling.arrow", "--force")
	if info, err := os.Lstat("old_link.arrow"); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	for _, name := range []string{"old.arrow", "target.arrow"} {
		if n := len(readBack(t, readFile(t, name))); n != 1 {
			t.Errorf("%s has %d batches", name, n)
		}
	}
	delete(before, filepath.Join(dir, "old.arrow"))
	onlyNew(t, dir, before, "old.arrow", "target.arrow")
}

// Names that can't be those of an output.
func TestBadOutputs(t *testing.T) {
	dir := workplace(t)
	if err := os.Mkdir("sub", 0o755); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	for name, status := range map[string]int{
		"no/such/x.arrow":                   exitFailed,
		"part1.h5/x.arrow":                  exitFailed,
		"sub":                               exitUsage,
		"sub/":                              exitUsage,
		"x":                                 exitUsage,
		"x.txt":                             exitUsage,
		"arrow":                             exitUsage,
		strings.Repeat("x", 300) + ".arrow": exitFailed,
	} {
		expect(t, status, "convert", "part0.h5", name)
	}
	onlyNew(t, dir, before)
}
