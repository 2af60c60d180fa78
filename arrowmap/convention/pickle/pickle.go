// Package pickle decodes Python pickles of plain data. It executes nothing.
//
// PyTables stores the attributes that HDF5 has no type for as pickles, and pandas keeps the names of its columns in them.
// A pickle is a program for a small stack machine that can call any function of the machine it is loaded on. Decode
// knows the instructions that make plain values. It calls nothing: a call of one of a few harmless functions is kept as
// the function's name and its arguments, and every other call is refused by name. DecodeLoose keeps those too, for
// values of which a part that is not understood can be passed over. ReadArray and ReadObjects decode the arrays of
// objects of numpy in which pandas stores text.
package pickle

import (
	"encoding/binary"
	"math/big"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// The values that Decode returns, beside nil, bool, int64, *big.Int, float64 and string.
type (
	Bytes string
	Tuple []any

	// List is a list. It may contain itself, as lists of Python may.
	List struct{ Items []any }

	// Dict is a dictionary: Values[i] belongs to Keys[i]. Of equal keys the last one counts.
	Dict struct{ Keys, Values []any }

	// Global is a class or function: its module, a dot, its name.
	Global string

	// Call is the call of a harmless function, which was not made.
	Call struct {
		Name  string // of the function, as in Global
		Args  Tuple
		State any // what the instruction BUILD would set
	}
)

// Arg returns an argument of a call by its number, nil where there are not as many.
func (c *Call) Arg(i int) any {
	if i >= len(c.Args) {
		return nil
	}
	return c.Args[i]
}

// IsOffset reports whether the call makes one of pandas' frequencies, such as MonthEnd.
func (c *Call) IsOffset() bool { return isOffset(c.Name) }

// Get returns the value of a key that is text or an integer. A nil dictionary has none.
func (d *Dict) Get(key any) (any, bool) {
	if d == nil {
		return nil, false
	}
	for i := len(d.Keys) - 1; i >= 0; i-- {
		switch k := d.Keys[i].(type) {
		case string, int64:
			if k == key {
				return d.Values[i], true
			}
		}
	}
	return nil, false
}

// Limits of a pickle. What pandas writes stays far below them.
const (
	maxBytes  = 2 << 20 // bytes
	maxMarks  = 1 << 10 // marks that are open at once
	maxDigits = 1 << 10 // digits of an integer
)

// Decode decodes a pickle of protocol 0, 1 or 2. The error for a malformed pickle is of kind Corrupt, for one that calls
// other functions or needs a later protocol Unsupported, and for one that is too large Limit. Values refer to nothing in p.
func Decode(p []byte) (any, error) { return decode(p, false) }

// DecodeLoose is Decode, but a call of any function is kept as a Call, and any class as a Global. Nothing is called.
func DecodeLoose(p []byte) (any, error) { return decode(p, true) }

func decode(p []byte, loose bool) (any, error) {
	if len(p) > maxBytes {
		return nil, h5err.New(h5err.Limit, "a pickle of %d bytes", len(p))
	}
	m := machine{src: p, memo: map[uint64]any{}, loose: loose}
	return m.run()
}

// run runs instructions up to STOP and returns the value on the stack.
func (m *machine) run() (any, error) {
	for m.err == nil {
		op := m.take(1)
		if m.err != nil {
			break
		}
		if op[0] == '.' {
			v := m.pop()
			return v, m.err
		}
		m.do(op[0])
	}
	return nil, m.err
}

// machine is the stack machine.
type machine struct {
	src   []byte
	stack []any
	marks []int // heights of the stack
	memo  map[uint64]any
	loose bool // calls of all functions are kept
	late  bool // instructions of protocols 3 to 5 are known
	err   error
}

func (m *machine) bad(format string, args ...any) {
	if m.err == nil {
		m.err = h5err.New(h5err.Corrupt, "a malformed pickle: "+format, args...)
	}
}

func (m *machine) refuse(format string, args ...any) {
	if m.err == nil {
		m.err = h5err.New(h5err.Unsupported, "a pickle that is not plain data: "+format, args...)
	}
}

// take returns the next n bytes, nil after an error.
func (m *machine) take(n int) []byte {
	if m.err != nil || n < 0 || n > len(m.src) {
		m.bad("it ends early")
		return nil
	}
	p := m.src[:n]
	m.src = m.src[n:]
	return p
}

// number reads an unsigned little-endian integer of n bytes.
func (m *machine) number(n int) uint64 {
	var b [8]byte
	copy(b[:], m.take(n))
	return binary.LittleEndian.Uint64(b[:])
}

// counted reads a length of n bytes, and as many bytes.
func (m *machine) counted(n int) []byte {
	size := m.number(n)
	if size > uint64(len(m.src)) {
		m.bad("it ends early")
		return nil
	}
	return m.take(int(size))
}

// line reads up to a line feed.
func (m *machine) line() string {
	for i, c := range m.src {
		if c == '\n' {
			s := string(m.src[:i])
			m.src = m.src[i+1:]
			return s
		}
	}
	m.bad("it ends early")
	return ""
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

// base is the height that the stack can't be popped below: that of the last mark.
func (m *machine) base() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) pop() any {
	n := len(m.stack) - 1
	if n < m.base() {
		m.bad("nothing is on the stack")
	}
	if m.err != nil {
		return nil
	}
	v := m.stack[n]
	m.stack = m.stack[:n]
	return v
}

// top is the last value, which stays.
func (m *machine) top() any {
	if len(m.stack) <= m.base() {
		m.bad("nothing is on the stack")
		return nil
	}
	return m.stack[len(m.stack)-1]
}

// sinceMark pops the values above the last mark, and the mark.
func (m *machine) sinceMark() []any {
	if m.err != nil || len(m.marks) == 0 {
		m.bad("no mark is on the stack")
		return nil
	}
	at := m.base()
	m.marks = m.marks[:len(m.marks)-1]
	v := append([]any(nil), m.stack[at:]...)
	m.stack = m.stack[:at]
	return v
}

// Kind returns Python's name of the type of a value, for messages; the function's name for a *Call.
func Kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case Bytes:
		return "bytes"
	case *List:
		return "list"
	case Tuple:
		return "tuple"
	case *Dict:
		return "dict"
	case Global:
		return string(v)
	case *Call:
		return v.Name
	}
	return "value"
}
