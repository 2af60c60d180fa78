// Package scalar has values of one element whose types may differ from group to group, and columns of them.
package scalar

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Kind is what values are, from the one that has fewest to the one that has all of them.
type Kind uint8

// The kinds.
const (
	None Kind = iota // no value
	Bool
	Int
	Float
	Text
)

var types = [...]arrow.DataType{arrow.Null, arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String}

// Type returns the Arrow type of a column of values of a kind.
func (k Kind) Type() arrow.DataType { return types[k] }

// Join returns the kind that has the values of two.
func (k Kind) Join(o Kind) Kind {
	switch {
	case k == None || k == o:
		return o
	case o == None:
		return k
	case k == Int && o == Float || k == Float && o == Int:
		return Float
	}
	return Text
}

// Value is a value, or none.
type Value struct {
	Kind  Kind
	text  string
	int   int64
	float float64
}

// TextOf returns a text. Bytes that are not UTF-8 are replaced.
func TextOf(s string) Value { return Value{Kind: Text, text: strings.ToValidUTF8(s, "\ufffd")} }

// Of returns the value of an attribute of one element; the one of others, and of text of more than limit bytes, is of kind None.
func Of(a *h5.Attribute, limit int) (v Value) {
	if sp := a.Space(); sp.Class == h5.SpaceNull {
		return v
	}
	t := a.Type()
	if s, ok := a.Text(); ok {
		if len(s) <= limit {
			v = TextOf(s)
		}
		return v
	}
	if list, ok := a.Ints(); ok && len(list) == 1 {
		v = Value{Kind: Int, int: list[0], float: float64(list[0])}
		if t.Class == h5.ClassEnum && len(t.Names) == 2 && t.Names[0] == "FALSE" && t.Names[1] == "TRUE" {
			v.Kind = Bool
		}
		return v
	}
	if list, ok := a.Floats(); ok && len(list) == 1 {
		v = Value{Kind: Float, float: list[0]}
	}
	return v
}

// String returns the value as text.
func (v Value) String() string {
	switch v.Kind {
	case Bool:
		return strconv.FormatBool(v.int != 0)
	case Int:
		return strconv.FormatInt(v.int, 10)
	case Float:
		return strconv.FormatFloat(v.float, 'g', -1, 64)
	}
	return v.text
}

// MarshalJSON returns null, a boolean, a number or a text. Integers are exact; a float is an object with its text, as JSON lacks some of
// them.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.Kind {
	case Bool:
		return json.Marshal(v.int != 0)
	case Int:
		return json.Marshal(v.int)
	case Float:
		return json.Marshal(map[string]string{"float": v.String()})
	case Text:
		return json.Marshal(v.text)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads what MarshalJSON returned.
func (v *Value) UnmarshalJSON(b []byte) error {
	*v = Value{}
	var f struct{ Float string }
	var yes bool
	switch {
	case string(b) == "null":
		return nil
	case b[0] == '"':
		v.Kind = Text
		return json.Unmarshal(b, &v.text)
	case b[0] == '{':
		if err := json.Unmarshal(b, &f); err != nil {
			return err
		}
		x, err := strconv.ParseFloat(f.Float, 64)
		v.Kind, v.float = Float, x
		return err
	case b[0] == 't' || b[0] == 'f':
		err := json.Unmarshal(b, &yes)
		if v.Kind = Bool; yes {
			v.int = 1
		}
		return err
	}
	err := json.Unmarshal(b, &v.int)
	v.Kind, v.float = Int, float64(v.int)
	return err
}

// Repeat makes an array of kind k, which has the value, of n times the value. Where there is none it is of nulls.
func (v Value) Repeat(k Kind, n int, mem memory.Allocator) (arrow.Array, error) {
	b := array.NewBuilder(mem, k.Type())
	defer b.Release()
	if text, ok := b.(*array.StringBuilder); ok && v.Kind != None {
		s := v.String()
		if len(s) > 0 && n > (1<<31-1)/len(s) {
			return nil, h5err.New(h5err.Memory, "%d rows of a text of %d bytes", n, len(s)).WithHint("ask for smaller batches")
		}
		text.ReserveData(n * len(s))
	}
	b.Reserve(n)
	for range n {
		switch b := b.(type) {
		case *array.StringBuilder:
			appendOr(b, v.Kind != None, func() { b.Append(v.String()) })
		case *array.Int64Builder:
			appendOr(b, v.Kind == Int, func() { b.Append(v.int) })
		case *array.BooleanBuilder:
			appendOr(b, v.Kind == Bool, func() { b.Append(v.int != 0) })
		case *array.Float64Builder:
			appendOr(b, v.Kind == Int || v.Kind == Float, func() { b.Append(v.float) })
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
