package pickle

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

func list(items ...any) *List { return &List{items} }

func dict(items ...any) *Dict {
	d := &Dict{}
	for i := 0; i < len(items); i += 2 {
		d.Keys, d.Values = append(d.Keys, items[i]), append(d.Values, items[i+1])
	}
	return d
}

// The pickles are what Python's pickle.dumps makes of the values, by the protocol that the name says.
func TestDecode(t *testing.T) {
	million := new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil)
	for _, c := range []struct {
		name, pickle string
		want         any
	}{
		{"none 0", "N.", nil},
		{"bools 0", "(I01\nI00\ntp0\n.", Tuple{true, false}},
		{"bools 2", "\x80\x02\x88\x89\x86q\x00.", Tuple{true, false}},
		{"integers 0", "(lp0\nI1\naI-70000\naL1000000000000000000L\na.", list(int64(1), int64(-70000), int64(1e18))},
		{"integers 1", "]q\x00(K\x01M\x2c\x01J\x90\xee\xfe\xffe.", list(int64(1), int64(300), int64(-70000))},
		{"integers 2", "\x80\x02]q\x00(\x8a\x00\x8a\x05\x00\x00\x00\x00\x02\x8a\x01\xffe.", list(int64(0), int64(1)<<33, int64(-1))},
		{"large integers 0", "(L1000000000000000000000000000000L\nL-1000000000000000000000000000000L\nt.", Tuple{million, new(big.Int).Neg(million)}},
		{"large integers 2", "\x80\x02\x8a\r\x00\x00\x00@\xea\xed\x74\x46\xd0\x9c\x2c\x9f\x0c\x8a\r\x00\x00\x00\xc0\x15\x12\x8b\xb9\x2f\x63\xd3\x60\xf3\x86q\x00.", Tuple{million, new(big.Int).Neg(million)}},
		{"floats 0", "(lp0\nF0.5\naF1e+20\naFinf\naF-inf\na.", list(0.5, 1e20, math.Inf(1), math.Inf(-1))},
		{"floats 1", "(G?\xe0\x00\x00\x00\x00\x00\x00G\xc0\x04\x00\x00\x00\x00\x00\x00tq\x00.", Tuple{0.5, -2.5}},
		{"text 0", "(Vgr\\u00f6\\u00dfe\np0\nVa\\u005cb\\u000ac\np1\nV\\U0001f600\np2\nV\xe9\np3\nV\np4\ntp5\n.", Tuple{"größe", "a\\b\nc", "😀", "é", ""}},
		{"text 1", "(X\x07\x00\x00\x00gr\xc3\xb6\xc3\x9feX\x00\x00\x00\x00tq\x00.", Tuple{"größe", ""}},
		{"strings of Python 2, 0", "(lp0\nS'a\\'b'\np1\naS\"it's\"\np2\naS'\\xc3\\xa9\\n\\t\\\\'\np3\naS'\\xe9'\np4\na.", list("a'b", "it's", "é\n\t\\", "é")},
		{"strings of Python 2, 1", "]q\x00(U\x03abcq\x01T\x03\x00\x00\x00defq\x02e.", list("abc", "def")},
		{"bytes 0", "c_codecs\nencode\np0\n(V\\u0000\xff\np1\nVlatin1\np2\ntp3\nRp4\n.", Bytes("\x00\xff")},
		{"tuples 2", "\x80\x02)K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87\x87q\x00\x85.", Tuple{Tuple{Tuple{int64(1)}, Tuple{int64(1), int64(2)}, Tuple{int64(1), int64(2), int64(3)}}}},
		{"dict 0", "(dp0\nVa\np1\nI1\nsI2\n(lp2\nI3\nas.", dict("a", int64(1), int64(2), list(int64(3)))},
		{"dict 2", "\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01K\x02]K\x03au.", dict("a", int64(1), int64(2), list(int64(3)))},
		{"memo 0", "(lp0\n(lp1\nI7\naag1\na.", list(list(int64(7)), list(int64(7)))},
		{"memo 1", "]q\x00(]q\x01K\x07ah\x01j\x01\x00\x00\x00r\x02\x00\x00\x00e.", list(list(int64(7)), list(int64(7)), list(int64(7)))},
		{"pops", "(I1\n0I2\n2I3\n(I4\nI5\n1t.", Tuple{int64(2), int64(2), int64(3)}},
		{"bytes after the end", "N.c", nil},
		{"zone", "cdatetime\ntimezone\np0\n(cdatetime\ntimedelta\np1\n(I-1\nI66600\nI0\ntp2\nRp3\ntp4\nRp5\n.",
			&Call{Name: "datetime.timezone", Args: Tuple{&Call{Name: "datetime.timedelta", Args: Tuple{int64(-1), int64(66600), int64(0)}}}}},
		{"zone of zoneinfo", "c__builtin__\ngetattr\np0\n(czoneinfo\nZoneInfo\np1\nV_unpickle\np2\ntp3\nRp4\n(VAsia/Tokyo\np5\nI1\ntp6\nRp7\n.",
			&Call{Name: unpickleZone, Args: Tuple{"Asia/Tokyo", int64(1)}}},
		{"frequency", "cpandas._libs.tslibs.offsets\nDay\np0\n(I3\nI00\ntp1\nRp2\n.", &Call{Name: "pandas._libs.tslibs.offsets.Day", Args: Tuple{int64(3), false}}},
		{"frequency of old", "ccopy_reg\n_reconstructor\np0\n(cpandas.tseries.offsets\nDay\np1\nc__builtin__\nobject\np2\nNtp3\nRp4\n(dp5\nS'n'\np6\nI1\nsb.",
			&Call{Name: "pandas.tseries.offsets.Day", State: dict("n", int64(1))}},
		{"numbers of numpy", "(cnumpy._core.multiarray\nscalar\np0\n(cnumpy\ndtype\np1\n(Vi8\np2\nI00\nI01\ntp3\nRp4\n(I3\nV<\np5\nNNNI-1\nI-1\nI0\ntp6\nbc_codecs\nencode\np7\n(V\x05\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\np8\nVlatin1\np9\ntp10\nRp11\ntp12\nRp13\n" +
			"g0\n(g1\n(Vf4\nI00\nI01\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntbg7\n(V\\u0000\\u0000\\u0000?\nVlatin1\ntRtR" +
			"g0\n(g1\n(Vb1\nI00\nI01\ntR(I3\nV|\nNNNI-1\nI-1\nI0\ntbg7\n(V\x01\nVlatin1\ntRtR" +
			"g0\n(g1\n(Vi1\nI00\nI01\ntR(I3\nV|\nNNNI-1\nI-1\nI0\ntbg7\n(V\xff\nVlatin1\ntRtRt.", Tuple{int64(5), 0.5, true, int64(-1)}},
	} {
		got, err := Decode([]byte(c.pickle))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %s, %v, want %s", c.name, show(got), err, show(c.want))
		}
	}
}

