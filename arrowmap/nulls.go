package arrowmap

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// checkRules demands that rules over stored values are for elements of so many bytes; 0 is for values that have none.
func checkRules(nulls []nullSource, width int, d *h5.Dataset) error {
	for i := range nulls {
		if w := nulls[i].Rule.Width(); nulls[i].Kind == convention.NullRule && w != width {
			return h5err.In(h5err.New(h5err.Argument, "a rule of nulls for elements of %d bytes, they have %d", w, width), d.File().Name(), d.Path())
		}
	}
	return nil
}

// nullWords spells sources of nulls for the metadata of a field (dtype.MetaNulls): what Back needs to spell them so
// again, or words.
func nullWords(nulls []nullSource) string {
	var out []string
	for i := range nulls {
		s := &nulls[i]
		switch {
		case s.Data != nil:
			out = append(out, s.Kind.String()+":"+s.Data.Path())
		case s.Text != "":
			out = append(out, s.Text)
		default:
			out = append(out, s.Kind.String())
		}
	}
	return strings.Join(out, "; ")
}
