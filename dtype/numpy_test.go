package dtype

import (
	"testing"

	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/dtype/internal/numpy"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// The numpy names that mean numbers, as numpy.dtype on a 64-bit Linux reads them.
func TestNumpyNames(t *testing.T) {
	tests := map[string]string{
		"bool": "bool", "?": "bool", "b1": "bool", "|b1": "bool",
		"int8": "int8", "i1": "int8", "b": "int8", "byte": "int8", "uint8": "uint8", "u1": "uint8", "B": "uint8", "|u1": "uint8",
		"int16": "int16", "<i2": "int16", "h": "int16", "short": "int16", "H": "uint16", "ushort": "uint16",
		"int32": "int32", "i4": "int32", "i": "int32", "intc": "int32", "u4": "uint32", "I": "uint32",
		"int64": "int64", "i8": "int64", "int": "int64", "l": "int64", "q": "int64", "intp": "int64", "uint": "uint64", "L": "uint64", "=u8": "uint64",
		"float16": "float16", "e": "float16", "half": "float16", "f4": "float32", "f": "float32", "single": "float32",
		"f8": "float64", "d": "float64", "float": "float64", "double": "float64", "<f8": "float64",
		"complex64": "struct<r: float32 nullable, i: float32 nullable>", "F": "struct<r: float32 nullable, i: float32 nullable>",
		"c16": "struct<r: float64 nullable, i: float64 nullable>", "complex": "struct<r: float64 nullable, i: float64 nullable>",
		"S4": "utf8", "a4": "utf8", "<U2": "utf8", "V4": "fixed_size_binary[4]",
	}
	for name, want := range tests {
		_, size, _, ok := numpy.Parse(name)
		if !ok {
			t.Errorf("%q is not known", name)
			continue
		}
		p, err := New(Source{Type: opaqueT(size, ""), DType: name}, Options{})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got := p.Arrow.String(); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
		_, err = New(Source{Type: opaqueT(size+1, ""), DType: name}, Options{})
		dtest.WantError(t, err, h5err.Corrupt, "elements of")
	}
	for _, name := range []string{"object", "O", "i3", "f16", "float128", "longdouble", "c4", "S", "S0", "S-1", "U99999999999", "x4", "b2", "<", "datetime", "category"} {
		_, err := New(Source{Type: opaqueT(8, ""), DType: name}, Options{})
		dtest.WantError(t, err, h5err.Unsupported, name)
	}
}

// The order of the bytes is the type's; a type without one takes the name's.
func TestNumpyOrder(t *testing.T) {
	for _, tt := range []struct {
		typ   *h5.Type
		dtype string
		want  Delivery
	}{
		{le(4), ">i4", Mapped},
		{be(4), "<i4", Swapped},
		{be(4), "float32", Swapped},
		{enumT(be(2), "a", 1), "<u2", Swapped},
		{opaqueT(4, ""), "i4", Mapped},
		{opaqueT(4, ""), ">i4", Swapped},
		{strT(4, h5.NullPad), ">f4", Swapped},
	} {
		p := plan(t, Source{Type: tt.typ, DType: tt.dtype}, Options{})
		if p.Delivery != tt.want {
			t.Errorf("%s on %s is %v", tt.dtype, tt.typ, p.Delivery)
		}
	}
	vax := types.Float(8, h5.VAX)
	_, err := New(Source{Type: vax, DType: "int64"}, Options{})
	dtest.WantError(t, err, h5err.Unsupported, "vax")
	opaque := opaqueT(8, "NUMPY:>M8[s]")
	if p := plan(t, Source{Type: opaque, DType: "datetime64[s]"}, Options{}); p.Delivery != Swapped {
		t.Errorf("%v", p.Delivery)
	}
	_, err = New(Source{Type: opaque, DType: "datetime64[ms]"}, Options{})
	dtest.WantError(t, err, h5err.Corrupt, "64-bit integer")
}
