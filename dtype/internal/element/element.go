// Package element has the errors about single elements of a column: which element it is counts from the innermost array
// outwards, until it is a row that a user can look up.
package element

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Error is an error about one element. I is its number in the array that was being read or written.
type Error struct {
	I   int
	Err *h5err.Error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the error without the element's number.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of a kind about element i.
func New(i int, k h5err.Kind, format string, args ...any) error {
	return &Error{i, h5err.New(k, format, args...)}
}

// Wrap returns err as an error about element i; of kind IO where it has no kind.
func Wrap(i int, err error) error {
	var e *h5err.Error
	if !errors.As(err, &e) {
		e = h5err.Wrap(h5err.IO, err, "")
	}
	return &Error{i, e}
}

// Owner translates the number of err's element by f, from an item to the element that owns it. Errors about no element
// are returned as they are.
func Owner(err error, f func(i int) int) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{f(e.I), e.Err}
	}
	return err
}

// Place returns err with the row, and the dataset where, in its text. Elements count from row0 on, items to a row.
func Place(err error, row0, items int64, where string) error {
	var el *Error
	if !errors.As(err, &el) {
		return h5err.In(err, "", where)
	}
	e := *el.Err
	at := fmt.Sprintf("row %d", row0+int64(el.I)/items)
	if items > 1 {
		at += fmt.Sprintf(", item %d", int64(el.I)%items)
	}
	if e.Msg != "" {
		at += ": " + e.Msg
	}
	e.Msg = at
	if e.Object == "" {
		e.Object = where
	}
	return &e
}

// Member adds the name of a compound's member to an error about its type.
func Member(err error, name string) error {
	var e *h5err.Error
	if errors.As(err, &e) {
		c := *e
		c.Msg = "member " + name + ": " + c.Msg
		return &c
	}
	return err
}

// NotUTF8 returns the error about bytes that are not valid UTF-8; what says whose bytes they are.
func NotUTF8(what string, b []byte) *h5err.Error {
	at := 0
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	if at == len(b) {
		return h5err.New(h5err.Corrupt, "%s is cut inside a character", what)
	}
	return h5err.New(h5err.Corrupt, "%s is not valid UTF-8 (byte 0x%02X at %d)", what, b[at], at)
}
