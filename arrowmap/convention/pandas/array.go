package pandas

import (
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pandas/label"
	"github.com/h5arrow/h5arrow/h5"
)

// array reads the values of a one-dimensional dataset as labels. kind is what pandas says that they are.
func (s *store) array(d *h5.Dataset, kind string) ([]any, error) {
	t := d.Type()
	if t.Class == h5.ClassVLen {
		return nil, object.Unsupported(d, "names that are a pickle of Python objects")
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
		v, err := s.element(d, p[:t.Size], kind)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// element decodes one value.
func (s *store) element(d *h5.Dataset, p []byte, kind string) (any, error) {
	t := d.Type()
	switch {
	case t.Class == h5.ClassString:
		return s.decode(d, h5.TrimString(p, t.Pad))
	case t.Class == h5.ClassFloat && (t.Size == 4 || t.Size == 8):
		return rule.Float(p, t), nil
	case (t.Class == h5.ClassFixed || t.Class == h5.ClassBitfield) && t.Size <= 8 && t.Size&(t.Size-1) == 0:
		n := integerOf(p, t)
		switch {
		case kind == "bool":
			return n != 0, nil
		case kind == "datetime64":
			return label.Stamp(n, "ns"), nil
		case strings.HasPrefix(kind, "datetime64["):
			return label.Stamp(n, strings.TrimSuffix(kind[len("datetime64["):], "]")), nil
		case kind != "integer" && kind != "":
			return nil, object.Unsupported(d, "names of kind %s", kind)
		case !t.Signed && n < 0:
			return new(big.Int).SetUint64(uint64(n)), nil
		}
		return n, nil
	}
	return nil, object.Unsupported(d, "names of %s", t)
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
