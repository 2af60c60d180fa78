package h5err_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

type object struct{ file, path string }

func (o object) Location() (file, path string) { return o.file, o.path }

func TestAbout(t *testing.T) {
	d := object{"a.h5", "/x/y"}
	tests := []struct {
		name string
		err  error
		kind h5err.Kind
		text string
	}{
		{"no place", h5err.New(h5err.Corrupt, "bad"), h5err.Corrupt, "a.h5: /x/y: corrupt: bad"},
		{"an offset", h5err.At(h5err.Limit, 7, "many").WithHint("take fewer"), h5err.Limit, "a.h5: /x/y: at byte 7: many; take fewer"},
		{"the same file", h5err.In(h5err.New(h5err.IO, "gone"), "a.h5", ""), h5err.IO, "a.h5: /x/y: gone"},
		{"another file", h5err.In(h5err.New(h5err.IO, "gone"), "b.h5", ""), h5err.IO, "b.h5: gone"},
		{"another object", h5err.In(h5err.New(h5err.IO, "gone"), "", "/z"), h5err.IO, "a.h5: /z: gone"},
		{"any other error", errors.New("gone"), h5err.IO, "a.h5: /x/y: gone"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			err := h5err.About(c.err, d)
			if err.Error() != c.text || h5err.KindOf(err) != c.kind {
				t.Errorf("error is %q (%v), want %q (%v)", err, h5err.KindOf(err), c.text, c.kind)
			}
		})
	}
	if err := h5err.About(nil, d); err != nil {
		t.Errorf("nil became %v", err)
	}
	e := h5err.New(h5err.Corrupt, "bad")
	h5err.About(e, d)
	if e.File != "" || e.Object != "" {
		t.Errorf("the error that was given changed to %+v", e)
	}
}

func TestCause(t *testing.T) {
	path := &fs.PathError{Op: "open", Path: "a.h5", Err: fs.ErrNotExist}
	plain := errors.New("plain")
	for _, c := range []struct{ err, want error }{
		{path, fs.ErrNotExist},
		{fmt.Errorf("again: %w", path), fs.ErrNotExist},
		{plain, plain},
		{nil, nil},
	} {
		if got := h5err.Cause(c.err); got != c.want {
			t.Errorf("the cause of %v is %v, want %v", c.err, got, c.want)
		}
	}
}

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want h5err.Kind
	}{
		{nil, 0},
		{h5err.New(h5err.Limit, "x"), h5err.Limit},
		{fmt.Errorf("x: %w", h5err.New(h5err.Memory, "y")), h5err.Memory},
		{&fs.PathError{Err: fs.ErrNotExist}, h5err.NotFound},
		{errors.New("x"), h5err.IO},
	} {
		if got := h5err.KindOf(c.err); got != c.want {
			t.Errorf("the kind of %v is %v, want %v", c.err, got, c.want)
		}
	}
}

// errors.Is finds the kind of an Error and those of its causes, and what the system said.
func TestErrorsIs(t *testing.T) {
	inner := h5err.New(h5err.Corrupt, "bad")
	err := fmt.Errorf("again: %w", h5err.In(h5err.Wrap(h5err.IO, inner, "can't read"), "a.h5", "/x"))
	for _, c := range []struct {
		err, target error
		want        bool
	}{
		{inner, h5err.Corrupt, true}, {inner, h5err.IO, false}, {inner, inner, true},
		{err, h5err.IO, true}, {err, h5err.Corrupt, true}, {err, h5err.Limit, false},
		{h5err.Wrap(h5err.NotFound, fs.ErrNotExist, "none"), fs.ErrNotExist, true},
		{h5err.Over("h5.Limits.Rank", 3, "rank 3"), h5err.Limit, true},
		{errors.New("plain"), h5err.IO, false}, {nil, h5err.IO, false},
	} {
		if got := errors.Is(c.err, c.target); got != c.want {
			t.Errorf("errors.Is(%v, %v) is %t", c.err, c.target, got)
		}
	}
	if s := h5err.Over("h5.Limits.Rank", 3, "rank 3").Error(); s != "rank 3; raise it to 3 with h5.Limits.Rank" {
		t.Errorf("%q", s)
	}
}
