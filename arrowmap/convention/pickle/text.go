package pickle

import (
	"encoding/binary"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

func (m *machine) integer(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if n, ok := new(big.Int).SetString(s, 10); ok && len(s) <= maxDigits {
		return n
	}
	m.bad("the integer %.40q", s)
	return nil
}

// long decodes a little-endian integer in two's complement.
func (m *machine) long(p []byte) any {
	if len(p) > maxDigits/4 {
		m.bad("an integer of %d bytes", len(p))
		return nil
	}
	if len(p) == 0 {
		return int64(0)
	}
	sign := byte(int8(p[len(p)-1]) >> 7)
	if len(p) <= 8 {
		b := [8]byte{sign, sign, sign, sign, sign, sign, sign, sign}
		copy(b[:], p)
		return int64(binary.LittleEndian.Uint64(b[:]))
	}
	big1 := make([]byte, len(p))
	for i, c := range p {
		big1[len(p)-1-i] = c ^ sign
	}
	n := new(big.Int).SetBytes(big1)
	if sign != 0 {
		n.Not(n)
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// escaped decodes text of ISO 8859-1 with \uXXXX and \UXXXXXXXX.
func (m *machine) escaped(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		c := s[0]
		digits := 0
		if c == '\\' && len(s) > 1 {
			switch s[1] {
			case 'u':
				digits = 4
			case 'U':
				digits = 8
			}
		}
		if digits == 0 {
			b.WriteRune(rune(c))
			s = s[1:]
			continue
		}
		if len(s) < 2+digits {
			m.bad("an escape that ends early")
			return ""
		}
		r, err := strconv.ParseUint(s[2:2+digits], 16, 32)
		if err != nil || r > utf8.MaxRune {
			m.bad("the escape %q", s[:2+digits])
			return ""
		}
		b.WriteRune(rune(r)) // a lone surrogate becomes U+FFFD
		s = s[2+digits:]
	}
	return b.String()
}

// quoted decodes a byte string of Python 2, as its repr() writes it.
func (m *machine) quoted(s string) any {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		m.bad("the string %.40q", s)
		return nil
	}
	s = s[1 : len(s)-1]
	var b []byte
	for len(s) > 0 {
		c := s[0]
		s = s[1:]
		if c != '\\' || len(s) == 0 {
			b = append(b, c)
			continue
		}
		e := s[0]
		s = s[1:]
		if i := strings.IndexByte("abfnrtv\\'\"", e); i >= 0 {
			b = append(b, "\a\b\f\n\r\t\v\\'\""[i])
			continue
		}
		if e != 'x' || len(s) < 2 {
			m.bad("the escape \\%c", e)
			return nil
		}
		v, err := strconv.ParseUint(s[:2], 16, 8)
		if err != nil {
			m.bad("the escape \\x%q", s[:2])
			return nil
		}
		b = append(b, byte(v))
		s = s[2:]
	}
	return oldString(b)
}

// oldString makes text of a byte string of Python 2: UTF-8 where it is that, else ISO 8859-1.
func oldString(p []byte) string {
	if utf8.Valid(p) {
		return string(p)
	}
	return latin1(p)
}

func latin1(p []byte) string {
	r := make([]rune, len(p))
	for i, c := range p {
		r[i] = rune(c)
	}
	return string(r)
}
