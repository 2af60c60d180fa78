package text

import (
	"io"
	"unicode/utf8"
)

// Safe returns what CSV and JSON are written to: w, or, where that is a terminal, a writer that escapes what a terminal would
// not only show, except for line breaks.
func Safe(w io.Writer) io.Writer {
	if !IsTerminal(w) {
		return w
	}
	return &safe{w: w}
}

// safe escapes what is written through it.
type safe struct {
	w    io.Writer
	part []byte // of a letter whose other bytes are yet to come
}

// Write writes whole letters. The bytes of a letter that is cut at the end are kept for the next call.
func (s *safe) Write(b []byte) (int, error) {
	all := append(s.part, b...)
	end := len(all)
	for i := 1; i < utf8.UTFMax && i <= len(all); i++ {
		if c := all[len(all)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(all[len(all)-i:]) {
				end = len(all) - i
			}
			break
		}
	}
	var out []byte
	start := 0
	for i := range end {
		if all[i] == '\n' {
			out = append(append(out, Printable(string(all[start:i]))...), '\n')
			start = i + 1
		}
	}
	out = append(out, Printable(string(all[start:end]))...)
	s.part = append([]byte(nil), all[end:]...)
	if _, err := s.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}
