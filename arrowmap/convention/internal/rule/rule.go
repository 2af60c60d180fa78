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

// New returns a rule over stored values as a source of nulls. err is what making the rule returned; it comes back as
// Unsupported. words describe the rule in the metadata of the column.
func New(r nullbitmap.Rule, err error, words string) (convention.Null, error) {
	if err != nil {
		return convention.Null{}, h5err.Wrap(h5err.Unsupported, err, "%s", words)
	}
	return convention.Null{Kind: convention.NullRule, Rule: r, Text: words}, nil
}

// Equal returns the rules by which values equal to one of the given stored elements of a type are null. Floats are
// compared as numbers, and NaN equals NaN. The values are appended to words.
func Equal(t *h5.Type, values [][]byte, words string) (nulls []convention.Null, err error) {
	words += "=" + strings.Join(texts(t, values), ",")
	add := func(r nullbitmap.Rule, e error) {
		n, e := New(r, e, words)
		if nulls = append(nulls, n); err == nil {
			err = e
		}
	}
	if t.Class != h5.ClassFloat || t.Size < 4 {
		add(nullbitmap.Equal(values...))
		return nulls, err
	}
	var numbers []float64
	for _, v := range values {
		f := Float(v, t)
		if math.IsNaN(f) {
			add(nullbitmap.NaN(t.Size, ByteOrder(t)))
			continue
		}
		numbers = append(numbers, f)
	}
	if len(numbers) > 0 {
		add(nullbitmap.EqualFloat(t.Size, ByteOrder(t), numbers...))
	}
	return nulls, err
}

// texts returns stored numbers as text, other elements in hexadecimal.
func texts(t *h5.Type, values [][]byte) []string {
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

// MinusOne returns the rule by which codes of a type are null: -1, if the type is signed.
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