// show prints a value without following what it refers to for ever.
func show(v any) string { return fmt.Sprintf("%.300s", fmt.Sprintf("%#v", v)) }

func TestDecodeNaN(t *testing.T) {
	for _, p := range []string{"Fnan\n.", "G\x7f\xf8\x00\x00\x00\x00\x00\x00."} {
		v, err := Decode([]byte(p))
		if f, ok := v.(float64); err != nil || !ok || !math.IsNaN(f) {
			t.Errorf("%q: %v, %v", p, v, err)
		}
	}
}

func TestDecodeOfItself(t *testing.T) {
	v, err := Decode([]byte("(lp0\ng0\na."))
	l, ok := v.(*List)
	if err != nil || !ok || len(l.Items) != 1 || l.Items[0] != v {
		t.Fatalf("%T, %v", v, err)
	}
}

// Every way in which a pickle can have code run is refused, and says what it asked for.
func TestRunsNothing(t *testing.T) {
	for _, c := range []struct{ name, pickle, says string }{
		{"call", "cos\nsystem\n(Vtrue\ntR.", "os.system"},
		{"call by its posix name", "cposix\nsystem\np0\n(Vtrue\np1\ntp2\nRp3\n.", "posix.system"},
		{"call 1", "cnt\nsystem\nq\x00(X\x04\x00\x00\x00trueq\x01tq\x02Rq\x03.", "nt.system"},
		{"call 2", "\x80\x02cbuiltins\neval\nq\x00X\x01\x00\x00\x001q\x01\x85q\x02Rq\x03.", "builtins.eval"},
		{"eval of Python 2", "c__builtin__\neval\n(S'1'\ntR.", "__builtin__.eval"},
		{"name alone", "csubprocess\nPopen\n.", "subprocess.Popen"},
		{"dotted name", "cdatetime\ntimezone.__class__\n.", "datetime.timezone.__class__"},
		{"dotted name in offsets", "cpandas.tseries.offsets\nDay.__init__\n.", "pandas.tseries.offsets.Day.__init__"},
		{"module of the same beginning", "cpandas.tseries.offsets.os\nsystem\n.", "pandas.tseries.offsets.os.system"},
		{"empty name", "cpandas.tseries.offsets\n\n.", "pandas.tseries.offsets."},
		{"getattr", "c__builtin__\ngetattr\n(cdatetime\ndate\nV__class__\ntR.", "__builtin__.getattr"},
		{"another part of ZoneInfo", "cbuiltins\ngetattr\n(czoneinfo\nZoneInfo\nV__init__\ntR.", "builtins.getattr"},
		{"reconstructor of another class", "ccopy_reg\n_reconstructor\n(cdatetime\ndate\nc__builtin__\nobject\nNtR.", "copy_reg._reconstructor"},
		{"reconstructor with state", "ccopyreg\n_reconstructor\n(cpandas.tseries.offsets\nDay\nc__builtin__\nobject\nI1\ntR.", "copyreg._reconstructor"},
		{"object", "cbuiltins\nobject\n)R.", "builtins.object"},
		{"codec", "c_codecs\nencode\n(V0\nVhex\ntR.", "_codecs.encode"},
		{"call of a value", "I1\n(tR.", "it calls a int"},
		{"call without a tuple", "cdatetime\ndate\n(lR.", "it calls a datetime.date"},
		{"INST", "(S'true'\nios\nsystem\n.", "INST"},
		{"OBJ", "(cdatetime\ndate\nI1\no.", "OBJ"},
		{"NEWOBJ", "\x80\x02cdatetime\ndate\n)\x81.", "NEWOBJ"},
		{"NEWOBJ_EX", "\x80\x02cdatetime\ndate\n)}\x92.", "NEWOBJ_EX"},
		{"BUILD", "(d(dV__setstate__\nI1\nsb.", "BUILD for a dict"},
		{"BUILD of a class", "cdatetime\ndate\n(dV__class__\nI1\nsb.", "BUILD for a datetime.date"},
		{"BUILD of a zone", "cdatetime\ntimezone\n)R(db.", "BUILD for a datetime.timezone"},
		{"BUILD of a numpy type with a dict", "cnumpy\ndtype\n(Vf8\ntR(db.", "BUILD for a numpy.dtype"},
		{"array of numpy", "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR.", "numpy.core.multiarray._reconstruct"},
		{"BUILD with what is not a dict", "cpandas.tseries.offsets\nDay\n)R(lb.", "BUILD for a pandas.tseries.offsets.Day"},
		{"STACK_GLOBAL", "\x80\x02X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93.", "STACK_GLOBAL"},
		{"EXT1", "\x80\x02\x82\x01.", "EXT1"},
		{"EXT2", "\x80\x02\x83\x01\x00.", "EXT2"},
		{"EXT4", "\x80\x02\x84\x01\x00\x00\x00.", "EXT4"},
		{"PERSID", "Pa\n.", "PERSID"},
		{"BINPERSID", "I1\nQ.", "BINPERSID"},
		{"protocol 3", "\x80\x03N.", "protocol 3"},
		{"protocol 5", "\x80\x05\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94.", "protocol 5"},
		{"FRAME", "\x95\x0a\x00\x00\x00\x00\x00\x00\x00.", "FRAME"},
		{"MEMOIZE", "N\x94.", "MEMOIZE"},
		{"BYTEARRAY8", "\x96\x00\x00\x00\x00\x00\x00\x00\x00.", "BYTEARRAY8"},
		{"NEXT_BUFFER", "\x97.", "NEXT_BUFFER"},
		{"READONLY_BUFFER", "N\x98.", "READONLY_BUFFER"},
		{"BINBYTES", "B\x00\x00\x00\x00.", "BINBYTES"},
		{"SHORT_BINBYTES", "C\x00.", "SHORT_BINBYTES"},
		{"SHORT_BINUNICODE", "\x8c\x00.", "SHORT_BINUNICODE"},
		{"EMPTY_SET", "\x8f.", "EMPTY_SET"},
		{"ADDITEMS", "(\x90.", "ADDITEMS"},
		{"FROZENSET", "(\x91.", "FROZENSET"},
	} {
		v, err := Decode([]byte(c.pickle))
		if h5err.KindOf(err) != h5err.Unsupported || !strings.Contains(err.Error(), c.says) || v != nil {
			t.Errorf("%s: %v, %v, want a refusal that says %q", c.name, v, err, c.says)
		}
	}
}

