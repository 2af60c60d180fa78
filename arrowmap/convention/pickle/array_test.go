package pickle

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// pickled is numpy's pickle of an array of objects by protocol 5: the shape's instructions, then those of the values.
func pickled(shape, values string) []byte {
	return []byte("\x80\x05\x8c\x16numpy._core.multiarray\x94\x8c\x0c_reconstruct\x94\x93\x94\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94K\x00\x85\x94C\x01b\x94\x87\x94R\x94(K\x01" +
		shape + "\x94h\x03\x8c\x05dtype\x94\x93\x94\x8c\x02O8\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?t\x94b\x89]\x94" + values + "t\x94b.")
}

func TestReadArray(t *testing.T) {
	const two, pairs = "K\x02\x85", "K\x02K\x02\x86"
	for _, c := range []struct {
		name, shape, values string
		want                string // of values, or of the error
	}{
		{"text", two, "(\x8c\x01a\x94\x8c\x02\xc5\x82\x94e", "a ł"},
		{"repeated text", two, "(\x8c\x01a\x94h\x13e", "a a"},
		{"a name of the header", two, "(h\x03\x8c\x01b\x94e", "numpy b"},
		{"long text", two, "(X\x01\x00\x00\x00a\x94\x8d\x01\x00\x00\x00\x00\x00\x00\x00b\x94e", "a b"},
		{"missing", two, "(NG\x7f\xf8\x00\x00\x00\x00\x00\x00e", "- -"},
		{"NA and NaT", two, "(\x8c\x06pandas\x94\x8c\x02NA\x94\x93\x94\x8c\x1bpandas._libs.tslibs.nattype\x94\x8c\x0d_nat_unpickle\x94\x93\x94N\x85\x94R\x94e", "- -"},
		{"booleans", two, "(\x88\x89e", "true false"},
		{"rank 2", pairs, "(\x8c\x01a\x94N\x8c\x01b\x94Ne", "a - b -"},
		{"one value", "K\x01\x85", "\x8c\x01a\x94a", "a"},
		{"no values", "K\x00\x85", "", ""},
		{"two batches, and a frame", two, "(\x8c\x01a\x94e\x95\x08\x00\x00\x00\x00\x00\x00\x00\x8c\x01b\x94a", "a b"},
		{"other values", pairs, "(K\x05](K\x01K\x02e}(K\x01K\x02uC\x01xe", "<int> <list> <dict> <bytes>"},
		{"an object", two, "(\x8c\x08datetime\x94\x8c\x04date\x94\x93\x94C\x04\x07\xe8\x01\x01\x94\x85\x94R\x94Ne", "<date> -"},
		{"a call that is not made", two, "(\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94Ne", "<system> -"},
		{"too few", two, "(\x8c\x01a\x94e", "corrupt: 1 values in an array of 2"},
		{"too many", two, "(NNNe", "corrupt: more values"},
		{"not appended", two, "NN", "corrupt: not appended"},
		{"no such entry", two, "(h\xf0Ne", "corrupt: memo"},
		{"cut short", two, "(\x8c\x05a", "corrupt: ends early"},
		{"memo out of order", two, "(Nq\x50Ne", "unsupported: memo"},
		{"a persistent object", two, "(N\x8c\x01a\x94Qe", "unsupported: 0x51"},
		{"not UTF-8", two, "(\x8c\x01\xff\x94Ne", "unsupported: UTF-8"},
		{"rank 3", "K\x01K\x01K\x02\x87", "(NNe", "unsupported: not of an array"},
		{"negative", "J\xff\xff\xff\xff\x85", "(NNe", "unsupported: not of an array"},
		{"more than fit", "J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", "(NNe", "unsupported: not of an array"},
	} {
		var got []string
		err := ReadArray(pickled(c.shape, c.values), func(Shape) error { return nil }, func(i int, v Value) error {
			if i != len(got) {
				t.Errorf("%s: value %d after %d", c.name, i, len(got))
			}
			switch v.Kind {
			case Missing:
				got = append(got, "-")
			case Text:
				got = append(got, string(v.Text))
			case True, False:
				got = append(got, fmt.Sprint(v.Kind == True))
			default:
				got = append(got, "<"+string(v.Text)+">")
			}
			return nil
		})
		if kind, says, bad := strings.Cut(c.want, ": "); bad {
			if err == nil || h5err.KindOf(err).String() != kind || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, %v, want %s", c.name, got, err, c.want)
			}
		} else if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, %v, want %s", c.name, got, err, c.want)
		}
	}
}

// TestReadArrayRefused: pickles of something else, and what the header must not ask for.
func TestReadArrayRefused(t *testing.T) {
	for _, c := range []struct{ pickle, says string }{
		{"\x80\x05]\x94(K\x01e.", "list"}, {"\x80\x05N.", "None"}, {"cos\nsystem\n(Vtrue\ntR.", "os.system"},
		{"\x80\x05\x8c\x02os\x8c\x06system\x93.", "os.system"},
		{"\x80\x05\x8c\x16numpy._core.multiarray\x8c\x0c_reconstruct\x93\x8c\x02os\x8c\x06system\x93K\x00\x85C\x01b\x87R.", "os.system"},
	} {
		err := ReadArray([]byte(c.pickle), func(Shape) error { return nil }, func(int, Value) error { return nil })
		if !h5err.Is(err, h5err.Unsupported) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, want a refusal that says %q", c.pickle, err, c.says)
		}
	}
}

func TestReadObjects(t *testing.T) {
	got, err := ReadObjects(pickled("K\x03\x85", "(\x8c\x01a\x94K\x01Ne"))
	if err != nil || !slices.Equal(got, []any{"a", int64(1), nil}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := ReadObjects([]byte("\x80\x05N.")); !h5err.Is(err, h5err.Unsupported) {
		t.Errorf("None: %v", err)
	}
}

// TestDecodeLoose: calls of functions that Decode refuses are kept.
func TestDecodeLoose(t *testing.T) {
	const p = "(dVfreq\ncos\nsystem\n(Vtrue\ntRsVname\nVk\ns."
	if v, err := Decode([]byte(p)); !h5err.Is(err, h5err.Unsupported) {
		t.Errorf("Decode: %v, %v", v, err)
	}
	v, err := DecodeLoose([]byte(p))
	d, _ := v.(*Dict)
	freq, _ := d.Get("freq")
	name, _ := d.Get("name")
	if c, ok := freq.(*Call); err != nil || !ok || c.Name != "os.system" || len(c.Args) != 1 || name != "k" {
		t.Errorf("%v, %v, %v", freq, name, err)
	}
	for _, p := range []string{"\x80\x02cdatetime\ndate\n)\x81.", "ccopy_reg\n_reconstructor\n(cuuid\nUUID\nc__builtin__\nobject\nNtR(dVint\nI5\nsb."} {
		if v, err := DecodeLoose([]byte(p)); err != nil {
			t.Errorf("%q: %v, %v", p, v, err)
		} else if _, ok := v.(*Call); !ok {
			t.Errorf("%q: %v", p, v)
		}
	}
}
