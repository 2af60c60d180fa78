package dtype_test

import (
	"reflect"
	"testing"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
)

// TestSourceEqual changes each field of a Source in turn: Equal sees it.
func TestSourceEqual(t *testing.T) {
	one := dtype.Source{Type: &h5.Type{Size: 4}, Dims: []uint64{3}}
	if !one.Equal(one) || !(dtype.Source{}).Equal(dtype.Source{Dims: []uint64{}}) {
		t.Fatal("a source does not equal itself")
	}
	for i := range reflect.TypeFor[dtype.Source]().NumField() {
		other := one
		v := reflect.ValueOf(&other).Elem().Field(i)
		switch f := v.Addr().Interface().(type) {
		case **h5.Type:
			*f = &h5.Type{Size: 4}
		case *[]uint64:
			*f = []uint64{4}
		case *string:
			*f = "x"
		case *bool:
			*f = true
		case *int64:
			*f = 1
		default:
			t.Fatalf("a field of type %s: add it to this test", v.Type())
		}
		if one.Equal(other) || other.Equal(one) {
			t.Errorf("Equal does not compare %s", reflect.TypeFor[dtype.Source]().Field(i).Name)
		}
	}
}
