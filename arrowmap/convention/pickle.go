package convention

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// PyTables stores the attributes that HDF5 has no type for as Python pickles, and pandas keeps the names of its columns
// in them. A pickle is a program for a small stack machine that can call any function of the machine it is loaded on.
// The decoder below knows the instructions that make plain values. It calls nothing: a call of one of a few harmless
// functions is kept as the function's name and its arguments, every other one is refused by name.
//
// Values are nil, bool, int64, *big.Int, float64, string, pyBytes, *pyList, pyTuple, *pyDict, pyGlobal and *pyCall.
// Lists may hold themselves, as pickles may: whoever walks them bounds the depth.
type (
	pyBytes  string
	pyList   struct{ items []any }
	pyTuple  []any
	pyGlobal string // a class or function: its module, a dot, its name
	pyDict   struct{ keys, values []any }

	// pyCall stands for what a call of a harmless function would return.
	pyCall struct {
		name  string // of the function, as in pyGlobal
		args  pyTuple
		state any // what BUILD would set
	}
)

// get returns the value of a key that is text or an integer.
func (d *pyDict) get(key any) (any, bool) {
	if d == nil {
		return nil, false
	}
	for i := len(d.keys) - 1; i >= 0; i-- {
		switch k := d.keys[i].(type) {
		case string, int64:
			if k == key {
				return d.values[i], true
			}
		}
	}
	return nil, false
}

// Limits of a pickle. What pandas writes stays far below them.
const (
	maxPickle      = 2 << 20 // bytes
	maxPickleMarks = 1 << 10 // marks that are open at once
	maxPickleLong  = 1 << 10 // digits of an integer
)

// unpickle decodes a pickle of protocol 0, 1 or 2. Malformed ones are Corrupt, those that would call something or that
// need a later protocol Unsupported, and too large ones Limit.
func unpickle(p []byte) (any, error) {
	if len(p) > maxPickle {
		return nil, h5err.New(h5err.Limit, "a pickle of %d bytes", len(p))
	}
	m := pickle{src: p, memo: map[uint64]any{}}
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

// pickle is the stack machine.
type pickle struct {
	src   []byte
	stack []any
	marks []int // heights of the stack
	memo  map[uint64]any
	err   error
}

func (m *pickle) bad(format string, args ...any) {
	if m.err == nil {
		m.err = h5err.New(h5err.Corrupt, "a malformed pickle: "+format, args...)
	}
}

func (m *pickle) refuse(format string, args ...any) {
	if m.err == nil {
		m.err = h5err.New(h5err.Unsupported, "a pickle that is not plain data: "+format, args...)
	}
}

// take returns the next n bytes, nil after an error.
func (m *pickle) take(n int) []byte {
	if m.err != nil || n < 0 || n > len(m.src) {
		m.bad("it ends early")
		return nil
	}
	p := m.src[:n]
	m.src = m.src[n:]
	return p
}

// number reads an unsigned little-endian integer of n bytes.
func (m *pickle) number(n int) uint64 {
	var b [8]byte
	copy(b[:], m.take(n))
	return binary.LittleEndian.Uint64(b[:])
}

// counted reads a length of n bytes, and as many bytes.
func (m *pickle) counted(n int) []byte {
	size := m.number(n)
	if size > uint64(len(m.src)) {
		m.bad("it ends early")
		return nil
	}
	return m.take(int(size))
}

// line reads up to a line feed.
func (m *pickle) line() string {
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

func (m *pickle) push(v any) { m.stack = append(m.stack, v) }

// base is the height that the stack can't be popped below: that of the last mark.
func (m *pickle) base() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *pickle) pop() any {
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
func (m *pickle) top() any {
	if len(m.stack) <= m.base() {
		m.bad("nothing is on the stack")
		return nil
	}
	return m.stack[len(m.stack)-1]
}

// sinceMark pops the values above the last mark, and the mark.
func (m *pickle) sinceMark() []any {
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

// do runs one instruction.
func (m *pickle) do(op byte) {
	switch op {
	case 0x80: // PROTO
		if v := m.number(1); v > 2 {
			m.refuse("protocol %d", v)
		}
	case '(': // MARK
		if m.marks = append(m.marks, len(m.stack)); len(m.marks) > maxPickleMarks && m.err == nil {
			m.err = h5err.New(h5err.Limit, "a pickle nested deeper than %d", maxPickleMarks)
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
		if !m.scalar(op) && !m.container(op) {
			if name := pickleOps[op]; name != "" {
				m.refuse("the instruction %s", name)
			} else {
				m.bad("no instruction has the number %#02x", op)
			}
		}
	}
}

// scalar runs the instructions that make a number, text or one of the constants; false for all others.
func (m *pickle) scalar(op byte) bool {
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
		s := m.counted(4)
		if !utf8.Valid(s) {
			m.bad("text that is not UTF-8")
		}
		m.push(string(s))
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
func (m *pickle) container(op byte) bool {
	switch op {
	case 'l': // LIST
		m.push(&pyList{m.sinceMark()})
	case ']': // EMPTY_LIST
		m.push(&pyList{})
	case 'a': // APPEND
		m.extend([]any{m.pop()})
	case 'e': // APPENDS
		m.extend(m.sinceMark())
	case 't': // TUPLE
		m.push(pyTuple(m.sinceMark()))
	case ')': // EMPTY_TUPLE
		m.push(pyTuple{})
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		t := make(pyTuple, op-0x84)
		for i := len(t) - 1; i >= 0; i-- {
			t[i] = m.pop()
		}
		m.push(t)
	case 'd': // DICT
		items := m.sinceMark()
		m.push(&pyDict{})
		m.set(items)
	case '}': // EMPTY_DICT
		m.push(&pyDict{})
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
func (m *pickle) extend(items []any) {
	if l, ok := m.top().(*pyList); ok {
		l.items = append(l.items, items...)
	} else {
		m.bad("it appends to what is no list")
	}
}

// set adds keys and values, in turn, to the dictionary on the stack.
func (m *pickle) set(items []any) {
	d, ok := m.top().(*pyDict)
	if !ok || len(items)%2 != 0 {
		m.bad("it sets items of what is no dictionary")
		return
	}
	for i := 0; i < len(items); i += 2 {
		d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
	}
}

func (m *pickle) index(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		m.bad("the memo's index %q", s)
	}
	return n
}

func (m *pickle) put(i uint64) {
	v := m.top()
	if m.err == nil {
		m.memo[i] = v
	}
}

func (m *pickle) get(i uint64) {
	v, ok := m.memo[i]
	if !ok {
		m.bad("the memo has no entry %d", i)
	}
	m.push(v)
}

func (m *pickle) integer(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if n, ok := new(big.Int).SetString(s, 10); ok && len(s) <= maxPickleLong {
		return n
	}
	m.bad("the integer %.40q", s)
	return nil
}

// long decodes a little-endian integer in two's complement.
func (m *pickle) long(p []byte) any {
	if len(p) > maxPickleLong/4 {
		m.bad("an integer of %d bytes", len(p))
		return nil
	}
	if len(p) == 0 {
		return int64(0)
	}
	sign := byte(int8(p[len(p)-1]) >> 7)
	if len(p) <= 8 {
		b := [8]byte{sign, sign, sign, sign, sign, sign, sign, sign}
		copy(b[:], p)
		return int64(binary.LittleEndian.Uint64(b[:]))
	}
	big1 := make([]byte, len(p))
	for i, c := range p {
		big1[len(p)-1-i] = c ^ sign
	}
	n := new(big.Int).SetBytes(big1)
	if sign != 0 {
		n.Not(n)
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// escaped decodes text of ISO 8859-1 with \uXXXX and \UXXXXXXXX.
func (m *pickle) escaped(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		c := s[0]
		digits := 0
		if c == '\\' && len(s) > 1 {
			switch s[1] {
			case 'u':
				digits = 4
			case 'U':
				digits = 8
			}
		}
		if digits == 0 {
			b.WriteRune(rune(c))
			s = s[1:]
			continue
		}
		if len(s) < 2+digits {
			m.bad("an escape that ends early")
			return ""
		}
		r, err := strconv.ParseUint(s[2:2+digits], 16, 32)
		if err != nil || r > utf8.MaxRune {
			m.bad("the escape %q", s[:2+digits])
			return ""
		}
		b.WriteRune(rune(r)) // a lone surrogate becomes U+FFFD
		s = s[2+digits:]
	}
	return b.String()
}

// quoted decodes a byte string of Python 2, as its repr() writes it.
func (m *pickle) quoted(s string) any {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		m.bad("the string %.40q", s)
		return nil
	}
	s = s[1 : len(s)-1]
	var b []byte
	for len(s) > 0 {
		c := s[0]
		s = s[1:]
		if c != '\\' || len(s) == 0 {
			b = append(b, c)
			continue
		}
		e := s[0]
		s = s[1:]
		if i := strings.IndexByte("abfnrtv\\'\"", e); i >= 0 {
			b = append(b, "\a\b\f\n\r\t\v\\'\""[i])
			continue
		}
		if e != 'x' || len(s) < 2 {
			m.bad("the escape \\%c", e)
			return nil
		}
		v, err := strconv.ParseUint(s[:2], 16, 8)
		if err != nil {
			m.bad("the escape \\x%q", s[:2])
			return nil
		}
		b = append(b, byte(v))
		s = s[2:]
	}
	return oldString(b)
}

// oldString makes text of a byte string of Python 2: UTF-8 where it is that, else ISO 8859-1.
func oldString(p []byte) string {
	if utf8.Valid(p) {
		return string(p)
	}
	return latin1(p)
}

func latin1(p []byte) string {
	r := make([]rune, len(p))
	for i, c := range p {
		r[i] = rune(c)
	}
	return string(r)
}

// harmless are the functions whose calls are kept, not made. A name that ends in a dot stands for all names in it.
var harmless = [...]string{
	"datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta", "datetime.timezone",
	"pytz._p", "pytz._UTC", "pytz.FixedOffset", "pytz._FixedOffset",
	"zoneinfo.ZoneInfo", "dateutil.tz.tz.tzutc", "dateutil.tz.tz.tzoffset", "dateutil.tz._tzfile.tzfile", "dateutil.tz._tzfile._unpickle",
	"pandas._libs.tslibs.offsets.", "pandas.tseries.offsets.",
	"pandas._libs.tslibs.timestamps._unpickle_timestamp", "pandas._libs.tslibs.timestamps.Timestamp",
	"pandas._libs.tslib.Timestamp", "pandas.tslib.Timestamp",
	dtypeName, "numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar", encodeName,
}

// Functions of which only one use is harmless.
const (
	encodeName   = "_codecs.encode" // text to bytes by ISO 8859-1: how bytes are spelled before protocol 3
	unpickleZone = "zoneinfo.ZoneInfo._unpickle"
	dtypeName    = "numpy.dtype"
)

// global pushes the name of a function or class, where its calls are harmless.
func (m *pickle) global(module, name string) {
	if m.err != nil {
		return
	}
	full := module + "." + name
	if identifier(name) {
		for _, h := range harmless {
			if full == h || strings.HasSuffix(h, ".") && full == h+name {
				m.push(pyGlobal(full))
				return
			}
		}
		switch full {
		case "__builtin__.getattr", "builtins.getattr", "copy_reg._reconstructor", "copyreg._reconstructor",
			"__builtin__.object", "builtins.object":
			m.push(pyGlobal(full))
			return
		}
	}
	m.refuse("it asks for %.80q", full)
}

func identifier(s string) bool {
	for i, c := range []byte(s) {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// call pushes what stands for the result of a call.
func (m *pickle) call(fn, arguments any) {
	if m.err != nil {
		return
	}
	f, ok1 := fn.(pyGlobal)
	args, ok2 := arguments.(pyTuple)
	if !ok1 || !ok2 {
		m.refuse("it calls a %s", kindOf(fn))
		return
	}
	switch f {
	case encodeName:
		m.encode(args)
		return
	case "__builtin__.getattr", "builtins.getattr":
		if len(args) == 2 && args[0] == pyGlobal("zoneinfo.ZoneInfo") && args[1] == "_unpickle" {
			m.push(pyGlobal(unpickleZone))
			return
		}
	case "copy_reg._reconstructor", "copyreg._reconstructor": // an object without arguments: class, object, None
		if c, ok := first(args).(pyGlobal); ok && len(args) == 3 && offset(string(c)) && args[2] == nil {
			m.push(&pyCall{name: string(c)})
			return
		}
	case "__builtin__.object", "builtins.object":
	case "numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar":
		m.push(numpyScalar(args))
		return
	default:
		m.push(&pyCall{name: string(f), args: args})
		return
	}
	m.refuse("it calls %s", f)
}

// encode makes the bytes that _codecs.encode(text, "latin1") returns.
func (m *pickle) encode(args pyTuple) {
	var s, codec string
	if len(args) == 2 {
		s, _ = args[0].(string)
		codec, _ = args[1].(string)
	}
	if codec != "latin1" {
		m.refuse("it calls %s for a codec other than latin1", encodeName)
		return
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			m.bad("bytes above 255")
			return
		}
		b = append(b, byte(r))
	}
	m.push(pyBytes(b))
}

// build keeps the state that would be set. Types of numpy have one, and frequencies of old versions of pandas.
func (m *pickle) build(object, state any) {
	if m.err != nil {
		return
	}
	c, ok := object.(*pyCall)
	_, isDict := state.(*pyDict)
	_, isTuple := state.(pyTuple)
	if !ok || !(offset(c.name) && isDict) && !(c.name == dtypeName && isTuple) {
		m.refuse("the instruction BUILD for a %s", kindOf(object))
		return
	}
	c.state = state
}

// numpyScalar makes a number or boolean of a numpy scalar, given its type and its bytes. Others stay calls.
func numpyScalar(args pyTuple) any {
	c := &pyCall{name: "numpy.scalar", args: args}
	if len(args) != 2 {
		return c
	}
	t, ok1 := args[0].(*pyCall)
	p, ok2 := args[1].(pyBytes)
	if !ok1 || !ok2 || t.name != dtypeName {
		return c
	}
	name, _ := first(t.args).(string)
	state, _ := t.state.(pyTuple)
	if len(name) != 2 || int(name[1]-'0') != len(p) || len(state) < 2 || state[1] == ">" {
		return c
	}
	var b [8]byte
	copy(b[:], p)
	u := binary.LittleEndian.Uint64(b[:])
	switch {
	case name == "b1":
		return u != 0
	case name == "f8":
		return math.Float64frombits(u)
	case name == "f4":
		return float64(math.Float32frombits(uint32(u)))
	case name[0] == 'i':
		unused := 64 - 8*len(p)
		return int64(u<<unused) >> unused
	case name[0] == 'u' && int64(u) >= 0:
		return int64(u)
	case name[0] == 'u':
		return new(big.Int).SetUint64(u)
	}
	return c
}

func offset(name string) bool {
	return strings.HasPrefix(name, "pandas._libs.tslibs.offsets.") || strings.HasPrefix(name, "pandas.tseries.offsets.")
}

func first(t pyTuple) any {
	if len(t) == 0 {
		return nil
	}
	return t[0]
}

// kindOf names a value's kind, for messages.
func kindOf(v any) string {
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
	case pyBytes:
		return "bytes"
	case *pyList:
		return "list"
	case pyTuple:
		return "tuple"
	case *pyDict:
		return "dict"
	case pyGlobal:
		return string(v)
	case *pyCall:
		return v.name
	}
	return "value"
}

// pickleOps names the instructions that are refused.
var pickleOps = map[byte]string{
	'P': "PERSID", 'Q': "BINPERSID", 'i': "INST", 'o': "OBJ", 0x81: "NEWOBJ", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4",
	'B': "BINBYTES", 'C': "SHORT_BINBYTES",
	0x8c: "SHORT_BINUNICODE", 0x8d: "BINUNICODE8", 0x8e: "BINBYTES8", 0x8f: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET",
	0x92: "NEWOBJ_EX", 0x93: "STACK_GLOBAL", 0x94: "MEMOIZE", 0x95: "FRAME", 0x96: "BYTEARRAY8", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
}
