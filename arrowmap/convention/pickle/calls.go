package pickle

import (
	"encoding/binary"
	"math"
	"math/big"
	"strings"
)

// harmless are the functions whose calls are kept, not made. A name that ends in a dot allows all names in it.
var harmless = [...]string{
	"datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta", "datetime.timezone",
	"pytz._p", "pytz._UTC", "pytz.FixedOffset", "pytz._FixedOffset",
	"zoneinfo.ZoneInfo", "dateutil.tz.tz.tzutc", "dateutil.tz.tz.tzoffset", "dateutil.tz._tzfile.tzfile", "dateutil.tz._tzfile._unpickle",
	"pandas._libs.tslibs.offsets.", "pandas.tseries.offsets.",
	"pandas._libs.tslibs.timestamps._unpickle_timestamp", "pandas._libs.tslibs.timestamps.Timestamp",
	"pandas._libs.tslib.Timestamp", "pandas.tslib.Timestamp",
	"pandas._libs.tslibs.timedeltas._timedelta_unpickle", "pandas._libs.tslibs.timedeltas.Timedelta", "pandas._libs.tslibs.period.Period",
	"pandas._libs.tslibs.nattype._nat_unpickle", "pandas._libs.tslibs.nattype.__nat_unpickle", "pandas._libs.interval.Interval",
	"pandas._libs.missing.NA", "pandas.NA", "pandas.DateOffset", "pandas.Period", "pandas.Interval", "pandas.Timestamp", "pandas.Timedelta", // pandas 3
	"decimal.Decimal",
	dtypeName, "numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar", encodeName,
}

// Functions of which only one use is harmless.
const (
	encodeName   = "_codecs.encode" // text to bytes by ISO 8859-1: how bytes are written before protocol 3
	unpickleZone = "zoneinfo.ZoneInfo._unpickle"
	dtypeName    = "numpy.dtype"
	newArray     = "numpy._core.multiarray._reconstruct" // an empty array, given a class, a shape and a type
	oldNewArray  = "numpy.core.multiarray._reconstruct"  // before numpy 2
)

// global pushes the name of a function or class, where its calls are harmless.
func (m *machine) global(module, name string) {
	if m.err != nil {
		return
	}
	full := module + "." + name
	if identifier(name) {
		for _, h := range harmless {
			if full == h || strings.HasSuffix(h, ".") && full == h+name {
				m.push(Global(full))
				return
			}
		}
		switch full {
		case "__builtin__.getattr", "builtins.getattr", "copy_reg._reconstructor", "copyreg._reconstructor",
			"__builtin__.object", "builtins.object":
			m.push(Global(full))
			return
		}
	}
	if m.late && (full == newArray || full == oldNewArray || full == "numpy.ndarray") {
		m.push(Global(full))
		return
	}
	if m.loose {
		m.push(Global(full))
		return
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

// call pushes a Call, or the result of a call where that is plain data.
func (m *machine) call(fn, arguments any) {
	if m.err != nil {
		return
	}
	f, ok1 := fn.(Global)
	args, ok2 := arguments.(Tuple)
	if !ok1 || !ok2 {
		if m.loose {
			m.push(&Call{Name: Kind(fn)})
			return
		}
		m.refuse("it calls a %s", Kind(fn))
		return
	}
	switch f {
	case encodeName:
		m.encode(args)
		return
	case "__builtin__.getattr", "builtins.getattr":
		if len(args) == 2 && args[0] == Global("zoneinfo.ZoneInfo") && args[1] == "_unpickle" {
			m.push(Global(unpickleZone))
			return
		}
	case "copy_reg._reconstructor", "copyreg._reconstructor": // an object without arguments: class, object, None
		if len(args) == 3 && args[2] == nil {
			if c, ok := args[0].(Global); ok && (m.loose || isOffset(string(c))) {
				m.push(&Call{Name: string(c)})
				return
			}
		}
	case newArray, oldNewArray:
		if m.late && len(args) == 3 && args[0] == Global("numpy.ndarray") {
			m.push(&Call{Name: newArray, Args: args})
			return
		}
	case "__builtin__.object", "builtins.object":
	case "numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar":
		m.push(numpyScalar(args))
		return
	default:
		m.push(&Call{Name: string(f), Args: args})
		return
	}
	if m.loose {
		m.push(&Call{Name: string(f), Args: args})
		return
	}
	m.refuse("it calls %s", f)
}

// encode makes the bytes that _codecs.encode(text, "latin1") returns.
func (m *machine) encode(args Tuple) {
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
	m.push(Bytes(b))
}

// build keeps the state that would be set. Types of numpy have one, and frequencies of old versions of pandas.
func (m *machine) build(object, state any) {
	if m.err != nil {
		return
	}
	c, ok := object.(*Call)
	_, isDict := state.(*Dict)
	_, isTuple := state.(Tuple)
	if m.loose && !ok {
		return // the state of what is not understood
	}
	if !ok || !m.loose && !(isOffset(c.Name) && isDict) && !((c.Name == dtypeName || c.Name == newArray) && isTuple) {
		m.refuse("the instruction BUILD for a %s", Kind(object))
		return
	}
	c.State = state
}

// numpyScalar makes a number, boolean or text of a numpy scalar, given its type and its bytes. Others stay calls.
func numpyScalar(args Tuple) any {
	c := &Call{Name: "numpy.scalar", Args: args}
	if len(args) != 2 {
		return c
	}
	t, ok1 := args[0].(*Call)
	p, ok2 := args[1].(Bytes)
	if !ok1 || !ok2 || t.Name != dtypeName {
		return c
	}
	name, _ := t.Arg(0).(string)
	state, _ := t.State.(Tuple)
	if v, ok := numpyText(name, p, state); ok {
		return v
	}
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

// numpyText makes text of a numpy scalar of a type such as U5, UTF-32, or S5, bytes.
func numpyText(name string, p Bytes, state Tuple) (any, bool) {
	if strings.HasPrefix(name, "S") {
		return p, true
	}
	if !strings.HasPrefix(name, "U") || len(p)%4 != 0 || len(state) < 2 {
		return nil, false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if state[1] == ">" {
		order = binary.BigEndian
	}
	r := make([]rune, 0, len(p)/4)
	for ; len(p) > 0; p = p[4:] {
		r = append(r, rune(order.Uint32([]byte(p[:4]))))
	}
	return strings.TrimRight(string(r), "\x00"), true
}

// isOffset reports whether a class is one of pandas' frequencies.
func isOffset(class string) bool {
	return strings.HasPrefix(class, "pandas._libs.tslibs.offsets.") || strings.HasPrefix(class, "pandas.tseries.offsets.") || class == "pandas.DateOffset"
}
