package pickle

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// do runs one instruction.
func (m *machine) do(op byte) {
	switch op {
	case 0x80: // PROTO
		if v := m.number(1); v > 5 || v > 2 && !m.late {
			m.refuse("protocol %d", v)
		}
	case '(': // MARK
		if m.marks = append(m.marks, len(m.stack)); len(m.marks) > maxMarks && m.err == nil {
			m.err = h5err.New(h5err.Limit, "a pickle nested deeper than %d", maxMarks)
		}
	case '0': // POP
		if n := len(m.marks); n > 0 && m.base() == len(m.stack) {
			m.marks = m.marks[:n-1]
		} else {
			m.pop()
		}
	case '1': // POP_MARK
		m.sinceMark()
	case '2': // DUP
		m.push(m.top())
	case 'p': // PUT
		m.put(m.index(m.line()))
	case 'q': // BINPUT
		m.put(m.number(1))
	case 'r': // LONG_BINPUT
		m.put(m.number(4))
	case 'g': // GET
		m.get(m.index(m.line()))
	case 'h': // BINGET
		m.get(m.number(1))
	case 'j': // LONG_BINGET
		m.get(m.number(4))
	case 'c': // GLOBAL
		module := m.line()
		m.global(module, m.line())
	case 'R': // REDUCE
		args := m.pop()
		m.call(m.pop(), args)
	case 'b': // BUILD
		state := m.pop()
		m.build(m.top(), state)
	default:
		if !m.scalar(op) && !m.container(op) && !(m.late && m.lateOp(op)) && !(m.loose && m.object(op)) {
			if name := refused[op]; name != "" {
				m.refuse("the instruction %s", name)
			} else {
				m.bad("no instruction has the number %#02x", op)
			}
		}
	}
}

// lateOp runs the instructions of protocols 3 to 5 that make plain values; false for all others.
func (m *machine) lateOp(op byte) bool {
	switch op {
	case 'B': // BINBYTES
		m.push(Bytes(m.counted(4)))
	case 'C': // SHORT_BINBYTES
		m.push(Bytes(m.counted(1)))
	case 0x8e: // BINBYTES8
		m.push(Bytes(m.counted(8)))
	case 0x8c: // SHORT_BINUNICODE
		m.push(m.text(m.counted(1)))
	case 0x8d: // BINUNICODE8
		m.push(m.text(m.counted(8)))
	case 0x93: // STACK_GLOBAL
		name, ok1 := m.pop().(string)
		module, ok2 := m.pop().(string)
		if !ok1 || !ok2 {
			m.bad("the name of a class is not text")
		}
		m.global(module, name)
	case 0x94: // MEMOIZE
		m.put(uint64(len(m.memo)))
	case 0x95: // FRAME
		m.take(8)
	default:
		return false
	}
	return true
}

// object runs the instructions that make objects of classes; false for all others.
func (m *machine) object(op byte) bool {
	switch op {
	case 0x81: // NEWOBJ
		args := m.pop()
		m.call(m.pop(), args)
	case 0x92: // NEWOBJ_EX
		m.pop()
		args := m.pop()
		m.call(m.pop(), args)
	default:
		return false
	}
	return true
}

// text checks that bytes are UTF-8.
func (m *machine) text(p []byte) string {
	if !utf8.Valid(p) {
		m.bad("text that is not UTF-8")
	}
	return string(p)
}