func TestMalformed(t *testing.T) {
	deep := strings.Repeat("(", maxMarks+1) + "t."
	for _, c := range []struct {
		pickle string
		kind   h5err.Kind
	}{
		{"", h5err.Corrupt}, {".", h5err.Corrupt}, {"N", h5err.Corrupt}, {"a.", h5err.Corrupt}, {"text.", h5err.Corrupt}, {"\xff.", h5err.Corrupt},
		{"I1", h5err.Corrupt}, {"I1_0\n.", h5err.Corrupt}, {"Ix\n.", h5err.Corrupt}, {"F0x1p4\n.", h5err.Corrupt}, {"Fone\n.", h5err.Corrupt},
		{"L" + strings.Repeat("9", maxDigits+1) + "L\n.", h5err.Corrupt}, {"\x8b\x00\x04\x00\x00" + strings.Repeat("1", 1024) + ".", h5err.Corrupt},
		{"t.", h5err.Corrupt}, {"1.", h5err.Corrupt}, {"(N.", h5err.Corrupt + 100}, {"N(a.", h5err.Corrupt}, {"NNa.", h5err.Corrupt}, {"NNNs.", h5err.Corrupt},
		{"(NNNd.", h5err.Corrupt}, {"(d(NNNu.", h5err.Corrupt}, {"g0\n.", h5err.Corrupt}, {"h\x00.", h5err.Corrupt}, {"p0\n.", h5err.Corrupt}, {"Np-1\n.", h5err.Corrupt},
		{"Np99999999999\n.", h5err.Corrupt}, {"X\xff\xff\xff\xffa.", h5err.Corrupt}, {"X\x01\x00\x00\x00\xff.", h5err.Corrupt}, {"U\x05a.", h5err.Corrupt},
		{"S'a\n.", h5err.Corrupt}, {"S\n.", h5err.Corrupt}, {"S'\\q'\n.", h5err.Corrupt}, {"S'\\x4'\n.", h5err.Corrupt}, {"V\\u12\n.", h5err.Corrupt},
		{"V\\U00110000\n.", h5err.Corrupt}, {"c_codecs\nencode\n(V\\u0100\nVlatin1\ntR.", h5err.Corrupt}, {"G\x00.", h5err.Corrupt}, {"\x8a\x09\x01.", h5err.Corrupt},
		{"cos", h5err.Corrupt}, {"cos\nsystem", h5err.Corrupt}, {"R.", h5err.Corrupt}, {"Nb.", h5err.Corrupt}, {"\x85.", h5err.Corrupt}, {"2.", h5err.Corrupt}, {"0.", h5err.Corrupt},
		{deep, h5err.Limit}, {"(l" + strings.Repeat("Na", maxBytes/2) + ".", h5err.Limit},
	} {
		if c.kind > 100 { // the mark hides nothing from the end
			if v, err := Decode([]byte(c.pickle)); v != nil || err != nil {
				t.Errorf("%q: %v, %v", c.pickle, v, err)
			}
			continue
		}
		v, err := Decode([]byte(c.pickle))
		if h5err.KindOf(err) != c.kind || v != nil {
			t.Errorf("%.40q: %v, %v, want %s", c.pickle, v, err, c.kind)
		}
	}
}

func TestDictGet(t *testing.T) {
	d := dict("a", int64(1), int64(2), "two", Tuple{}, "tuple", "a", int64(3))
	for _, c := range []struct {
		key, want any
	}{{"a", int64(3)}, {int64(2), "two"}, {"b", nil}, {int64(3), nil}} {
		if v, ok := d.Get(c.key); v != c.want || ok != (c.want != nil) {
			t.Errorf("%v: %v, %v", c.key, v, ok)
		}
	}
	if v, ok := (*Dict)(nil).Get("a"); v != nil || ok {
		t.Errorf("nil has %v", v)
	}
}
