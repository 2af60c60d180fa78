package h5

import (
	"fmt"
	"strconv"
	"strings"
)

// Sizes of elements in memory, where the library's differ from the file's.
const (
	memVarString = 8
	memVLen      = 16
	memRef       = 64
	memRegion    = 12
)

// maxNamed is the number of an enumeration's members that String names.
const maxNamed = 40

// String returns the type on one line:
//
//	i32le u8 f64be b16le       integers, floats and bitfields with their bits and byte order
//	i32le[p20@4]               20 significant bits, from bit 4
//	f16le[fields (15, 7, 8, 0, 7) bias 127]
//	                           sign bit; bit and size of exponent and mantissa
//	str5(ascii,nullterm) vstr(utf8,nullterm)
//	opaque5('tag') ref8 time32
//	compound12{a@0:i32le, b@4:f64le}
//	enum(i8){FALSE=0, TRUE=1}  at most 40 members
//	vlen<u8> array[3, 2]<f32le> complex<f64le>
//
// The sizes and offsets of compounds are those in memory, as the HDF5 library computes them: a variable-length string has 8
// bytes there, and 16 in the file.
func (t *Type) String() string {
	var b strings.Builder
	t.describe(&b, 0)
	return b.String()
}

func (t *Type) describe(b *strings.Builder, depth int) {
	if t == nil || depth > 64 {
		b.WriteByte('?')
		return
	}
	switch t.Class {
	case ClassFixed, ClassBitfield:
		kind := byte('u')
		switch {
		case t.Class == ClassBitfield:
			kind = 'b'
		case t.Signed:
			kind = 'i'
		}
		bits := 8 * t.Size
		b.WriteByte(kind)
		b.WriteString(strconv.Itoa(bits))
		if bits > 8 {
			b.WriteString(t.Order.suffix())
		}
		if t.Precision != bits || t.BitOffset != 0 {
			fmt.Fprintf(b, "[p%d@%d]", t.Precision, t.BitOffset)
		}
	case ClassFloat:
		fmt.Fprintf(b, "f%d%s", 8*t.Size, t.Order.suffix())
		if f := t.Float; f != nil && !f.ieee(t.Size) {
			fmt.Fprintf(b, "[fields (%d, %d, %d, %d, %d) bias %d]", f.Sign, f.ExpLoc, f.ExpSize, f.MantLoc, f.MantSize, f.Bias)
		}
	case ClassString:
		fmt.Fprintf(b, "str%d(%s,%s)", t.Size, t.CharSet, t.Pad)
	case ClassOpaque:
		fmt.Fprintf(b, "opaque%d(", t.Size)
		quote(b, t.Tag)
		b.WriteByte(')')
	case ClassCompound:
		t.describeCompound(b, depth)
	case ClassReference:
		fmt.Fprintf(b, "ref%d", t.memSize(depth))
	case ClassEnum:
		t.describeEnum(b, depth)
	case ClassVLen:
		if t.VarString {
			fmt.Fprintf(b, "vstr(%s,%s)", t.CharSet, t.Pad)
			return
		}
		b.WriteString("vlen<")
		t.Base.describe(b, depth+1)
		b.WriteByte('>')
	case ClassArray:
		b.WriteString("array[")
		for i, d := range t.Dims {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.FormatUint(d, 10))
		}
		b.WriteString("]<")
		t.Base.describe(b, depth+1)
		b.WriteByte('>')
	case ClassTime:
		fmt.Fprintf(b, "time%d", 8*t.Size)
	case ClassComplex:
		b.WriteString("complex<")
		t.Base.describe(b, depth+1)
		b.WriteByte('>')
	default:
		fmt.Fprintf(b, "class%d", int(t.Class)-1)
	}
}

func (t *Type) describeCompound(b *strings.Builder, depth int) {
	var members strings.Builder
	grown := 0 // bytes by which the members so far are larger in memory
	for i, m := range t.Members {
		if i > 0 {
			members.WriteString(", ")
		}
		fmt.Fprintf(&members, "%s@%d:", strings.ToValidUTF8(m.Name, "\uFFFD"), m.Offset+grown)
		m.Type.describe(&members, depth+1)
		if m.Type != nil {
			grown += m.Type.memSize(depth+1) - m.Type.Size
		}
	}
	fmt.Fprintf(b, "compound%d{%s}", t.Size+grown, members.String())
}

