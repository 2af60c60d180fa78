package text

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Screen is where text for people is shown. The zero values of Width and Color are those of a file.
type Screen struct {
	W     io.Writer
	Width int // columns of a line; 0: any number
	Color bool
}

// Size returns the columns and lines of a terminal, 0 for what is not one.
func Size(w io.Writer) (columns, lines int) {
	if !IsTerminal(w) {
		return 0, 0
	}
	columns, lines, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil || columns <= 0 {
		return 80, 24
	}
	return columns, lines
}

// Style is how text looks in color.
type Style uint8

// The styles.
const (
	Plain Style = iota
	Bold        // names of columns
	Dim         // types, nulls, what is less important
	Name        // names of tables
	Link        // what leads elsewhere
	Bad         // what is broken
)

var codes = [...]string{Plain: "", Bold: "1", Dim: "2", Name: "1;34", Link: "36", Bad: "31"}

// Paint returns printable text with what makes a terminal show it in a style.
func (s *Screen) Paint(style Style, printable string) string {
	if !s.Color || style == Plain || printable == "" {
		return printable
	}
	return "\x1b[" + codes[style] + "m" + printable + "\x1b[0m"
}

// Span is a part of a line.
type Span struct {
	Text  string
	Style Style
}

// Line writes one line of spans, cut to the width of the screen. Nothing in their text reaches a terminal raw.
func (s *Screen) Line(spans ...Span) error {
	room := s.Width
	var b strings.Builder
	for _, span := range spans {
		t := Printable(span.Text)
		if s.Width > 0 {
			if room <= 0 {
				break
			}
			t = Cut(t, room)
			room -= Width(t)
		}
		b.WriteString(s.Paint(span.Style, t))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(s.W, b.String())
	return err
}

// Text writes one plain line, which is not cut.
func (s *Screen) Text(line string) error { return WriteLine(s.W, line) }
