package pickle

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Shape is the shape of an array of objects of numpy, of rank 1 or 2.
type Shape struct {
	Rows, Columns int  // Columns is 1 for rank 1
	Rank          int  // 1 or 2
	Fortran       bool // values are stored column by column
}

// Place returns row and column of the i-th stored value.
func (s Shape) Place(i int) (row, column int) {
	if s.Fortran {
		return i % s.Rows, i / s.Rows
	}
	return i / s.Columns, i % s.Columns
}

// Value is a value of an array.
type Value struct {
	Kind ValueKind
	Text []byte // of Text; it is a part of the pickle
}

// ValueKind is the kind of a Value.
type ValueKind uint8

// The kinds of values.
const (
	_ ValueKind = iota
	Missing
	Text
	False
	True
)

// Limits of an array's pickle.
const (
	maxArray  = math.MaxInt32 // bytes
	maxHeader = 1 << 10       // entries of the memo before the values
)

// ReadArray decodes a pickle, of any protocol from 2 to 5, of an array of numpy whose values are text, booleans, or
// missing: None, NaN, pandas.NA and NaT. It calls shape once, then value for each value in the order in which they are
// stored, and returns their first error. Nothing is executed. Any other value, and any other function than those that
// numpy's own pickles name, is Unsupported; more than 2 GiB are Limit.
func ReadArray(p []byte, shape func(Shape) error, value func(i int, v Value) error) error {
	if len(p) > maxArray {
		return h5err.New(h5err.Limit, "a pickle of %d bytes", len(p))
	}
	m := &machine{src: p, memo: map[uint64]any{}, late: true}
	a := &arrayReader{machine: m, src: p, value: value}
	for m.err == nil {
		op := m.take(1)
		switch {
		case m.err != nil:
		case op[0] == '.':
			return a.end()
		case op[0] == ']' && a.shape == nil:
			if s, ok := m.arrayShape(); ok {
				a.shape = &s
				if err := shape(s); err != nil {
					return err
				}
				m.push(&List{}) // the values, which are not kept
				a.values()
			} else {
				m.do(op[0])
			}
		default:
			m.do(op[0])
		}
	}
	return m.err
}

// arrayShape returns the shape of the array whose list of values starts here: on the stack is the new array and, after a
// mark, the version, the shape, the type and whether the order is Fortran's.
func (m *machine) arrayShape() (s Shape, ok bool) {
	at := m.base()
	if len(m.marks) != 1 || at < 1 || len(m.stack) != at+4 || len(m.memo) > maxHeader {
		return s, false
	}
	array, ok1 := m.stack[at-1].(*Call)
	dims, ok2 := m.stack[at+1].(Tuple)
	t, ok3 := m.stack[at+2].(*Call)
	s.Fortran, ok = m.stack[at+3].(bool)
	if !ok || !ok1 || !ok2 || !ok3 || array.Name != newArray || array.Arg(0) != Global("numpy.ndarray") || t.Name != dtypeName {
		return s, false
	}
	if name := t.Arg(0); name != "O8" && name != "O4" && name != "O" || len(dims) < 1 || len(dims) > 2 {
		return s, false
	}
	n := [2]int64{0, 1}
	for i, v := range dims {
		if n[i], ok = v.(int64); !ok || n[i] < 0 || n[i] > math.MaxInt32 {
			return s, false
		}
	}
	s.Rows, s.Columns, s.Rank = int(n[0]), int(n[1]), len(dims)
	return s, n[0]*n[1] <= maxArray
}

// arrayReader reads the values of an array, of which it keeps a batch and where those are that may be repeated.
type arrayReader struct {
	*machine
	src   []byte // all of the pickle
	shape *Shape
	value func(int, Value) error
	next  int    // number of the next value
	batch []item // read, and not yet appended
	seen  []item // the memo's entries after those of the header
	last  item
	open  bool // a mark is on the stack
}

// item is a value: its kind, and where its instruction is.
type item struct {
	kind ValueKind
	at   uint32
}

