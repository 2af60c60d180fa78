package predicate

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// MaxConditions is the largest number of conditions, and of constants of a condition, that Parse takes.
const MaxConditions = 1 << 14

// Parse reads conditions that are joined by "and":
//
//	COLUMN =|!=|<|<=|>|>= VALUE
//	COLUMN between VALUE and VALUE
//	COLUMN [not] in (VALUE, ...)
//	COLUMN is [not] null
//
// Names of columns with other characters than letters, digits, _ . / - and : are written in double quotes. Values are words of
// such characters and +, or anything in single quotes; a quote inside is doubled. Which kind of value it is follows from the
// column's type. Words of the syntax may be in upper or lower case. The error for anything else is Argument.
func Parse(s string) ([]Condition, error) {
	p := parser{rest: s, whole: s}
	var out []Condition
	for {
		c, err := p.condition()
		if err != nil {
			return nil, err
		}
		if out = append(out, c...); len(out) > MaxConditions {
			return nil, h5err.New(h5err.Argument, "more than %d conditions", MaxConditions)
		}
		t, err := p.next()
		if err != nil {
			return nil, err
		}
		if t.kind == isEnd {
			return out, nil
		}
		if !t.is("and") {
			return nil, p.fail(t, `"and" or the end`)
		}
	}
}

// kind is what a token is.
type kind uint8

const (
	isEnd kind = iota
	isWord
	isName // in double quotes
	isText // in single quotes
	isSign
)

// token is a part of the text.
type token struct {
	kind kind
	text string
	at   int
}

// is reports whether a token is a word of the syntax.
func (t token) is(w string) bool { return t.kind == isWord && strings.EqualFold(t.text, w) }

// parser splits text into tokens.
type parser struct{ rest, whole string }

func (p *parser) fail(t token, want string) error {
	found := `"` + t.text + `"`
	if t.kind == isEnd {
		found = "the end"
	}
	return h5err.New(h5err.Argument, "condition %q: %s at character %d, where %s should be", p.whole, found, utf8.RuneCountInString(p.whole[:t.at])+1, want).
		WithHint(`conditions are COLUMN = VALUE, !=, <, <=, >, >=, "between A and B", "in (A, B)", "not in (A, B)", "is null", "is not null", joined by "and"`)
}

// signs are the tokens that are not words, the longer first.
var signs = []string{"!=", "<>", "<=", ">=", "==", "=", "<", ">", "(", ")", ","}

// next returns the next token.
func (p *parser) next() (token, error) {
	p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	at := len(p.whole) - len(p.rest)
	if p.rest == "" {
		return token{isEnd, "", at}, nil
	}
	if q := p.rest[0]; q == '"' || q == '\'' {
		s, ok := p.quoted(q)
		if !ok {
			return token{}, h5err.New(h5err.Argument, "condition %q: the quote at character %d has no end", p.whole, utf8.RuneCountInString(p.whole[:at])+1)
		}
		if q == '"' {
			return token{isName, s, at}, nil
		}
		return token{isText, s, at}, nil
	}
	for _, s := range signs {
		if rest, ok := strings.CutPrefix(p.rest, s); ok {
			p.rest = rest
			return token{isSign, s, at}, nil
		}
	}
	n := strings.IndexFunc(p.rest, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("_./-:+", r)
	})
	if n < 0 {
		n = len(p.rest)
	}
	if n == 0 {
		_, size := utf8.DecodeRuneInString(p.rest)
		return token{}, p.fail(token{isWord, p.rest[:size], at}, "a name, a value or an operator")
	}
	t := token{isWord, p.rest[:n], at}
	p.rest = p.rest[n:]
	return t, nil
}

// quoted takes text in quotes, in which a quote is doubled.
func (p *parser) quoted(q byte) (string, bool) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		if p.rest[i] != q {
			b.WriteByte(p.rest[i])
			continue
		}
		if i+1 < len(p.rest) && p.rest[i+1] == q {
			b.WriteByte(q)
			i++
			continue
		}
		p.rest = p.rest[i+1:]
		return b.String(), true
	}
	return "", false
}

var signOps = map[string]Op{"=": Equal, "==": Equal, "!=": NotEqual, "<>": NotEqual, "<": Less, "<=": LessOrEqual, ">": Greater, ">=": GreaterOrEqual}

