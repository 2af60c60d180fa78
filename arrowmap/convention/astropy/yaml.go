package astropy

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// value is a value of YAML: text, or a list, or fields. Tags, such as !astropy.units.Unit, and anchors are left out.
type value struct {
	text   string
	items  []*value
	fields []field
}

type field struct {
	name string
	of   *value
}

// get returns a field by the names that lead to it, nil where there is none. In a list it looks into each item, as the lists of
// pairs that YAML calls !!omap need it.
func (v *value) get(names ...string) *value {
	for _, name := range names {
		if v = v.field(name); v == nil {
			return nil
		}
	}
	return v
}

func (v *value) field(name string) *value {
	if v == nil {
		return nil
	}
	for _, f := range v.fields {
		if f.name == name {
			return f.of
		}
	}
	for _, item := range v.items {
		for _, f := range item.fields {
			if f.name == name {
				return f.of
			}
		}
	}
	return nil
}

// string returns the text of a field, "" where there is none.
func (v *value) string(names ...string) string {
	if v = v.get(names...); v == nil {
		return ""
	}
	return v.text
}

// maxDepth bounds lists and fields in one another.
const maxDepth = 64

// parser reads the YAML that astropy writes: no directives, no several documents, no explicit keys. bad is set where there is
// anything else; what was read until then is of no use.
type parser struct {
	lines []string
	at    int
	bad   bool
}

