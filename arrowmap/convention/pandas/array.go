package pandas

import (
	"bytes"
	"math"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pandas/label"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
	"github.com/h5arrow/h5arrow/h5"
)

// meaning is what pandas says of an array of labels.
type meaning struct {
	kind string
	zone any  // of times
	freq any  // of periods
	mark mark // of text
}

// array reads the values of a one-dimensional dataset as labels.
func (s *store) array(d *h5.Dataset, m meaning) ([]any, error) {
	t := d.Type()
	if t.Class == h5.ClassVLen {
		return pickledLabels(d)
	}
	if len(d.Space().Dims) != 1 {
		return nil, object.Corrupt(d, "names in an array of shape %v", d.Space().Dims)
	}
	p, err := object.Contents(d)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, d.Rows())
	for ; len(p) >= t.Size; p = p[t.Size:] {
		v, err := s.element(d, p[:t.Size], m)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// element decodes one value. One of a type or kind that is not known is a label without a text.
func (s *store) element(d *h5.Dataset, p []byte, m meaning) (any, error) {
	t := d.Type()
	switch {
	case t.Class == h5.ClassString:
		text, err := s.decode(d, bytes.TrimRight(p, "\x00"))
		if m.mark.set && text == m.mark.text && text != "nan" {
			return math.NaN(), err
		}
		return text, err
	case t.Class == h5.ClassFloat && (t.Size == 4 || t.Size == 8):
		return rule.Float(p, t), nil
	case (t.Class == h5.ClassFixed || t.Class == h5.ClassBitfield || t.Class == h5.ClassTime) && t.Size <= 8 && t.Size&(t.Size-1) == 0:
		n := rule.Int(p, t)
		unit := strings.TrimSuffix(m.kind[strings.IndexByte(m.kind, '[')+1:], "]")
		switch {
		case m.kind == "bool":
			return n != 0, nil
		case m.kind == "datetime64" || m.kind == "timedelta64":
			unit = "ns"
		case m.kind == "period":
			return label.Period(n, m.freq), nil
		case m.kind == "date":
			return label.Date(n), nil
		}
		switch {
		case strings.HasPrefix(m.kind, "datetime64"):
			return label.Stamp(n, unit, m.zone), nil
		case strings.HasPrefix(m.kind, "timedelta64"):
			return label.Span(n, unit), nil
		case m.kind != "integer" && m.kind != "":
		case t.Class == h5.ClassFixed && !t.Signed && n < 0:
			return new(big.Int).SetUint64(uint64(n)), nil
		default:
			return n, nil
		}
	}
	return &pickle.Call{Name: "of " + t.String() + " and kind " + m.kind, Args: pickle.Tuple{pickle.Bytes(p)}}, nil
}

// decode makes text of bytes.
func (s *store) decode(o h5.Object, p []byte) (string, error) {
	switch {
	case s.badEnc != nil:
		return "", s.badEnc
	case s.latin1:
		return latin1(p), nil
	case !utf8.Valid(p):
		return "", object.Corrupt(o, "a name that is not UTF-8: %q", p)
	}
	return string(p), nil
}

// latin1 decodes ISO 8859-1.
func latin1(p []byte) string {
	r := make([]rune, len(p))
	for i, c := range p {
		r[i] = rune(c)
	}
	return string(r)
}
