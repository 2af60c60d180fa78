package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestRepack holds that what repack writes has the same rows, and that outputs appear whole or not at all.
func TestRepack(t *testing.T) {
	dir := workplace(t)
	before := listing(t, dir)
	expect(t, 0, "repack", "sample.h5", "mapped.h5")
	expect(t, 0, "repack", "sample.h5", "small.h5", "--compression", "zstd:5", "--shuffle", "--chunk-rows", "1000", "--quiet")
	expect(t, 0, "repack", "sample.h5", "pages.h5", "--page-size", "64KiB")
	onlyNew(t, dir, before, "mapped.h5", "small.h5", "pages.h5")
	want := expect(t, 0, "head", "sample.h5", "-n", "50").out
	for _, name := range []string{"mapped.h5", "small.h5", "pages.h5"} {
		if got := expect(t, 0, "head", name, "-n", "50").out; got != want {
			t.Errorf("%s:\n%s", name, got)
		}
		expect(t, 0, "check", "--deep", name)
	}
	var s repackSummary
	r := expect(t, 0, "repack", "sample.h5", "mapped.h5", "--force", "--json")
	if err := json.Unmarshal([]byte(r.out), &s); err != nil || s.MappedAfter <= s.MappedBefore || s.Rows == 0 || s.BytesOut == 0 || len(s.Columns) == 0 {
		t.Errorf("%v: %s", err, r.out)
	}
	for _, args := range []string{"sample.h5 mapped.h5", "sample.h5 sample.h5 --force", "sample.h5 new.h5 --compression gzip:10", "sample.h5 new.h5 --shuffle", "sample.h5 new.h5 --page-size 5"} {
		expect(t, exitUsage, append([]string{"repack"}, strings.Fields(args)...)...)
	}
	expect(t, exitCorrupt, "repack", "broken.h5", "new.h5")
	onlyNew(t, dir, before, "mapped.h5", "small.h5", "pages.h5")
}
