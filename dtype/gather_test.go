package dtype

import (
	"testing"

	"github.com/h5arrow/h5arrow/h5"
)

func TestGatherWidth(t *testing.T) {
	for _, c := range []struct {
		what string
		src  Source
		want int
	}{
		{"an integer", Source{Type: le(4)}, 4},
		{"swapped bytes", Source{Type: be(8)}, 8},
		{"a truth value", Source{Type: boolT()}, 1},
		{"text of one byte", Source{Type: strT(1, h5.NullTerm)}, 1},
		{"text in two words", Source{Type: strT(maxGatherText, h5.NullPad)}, maxGatherText},
		{"longer text", Source{Type: strT(maxGatherText+1, h5.NullPad)}, 0},
		{"heap text", Source{Type: vstrT()}, 0},
		{"a record", Source{Type: compoundT(8, "a", 0, le(4), "b", 4, le(4))}, 0},
	} {
		if got := plan(t, c.src, Options{}).GatherWidth(); got != c.want {
			t.Errorf("%s: %d bytes instead of %d", c.what, got, c.want)
		}
	}
}
