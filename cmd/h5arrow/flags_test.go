package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/ipc"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "1000000": 1e6, "64MiB": 64 << 20, "1G": 1 << 30, "1g": 1 << 30, "1.5GiB": 3 << 29, "2kB": 2000, "3 TB": 3e12, "7B": 7,
		"": -1, "0": -1, "-1": -1, "x": -1, "1X": -1, "GiB": -1, "1e3": -1, "9000000T": -1, "0.1": -1,
	} {
		var s size
		err := s.Set(text)
		if (err != nil) != (want < 0) || err == nil && int64(s) != want {
			t.Errorf("%q: %d, %v", text, s, err)
		}
	}
}

func TestRowRange(t *testing.T) {
	for text, want := range map[string][2]int64{
		"1:2": {1, 2}, "0:0": {0, 0}, ":": {0, -1}, "5:": {5, -1}, ":7": {0, 7}, "9223372036854775807:": {math.MaxInt64, -1},
	} {
		var r rowRange
		if err := r.Set(text); err != nil || r.a != want[0] || r.b != want[1] {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	}
	for _, text := range []string{"", "5", "2:1", "-1:", ":-1", "a:b", "1:2:3", "9223372036854775808:", "1.5:2"} {
		var r rowRange
		if r.Set(text) == nil {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

func TestGrantedMemory(t *testing.T) {
	const meminfo = "MemTotal:       16384 kB\nMemFree: 1 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"nothing":   {nil, 0},
		"machine":   {map[string]string{"proc/meminfo": meminfo}, 16 << 20},
		"unlimited": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 16 << 20},
		"own group": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "4096\n"}, 4096},
		"outer group": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n",
			"sys/fs/cgroup/a/memory.max": "8192\n"}, 8192},
		"container": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/memory.max": "4096\n"}, 4096},
		"version 1": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu:/x\n4:memory:/a\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "12288\n", "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1\n"}, 12288},
		"larger":  {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "9223372036854771712\n"}, 16 << 20},
		"garbage": {map[string]string{"proc/meminfo": "MemTotal: x kB\n", "proc/self/cgroup": "x\n::\n"}, 0},
	} {
		root := t.TempDir()
		for path, text := range c.files {
			full := filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := grantedMemory(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := maxMemory(123); got != 123 {
		t.Error(got)
	}
	if got := maxMemory(0); got <= 0 {
		t.Error(got)
	}
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "plain ü": "plain ü", "a\nb\t": `a\nb\t`, "\x1b[2J": `\x1b[2J`, "x\xff": `x\xff`, "\u202e": `\u202e`, "\x00'": `\x00'`, "'": "'",
	} {
		if got := printable(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"üüü", 3, "üüü"}, {"üüüü", 3, "üü…"}, {"", 3, ""}, {"abc", 1, "…"}, {"abc", 0, ""}} {
		if got := cut(c.s, c.n); got != c.want {
			t.Errorf("%q to %d: %q", c.s, c.n, got)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\t\r\x00\x1f\x7f", "ü\u2028", "\xff\xc0\xaf", "\xed\xa0\x80x", "\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := appendString(nil, s)
		var got string
		if err := json.Unmarshal(b, &got); err != nil || !utf8.Valid(b) {
			t.Fatalf("%q: %s: %v", s, b, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); strings.ReplaceAll(got, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	})
}

func TestBar(t *testing.T) {
	var out strings.Builder
	now := time.Unix(100, 0)
	b := &bar{w: &out, rows: 2000, width: 60, begin: now, now: func() time.Time { return now }}
	now = now.Add(2 * time.Second)
	b.show(ipc.Stats{Rows: 500, Bytes: 3e9})
	b.show(ipc.Stats{Rows: 600, Bytes: 3e9}) // too soon
	now = now.Add(time.Second)
	b.show(ipc.Stats{Rows: 2000, Bytes: 6e9})
	b.end()
	const want = "\r[#####..................]  25%  500 rows  1.5 GB/s  6s left\x1b[K" +
		"\r[#####################] 100%  2,000 rows  2.0 GB/s  0s left\x1b[K\r\x1b[K"
	if out.String() != want {
		t.Errorf("%q", out.String())
	}
	for width := range 200 {
		b.width = width
		if n := utf8.RuneCountInString(b.line(ipc.Stats{Rows: 1, Bytes: 5}, time.Millisecond)); n >= max(width, 1) {
			t.Errorf("%d characters in %d", n, width)
		}
	}
	for n, want := range map[float64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 99949: "99.9 kB", 123456: "123 kB", 999.6e9: "1.0 TB", 5e18: "5000 PB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 100000: "100,000"} {
		if got := count(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
