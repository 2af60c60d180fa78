// Package h5err is the one error type of this module.
//
// An Error says what went wrong (Kind and text), where (file, object path, byte offset) and, where there is
// something to do about it, what. The kinds are told apart because callers act on them differently: a corrupt
// file is the file's fault, an unsupported feature is ours, an argument is the caller's.
package h5err

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Kind is the class of an error. The zero value is invalid.
type Kind uint8

// The kinds of errors.
const (
	_           Kind = iota
	Corrupt          // bytes or metadata that contradict the format or themselves
	Unsupported      // a sound file that asks for something that is not implemented, or that policy refuses
	Argument         // the caller asked for something impossible
	NotFound         // no object by that name
	IO               // the operating system or the network failed
	Memory           // the memory budget does not suffice
	Limit            // a named limit was exceeded (see h5.Limits)
)

var kindNames = [...]string{"invalid", "corrupt", "unsupported", "argument", "not found", "i/o", "memory", "limit"}

// Error returns the kind's name. A Kind is an error so that errors.Is(err, h5err.Corrupt) works.
func (k Kind) Error() string { return k.String() }

// String returns the kind's name in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// NoOffset is the Offset of an error that has no place in the file.
const NoOffset = int64(-1)

// Option names a choice of the caller as go doc takes it: package.Function, package.Type.Method or package.Type.Field.
type Option string

// Advice is what the caller may do about an error, in the imperative, and the option that does it.
type Advice struct {
	Do     string
	Option Option
}

// Rule is a rule for files that are not trusted: see h5.WithUntrusted. Its text is stable.
type Rule string

// The rules. Errors of the first five have kind Unsupported, of the others kind Limit.
const (
	RuleExternalLink    Rule = "external-link"
	RuleUserLink        Rule = "user-link"
	RuleExternalStorage Rule = "external-storage"
	RuleVirtual         Rule = "virtual-dataset"
	RuleManifest        Rule = "manifest"  // names of files outside of its folder
	RuleExpansion       Rule = "expansion" // declared to stored bytes
	RuleColumns         Rule = "columns"   // of one table
)

// Refuse returns an error of kind Unsupported that a rule causes.
func Refuse(r Rule, format string, args ...any) *Error {
	e := New(Unsupported, format, args...)
	e.Rule = r
	return e
}

// Error is what every exported function of this module returns for a failure.
type Error struct {
	Kind   Kind
	File   string   // name of the file, "" when not known
	Object string   // path of the object inside the file, "" when not known
	Offset int64    // absolute byte offset in the file, NoOffset when not known
	Msg    string   // what is wrong
	Hint   string   // what to do, "" when there is nothing to say
	Advice []Advice // options that help, most useful first
	Rule   Rule     // the rule for files that are not trusted that refuses, "" for all other errors
	Err    error    // the cause, may be nil
}

// Error returns one line: where, what, what to do. Names from files are escaped as Printable does it: a terminal shows the
// line and does nothing else.
func (e *Error) Error() string {
	return e.Text(func(o Option) string { return string(o) })
}

// Text is Error with the options as name returns them, for programs that offer options under other names, such as
// flags. Advice about an option without a name is left out.
func (e *Error) Text(name func(Option) string) string {
	var b strings.Builder
	for _, part := range []string{e.File, e.Object} {
		if part != "" {
			b.WriteString(part)
			b.WriteString(": ")
		}
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, "at byte %d: ", e.Offset)
	}
	switch e.Kind {
	case Corrupt, Unsupported:
		b.WriteString(e.Kind.String())
		b.WriteString(": ")
	}
	b.WriteString(e.Msg)
	if e.Err != nil {
		if e.Msg != "" {
			b.WriteString(": ")
		}
		b.WriteString(causeText(e.Err, name))
	}
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	before := "; "
	for _, a := range e.Advice {
		if option := name(a.Option); option != "" {
			b.WriteString(before + a.Do + " with " + option)
			before = ", or "
		}
	}
	return Printable(strings.ReplaceAll(b.String(), "\n", " "))
}

// causeText returns the text of a cause, which may be an Error itself.
func causeText(err error, name func(Option) string) string {
	var e *Error
	if errors.As(err, &e) && error(e) == err { // not one that is wrapped in err
		return e.Text(name)
	}
	return err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the kind of e, for errors.Is. A cause may have another kind, which errors.Is finds too: the
// function Is and KindOf look at the outermost error only.
func (e *Error) Is(target error) bool { return target == error(e.Kind) }

// New returns an error of a kind without a place.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Offset: NoOffset, Msg: fmt.Sprintf(format, args...)}
}

// Over returns an error of kind Limit about a limit that the caller may raise, and to what.
func Over(limit Option, raise uint64, format string, args ...any) *Error {
	return New(Limit, format, args...).WithOption(limit, "raise it to %d", raise)
}

// At returns an error of a kind at an absolute file offset.
func At(k Kind, offset int64, format string, args ...any) *Error {
	return &Error{Kind: k, Offset: offset, Msg: fmt.Sprintf(format, args...)}
}

// Wrap returns an error of a kind with a cause.
func Wrap(k Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: k, Offset: NoOffset, Msg: fmt.Sprintf(format, args...), Err: err}
}

// WithHint returns e with advice added.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// WithOption returns e with advice added that an option follows: "choose one" with the option "File.Table".
func (e *Error) WithOption(o Option, do string, args ...any) *Error {
	e.Advice = append(slices.Clip(e.Advice), Advice{fmt.Sprintf(do, args...), o})
	return e
}

// In adds the file's and the object's name to an error where it has none yet. It is called once, at the boundary
// that knows them. An error of another type becomes one of kind IO. In of nil is nil.
func In(err error, file, object string) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return &Error{Kind: IO, File: file, Object: object, Offset: NoOffset, Err: err}
	}
	c := *e
	if c.File == "" {
		c.File = file
	}
	if c.Object == "" && c.File == file {
		c.Object = object
	}
	return &c
}

// Cause returns what the system said went wrong, without the name of the file that it repeats.
func Cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// Located is a thing that errors can be about: an object of a file, a table.
type Located interface {
	// Location returns the name of the file and the path of the object inside it.
	Location() (file, object string)
}

// About is In for an error about an object that knows where it is.
func About(err error, o Located) error {
	if err == nil {
		return nil
	}
	file, object := o.Location()
	return In(err, file, object)
}

// KindOf returns the kind of the first Error in err's chain; NotFound for fs.ErrNotExist, IO for anything else,
// and 0 for nil.
func KindOf(err error) Kind {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if errors.Is(err, fs.ErrNotExist) {
		return NotFound
	}
	return IO
}

// Is reports whether err is an Error of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }
