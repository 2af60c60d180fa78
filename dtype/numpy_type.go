package dtype

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// NumpyType returns a type for elements that are known by numpy's name for them alone, such as "<f8", "int32", "S5" or
// "datetime64[ns]". Together with the name as Source.DType it makes a plan; the name's byte order counts, and without
// one the elements are little-endian. Names that numpy does not have are Unsupported.
func NumpyType(name string) (*h5.Type, error) {
	if _, ok := parseInstant(name); ok {
		t := &h5.Type{Class: h5.ClassFixed, Size: 8, Order: h5.LittleEndian, Signed: true, Precision: 64}
		if strings.HasPrefix(name, ">") {
			t.Order = h5.BigEndian
		}
		return t, nil
	}
	_, size, _, ok := parseNumpy(name)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "dtype %q", name)
	}
	return &h5.Type{Class: h5.ClassOpaque, Size: size}, nil
}
