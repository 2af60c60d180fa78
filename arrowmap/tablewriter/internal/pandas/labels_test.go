package pandas

import (
	"reflect"
	"testing"
)

func TestParseTuple(t *testing.T) {
	for text, want := range map[string][]string{
		"('a', '1')":                          {"a", "1"},
		"('a', '1', '')":                      {"a", "1", ""},
		`("it's", '"')`:                       {"it's", `"`},
		`('\'"', "\"'")`:                      {`'"`, `"'`},
		`('\\', '\n\t')`:                      {`\`, "\n\t"},
		`('\xe9', '\u20ac\U0001f600é\ufffd')`: {"é", "€😀é\ufffd"},
		"":                                    nil,
		"a":                                   nil,
		"()":                                  nil,
		"('a')":                               {"a"},
		"('a',)":                              nil,
		"('a', )":                             nil,
		"('a' 'b')":                           nil,
		"('a', 'b'":                           nil,
		"('a', 'b') ":                         nil,
		"('a', 'b)":                           nil,
		"('a', 1)":                            nil,
		`('a', '\')`:                          nil,
		`('a', '\xg')`:                        nil,
		`('a', '\')'`:                         nil,
		"('a', '\xff')":                       nil,
	} {
		got, ok := parseTuple(text)
		if ok != (want != nil) || ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, %v, want %q", text, got, ok, want)
		}
	}
}

func TestTyped(t *testing.T) {
	for _, c := range []struct {
		text, typ string
		want      any
	}{
		{"12", "int64", int64(12)}, {"-3", "int8", int64(-3)}, {"7", "uint16", int64(7)}, {"007", "int64", nil}, {"1.0", "int64", nil},
		{"18446744073709551615", "uint64", nil}, {"0.5", "float64", 0.5}, {"1e+20", "floating", 1e20}, {"nan", "float64", nil}, {"inf", "float64", nil},
		{"x", "unicode", "x"}, {"x", "string", "x"}, {"x", "empty", "x"}, {"x", "datetime", nil}, {"x", "", nil},
	} {
		if got, ok := typed(c.text, c.typ); ok != (c.want != nil) || ok && got != c.want {
			t.Errorf("%s of type %s: %v, %v, want %v", c.text, c.typ, got, ok, c.want)
		}
	}
}
