package where

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Parse returns the filter that a text describes. What it does not understand is an Argument error with the place.
func Parse(text string) (Filter, error) {
	p := &parser{text: text}
	p.advance()
	var f Filter
	for p.err == nil {
		f = append(f, p.condition())
		if p.end() {
			break
		}
		p.want("and")
	}
	if p.err != nil {
		return nil, p.err
	}
	return f, nil
}

// tokenKind is the kind of a token.
type tokenKind uint8

const (
	endToken    tokenKind = iota
	nameToken             // a name or a keyword
	quotedToken           // a name in double quotes
	textToken             // a text in single quotes
	numberToken
	symbolToken
)

// token is a part of a filter's text; text is without quotes.
type token struct {
	kind tokenKind
	text string
	at   int
}

// parser reads a filter. After an error it is at the end.
type parser struct {
	text string
	off  int
	tok  token // the next one
	err  error
}

func (p *parser) fail(at int, what string) {
	if p.err == nil {
		p.err = h5err.New(h5err.Argument, "filter, character %d: %s", utf8.RuneCountInString(p.text[:at])+1, what).
			WithHint("write conditions such as fare > 10 and zone in ('a', 'b')")
	}
	p.tok, p.off = token{at: len(p.text)}, len(p.text)
}

func (p *parser) end() bool { return p.tok.kind == endToken }

// is reports whether the next token is a keyword or symbol, and moves past it.
func (p *parser) is(word string) bool {
	if p.tok.kind != nameToken && p.tok.kind != symbolToken || !strings.EqualFold(p.tok.text, word) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) want(word string) {
	if !p.is(word) {
		p.fail(p.tok.at, "expected "+word)
	}
}

func (p *parser) condition() Condition {
	c := Condition{Column: p.tok.text}
	if p.tok.kind != nameToken && p.tok.kind != quotedToken {
		p.fail(p.tok.at, "expected the name of a column")
		return c
	}
	p.advance()
	switch {
	case p.is("is"):
		c.Op = IsNull
		if p.is("not") {
			c.Op = IsNotNull
		}
		p.want("null")
	case p.is("in"):
		c.Op, c.Values = In, p.list()
	case p.is("between"):
		c.Op, c.Values = Between, p.pair()
	default:
		op, err := ParseOp(p.tok.text)
		if err != nil || p.tok.kind != symbolToken {
			p.fail(p.tok.at, "expected an operator")
			return c
		}
		p.advance()
		c.Op, c.Values = op, []Value{p.value()}
	}
	return c
}

func (p *parser) pair() []Value {
	a := p.value()
	p.want("and")
	return []Value{a, p.value()}
}

func (p *parser) list() []Value {
	p.want("(")
	var list []Value
	for p.err == nil && !p.is(")") {
		if len(list) > 0 {
			p.want(",")
		}
		list = append(list, p.value())
	}
	return list
}

func (p *parser) value() Value {
	t := p.tok
	switch t.kind {
	case numberToken:
		p.advance()
		return Value{t.text, Number}
	case textToken:
		p.advance()
		return Value{t.text, Text}
	}
	for _, word := range []string{"true", "false"} {
		if p.is(word) {
			return Value{word, Bool}
		}
	}
	p.fail(t.at, "expected a number, a text in single quotes, true or false")
	return Value{}
}

// advance reads the next token.
func (p *parser) advance() {
	rest := strings.TrimLeftFunc(p.text[p.off:], unicode.IsSpace)
	at := len(p.text) - len(rest)
	n := 0
	kind := symbolToken
	switch c := firstRune(rest); {
	case rest == "":
		p.tok, p.off = token{at: at}, at
		return
	case c == '\'' || c == '"':
		p.quoted(rest, at, byte(c))
		return
	case unicode.IsLetter(c) || c == '_':
		kind, n = nameToken, span(rest, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '.' })
	case unicode.IsDigit(c) || c == '-' || c == '+' || c == '.':
		kind, n = numberToken, 1+span(rest[1:], func(r rune) bool { return unicode.IsDigit(r) || strings.ContainsRune(".eE", r) })
		if n < len(rest) && strings.ContainsRune("eE", rune(rest[n-1])) { // the sign of an exponent
			n += 1 + span(rest[n+1:], unicode.IsDigit)
		}
		if _, err := strconv.ParseFloat(rest[:n], 64); err != nil && !isRange(err) {
			p.fail(at, "malformed number")
			return
		}
	default:
		n = utf8.RuneLen(max(c, 0))
		for _, two := range []string{"<=", ">=", "!=", "<>", "=="} {
			if strings.HasPrefix(rest, two) {
				n = 2
			}
		}
		n = max(1, min(n, len(rest)))
	}
	p.tok, p.off = token{kind, rest[:n], at}, at+n
}

// quoted reads a name or text in quotes; a quote in it is doubled.
func (p *parser) quoted(rest string, at int, quote byte) {
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		if rest[i] != quote {
			b.WriteByte(rest[i])
			continue
		}
		if i+1 < len(rest) && rest[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		kind := textToken
		if quote == '"' {
			kind = quotedToken
		}
		p.tok, p.off = token{kind, b.String(), at}, at+i+1
		return
	}
	p.fail(at, "the quote is not closed")
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// span is the length of the start of s whose characters are all in.
func span(s string, in func(rune) bool) int {
	if i := strings.IndexFunc(s, func(r rune) bool { return !in(r) }); i >= 0 {
		return i
	}
	return len(s)
}

func isRange(err error) bool {
	e, ok := err.(*strconv.NumError)
	return ok && e.Err == strconv.ErrRange
}
