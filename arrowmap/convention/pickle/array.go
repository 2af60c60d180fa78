package pickle

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Shape is the shape of an array of objects of numpy, of rank 1 or 2. Its values are stored row by row, whatever the
// pickle says of the order in memory.
type Shape struct {
	Rows, Columns int // Columns is 1 for rank 1
	Rank          int // 1 or 2
}

// Place returns row and column of the i-th stored value.
func (s Shape) Place(i int) (row, column int) { return i / s.Columns, i % s.Columns }

// Value is a value of an array.
type Value struct {
	Kind ValueKind
	Text []byte // of Text, a part of the pickle; of Other, what it is
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
	Other // any other object, which is passed over
)

// Limits of an array's pickle.
const (
	maxArray  = math.MaxInt32 // bytes
	maxHeader = 1 << 10       // entries of the memo before the values
	maxBatch  = 1 << 20       // values that are appended at once; Python appends 1,000
)

// ReadArray decodes a pickle, of any protocol from 2 to 5, of an array of objects of numpy. It calls shape once, then
// value for each value in the order in which they are stored, and returns their first error. None, NaN, pandas.NA and NaT
// are Missing. Nothing is executed, and objects that are not text or booleans are passed over, not made. Pickles of
// something else than such an array are Unsupported; more than 2 GiB are Limit.
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
// mark, the version, the shape, the type and whether the order in memory is Fortran's.
func (m *machine) arrayShape() (s Shape, ok bool) {
	at := m.base()
	if len(m.marks) != 1 || at < 1 || len(m.stack) != at+4 || len(m.memo) > maxHeader {
		return s, false
	}
	array, ok1 := m.stack[at-1].(*Call)
	dims, ok2 := m.stack[at+1].(Tuple)
	t, ok3 := m.stack[at+2].(*Call)
	if _, ok = m.stack[at+3].(bool); !ok || !ok1 || !ok2 || !ok3 || array.Name != newArray || array.Arg(0) != Global("numpy.ndarray") || t.Name != dtypeName {
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

// arrayReader reads the values of an array. It keeps the kinds and places of those of a batch, and of those that may be
// repeated.
type arrayReader struct {
	*machine
	src   []byte // all of the pickle
	shape *Shape
	value func(int, Value) error
	next  int    // number of the next value
	batch []item // values that are not yet appended, and parts of them
	opens []int  // heights of batch at its marks
	seen  []item // the memo's entries after those of the header
	last  item   // what an instruction that fills the memo means
}

// item is a value, or a part of one: its kind, and where its instruction is, or that of its name.
type item struct {
	kind ValueKind
	at   uint32
}

// Kinds of items other than values.
const (
	naTime    = Other + 1 + iota // the function that makes NaT
	noneTuple                    // its arguments
)

func (a *arrayReader) at() uint32 { return uint32(len(a.src) - len(a.machine.src)) }

// values reads the list up to the instruction that makes a tuple of the array's state, which it leaves.
func (a *arrayReader) values() {
	a.last = item{Other, a.at() - 1}
	for a.err == nil {
		if len(a.opens) == 0 && len(a.machine.src) > 0 && a.machine.src[0] == 't' {
			if len(a.batch) > 0 {
				a.bad("values that are not appended")
			}
			return
		}
		at := a.at()
		op := a.take(1)
		if a.err == nil && !a.single(op[0], at) && !a.memoize(op[0]) && !a.structure(op[0], at) {
			a.refuse("the instruction %#02x among the values", op[0])
		}
	}
}

// single runs the instructions that make a value by themselves; false for all others.
func (a *arrayReader) single(op byte, at uint32) bool {
	kind := Other
	switch op {
	case 'N': // NONE
		kind = Missing
	case 'G': // BINFLOAT
		if p := a.take(8); p != nil && math.IsNaN(math.Float64frombits(binary.BigEndian.Uint64(p))) {
			kind = Missing
		}
	case 0x88: // NEWTRUE
		kind = True
	case 0x89: // NEWFALSE
		kind = False
	case 0x8c, 'U': // SHORT_BINUNICODE, SHORT_BINSTRING
		a.counted(1)
		kind = Text
	case 'X', 'T': // BINUNICODE, BINSTRING
		a.counted(4)
		kind = Text
	case 0x8d: // BINUNICODE8
		a.counted(8)
		kind = Text
	case 'K': // BININT1
		a.take(1)
	case 'M': // BININT2
		a.take(2)
	case 'J': // BININT
		a.take(4)
	case 0x8a, 'C': // LONG1, SHORT_BINBYTES
		a.counted(1)
	case 0x8b, 'B': // LONG4, BINBYTES
		a.counted(4)
	case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
		a.counted(8)
	case ')', ']', '}', 0x8f: // EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT, EMPTY_SET
	default:
		return false
	}
	a.add(item{kind, at})
	return true
}

// memoize runs the instructions of the memo; false for all others.
func (a *arrayReader) memoize(op byte) bool {
	switch op {
	case 0x94: // MEMOIZE
		a.remember(uint64(len(a.memo) + len(a.seen)))
	case 'q': // BINPUT
		a.remember(a.number(1))
	case 'r': // LONG_BINPUT
		a.remember(a.number(4))
	case 'h': // BINGET
		a.recall(a.number(1))
	case 'j': // LONG_BINGET
		a.recall(a.number(4))
	case 0x95: // FRAME
		a.take(8)
	default:
		return false
	}
	return true
}

// structure runs the instructions that put values together; false for all others.
func (a *arrayReader) structure(op byte, at uint32) bool {
	switch op {
	case '(': // MARK
		if a.opens = append(a.opens, len(a.batch)); len(a.opens) > maxMarks {
			a.err = h5err.New(h5err.Limit, "a pickle nested deeper than %d", maxMarks)
		}
	case 'e': // APPENDS, to the array's list or to a list in it
		if len(a.opens) == 1 && a.opens[0] == 0 {
			a.flush()
		}
		a.close()
	case 'a': // APPEND
		if len(a.opens) == 0 && len(a.batch) == 1 {
			a.flush()
			a.batch = a.batch[:0]
		} else {
			a.pop(1)
		}
	case 'u', 0x90: // SETITEMS, ADDITEMS
		a.close()
	case 't', 'l', 'd', 0x91: // TUPLE, LIST, DICT, FROZENSET
		a.close()
		a.add(item{Other, at})
	case 's': // SETITEM
		a.pop(2)
	case 'b': // BUILD
		a.pop(1)
	case 0x85: // TUPLE1
		kind := Other
		if a.pop(1).kind == Missing {
			kind = noneTuple
		}
		a.add(item{kind, at})
	case 0x86, 0x87: // TUPLE2, TUPLE3
		a.pop(int(op) - 0x84)
		a.add(item{Other, at})
	case 'c': // GLOBAL
		module := a.line()
		a.global(module, a.line(), at)
	case 0x93: // STACK_GLOBAL
		name := a.pop(1)
		a.global(string(a.text(a.pop(1))), string(a.text(name)), name.at)
	case 'R', 0x81: // REDUCE, NEWOBJ
		args := a.pop(1)
		f := a.pop(1)
		if f.kind == naTime && args.kind == noneTuple {
			f.kind = Missing
		} else {
			f.kind = Other
		}
		a.add(f)
	case 0x92: // NEWOBJ_EX
		a.pop(2)
		a.add(item{Other, a.pop(1).at})
	default:
		return false
	}
	return true
}

// global adds what a function or class is called by: it may be one of pandas' marks of missing values.
func (a *arrayReader) global(module, name string, at uint32) {
	kind := Other
	switch module + "." + name {
	case "pandas.NA", "pandas._libs.missing.NA":
		kind = Missing
	case "pandas._libs.tslibs.nattype._nat_unpickle", "pandas._libs.tslibs.nattype.__nat_unpickle":
		kind = naTime
	}
	a.add(item{kind, at})
}

func (a *arrayReader) add(i item) {
	if len(a.batch) >= maxBatch && a.err == nil {
		a.err = h5err.New(h5err.Limit, "more than %d values that are appended at once", maxBatch)
	}
	a.batch, a.last = append(a.batch, i), i
}

// pop takes n items, and returns the lowest.
func (a *arrayReader) pop(n int) (i item) {
	at, low := len(a.batch)-n, 0
	if k := len(a.opens); k > 0 {
		low = a.opens[k-1]
	}
	if at < low {
		a.bad("nothing is on the stack")
		return i
	}
	i, a.batch = a.batch[at], a.batch[:at]
	return i
}

// close takes the items above the last mark, and the mark.
func (a *arrayReader) close() {
	k := len(a.opens)
	if k == 0 {
		a.bad("no mark is on the stack")
		return
	}
	a.batch, a.opens = a.batch[:a.opens[k-1]], a.opens[:k-1]
}

// remember puts the last value into the memo. Pickles count its entries in their order.
func (a *arrayReader) remember(i uint64) {
	if i != uint64(len(a.memo)+len(a.seen)) {
		a.refuse("entries of the memo in another order than Python's")
		return
	}
	if len(a.seen) > len(a.src)/2 {
		a.bad("more entries of the memo than values")
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
	kind := Other
	if _, ok := a.memo[i].(string); ok { // a name in the header, which is stored once: its place is after the pickle
		kind = Text
	}
	a.add(item{kind, uint32(len(a.src)) + uint32(i)})
}

// text returns the bytes of a text.
func (a *arrayReader) text(i item) []byte {
	if i.kind != Text {
		a.bad("text is expected")
		return nil
	}
	return a.textAt(i.at)
}

// textAt returns the bytes of the text at a place, nil where there is none.
func (a *arrayReader) textAt(at uint32) []byte {
	if n := uint32(len(a.src)); at >= n {
		s, _ := a.memo[uint64(at-n)].(string)
		return []byte(s)
	}
	m := machine{src: a.src[at:]}
	switch m.take(1)[0] {
	case 0x8c, 'U':
		return m.counted(1)
	case 'X', 'T':
		return m.counted(4)
	case 0x8d:
		return m.counted(8)
	}
	return nil
}

// flush gives the values of a batch to the caller.
func (a *arrayReader) flush() {
	for _, i := range a.batch {
		v := Value{Kind: i.kind}
		switch i.kind {
		case Text:
			if v.Text = a.textAt(i.at); !utf8.Valid(v.Text) {
				a.refuse("text that is not UTF-8")
			}
		case Missing, True, False:
		default:
			v = Value{Other, a.name(i.at)}
		}
		if a.next >= a.shape.Rows*a.shape.Columns {
			a.bad("more values than the array's shape says")
		}
		if a.err != nil {
			return
		}
		if a.err = a.value(a.next, v); a.err == nil {
			a.next++
		}
	}
}

// name says what the object is that is made at a place.
func (a *arrayReader) name(at uint32) []byte {
	if text := a.textAt(at); text != nil {
		return text
	}
	name := "object"
	if at < uint32(len(a.src)) {
		switch a.src[at] {
		case 'K', 'M', 'J', 0x8a, 0x8b:
			name = "int"
		case 'G':
			name = "float"
		case 'C', 'B', 0x8e:
			name = "bytes"
		case ')', 't', 0x85, 0x86, 0x87:
			name = "tuple"
		case ']', 'l':
			name = "list"
		case '}', 'd':
			name = "dict"
		}
	}
	return []byte(name)
}

// end checks what the pickle made.
func (a *arrayReader) end() error {
	v := a.machine.pop()
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
