package convention

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Small things that several conventions need: names that stand in datasets, boolean columns, what marks a value as
// missing.

// maxNames bounds the bytes of names that stand in a dataset.
const maxNames = 16 << 20

// texts reads all of a small dataset of text.
func texts(d *h5.Dataset) ([]string, error) {
	t := d.Type()
	if t.Class != h5.ClassString && !varText(t) {
		return nil, corrupt(d, "text is expected, not %s", t)
	}
	p, err := contents(d)
	if err != nil {
		return nil, err
	}
	n := int(d.Rows())
	out := make([]string, 0, n)
	if !varText(t) {
		for ; len(p) >= t.Size && t.Size > 0; p = p[t.Size:] {
			out = append(out, string(h5.TrimString(p[:t.Size], t.Pad)))
		}
		return out, nil
	}
	heap, total := d.File().HeapReader(), 0
	width := d.File().OffsetSize()
	for ; len(p) >= t.Size && t.Size >= 8+width; p = p[t.Size:] {
		size, addr := binary.LittleEndian.Uint32(p), uint64(0)
		for i := range min(width, 8) {
			addr |= uint64(p[4+i]) << (8 * i)
		}
		if size == 0 || addr == 0 {
			out = append(out, "")
			continue
		}
		b, err := heap.Object(addr, binary.LittleEndian.Uint32(p[4+width:]))
		if err != nil {
			return nil, h5err.In(err, d.File().Name(), d.Path())
		}
		if uint64(size) > uint64(len(b)) {
			return nil, corrupt(d, "text of %d bytes in a heap object of %d", size, len(b))
		}
		if total += int(size); total > maxNames {
			return nil, h5err.In(h5err.New(h5err.Limit, "more than %d bytes of names", maxNames), d.File().Name(), d.Path())
		}
		out = append(out, string(h5.TrimString(b[:size], t.Pad)))
	}
	return out, nil
}

func varText(t *h5.Type) bool { return t.Class == h5.ClassVLen && t.VarString }

// booleans describes bytes as booleans, not zero for true; the values as they are where they are no bytes.
func booleans(p *Plain) *Plain {
	t := p.Data.Type()
	if t.Class == h5.ClassFixed && t.Size == 1 && p.Member == Whole {
		p.As, p.RowDims = boolType(), p.Data.RowDims()
	}
	return p
}

// boolType is the type of booleans of one byte: not zero for true.
func boolType() *h5.Type {
	b := &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Signed: true, Precision: 8}
	return &h5.Type{Class: h5.ClassEnum, Size: 1, Order: h5.LittleEndian, Base: b, Names: []string{"FALSE", "TRUE"}, Values: []byte{0, 1}}
}

// withMissing adds the nulls that attributes of R's and Bioconductor's writers ask for: missing-value-placeholder, a
// value that stands for "missing", and rhdf5-NA.OK, R's NA in integers. Values that are no *Plain have none.
func withMissing(o h5.Object, v Values) (Values, error) {
	p, ok := v.(*Plain)
	if !ok || p.Member != Whole {
		return v, nil
	}
	t := p.Data.Type()
	a, err := o.Attribute("missing-value-placeholder")
	if err != nil {
		return nil, err
	}
	if a != nil {
		return placeholder(p, a)
	}
	if a, err = o.Attribute("rhdf5-NA.OK"); err != nil || a == nil {
		return v, err
	}
	if n, ok := a.Int(); !ok || n == 0 || t.Class != h5.ClassFixed || !t.Signed || t.Size != 4 && t.Size != 8 {
		return v, nil // R has no other integers, and its floats have NaN
	}
	lowest := nullbitmap.Stored(1<<(8*t.Size-1), t.Size, byteOrder(t))
	r, err := nullbitmap.Equal(lowest)
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "rhdf5-NA.OK")
	}
	p.Nulls = append(p.Nulls, Null{Kind: NullRule, Rule: r, Text: "NA of R"})
	return p, nil
}

