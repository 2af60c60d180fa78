package pandas

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/write"
)

// The values of attributes that PyTables pickles: lists, tuples, dictionaries, text (string), int64, float64, bool and nil.
type (
	list  []any
	tuple []any
	dict  []pair // in order
	pair  struct{ key, value any }
)

// pickled returns a value as a pickle of protocol 0, as PyTables writes attributes.
func pickled(v any) []byte {
	var b strings.Builder
	pickle(&b, v)
	b.WriteByte('.')
	return []byte(b.String())
}

func pickle(b *strings.Builder, v any) {
	switch v := v.(type) {
	case list:
		b.WriteString("(l")
		for _, x := range v {
			pickle(b, x)
			b.WriteByte('a')
		}
	case tuple:
		b.WriteByte('(')
		for _, x := range v {
			pickle(b, x)
		}
		b.WriteByte('t')
	case dict:
		b.WriteString("(d")
		for _, p := range v {
			pickle(b, p.key)
			pickle(b, p.value)
			b.WriteByte('s')
		}
	case string:
		b.WriteByte('V')
		rawUnicode(b, v)
		b.WriteByte('\n')
	case bool:
		b.WriteString(map[bool]string{false: "I00\n", true: "I01\n"}[v])
	case float64:
		b.WriteByte('F')
		b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
		b.WriteByte('\n')
	case int64:
		fmt.Fprintf(b, "I%d\n", v)
	default:
		b.WriteByte('N')
	}
}

// rawUnicode writes text in Python's encoding raw-unicode-escape, in ASCII.
func rawUnicode(b *strings.Builder, s string) {
	for _, r := range s {
		switch {
		case r > 0xffff:
			fmt.Fprintf(b, `\U%08x`, r)
		case r > 0x7e || r < ' ' || r == '\\':
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
}

// attributes collects attributes of an object until the first error.
type attributes struct {
	o   write.Object
	err error
}

func (a *attributes) add(at write.Attribute) {
	if a.err == nil {
		a.err = a.o.Attribute(at)
	}
}

// pickle adds a pickled attribute.
func (a *attributes) pickle(name string, v any) {
	p := pickled(v)
	a.add(write.Attribute{Name: name, Type: &h5.Type{Class: h5.ClassString, Size: len(p)}, Space: write.Shape(), Data: p})
}

// text adds an attribute of text, which may be empty, as PyTables does.
func (a *attributes) text(name, s string) {
	t := &h5.Type{Class: h5.ClassString, Size: max(len(s), 1), CharSet: h5.UTF8}
	space := write.Shape()
	if s == "" {
		space = h5.Space{Class: h5.SpaceNull}
	}
	a.add(write.Attribute{Name: name, Type: t, Space: space, Data: []byte(s)})
}

// value adds one element of a type.
func (a *attributes) value(name string, t *h5.Type, p []byte) {
	a.add(write.Attribute{Name: name, Type: t, Space: write.Shape(), Data: p})
}

// class adds what PyTables writes at every object.
func (a *attributes) class(class, version string) {
	a.text("CLASS", class)
	a.text("TITLE", "")
	a.text("VERSION", version)
}
