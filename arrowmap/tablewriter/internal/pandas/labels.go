package pandas

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// labelLevel is what the metadata of pandas in a schema say of a level of the columns' labels.
type labelLevel struct {
	Name any    `json:"name"`
	Type string `json:"pandas_type"`
}

// axis is the labels of a frame's columns: text, int64, float64, or a tuple of these for each.
type axis struct {
	labels []any
	names  list // of the levels of the labels
	multi  bool // labels are tuples
}

// plainAxis is labels of text without a name.
func plainAxis(names []string) axis {
	a := axis{names: list{nil}}
	for _, n := range names {
		a.labels = append(a.labels, n)
	}
	return a
}

// axis returns the labels of the columns, which are plain text unless the metadata describe others. A frame has no tuples as labels beside
// a MultiIndex: pandas can't store that.
func (d *description) axis(names []string, x index) axis {
	plain := plainAxis(names)
	if len(d.Labels) == 0 || len(d.Labels) > 1 && x.levels != nil {
		return plain
	}
	out := axis{multi: len(d.Labels) > 1}
	for _, l := range d.Labels {
		if name, ok := l.Name.(string); ok {
			out.names = append(out.names, name)
		} else {
			out.names = append(out.names, nil)
		}
	}
	for i, name := range names {
		if x.level(i) || i == x.column {
			out.labels = append(out.labels, name)
			continue
		}
		text, ok := d.name(name).(string)
		if !ok {
			return plain
		}
		label, ok := d.label(text)
		if !ok {
			return plain
		}
		out.labels = append(out.labels, label)
	}
	return out
}

// label returns the label that the name of a column stands for.
func (d *description) label(name string) (any, bool) {
	if len(d.Labels) == 1 {
		return typed(name, d.Labels[0].Type)
	}
	parts, ok := parseTuple(name)
	if !ok || len(parts) != len(d.Labels) {
		return nil, false
	}
	var out tuple
	for i, p := range parts {
		v, ok := typed(p, d.Labels[i].Type)
		if !ok {
			return nil, false
		}
		out = append(out, v)
	}
	return out, true
}

// typed returns a label of a type of pandas' that its text stands for.
func typed(text, typ string) (any, bool) {
	switch {
	case strings.HasPrefix(typ, "int"), strings.HasPrefix(typ, "uint"):
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil && strconv.FormatInt(n, 10) == text
	case strings.HasPrefix(typ, "float"):
		x, err := strconv.ParseFloat(text, 64)
		return x, err == nil && x-x == 0 // finite
	case typ == "unicode", typ == "string", typ == "empty":
		return text, true
	}
	return nil, false
}

// parseTuple returns the parts of a tuple of text as Python's repr writes it, which is what pyarrow calls a column whose label is a tuple.
func parseTuple(s string) (parts []string, ok bool) {
	s, ok = strings.CutPrefix(s, "(")
	if !ok {
		return nil, false
	}
	for {
		part, rest, ok := parseText(s)
		if !ok {
			return nil, false
		}
		parts = append(parts, part)
		if rest == ")" {
			return parts, true
		}
		if s, ok = strings.CutPrefix(rest, ", "); !ok {
			return nil, false
		}
	}
}

// parseText returns the text that s starts with, as Python's repr writes it, and what follows.
func parseText(s string) (text, rest string, ok bool) {
	if s == "" || s[0] != '\'' && s[0] != '"' {
		return "", "", false
	}
	quote := s[0]
	var b strings.Builder
	for s = s[1:]; s != ""; {
		if s[0] == quote {
			return b.String(), s[1:], true
		}
		// An escaped quote is valid in either kind of quotes here, but not in Go.
		if len(s) > 1 && s[0] == '\\' && (s[1] == '\'' || s[1] == '"') {
			b.WriteByte(s[1])
			s = s[2:]
			continue
		}
		r, _, tail, err := strconv.UnquoteChar(s, 0)
		if err != nil || r == utf8.RuneError && s[0] != '\\' && !strings.HasPrefix(s, "\uFFFD") {
			return "", "", false
		}
		b.WriteRune(r)
		s = tail
	}
	return "", "", false
}
