package h5err_test

import (
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

func TestClosest(t *testing.T) {
	names := []string{"time", "energy", "x", "y", "Größe", strings.Repeat("long", 50)}
	for misspelled, want := range map[string]string{
		"tiem": "time", "Energy": "energy", "enrgy": "energy", "energies": "energy", "grösse": "Größe", "z": "", "X": "x", "pressure": "",
		"": "", "time": "", strings.Repeat("long", 49): "", "tme": "time",
	} {
		if got := h5err.Closest(misspelled, names); got != want {
			t.Errorf("%q: %q, want %q", misspelled, got, want)
		}
	}
}

func TestList(t *testing.T) {
	for _, c := range []struct {
		names string
		n     int
		want  string
	}{{"", 2, ""}, {"a", 2, "a"}, {"a b", 2, "a, b"}, {"a b c", 2, "a, b, ..."}} {
		if got := h5err.List(strings.Fields(c.names), c.n); got != c.want {
			t.Errorf("%s: %q, want %q", c.names, got, c.want)
		}
	}
}
