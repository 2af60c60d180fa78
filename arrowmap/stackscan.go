package arrowmap

import (
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// kind is what the values of an attribute are in all groups of a stack that have it.
type kind uint8

const (
	kindNone kind = iota
	kindBool
	kindInt
	kindFloat
	kindText
)

var kindTypes = [...]arrow.DataType{arrow.Null, arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String}

// maxAttributes is the number of attributes of a stack that become columns.
const maxAttributes = 1000

// attribute is a scalar attribute of the groups of a stack.
type attribute struct {
	object int    // how many names of the path its group has
	name   string // of the attribute
	column string
	kind   kind
	first  [3]int // group, object and attribute where it was found first
}

// attributeOf is the value of an attribute.
type attributeOf struct {
	kind kind
	text string
	i    int64
	f    float64
}

// as returns the value as text.
func (v *attributeOf) asText() string {
	switch v.kind {
	case kindBool:
		return strconv.FormatBool(v.i != 0)
	case kindInt:
		return strconv.FormatInt(v.i, 10)
	case kindFloat:
		return strconv.FormatFloat(v.f, 'g', -1, 64)
	}
	return v.text
}

// scalar returns the value of an attribute of one element; its kind is kindNone for others.
func scalar(a *h5.Attribute) (v attributeOf) {
	if sp := a.Space(); sp.Class == h5.SpaceNull {
		return v
	}
	t := a.Type()
	if s, ok := a.Text(); ok {
		if len(s) <= maxAttribute {
			v = attributeOf{kind: kindText, text: strings.ToValidUTF8(s, "\ufffd")}
		}
		return v
	}
	if list, ok := a.Ints(); ok && len(list) == 1 {
		v = attributeOf{kind: kindInt, i: list[0], f: float64(list[0])}
		if t.Class == h5.ClassEnum && len(t.Names) == 2 && t.Names[0] == "FALSE" && t.Names[1] == "TRUE" {
			v.kind = kindBool
		}
		return v
	}
	if list, ok := a.Floats(); ok && len(list) == 1 {
		v = attributeOf{kind: kindFloat, f: list[0]}
	}
	return v
}

// join returns the kind that has the values of two.
func join(a, b kind) kind {
	switch {
	case a == kindNone || a == b:
		return b
	case a == kindInt && b == kindFloat || a == kindFloat && b == kindInt:
		return kindFloat
	}
	return kindText
}

type attributeKey struct {
	object int
	name   string
}

// objects calls fn with the groups whose attributes are of group i, the last of the path first.
func (s *stackSet) objects(i int, fn func(names int, o h5.Object)) error {
	first, _ := s.st.Wild()
	p := s.st.Path(i)
	for n := len(s.st.Names); n > first; n-- {
		o, err := s.f.f.Lookup(p)
		if err != nil {
			return err
		}
		fn(n, o)
		p = p[:strings.LastIndexByte(p, '/')]
	}
	return nil
}

// scan reads the number of rows and the attributes of all groups, and checks that they have one schema.
func (s *stackSet) scan() {
	n := len(s.st.Keys)
	workers := min(runtime.GOMAXPROCS(0), (n+63)/64)
	rows := make([]int64, n)
	parts := make([]map[attributeKey]*attribute, workers)
	errs := make([]error, workers)
	at := make([]int, workers)
	first, err := s.own(0)
	if err != nil {
		s.err = err
		return
	}
	s.st.Source = first.Convention()
	var wait sync.WaitGroup
	for w := range workers {
		parts[w] = map[attributeKey]*attribute{}
		wait.Go(func() {
			for i := w * n / workers; i < (w+1)*n/workers && errs[w] == nil; i++ {
				at[w] = i
				errs[w] = source.Guard(func() (err error) {
					rows[i], err = s.look(i, first, parts[w])
					return err
				})
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			s.err = err
			return
		}
	}
	s.ends = rows
	for i := 1; i < n; i++ {
		s.ends[i] += s.ends[i-1]
	}
	s.merge(parts, first)
}

// look reads what scan needs of group i.
func (s *stackSet) look(i int, first *Table, found map[attributeKey]*attribute) (rows int64, err error) {
	t, err := s.own(i)
	if err != nil {
		return 0, err
	}
	if err := sameTypes(first, t); err != nil {
		return 0, err
	}
	if rows, err = t.body.rows(); !t.RowsKnown() {
		if err == nil {
			err = s.f.usage(t.Path(), "an unknown number of rows")
		}
		return 0, err
	}
	return rows, s.objects(i, func(names int, o h5.Object) {
		attrs, err := o.Attributes()
		if err != nil {
			return
		}
		for k, a := range attrs {
			v := scalar(a)
			if v.kind == kindNone {
				continue
			}
			key := attributeKey{names, a.Name}
			old := found[key]
			if old == nil {
				if len(found) >= maxAttributes {
					continue
				}
				old = &attribute{object: names, name: a.Name, first: [3]int{i, -names, k}}
				found[key] = old
			}
			old.kind = join(old.kind, v.kind)
		}
	})
}

// merge makes the list of the attributes' columns of what the workers found.
func (s *stackSet) merge(parts []map[attributeKey]*attribute, first *Table) {
	all := map[attributeKey]*attribute{}
	for _, part := range parts { // in the order of the groups
		for key, a := range part {
			if old := all[key]; old != nil {
				old.kind = join(old.kind, a.kind)
			} else {
				all[key] = a
			}
		}
	}
	for _, a := range all {
		s.attrs = append(s.attrs, *a)
	}
	sort.Slice(s.attrs, func(i, k int) bool {
		a, b := s.attrs[i].first, s.attrs[k].first
		for j := range a {
			if a[j] != b[j] {
				return a[j] < b[j]
			}
		}
		return false
	})
	s.attrs = s.attrs[:min(len(s.attrs), maxAttributes)]
	taken := map[string]bool{KeyColumn: true}
	for _, c := range first.columns {
		taken[c.Name] = true
	}
	for i := range s.attrs {
		a := &s.attrs[i]
		a.column = a.name
		for taken[a.column] {
			a.column = "attr." + a.column
		}
		taken[a.column] = true
	}
}

// attributes returns the values of group i.
func (s *stackSet) attributes(i int) ([]attributeOf, error) {
	out := make([]attributeOf, len(s.attrs))
	if len(s.attrs) == 0 {
		return out, nil
	}
	return out, s.objects(i, func(names int, o h5.Object) {
		for k, want := range s.attrs {
			if want.object != names {
				continue
			}
			if a, err := o.Attribute(want.name); err == nil && a != nil {
				out[k] = scalar(a)
			}
		}
	})
}

// constant describes a column with one value in all rows.
func constant(name string, k kind, v attributeOf, d *h5.Dataset, rows int64) convention.Column {
	return convention.Column{Name: name, Values: &convention.Generated{Data: d, Rows: rows, Type: kindTypes[k], Reason: "the same for all rows of a group",
		Generate: func(lo, hi int64, mem memory.Allocator) (arrow.Array, error) {
			return repeat(kindTypes[k], v, int(hi-lo), mem)
		}}}
}

// repeat makes an array of n times one value.
func repeat(t arrow.DataType, v attributeOf, n int, mem memory.Allocator) (arrow.Array, error) {
	b := array.NewBuilder(mem, t)
	defer b.Release()
	if text, ok := b.(*array.StringBuilder); ok && v.kind != kindNone {
		s := v.asText()
		if len(s) > 0 && n > (1<<31-1)/len(s) {
			return nil, h5err.New(h5err.Memory, "%d rows of a text of %d bytes", n, len(s)).WithHint("ask for smaller batches")
		}
		text.ReserveData(n * len(s))
	}
	b.Reserve(n)
	for range n {
		switch b := b.(type) {
		case *array.StringBuilder:
			if v.kind == kindNone {
				b.AppendNull()
				continue
			}
			b.Append(v.asText())
		case *array.Int64Builder:
			appendOr(b, v.kind == kindInt, func() { b.Append(v.i) })
		case *array.BooleanBuilder:
			appendOr(b, v.kind == kindBool, func() { b.Append(v.i != 0) })
		case *array.Float64Builder:
			appendOr(b, v.kind == kindInt || v.kind == kindFloat, func() { b.Append(v.f) })
		}
	}
	return b.NewArray(), nil
}

func appendOr(b array.Builder, valid bool, fn func()) {
	if valid {
		fn()
	} else {
		b.AppendNull()
	}
}
