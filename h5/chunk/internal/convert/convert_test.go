package convert

import (
	"testing"

	"github.com/h5arrow/h5arrow/h5"
)

func TestEqual(t *testing.T) {
	i4 := func() *h5.Type {
		return &h5.Type{Class: h5.ClassFixed, Size: 4, Order: h5.LittleEndian, Signed: true, Precision: 32}
	}
	pair := func(a, b *h5.Type) *h5.Type {
		return &h5.Type{Class: h5.ClassCompound, Size: 8, Members: []h5.Member{{Name: "a", Type: a}, {Name: "b", Offset: 4, Type: b}}}
	}
	be := i4()
	be.Order = h5.BigEndian
	committed := i4()
	committed.Committed = true
	b1, b2 := &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.BigEndian}, &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian}
	enum := func(names ...string) *h5.Type {
		return &h5.Type{Class: h5.ClassEnum, Size: 1, Base: b1, Names: names, Values: make([]byte, len(names))}
	}
	float := func(bias uint32) *h5.Type {
		return &h5.Type{Class: h5.ClassFloat, Size: 4, Float: &h5.FloatFields{Bias: bias}}
	}
	array := func(dims ...uint64) *h5.Type { return &h5.Type{Class: h5.ClassArray, Size: 4, Base: i4(), Dims: dims} }
	for i, c := range []struct {
		a, b *h5.Type
		want bool
	}{
		{i4(), i4(), true}, {i4(), be, false}, {i4(), committed, true}, {b1, b2, true}, {i4(), nil, false},
		{pair(i4(), i4()), pair(i4(), i4()), true}, {pair(i4(), i4()), pair(i4(), be), false},
		{enum("a", "b"), enum("a", "b"), true}, {enum("a", "b"), enum("b", "a"), false},
		{float(127), float(127), true}, {float(127), float(128), false}, {float(127), &h5.Type{Class: h5.ClassFloat, Size: 4}, false},
		{array(1), array(1), true}, {array(1), array(1, 1), false},
	} {
		if Equal(c.a, c.b) != c.want || Equal(c.b, c.a) != c.want {
			t.Errorf("case %d: want %v", i, c.want)
		}
	}
	list := &h5.Type{Class: h5.ClassVLen, Size: 16, Base: i4()}
	for i, c := range []struct {
		t    *h5.Type
		want bool
	}{{i4(), true}, {list, false}, {pair(i4(), list), false}, {&h5.Type{Class: h5.ClassArray, Base: list}, false}, {&h5.Type{Class: h5.ClassReference}, false}, {enum("a"), true}} {
		if Portable(c.t) != c.want {
			t.Errorf("case %d: portable is %v", i, !c.want)
		}
	}
}
