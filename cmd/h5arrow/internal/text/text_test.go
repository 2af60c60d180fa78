package text

import (
	"encoding/json"
	"io"
	"math"
	"slices"
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
	g.Add([]Cell{{Text: "1", Right: true}, {Text: "\x1b[31m", Right: true}})
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
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"üüü", 3, "üüü"}, {"üüüü", 3, "üü…"}, {"", 3, ""}, {"abc", 1, "…"}, {"abc", 0, ""},
		{"漢字", 4, "漢字"}, {"漢字漢", 4, "漢…"}, {"e\u0301e\u0301", 2, "e\u0301e\u0301"}} {
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
	if line := (&Bar{rows: -1, width: 60}).line(1000, 4000, time.Second); line != "1,000 rows  4.0 kB/s" {
		t.Errorf("%q without a number of rows", line)
	}
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

// Letters are counted as a terminal shows them.
func TestWidth(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "ü": 1, "漢字": 4, "e\u0301": 1, "ﾊ": 1, "Ａ": 2} {
		if got := Width(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"/a/b", 4, "/a/b"}, {"/group/sub/data", 9, "/gro…data"}, {"/group/sub/data", 4, "/gr…"}, {"/漢字漢字/data", 8, "/漢…ata"}} {
		if got := CutMiddle(c.s, c.n); got != c.want || Width(got) > c.n {
			t.Errorf("%q to %d: %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

// Whatever its cells, a grid fits: columns go in the given order, then the widest are cut.
func TestFit(t *testing.T) {
	for width := 3; width < 60; width++ {
		g := Grid{}
		g.AddText("name", "漢字漢字", "a long type", "nulls")
		g.Add([]Cell{{Text: "x"}, {Text: "12", Right: true}, {Text: strings.Repeat("y", 20)}, {Text: "1"}})
		left := g.Fit(width, 3, 1)
		var out strings.Builder
		if err := g.Write(&out); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := Width(strings.TrimSuffix(line, "\n")); n > max(width, 4) {
				t.Errorf("%d columns in %d: %q", n, width, line)
			}
		}
		if width >= 43 && len(left) > 0 || width == 41 && !slices.Equal(left, []int{3}) || width == 20 && !slices.Equal(left, []int{3, 1}) {
			t.Errorf("%d: left out %v\n%s", width, left, &out)
		}
	}
}

// Colors surround text that is printable, and only on a screen with colors.
func TestScreen(t *testing.T) {
	for color, want := range map[bool]string{false: "a\\x1b[2J …\n", true: "\x1b[1ma\\x1b[2J\x1b[0m …\n"} {
		var out strings.Builder
		s := Screen{W: &out, Width: 10, Color: color}
		if err := s.Line(Span{"a\x1b[2J", Bold}, Span{" bcdef", Plain}); err != nil || out.String() != want {
			t.Errorf("%q, want %q, %v", &out, want, err)
		}
	}
}

// Numbers have exponents only where people use them.
func TestFloat(t *testing.T) {
	for _, c := range []struct {
		v            float64
		digits, bits int
		want         string
	}{
		{1.7e9, -1, 64, "1700000000"}, {1709164802.542, -1, 64, "1709164802.542"}, {1e300, -1, 64, "1e+300"}, {0.00002, -1, 64, "0.00002"}, {1e-9, -1, 64, "1e-09"},
		{0, -1, 64, "0"}, {math.Inf(1), -1, 64, "+Inf"}, {math.NaN(), 3, 64, "NaN"}, {float64(float32(0.1)), -1, 32, "0.1"}, {1.0 / 3, 4, 64, "0.3333"},
		{123456789.123, 6, 64, "123457000"}, {-2.5, 6, 64, "-2.5"},
	} {
		if got := Float(c.v, c.digits, c.bits); got != c.want {
			t.Errorf("%v: %s, want %s", c.v, got, c.want)
		}
	}
}

// CSV and JSON do nothing to a terminal either, wherever the writes are cut.
func TestSafe(t *testing.T) {
	const rows = "a,\x1b[2J\n漢\u202e字,\xff\n"
	for cut := range rows {
		var out strings.Builder
		s := safe{w: &out}
		for _, part := range []string{rows[:cut], rows[cut:]} {
			if n, err := s.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if want := "a,\\x1b[2J\n漢\\u202e字,\\xff\n"; out.String() != want {
			t.Errorf("%q, want %q", &out, want)
		}
	}
	var w strings.Builder
	if Safe(&w) != io.Writer(&w) {
		t.Error("what is not a terminal gets other bytes")
	}
}

// What was left out for nothing comes back, the last first.
func TestRestore(t *testing.T) {
	g := Grid{}
	g.AddText("a", strings.Repeat("b", 10), "cc", strings.Repeat("d", 20))
	left := g.Restore(18, g.Fit(18, 2, 1, 3))
	if !slices.Equal(left, []int{3}) {
		t.Errorf("left out %v", left)
	}
	if w := g.width(); w > 18 {
		t.Errorf("%d columns", w)
	}
}

// Soft cells do not widen a column beyond their bound, and a row without other cells is shown only where it has text.
func TestSoftCells(t *testing.T) {
	g := Grid{}
	g.AddText("a", "b")
	g.Add([]Cell{{Text: "x", Soft: true}, {Text: strings.Repeat("y", 30), Soft: true}})
	g.Add([]Cell{{Soft: true}, {Text: "z", Soft: true}})
	g.Fit(3, 1)
	var out strings.Builder
	if err := g.Write(&out); err != nil || out.String() != "a\nx\n" {
		t.Errorf("%q, %v", &out, err)
	}
	if g.widths[1] != softWidth {
		t.Errorf("%d columns", g.widths[1])
	}
}