// Kinds of items that are no values.
const (
	listItem  = True + 1 + iota // the list itself
	naTime                      // the function that makes NaT
	noneTuple                   // its arguments
)

func (a *arrayReader) at() uint32 { return uint32(len(a.src) - len(a.machine.src)) }

// values reads the list up to the instruction that makes a tuple of the array's state, which it leaves.
func (a *arrayReader) values() {
	a.last = item{kind: listItem}
	for a.err == nil {
		if len(a.machine.src) > 0 && a.machine.src[0] == 't' {
			if a.open || len(a.batch) > 0 {
				a.bad("values that are not appended")
			}
			return
		}
		at := a.at()
		op := a.take(1)
		if a.err != nil {
			return
		}
		a.instruction(op[0], at)
		if total := a.shape.Rows * a.shape.Columns; a.err == nil && len(a.batch) > total+2 {
			a.bad("more values than the array's shape says")
		}
	}
}

// instruction runs an instruction of the list's.
func (a *arrayReader) instruction(op byte, at uint32) {
	switch op {
	case 0x95: // FRAME
		a.take(8)
	case 0x94: // MEMOIZE
		a.seen = append(a.seen, a.last)
	case 'q': // BINPUT
		a.remember(a.number(1))
	case 'r': // LONG_BINPUT
		a.remember(a.number(4))
	case 'h': // BINGET
		a.recall(a.number(1))
	case 'j': // LONG_BINGET
		a.recall(a.number(4))
	case '(': // MARK
		if a.open {
			a.refuse("a tuple among the values")
		}
		a.open = true
	case 'e', 'a': // APPENDS, APPEND
		if op == 'e' != a.open || op == 'a' && len(a.batch) != 1 {
			a.bad("it appends what is not there")
		}
		a.open = false
		a.flush()
	case 'N': // NONE
		a.add(item{Missing, at})
	case 'G': // BINFLOAT
		if p := a.take(8); p != nil && !math.IsNaN(math.Float64frombits(binary.BigEndian.Uint64(p))) {
			a.refuse("a float among the values")
		}
		a.add(item{Missing, at})
	case 0x88: // NEWTRUE
		a.add(item{True, at})
	case 0x89: // NEWFALSE
		a.add(item{False, at})
	case 0x8c, 'U': // SHORT_BINUNICODE, SHORT_BINSTRING
		a.counted(1)
		a.add(item{Text, at})
	case 'X', 'T': // BINUNICODE, BINSTRING
		a.counted(4)
		a.add(item{Text, at})
	case 0x8d: // BINUNICODE8
		a.counted(8)
		a.add(item{Text, at})
	default:
		a.missing(op, at)
	}
}

// missing runs the instructions that make pandas' marks of missing values, and refuses all others.
func (a *arrayReader) missing(op byte, at uint32) {
	pop := func() (i item) {
		if n := len(a.batch); n > 0 {
			i, a.batch = a.batch[n-1], a.batch[:n-1]
		} else {
			a.bad("nothing is on the stack")
		}
		return i
	}
	var name string
	switch op {
	case 'c': // GLOBAL
		name = a.line()
		name += "." + a.line()
	case 0x93: // STACK_GLOBAL
		n, m := pop(), pop()
		name = string(a.text(m)) + "." + string(a.text(n))
	case 0x85: // TUPLE1
		if pop().kind == Missing {
			a.add(item{noneTuple, at})
			return
		}
		a.refuse("a tuple among the values")
		return
	case 'R': // REDUCE
		if args, f := pop(), pop(); args.kind == noneTuple && f.kind == naTime {
			a.add(item{Missing, at})
			return
		}
		a.refuse("it makes an object among the values")
		return
	case 'K', 'M', 'J', 0x8a, 0x8b: // BININT1, BININT2, BININT, LONG1, LONG4
		a.refuse("an int among the values")
		return
	default:
		a.refuse("an object among the values that is not text (instruction %#02x)", op)
		return
	}
	switch name {
	case "pandas.NA", "pandas._libs.missing.NA":
		a.add(item{Missing, at})
	case "pandas._libs.tslibs.nattype._nat_unpickle", "pandas._libs.tslibs.nattype.__nat_unpickle":
		a.add(item{naTime, at})
	default:
		a.refuse("%.80q among the values", name)
	}
}

