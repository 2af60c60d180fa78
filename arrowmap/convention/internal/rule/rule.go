// Package rule makes the rules by which stored values are null: values equal to one of an attribute, code -1.
package rule

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Equal adds the rule that values equal to one of the stored ones are missing. Floats compare as numbers; NaN
// equals NaN.
func Equal(t *h5.Type, values [][]byte, words string, add func(nullbitmap.Rule, error, string) error) error {
	words += "=" + strings.Join(spellings(t, values), ",")
	if t.Class != h5.ClassFloat || t.Size < 4 {
		r, err := nullbitmap.Equal(values...)
		return add(r, err, words)
	}
	var numbers []float64
	for _, v := range values {
		f := Float(v, t)
		if math.IsNaN(f) {
			r, err := nullbitmap.NaN(t.Size, ByteOrder(t))
			if err := add(r, err, words); err != nil {
				return err
			}
			continue
		}
		numbers = append(numbers, f)
	}
	if len(numbers) == 0 {
		return nil
	}
	r, err := nullbitmap.EqualFloat(t.Size, ByteOrder(t), numbers...)
	return add(r, err, words)
}

// spellings are stored numbers in words.
func spellings(t *h5.Type, values [][]byte) []string {
	var out []string
	for _, v := range values {
		switch b := append(make([]byte, 8-len(v)), v...); {
		case t.Class == h5.ClassFloat && t.Size >= 4:
			out = append(out, strconv.FormatFloat(Float(v, t), 'g', -1, 8*t.Size))
		case t.Class == h5.ClassFixed:
			if t.Order != h5.BigEndian {
				slices.Reverse(b[8-len(v):])
			}
			x := binary.BigEndian.Uint64(b)
			if shift := 64 - 8*len(v); t.Signed {
				out = append(out, strconv.FormatInt(int64(x<<shift)>>shift, 10))
			} else {
				out = append(out, strconv.FormatUint(x, 10))
			}
		default:
			out = append(out, hex.EncodeToString(v))
		}
	}
	return out
}

// MinusOne is the rule by which codes of a type are null: -1, where the type has a sign.
func MinusOne(t *h5.Type) ([]convention.Null, error) {
	if t.Class != h5.ClassFixed {
		return nil, h5err.New(h5err.Corrupt, "codes of %s: they must be integers", t)
	}
	if !t.Signed {
		return nil, nil
	}
	r, err := nullbitmap.MinusOne(t.Size)
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "codes of %d bytes", t.Size)
	}
	return []convention.Null{{Kind: convention.NullRule, Rule: r, Text: "code -1"}}, nil
}

// AddTo adds rules of missing values to a column.
func AddTo(p *convention.Plain) func(nullbitmap.Rule, error, string) error {
	return func(r nullbitmap.Rule, err error, words string) error {
		if err != nil {
			return h5err.Wrap(h5err.Unsupported, err, "%s", words)
		}
		p.Nulls = append(p.Nulls, convention.Null{Kind: convention.NullRule, Rule: r, Text: words})
		return nil
	}
}
