package where

import (
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Op is the operator of a condition.
type Op uint8

// The operators.
const (
	_ Op = iota
	Equal
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
	Between // two values, both included
	In
	IsNull
	IsNotNull
)

var opNames = [...]string{"invalid", "=", "!=", "<", "<=", ">", ">=", "between", "in", "is null", "is not null"}

// String returns the operator as it is written in a filter.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return opNames[0]
}

// ParseOp returns the operator of a name: one that String returns, or ==, <>.
func ParseOp(name string) (Op, error) {
	name = strings.ToLower(strings.Join(strings.Fields(name), " "))
	switch name {
	case "==":
		return Equal, nil
	case "<>":
		return NotEqual, nil
	}
	if i := slices.Index(opNames[:], name); i > 0 {
		return Op(i), nil
	}
	return 0, h5err.New(h5err.Argument, "unknown operator %q", name).WithHint("the operators are %s", strings.Join(opNames[1:], ", "))
}

// Value is a constant: a number as text, a text, or true or false.
type Value struct {
	Text string
	Kind ValueKind
}

// ValueKind is the kind of a constant.
type ValueKind uint8

// The kinds of constants.
const (
	_ ValueKind = iota
	Number
	Text
	Bool // "true" or "false"
)

// Condition compares a column with constants.
type Condition struct {
	Column string
	Op     Op
	Values []Value // two of Between, any number of In, none of IsNull, else one
}

// Filter is conditions that all hold. An empty one chooses all rows.
type Filter []Condition

// Columns returns the names of the columns that the filter uses, each once.
func (f Filter) Columns() []string {
	var names []string
	for _, c := range f {
		if !slices.Contains(names, c.Column) {
			names = append(names, c.Column)
		}
	}
	return names
}

// Check returns an Argument error for a condition that has the wrong number of values.
func (c *Condition) Check() error {
	n, want := len(c.Values), 1
	switch c.Op {
	case Between:
		want = 2
	case In:
		want = n
	case IsNull, IsNotNull:
		want = 0
	}
	if n != want {
		return h5err.New(h5err.Argument, "condition on %s: %s takes %d values, not %d", c.Column, c.Op, want, n)
	}
	return nil
}
