package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Width returns how many columns of a terminal text takes: letters of East Asia take two, combining marks none.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Cut shortens text to n columns of a terminal.
func Cut(s string, n int) string {
	if len(s) <= n || Width(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	room, end := n-1, 0
	for i, r := range s {
		w := runeWidth(r)
		if w > room {
			break
		}
		room -= w
		end = i + utf8.RuneLen(r)
	}
	return s[:end] + "…"
}

// CutMiddle shortens text to n columns, but keeps its start and its end, which paths are recognized by.
func CutMiddle(s string, n int) string {
	if Width(s) <= n || n < 5 {
		return Cut(s, n)
	}
	tail := (n - 1) / 2
	at, room := len(s), tail
	for at > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:at])
		w := runeWidth(r)
		if w > room {
			break
		}
		room -= w
		at -= size
	}
	head := Cut(s, n-tail) // it ends in the mark
	return strings.TrimSuffix(head, "…") + "…" + s[at:]
}