// placeholder makes values that equal an attribute null: numbers by a rule, text by comparing.
func placeholder(p *Plain, a *h5.Attribute) (Values, error) {
	const words = "missing-value-placeholder"
	t := p.Data.Type()
	if t.Class == h5.ClassString || varText(t) {
		s, ok := a.Text()
		if !ok {
			return nil, corrupt(p.Data, "the attribute %s is no text", words)
		}
		if len(p.Data.RowDims()) > 0 {
			return nil, unsupported(p.Data, "%s in rows of several texts", words)
		}
		return &Derived{Of: p, Type: arrow.BinaryTypes.String, Reason: "text equal to " + words + " is missing",
			Compute: func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) {
				return withoutText(in, s, mem)
			}}, nil
	}
	switch {
	case t.Class == h5.ClassFixed, t.Class == h5.ClassFloat, t.Class == h5.ClassEnum:
		values := storedValues(a, t)
		if len(values) == 0 || t.Size > 8 || t.Size&(t.Size-1) != 0 {
			return p, nil
		}
		return p, equalRule(t, values[:1], words, nullRule(p))
	}
	return p, nil
}

// nullRule adds rules of missing values to a column.
func nullRule(p *Plain) func(nullbitmap.Rule, error, string) error {
	return func(r nullbitmap.Rule, err error, words string) error {
		if err != nil {
			return h5err.Wrap(h5err.Unsupported, err, "%s", words)
		}
		p.Nulls = append(p.Nulls, Null{Kind: NullRule, Rule: r, Text: words})
		return nil
	}
}

// withoutText copies an array of text; what equals a text becomes null.
func withoutText(in arrow.Array, text string, mem memory.Allocator) (arrow.Array, error) {
	s, ok := in.(array.StringLike)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "text of type %s", in.DataType())
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	for i := range in.Len() {
		if v := s.Value(i); s.IsNull(i) || v == text {
			b.AppendNull()
		} else {
			b.Append(v)
		}
	}
	return b.NewArray(), nil
}

// column describes a dataset of a table by its attributes.
func column(name string, d *h5.Dataset) Column {
	c := Column{Name: name, Objects: []h5.Object{d}}
	p, err := NewPlain(d)
	if err == nil {
		c.Values, err = withMissing(d, p)
	}
	if c.Err = err; err != nil {
		c.Values = nil
	}
	return c
}

// member opens the member of that name, nil when there is none, or when it can't be opened.
func member(g *h5.Group, name string) h5.Object {
	if _, has, err := g.Link(name); err != nil || !has {
		return nil
	}
	o, err := g.Open(name)
	if err != nil {
		return nil
	}
	return o
}

// has tells whether a group has a link of each name.
func has(g *h5.Group, names ...string) bool {
	for _, n := range names {
		if _, ok, err := g.Link(n); err != nil || !ok {
			return false
		}
	}
	return true
}

// base is the last name of a path.
func base(path string) string { return path[len(parent(path)):] }

// datasets opens the datasets of a group that have rows, in the order of its links. What can't be opened is a column
// with an error, so that it is not silently left out.
func datasets(g *h5.Group) (out []*h5.Dataset, broken []Column, err error) {
	links, err := g.Links()
	if err != nil {
		return nil, nil, err
	}
	for _, l := range links {
		if l.Kind != h5.LinkHard {
			continue
		}
		o, err := g.Open(l.Name)
		if err != nil {
			broken = append(broken, Column{Name: l.Name, Err: err})
			continue
		}
		if d, ok := o.(*h5.Dataset); ok && d.Space().Class == h5.SpaceSimple {
			out = append(out, d)
		}
	}
	return out, broken, nil
}

// under claims everything below any of the paths.
func under(paths ...string) func(string) bool {
	return func(p string) bool {
		for _, u := range paths {
			if len(p) >= len(u) && p[:len(u)] == u && (len(p) == len(u) || p[len(u)] == '/' || u == "/") {
				return true
			}
		}
		return false
	}
}

// alike describes the datasets of a group that are as long as one of them: those named first, in their order, then
// the others.
func alike(g *h5.Group, like *h5.Dataset, first ...string) (*Table, error) {
	all, broken, err := datasets(g)
	if err != nil {
		return nil, err
	}
	t := &Table{Path: g.Path(), Object: g, Inner: notGroups(g)}
	taken := map[string]bool{}
	add := func(d *h5.Dataset) {
		if n := base(d.Path()); !taken[n] && d.Rows() == like.Rows() && !isTable(d) {
			taken[n] = true
			t.Columns = append(t.Columns, column(n, d))
		}
	}
	for _, n := range first {
		for _, d := range all {
			if base(d.Path()) == n {
				add(d)
			}
		}
	}
	for _, d := range all {
		add(d)
	}
	t.Columns = append(t.Columns, broken...)
	return t, nil
}

// notGroups claims the datasets of a group, but not its groups.
func notGroups(g *h5.Group) func(string) bool {
	return func(path string) bool {
		_, is := member(g, base(path)).(*h5.Dataset)
		return is
	}
}