func (t *Type) describeEnum(b *strings.Builder, depth int) {
	b.WriteString("enum(")
	t.Base.describe(b, depth+1)
	b.WriteString("){")
	for i, name := range t.Names[:min(len(t.Names), maxNamed)] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strings.ToValidUTF8(name, "\uFFFD"))
		b.WriteByte('=')
		if at := i * t.Size; t.Base != nil && t.Size >= 1 && at <= len(t.Values)-t.Size {
			b.WriteString(t.Base.integer(t.Values[at : at+t.Size]))
		}
	}
	b.WriteByte('}')
}

// integer formats the integer stored in b, which has up to eight bytes; others give a question mark.
func (t *Type) integer(b []byte) string {
	if len(b) > 8 || t.Precision < 1 || t.BitOffset < 0 || t.BitOffset+t.Precision > 8*len(b) {
		return "?"
	}
	var x uint64
	for i := range b {
		if t.Order == BigEndian {
			x = x<<8 | uint64(b[i])
		} else {
			x |= uint64(b[i]) << (8 * i)
		}
	}
	unused := 64 - t.Precision
	x = x >> t.BitOffset << unused
	if t.Signed {
		return strconv.FormatInt(int64(x)>>unused, 10)
	}
	return strconv.FormatUint(x>>unused, 10)
}

// memSize returns the bytes of an element in memory, as the HDF5 library counts them.
func (t *Type) memSize(depth int) int {
	if depth > 64 {
		return t.Size
	}
	switch t.Class {
	case ClassVLen:
		if t.VarString {
			return memVarString
		}
		return memVLen
	case ClassReference:
		switch t.Ref {
		case RefObject1:
			return 8
		case RefRegion1:
			return memRegion
		}
		return memRef
	case ClassArray:
		if t.Base != nil && t.Base.Size > 0 {
			return t.Size / t.Base.Size * t.Base.memSize(depth+1)
		}
	case ClassCompound:
		n := t.Size
		for _, m := range t.Members {
			if m.Type != nil {
				n += m.Type.memSize(depth+1) - m.Type.Size
			}
		}
		return n
	}
	return t.Size
}

// ieee reports whether the fields are those of the IEEE format of size bytes, apart from bias and normalization.
func (f *FloatFields) ieee(size int) bool {
	at := [5]int{f.Sign, f.ExpLoc, f.ExpSize, f.MantLoc, f.MantSize}
	switch size {
	case 2:
		return at == [5]int{15, 10, 5, 0, 10}
	case 4:
		return at == [5]int{31, 23, 8, 0, 23}
	case 8:
		return at == [5]int{63, 52, 11, 0, 52}
	}
	return false
}

func (o ByteOrder) suffix() string {
	switch o {
	case LittleEndian:
		return "le"
	case BigEndian:
		return "be"
	case VAX:
		return "vax"
	}
	return ""
}

// String returns the padding's name in lower case.
func (p StringPad) String() string {
	switch p {
	case NullTerm:
		return "nullterm"
	case NullPad:
		return "nullpad"
	case SpacePad:
		return "spacepad"
	}
	return "?"
}

// String returns the character set's name in lower case.
func (c CharSet) String() string {
	switch c {
	case ASCII:
		return "ascii"
	case UTF8:
		return "utf8"
	}
	return "?"
}

// quote returns s, taken as ISO 8859-1, as a literal in single quotes, or in double quotes if that avoids an escape.
func quote(b *strings.Builder, s string) {
	q := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		q = '"'
	}
	b.WriteByte(q)
	for i := range len(s) {
		switch c := s[i]; {
		case c == q || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c >= 0x7f && c < 0xa1 || c == 0xad:
			fmt.Fprintf(b, `\x%02x`, c)
		default:
			b.WriteRune(rune(c))
		}
	}
	b.WriteByte(q)
}
