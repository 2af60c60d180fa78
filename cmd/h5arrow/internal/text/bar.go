package text

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// IsTerminal reports whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Bar draws the progress of a job in one line that it overwrites. A nil Bar draws nothing.
type Bar struct {
	w       io.Writer
	rows    int64
	width   int
	start   time.Time
	drawn   time.Time
	visible bool
	now     func() time.Time
}

// NewBar returns a bar for a job of so many rows, -1 where they are not known, nil if w is not a terminal.
func NewBar(w io.Writer, rows int64) *Bar {
	width, _ := Size(w)
	if width == 0 {
		return nil
	}
	return &Bar{w: w, rows: rows, width: width, start: time.Now(), now: time.Now}
}

// Show draws the bar, at most ten times a second, after so many rows and bytes.
func (b *Bar) Show(rows, bytes int64) {
	if b == nil {
		return
	}
	now := b.now()
	if now.Sub(b.drawn) < 100*time.Millisecond {
		return
	}
	b.drawn, b.visible = now, true
	fmt.Fprintf(b.w, "\r%s\x1b[K", b.line(rows, bytes, now.Sub(b.start)))
}

func (b *Bar) line(rows, bytes int64, took time.Duration) string {
	rate := Bytes(float64(bytes) / max(took.Seconds(), 1e-3))
	if b.rows < 0 {
		return Cut(fmt.Sprintf("%s rows  %s/s", Count(rows), rate), max(0, b.width-1))
	}
	part := 1.0
	if b.rows > 0 {
		part = min(1, float64(rows)/float64(b.rows))
	}
	left := "-"
	if rows > 0 && took > 0 {
		left = time.Duration(float64(took) * (1 - part) / max(part, 1e-9)).Round(time.Second).String()
	}
	text := fmt.Sprintf(" %3.0f%%  %s rows  %s/s  %s left", 100*part, Count(rows), rate, left)
	room := min(40, b.width-len(text)-3)
	if room < 5 {
		return Cut(strings.TrimSpace(text), max(0, b.width-1))
	}
	full := int(part * float64(room))
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", room-full) + "]" + text
}

// Clear removes the bar.
func (b *Bar) Clear() {
	if b != nil && b.visible {
		io.WriteString(b.w, "\r\x1b[K") // to a terminal: nobody would see the error
	}
}