// parseYAML returns the value that lines of YAML make, nil where they are not understood.
func parseYAML(lines []string) *value {
	p := &parser{}
	for _, l := range lines {
		p.lines = append(p.lines, strings.Split(l, "\n")...)
	}
	v := p.block(0, 0)
	p.blank()
	if p.bad || p.at < len(p.lines) {
		return nil
	}
	return v
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// blank passes over lines without content.
func (p *parser) blank() {
	for p.at < len(p.lines) {
		if s := strings.TrimSpace(p.lines[p.at]); s != "" && s[0] != '#' {
			return
		}
		p.at++
	}
}

// next reports whether there is a line that is indented by at least min.
func (p *parser) next(min int) bool {
	p.blank()
	return !p.bad && p.at < len(p.lines) && indentOf(p.lines[p.at]) >= min
}

func isItem(s string) bool { return s == "-" || strings.HasPrefix(s, "- ") }

// block reads the list, the fields or the scalar that the next line starts, if it is indented by at least min.
func (p *parser) block(min, depth int) *value {
	v := &value{}
	if depth > maxDepth {
		p.bad = true
	}
	if !p.next(min) {
		return v
	}
	indent := indentOf(p.lines[p.at])
	if isItem(p.lines[p.at][indent:]) {
		for p.next(indent) && indentOf(p.lines[p.at]) == indent && isItem(p.lines[p.at][indent:]) {
			line := p.lines[p.at]
			p.lines[p.at] = line[:indent] + " " + line[indent+1:] // what follows the dash is a block of its own
			if rest := strings.TrimSpace(line[indent+1:]); rest == "" {
				p.at++
			}
			v.items = append(v.items, p.block(indent+1, depth+1))
		}
		return v
	}
	if _, _, ok := cutKey(p.lines[p.at][indent:]); !ok {
		return p.inline(p.lines[p.at][indent:], min)
	}
	for p.next(indent) && indentOf(p.lines[p.at]) == indent {
		name, rest, ok := cutKey(p.lines[p.at][indent:])
		if !ok {
			break
		}
		f := field{name: name}
		if rest = withoutTag(rest); rest != "" {
			f.of = p.inline(rest, indent+1)
		} else {
			p.at++
			below := indent + 1
			if p.next(indent) && indentOf(p.lines[p.at]) == indent && isItem(p.lines[p.at][indent:]) {
				below = indent // lists need not be indented
			}
			f.of = p.block(below, depth+1)
		}
		v.fields = append(v.fields, f)
	}
	return v
}

// withoutTag removes tags and anchors from the start of a value.
func withoutTag(s string) string {
	s = strings.TrimSpace(s)
	for s != "" && (s[0] == '!' || s[0] == '&') {
		end := strings.IndexAny(s, " \n")
		if end < 0 {
			return ""
		}
		s = strings.TrimSpace(s[end:])
	}
	return s
}

// cutKey splits "name: rest".
func cutKey(s string) (name, rest string, ok bool) {
	if s == "" || s[0] == '{' || s[0] == '[' {
		return "", "", false
	}
	if s[0] == '"' || s[0] == '\'' {
		in := flow{s: s}
		name = in.quoted()
		if rest = s[in.at:]; in.bad || rest != ":" && !strings.HasPrefix(rest, ": ") {
			return "", "", false
		}
		return name, rest[1:], true
	}
	if name, rest, ok = strings.Cut(s, ": "); !ok {
		name, ok = strings.CutSuffix(s, ":")
	}
	return name, rest, ok && name != "?"
}

// inline reads a value that starts in a line with s, and goes on in the lines after it that are indented by at least min.
func (p *parser) inline(s string, min int) *value {
	var b strings.Builder
	b.WriteString(s)
	for p.at++; p.at < len(p.lines); p.at++ {
		line := p.lines[p.at]
		if strings.TrimSpace(line) != "" && indentOf(line) < max(min, 1) {
			break
		}
		b.WriteString("\n" + line)
	}
	text := b.String()
	if text[0] == '|' || text[0] == '>' {
		_, text, _ = strings.Cut(text, "\n")
		return &value{text: folded(text)}
	}
	in := flow{s: strings.TrimRight(text, " \n")}
	v := in.value(false, 0)
	in.space()
	p.bad = p.bad || in.bad || in.at < len(in.s)
	return v
}

// folded joins lines as YAML does: one break is a space, n breaks are n-1 breaks.
func folded(s string) string {
	lines := strings.Split(s, "\n")
	var b strings.Builder
	breaks := 0
	for i, l := range lines {
		l = strings.Trim(l, " ")
		if i > 0 {
			breaks++
		}
		if l == "" && i > 0 && i < len(lines)-1 {
			continue
		}
		if breaks == 1 {
			b.WriteByte(' ')
		} else if breaks > 1 {
			b.WriteString(strings.Repeat("\n", breaks-1))
		}
		breaks = 0
		b.WriteString(l)
	}
	return b.String()
}

// flow reads values within a line: {a: b, c: [d, "e"]}.
type flow struct {
	s   string
	at  int
	bad bool
}

func (f *flow) space() {
	for f.at < len(f.s) && (f.s[f.at] == ' ' || f.s[f.at] == '\n') {
		f.at++
	}
}

// take passes over a character, if it is the next one.
func (f *flow) take(c byte) bool {
	f.space()
	if f.bad || f.at >= len(f.s) || f.s[f.at] != c {
		return false
	}
	f.at++
	return true
}

// value reads a value; inner ones end at a comma or a bracket.
func (f *flow) value(inner bool, depth int) *value {
	f.space()
	for f.at < len(f.s) && (f.s[f.at] == '!' || f.s[f.at] == '&') {
		for f.at < len(f.s) && f.s[f.at] != ' ' && f.s[f.at] != '\n' {
			f.at++
		}
		f.space()
	}
	v := &value{}
	switch {
	case depth > maxDepth:
		f.bad = true
	case f.take('{'):
		for !f.bad && !f.take('}') {
			name := f.scalar(true)
			if !f.take(':') {
				f.bad = true
			}
			v.fields = append(v.fields, field{name, f.value(true, depth+1)})
			f.bad = f.bad || !f.take(',') && (f.at >= len(f.s) || f.s[f.at] != '}')
		}
	case f.take('['):
		for !f.bad && !f.take(']') {
			v.items = append(v.items, f.value(true, depth+1))
			f.bad = f.bad || !f.take(',') && (f.at >= len(f.s) || f.s[f.at] != ']')
		}
	default:
		v.text = f.scalar(inner)
	}
	return v
}

// scalar reads text, quoted or plain.
func (f *flow) scalar(inner bool) string {
	f.space()
	if f.at < len(f.s) && (f.s[f.at] == '"' || f.s[f.at] == '\'') {
		return f.quoted()
	}
	start := f.at
	for ; inner && f.at < len(f.s); f.at++ {
		c := f.s[f.at]
		if strings.IndexByte(",{}[]", c) >= 0 || c == ':' && (f.at+1 == len(f.s) || strings.IndexByte(" \n,}]", f.s[f.at+1]) >= 0) {
			break
		}
	}
	if !inner {
		f.at = len(f.s)
	}
	return folded(strings.TrimSpace(f.s[start:f.at]))
}

// quoted reads text in quotes.
func (f *flow) quoted() string {
	quote := f.s[f.at]
	f.at++
	var b strings.Builder
	for f.at < len(f.s) {
		c := f.s[f.at]
		switch {
		case c == quote && quote == '\'' && strings.HasPrefix(f.s[f.at:], "''"):
			b.WriteByte('\'')
			f.at += 2
		case c == quote:
			f.at++
			return b.String()
		case c == '\\' && quote == '"':
			f.escape(&b)
		case c == '\n' || c == ' ':
			start := f.at
			f.space()
			if run := f.s[start:f.at]; strings.Contains(run, "\n") {
				run = folded("." + run + ".")
				b.WriteString(run[1 : len(run)-1])
			} else {
				b.WriteString(run)
			}
		default:
			b.WriteByte(c)
			f.at++
		}
	}
	f.bad = true
	return ""
}

// escapes are the characters after a backslash, and what they mean.
var escapes = map[byte]string{'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
	'"': `"`, '/': "/", '\\': `\`, ' ': " ", '_': "\u00a0", 'N': "\u0085", 'L': "\u2028", 'P': "\u2029"}

// escape reads a backslash and what it stands for.
func (f *flow) escape(b *strings.Builder) {
	if f.at++; f.at >= len(f.s) {
		f.bad = true
		return
	}
	c := f.s[f.at]
	f.at++
	if c == '\n' { // the line goes on
		f.space()
		return
	}
	if s, ok := escapes[c]; ok {
		b.WriteString(s)
		return
	}
	n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if n == 0 || f.at+n > len(f.s) {
		f.bad = true
		return
	}
	r, err := strconv.ParseUint(f.s[f.at:f.at+n], 16, 32)
	if err != nil || r > utf8.MaxRune {
		f.bad = true
		return
	}
	f.at += n
	b.WriteRune(rune(r))
}