func (a *arrayReader) add(i item) { a.batch, a.last = append(a.batch, i), i }

// remember puts the last value into the memo. Pickles count its entries in their order.
func (a *arrayReader) remember(i uint64) {
	if i != uint64(len(a.memo)+len(a.seen)) {
		a.refuse("entries of the memo in another order than Python's")
		return
	}
	a.seen = append(a.seen, a.last)
}

// recall adds a value of the memo.
func (a *arrayReader) recall(i uint64) {
	if i >= uint64(len(a.memo)) {
		if i -= uint64(len(a.memo)); i >= uint64(len(a.seen)) {
			a.bad("the memo has no entry %d", i)
			return
		}
		a.add(a.seen[i])
		return
	}
	// Text may be a name in the header too, which is stored once: its place is after the pickle.
	if _, ok := a.memo[i].(string); !ok {
		a.refuse("a %s among the values", Kind(a.memo[i]))
		return
	}
	a.add(item{Text, uint32(len(a.src)) + uint32(i)})
}

// text returns the bytes of a text.
func (a *arrayReader) text(i item) []byte {
	if i.kind != Text {
		a.bad("text is expected")
		return nil
	}
	if n := uint32(len(a.src)); i.at >= n {
		s, _ := a.memo[uint64(i.at-n)].(string)
		return []byte(s)
	}
	m := machine{src: a.src[i.at:]}
	switch m.take(1)[0] {
	case 0x8c, 'U':
		return m.counted(1)
	case 0x8d:
		return m.counted(8)
	}
	return m.counted(4)
}

// flush gives the values of a batch to the caller.
func (a *arrayReader) flush() {
	for _, i := range a.batch {
		if a.err != nil {
			return
		}
		v := Value{Kind: i.kind}
		switch i.kind {
		case Text:
			if v.Text = a.text(i); !utf8.Valid(v.Text) {
				a.refuse("text that is not UTF-8")
				return
			}
		case Missing, True, False:
		default:
			a.refuse("an object among the values that is not text")
			return
		}
		if a.next >= a.shape.Rows*a.shape.Columns {
			a.bad("more values than the array's shape says")
			return
		}
		if a.err = a.value(a.next, v); a.err == nil {
			a.next++
		}
	}
	a.batch = a.batch[:0]
}

// end checks what the pickle made.
func (a *arrayReader) end() error {
	v := a.pop()
	if a.err != nil {
		return a.err
	}
	if c, ok := v.(*Call); !ok || c.Name != newArray || a.shape == nil {
		return h5err.New(h5err.Unsupported, "a pickle of a %s, not of an array of objects", Kind(v))
	}
	if n := a.shape.Rows * a.shape.Columns; a.next != n {
		return h5err.New(h5err.Corrupt, "a malformed pickle: %d values in an array of %d", a.next, n)
	}
	return nil
}

// ReadObjects decodes a pickle of an array of objects of numpy whose values are plain data, or calls as DecodeLoose keeps
// them. It is for short arrays, such as the labels of columns.
func ReadObjects(p []byte) ([]any, error) {
	if len(p) > maxBytes {
		return nil, h5err.New(h5err.Limit, "a pickle of %d bytes", len(p))
	}
	m := &machine{src: p, memo: map[uint64]any{}, late: true, loose: true}
	v, err := m.run()
	if err != nil {
		return nil, err
	}
	c, ok := v.(*Call)
	if !ok || c.Name != newArray {
		return nil, h5err.New(h5err.Unsupported, "a pickle of a %s, not of an array of objects", Kind(v))
	}
	state, _ := c.State.(Tuple)
	if len(state) == 5 {
		if l, ok := state[4].(*List); ok {
			return l.Items, nil
		}
	}
	return nil, h5err.New(h5err.Unsupported, "a pickle of an array of other values than objects")
}
