package text

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "plain ü": "plain ü", "a\nb\t": `a\nb\t`, "\x1b[2J": `\x1b[2J`, "x\xff": `x\xff`, "\u202e": `\u202e`, "\x00'": `\x00'`, "'": "'",
	} {
		if got := Printable(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
		if again := Printable(want); again != want {
			t.Errorf("%q: %q when it is escaped again", want, again)
		}
	}
}

// A line stays one line, and does nothing to a terminal.
func TestWriteLine(t *testing.T) {
	var out strings.Builder
	if err := WriteLine(&out, "a\x1b[2J\nb"); err != nil || out.String() != `a\x1b[2J\nb`+"\n" {
		t.Errorf("%q, %v", &out, err)
	}
}

// Cells are escaped before they are measured and cut, and columns are as wide as before in what is written later.
func TestGrid(t *testing.T) {
	g := Grid{Indent: " ", Max: 6}
	g.AddText("a", "bb")
	g.Add([]Cell{{"1", true}, {"\x1b[31m", true}})
	g.AddText("üüü")
	var out strings.Builder
	if err := g.Write(&out); err != nil || g.Rows() != 0 {
		t.Fatal(g.Rows(), err)
	}
	g.AddText("x", "y")
	if err := g.Write(&out); err != nil {
		t.Fatal(err)
	}
	if want := " a    bb\n   1  \\x1b[…\n üüü\n x    y\n"; out.String() != want {
		t.Errorf("%q, want %q", &out, want)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"üüü", 3, "üüü"}, {"üüüü", 3, "üü…"}, {"", 3, ""}, {"abc", 1, "…"}, {"abc", 0, ""}} {
		if got := Cut(c.s, c.n); got != c.want {
			t.Errorf("%q to %d: %q", c.s, c.n, got)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\t\r\x00\x1f\x7f", "ü\u2028", "\xff\xc0\xaf", "\xed\xa0\x80x", "\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := AppendString(nil, s)
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
	b := &Bar{w: &out, rows: 2000, width: 60, start: now, now: func() time.Time { return now }}
	now = now.Add(2 * time.Second)
	b.Show(500, 3e9)
	b.Show(600, 3e9) // too soon
	now = now.Add(time.Second)
	b.Show(2000, 6e9)
	b.Clear()
	const want = "\r[#####..................]  25%  500 rows  1.5 GB/s  6s left\x1b[K" +
		"\r[#####################] 100%  2,000 rows  2.0 GB/s  0s left\x1b[K\r\x1b[K"
	if out.String() != want {
		t.Errorf("%q", out.String())
	}
	for width := range 200 {
		b.width = width
		if n := utf8.RuneCountInString(b.line(1, 5, time.Millisecond)); n >= max(width, 1) {
			t.Errorf("%d characters in %d", n, width)
		}
	}
	for n, want := range map[float64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 99949: "99.9 kB", 123456: "123 kB", 999.6e9: "1.0 TB", 5e18: "5000 PB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 100000: "100,000"} {
		if got := Count(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
