package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/h5arrow/h5arrow/ipc"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// bar draws how far a conversion is, in one line that it overwrites.
type bar struct {
	w       io.Writer
	rows    int64
	width   int
	begin   time.Time
	drawn   time.Time
	visible bool
	now     func() time.Time
}

// bar returns the bar for a number of rows; nil when stderr is no terminal, or nothing is to be seen there.
func (c *conversion) bar(rows int64) *bar {
	f, ok := c.err.(*os.File)
	if !ok || c.quiet || c.json || !isTerminal(f) {
		return nil
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 80
	}
	return &bar{w: f, rows: rows, width: width, begin: time.Now(), now: time.Now}
}

// show draws the bar, ten times a second at most.
func (b *bar) show(s ipc.Stats) {
	now := b.now()
	if now.Sub(b.drawn) < 100*time.Millisecond {
		return
	}
	b.drawn, b.visible = now, true
	fmt.Fprintf(b.w, "\r%s\x1b[K", b.line(s, now.Sub(b.begin)))
}

func (b *bar) line(s ipc.Stats, took time.Duration) string {
	part := 1.0
	if b.rows > 0 {
		part = min(1, float64(s.Rows)/float64(b.rows))
	}
	left := "-"
	if s.Rows > 0 && took > 0 {
		left = time.Duration(float64(took) * (1 - part) / max(part, 1e-9)).Round(time.Second).String()
	}
	rate := float64(s.Bytes) / max(took.Seconds(), 1e-3)
	text := fmt.Sprintf(" %3.0f%%  %s rows  %s/s  %s left", 100*part, count(s.Rows), bytesText(rate), left)
	room := min(40, b.width-len(text)-3)
	if room < 5 {
		return cut(strings.TrimSpace(text), max(0, b.width-1))
	}
	full := int(part * float64(room))
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", room-full) + "]" + text
}

// end takes the bar away.
func (b *bar) end() {
	if b.visible {
		io.WriteString(b.w, "\r\x1b[K") // it is a terminal: nobody would see the error
	}
}

// bytesText is a number of bytes for people.
func bytesText(n float64) string {
	for _, unit := range []string{"B", "kB", "MB", "GB", "TB"} {
		if n < 999.5 {
			if unit == "B" || n >= 99.95 {
				return fmt.Sprintf("%.0f %s", n, unit)
			}
			return fmt.Sprintf("%.1f %s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%.0f PB", n)
}

// count is a number with its thousands apart.
func count(n int64) string {
	s := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
