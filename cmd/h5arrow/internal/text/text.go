// Package text writes what people read: lines, tables, numbers and a progress bar. Names and values from files reach a
// terminal only through it.
package text

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// WriteLine writes one line. All text for people is written by it: a terminal shows the line and does nothing else,
// whatever the line contains.
func WriteLine(w io.Writer, line string) error {
	_, err := io.WriteString(w, Printable(line)+"\n")
	return err
}

// Printable returns s as valid UTF-8 that a terminal only shows: see h5err.Printable.
func Printable(s string) string { return h5err.Printable(s) }

// Count returns a number with commas between its thousands.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Plural returns a number of things: "1 row", "2 rows".
func Plural[T int | int64](n T, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(int64(n)) + " " + thing + "s"
}

// Bytes returns a number of bytes in a unit that fits.
func Bytes(n float64) string {
	for _, unit := range []string{"B", "kB", "MB", "GB", "TB"} {
		if n < 999.5 {
			if unit == "B" || n >= 99.95 {
				return fmt.Sprintf("%.0f %s", n, unit)
			}
			return fmt.Sprintf("%.1f %s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%.0f PB", n)
}

// Float returns a number as people write it: without an exponent unless it is very large or very small. bits is 32 or 64;
// digits is the number of significant digits, -1 for as many as tell it apart from other numbers.
func Float(v float64, digits, bits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, bits)
	}
	if digits > 0 {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
		bits = 64
	}
	if a := math.Abs(v); a != 0 && (a < 1e-5 || a >= 1e16) {
		return strconv.FormatFloat(v, 'g', -1, bits)
	}
	return strconv.FormatFloat(v, 'f', -1, bits)
}
