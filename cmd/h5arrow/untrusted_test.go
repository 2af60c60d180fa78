package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// strictCases are the files of testdata/untrusted, which h5py has written, and what the strict rules make of them.
var strictCases = []struct{ file, verdict, code string }{
	{"plain", "accept", ""},
	{"small", "accept", ""},
	{"zeros", "accept", ""}, // as well as deflate can
	{"linked", "reject_policy", "policy-external-link"},
	{"raw", "reject_policy", "policy-external-storage"},
	{"virtual", "reject_policy", "policy-virtual-dataset"},
	{"inside", "reject_policy", "policy-virtual-dataset"},
	{"unwritten", "reject_resource", "resource-expansion"},
	{"sparse", "reject_resource", "resource-expansion"},
	{"several", "reject_resource", "resource-expansion"},
	{"chunk", "reject_resource", "resource-limit"},
}

// TestUntrusted reads a file for each rule with and without --untrusted.
func TestUntrusted(t *testing.T) {
	for _, c := range strictCases {
		name := filepath.Join("testdata", "untrusted", c.file+".h5")
		r := expect(t, 0, "check", "--json", name)
		var got report
		if err := json.Unmarshal([]byte(r.out), &got); err != nil {
			t.Fatalf("%s: %v in %s", name, err, r.out)
		}
		codes := []string{}
		for _, f := range got.Findings {
			codes = append(codes, f.Code)
			if !slices.Equal(f.Profiles, []string{untrusted}) {
				t.Errorf("%s: %s by %q", name, f.Code, f.Profiles)
			}
		}
		if got.Verdicts[usual] != "accept" || string(got.Verdicts[untrusted]) != c.verdict || c.code != "" && !slices.Contains(codes, c.code) {
			t.Errorf("%s: %v, %q; want %s, %s", name, got.Verdicts, codes, c.verdict, c.code)
		}
		status := 0
		if c.code != "" {
			status = exitUnsupported
		}
		if r := command(t, "check", "--untrusted", name); r.status != status {
			t.Errorf("%s: check --untrusted has status %d: %s", name, r.status, r.out)
		}
		args := []string{"head", name, "-n", "1"}
		if c.file != "several" {
			args = append(args, "--dataset", "/x")
		}
		expect(t, 0, args...)
		r = expect(t, status, append(args, "--untrusted")...)
		if status != 0 && c.code != "resource-limit" && !strings.HasSuffix(r.err, "; if you trust the file, allow it with --untrusted=false\n") {
			t.Errorf("%s: %s", name, r.err)
		}
	}
	linked := "testdata/untrusted/linked.h5"
	r := expect(t, 0, "check", "--json", linked)
	if page := readFile(t, "../../docs/untrusted.md"); !strings.Contains(string(page), "\n"+strings.ReplaceAll(r.out, linked, "linked.h5")) {
		t.Errorf("docs/untrusted.md does not show %s", r.out)
	}
	expect(t, exitUsage, "head", "--untrusted", "--allow-external", ".", "testdata/untrusted/raw.h5")
}

// TestUntrustedVerbs checks that all verbs that read HDF5 files have the rules.
func TestUntrustedVerbs(t *testing.T) {
	name, dir := "testdata/untrusted/raw.h5", t.TempDir()
	for _, args := range [][]string{
		{"stats", name, "--dataset", "/x"}, {"convert", name, filepath.Join(dir, "out.arrow"), "--dataset", "/x"},
		{"import", name, filepath.Join(dir, "imported.h5")}, {"repack", name, filepath.Join(dir, "repacked.h5")},
	} {
		if args[0] == "import" {
			args = append(args, "--from", "/")
		}
		expect(t, exitUnsupported, append(args, "--untrusted")...)
		expect(t, 0, args...)
	}
	if r := command(t, "inspect", name, "--untrusted"); !strings.Contains(r.out, "external storage of a file that is not trusted") {
		t.Errorf("inspect: status %d: %s", r.status, r.out)
	}
}

// TestUntrustedURL: a file that comes by URL is trusted only if a flag allows it.
func TestUntrustedURL(t *testing.T) {
	s := webserver.New(t)
	url := put(t, s, "testdata/untrusted/unwritten.h5")
	r := expect(t, exitUnsupported, "head", url, "--dataset", "/x", "-n", "1")
	if !strings.Contains(r.err, "25165824 bytes are declared and 0 are stored") {
		t.Error(r.err)
	}
	expect(t, 0, "head", url, "--dataset", "/x", "-n", "1", "--untrusted=false")
	if r := expect(t, 0, "check", "--json", put(t, s, "testdata/untrusted/small.h5")); strings.Contains(r.out, usual) {
		t.Errorf("a URL is read by the usual rules: %s", r.out)
	}
}

// TestUntrustedServe asks servers for a table that only the usual rules allow.
func TestUntrustedServe(t *testing.T) {
	url := put(t, webserver.New(t), "testdata/untrusted/several.h5")
	for _, c := range []struct {
		args   []string
		served bool
	}{
		{[]string{"testdata/untrusted"}, true},
		{[]string{"testdata/untrusted", "--untrusted"}, false},
		{[]string{url, "testdata/untrusted/small.h5", "--untrusted=false"}, true},
	} {
		s := started(t, c.args...)
		_, err := s.client(t).GetFlightInfo(context.Background(), &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"several.h5", "/"}})
		if (err == nil) != c.served {
			t.Errorf("%q: %v", c.args, err)
		}
		s.end(t, os.Interrupt)
	}
	expect(t, exitUnsupported, "serve", "--listen", "127.0.0.1:0", url)
}

// TestUntrustedColumns: tables of many columns, and groups of many links.
func TestUntrustedColumns(t *testing.T) {
	dir := t.TempDir()
	group := func(n int, add func(f *write.File, name string) error) string {
		t.Helper()
		return written.File(t, filepath.Join(dir, strconv.Itoa(n)+".h5"), func(f *write.File) error {
			for i := range n {
				if err := add(f, "/t/c"+strconv.Itoa(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	byte1 := &h5.Type{Class: h5.ClassFixed, Size: 1, Precision: 8}
	columns := group(1<<14+1, func(f *write.File, name string) error {
		d, err := f.Dataset(name, write.Spec{Type: byte1, Space: write.Shape(1), Storage: h5.StorageCompact})
		if err != nil {
			return err
		}
		return d.Write([]byte{1})
	})
	links := group(1<<15+1, func(f *write.File, name string) error { return f.SoftLink(name, "/nothing") })
	for name, want := range map[string]string{columns: `"resource-columns"`, links: `"resource-limit"`} {
		r := expect(t, 0, "check", "--json", name)
		if !strings.Contains(r.out, `"verdicts":{"default":"accept","untrusted":"reject_resource"}`) || !strings.Contains(r.out, want) {
			t.Errorf("%s: %.300s", name, r.out)
		}
	}
	expect(t, exitUnsupported, "head", columns, "--untrusted")
	r := expect(t, exitUnsupported, "head", columns, "--untrusted", "--max-memory", "64MiB")
	if !strings.Contains(r.err, "more than 4096 links in one group") {
		t.Error(r.err)
	}
	expect(t, 0, "head", columns, "-c", "c0")
}