// scalar runs the instructions that make a number, text or one of the constants; false for all others.
func (m *machine) scalar(op byte) bool {
	switch op {
	case 'N': // NONE
		m.push(nil)
	case 0x88: // NEWTRUE
		m.push(true)
	case 0x89: // NEWFALSE
		m.push(false)
	case 'I': // INT
		switch s := m.line(); s {
		case "00":
			m.push(false)
		case "01":
			m.push(true)
		default:
			m.push(m.integer(s))
		}
	case 'L': // LONG
		m.push(m.integer(strings.TrimSuffix(m.line(), "L")))
	case 'J': // BININT
		m.push(int64(int32(m.number(4))))
	case 'K': // BININT1
		m.push(int64(m.number(1)))
	case 'M': // BININT2
		m.push(int64(m.number(2)))
	case 0x8a: // LONG1
		m.push(m.long(m.counted(1)))
	case 0x8b: // LONG4
		m.push(m.long(m.counted(4)))
	case 'F': // FLOAT
		s := m.line()
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(s, "xX_") {
			m.bad("the float %q", s)
		}
		m.push(f)
	case 'G': // BINFLOAT
		var b [8]byte
		copy(b[:], m.take(8))
		m.push(math.Float64frombits(binary.BigEndian.Uint64(b[:])))
	case 'V': // UNICODE
		m.push(m.escaped(m.line()))
	case 'X': // BINUNICODE
		m.push(m.text(m.counted(4)))
	case 'S': // STRING
		m.push(m.quoted(m.line()))
	case 'T': // BINSTRING
		m.push(oldString(m.counted(4)))
	case 'U': // SHORT_BINSTRING
		m.push(oldString(m.counted(1)))
	default:
		return false
	}
	return true
}

// container runs the instructions that make and fill lists, tuples and dictionaries; false for all others.
func (m *machine) container(op byte) bool {
	switch op {
	case 'l': // LIST
		m.push(&List{m.sinceMark()})
	case ']': // EMPTY_LIST
		m.push(&List{})
	case 'a': // APPEND
		m.extend([]any{m.pop()})
	case 'e': // APPENDS
		m.extend(m.sinceMark())
	case 't': // TUPLE
		m.push(Tuple(m.sinceMark()))
	case ')': // EMPTY_TUPLE
		m.push(Tuple{})
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		t := make(Tuple, op-0x84)
		for i := len(t) - 1; i >= 0; i-- {
			t[i] = m.pop()
		}
		m.push(t)
	case 'd': // DICT
		items := m.sinceMark()
		m.push(&Dict{})
		m.set(items)
	case '}': // EMPTY_DICT
		m.push(&Dict{})
	case 's': // SETITEM
		v := m.pop()
		m.set([]any{m.pop(), v})
	case 'u': // SETITEMS
		m.set(m.sinceMark())
	default:
		return false
	}
	return true
}

// extend appends to the list on the stack.
func (m *machine) extend(items []any) {
	if l, ok := m.top().(*List); ok {
		l.Items = append(l.Items, items...)
	} else {
		m.bad("it appends to what is not a list")
	}
}

// set adds keys and values, in turn, to the dictionary on the stack.
func (m *machine) set(items []any) {
	d, ok := m.top().(*Dict)
	if !ok || len(items)%2 != 0 {
		m.bad("it sets items of what is not a dictionary")
		return
	}
	for i := 0; i < len(items); i += 2 {
		d.Keys, d.Values = append(d.Keys, items[i]), append(d.Values, items[i+1])
	}
}

func (m *machine) index(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		m.bad("the memo's index %q", s)
	}
	return n
}

func (m *machine) put(i uint64) {
	v := m.top()
	if m.err == nil {
		m.memo[i] = v
	}
}

func (m *machine) get(i uint64) {
	v, ok := m.memo[i]
	if !ok {
		m.bad("the memo has no entry %d", i)
	}
	m.push(v)
}

// refused names the instructions that are refused.
var refused = map[byte]string{
	'P': "PERSID", 'Q': "BINPERSID", 'i': "INST", 'o': "OBJ", 0x81: "NEWOBJ", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4",
	'B': "BINBYTES", 'C': "SHORT_BINBYTES",
	0x8c: "SHORT_BINUNICODE", 0x8d: "BINUNICODE8", 0x8e: "BINBYTES8", 0x8f: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET",
	0x92: "NEWOBJ_EX", 0x93: "STACK_GLOBAL", 0x94: "MEMOIZE", 0x95: "FRAME", 0x96: "BYTEARRAY8", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
}