// condition reads one condition; "between" is two, "not in" one for each constant.
func (p *parser) condition() ([]Condition, error) {
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	if t.kind != isWord && t.kind != isName {
		return nil, p.fail(t, "the name of a column")
	}
	column := t.text
	if t, err = p.next(); err != nil {
		return nil, err
	}
	op := signOps[t.text]
	switch {
	case t.kind == isSign && op != 0:
		v, err := p.value()
		return []Condition{{column, op, []Value{v}}}, err
	case t.is("between"):
		return p.between(column)
	case t.is("in"):
		v, err := p.list()
		return []Condition{{column, In, v}}, err
	case t.is("not"):
		return p.notIn(column)
	case t.is("is"):
		return p.null(column)
	}
	return nil, p.fail(t, "an operator")
}

func (p *parser) value() (Value, error) {
	t, err := p.next()
	if err != nil {
		return Value{}, err
	}
	if t.kind != isWord && t.kind != isText {
		return Value{}, p.fail(t, "a value")
	}
	return Text(t.text), nil
}

// expect takes a token that must be there.
func (p *parser) expect(what string) (token, error) {
	t, err := p.next()
	if err == nil && !(t.is(what) || t.kind == isSign && t.text == what) {
		err = p.fail(t, `"`+what+`"`)
	}
	return t, err
}

func (p *parser) between(column string) ([]Condition, error) {
	low, err := p.value()
	if err != nil {
		return nil, err
	}
	if _, err := p.expect("and"); err != nil {
		return nil, err
	}
	high, err := p.value()
	return between(column, low, high), err
}

func between(column string, low, high Value) []Condition {
	return []Condition{{column, GreaterOrEqual, []Value{low}}, {column, LessOrEqual, []Value{high}}}
}

func (p *parser) notIn(column string) ([]Condition, error) {
	if _, err := p.expect("in"); err != nil {
		return nil, err
	}
	v, err := p.list()
	return notIn(column, v), err
}

// notIn returns conditions that hold for what is none of the values: no null, as in SQL.
func notIn(column string, values []Value) []Condition {
	if len(values) == 0 {
		return []Condition{{column, IsNotNull, nil}}
	}
	var out []Condition
	for _, v := range values {
		out = append(out, Condition{column, NotEqual, []Value{v}})
	}
	return out
}

// Conditions returns what Parse returns for a column, an operator in the words or signs that Parse takes, and constants, of
// which "between" takes two, "in" and "not in" any number. The error for anything else is Argument.
func Conditions(column, op string, values ...Value) ([]Condition, error) {
	name := strings.ToLower(strings.Join(strings.Fields(op), " "))
	switch {
	case name == "between" && len(values) == 2:
		return between(column, values[0], values[1]), nil
	case name == "not in":
		return notIn(column, values), nil
	}
	o, ok := signOps[name]
	if i := slices.Index(opNames[:], name); !ok && i > 0 {
		o, ok = Op(i), true
	}
	switch {
	case name == "between":
		return nil, h5err.New(h5err.Argument, "operator between with %d constants", len(values))
	case !ok:
		return nil, h5err.New(h5err.Argument, "unknown operator %q", op).
			WithHint("operators are =, !=, <, <=, >, >=, between, in, not in, is null, is not null")
	}
	return []Condition{{column, o, values}}, o.count(len(values))
}

func (p *parser) list() ([]Value, error) {
	if _, err := p.expect("("); err != nil {
		return nil, err
	}
	var out []Value
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		if out = append(out, v); len(out) > MaxConditions {
			return nil, h5err.New(h5err.Argument, "more than %d values in a list", MaxConditions)
		}
		t, err := p.next()
		switch {
		case err != nil:
			return nil, err
		case t.kind == isSign && t.text == ")":
			return out, nil
		case t.kind != isSign || t.text != ",":
			return nil, p.fail(t, `"," or ")"`)
		}
	}
}

func (p *parser) null(column string) ([]Condition, error) {
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	op := IsNull
	if t.is("not") {
		op = IsNotNull
		if t, err = p.next(); err != nil {
			return nil, err
		}
	}
	if !t.is("null") {
		return nil, p.fail(t, `"null" or "not null"`)
	}
	return []Condition{{column, op, nil}}, nil
}
