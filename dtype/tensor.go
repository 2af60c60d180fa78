package dtype

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// TensorName is the name of the extension type of N-D rows under Options.Tensor.
const TensorName = "arrow.fixed_shape_tensor"

// TensorType is Arrow's canonical extension type for items of one shape: a fixed-size list of their values in row-major
// order.
type TensorType struct {
	arrow.ExtensionBase
	shape []int64
}

// newTensorType returns the type of items of shape dims, whose product is at most 2^31-1.
func newTensorType(item arrow.DataType, dims []uint64) *TensorType {
	t := &TensorType{}
	n := int64(1)
	for _, d := range dims {
		t.shape = append(t.shape, int64(d))
		n *= int64(d)
	}
	t.Storage = arrow.FixedSizeListOf(int32(n), item)
	return t
}

// Shape returns the extents of an item. The caller may change the slice.
func (t *TensorType) Shape() []int64 { return slices.Clone(t.shape) }

// ArrayType returns the type of arrays of t.
func (*TensorType) ArrayType() reflect.Type { return reflect.TypeFor[TensorArray]() }

// ExtensionName returns TensorName.
func (*TensorType) ExtensionName() string { return TensorName }

// String returns the type's name with its item type and shape.
func (t *TensorType) String() string {
	return fmt.Sprintf("extension<%s[value_type=%v, shape=%v]>", TensorName, t.Storage.(*arrow.FixedSizeListType).Elem(), t.shape)
}

// ExtensionEquals reports whether other is the same type.
func (t *TensorType) ExtensionEquals(other arrow.ExtensionType) bool {
	o, ok := other.(*TensorType)
	return ok && slices.Equal(t.shape, o.shape) && arrow.TypeEqual(t.Storage, o.Storage)
}

// tensorParameters is the extension's metadata.
type tensorParameters struct {
	Shape       []int64 `json:"shape"`
	Permutation []int64 `json:"permutation,omitempty"`
}

// Serialize returns the extension's metadata.
func (t *TensorType) Serialize() string {
	b, _ := json.Marshal(tensorParameters{Shape: t.shape}) // marshaling numbers can't fail
	return string(b)
}

// Deserialize returns the type with the given storage and metadata. Permuted tensors are an error.
func (*TensorType) Deserialize(storage arrow.DataType, data string) (arrow.ExtensionType, error) {
	var p tensorParameters
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		return nil, fmt.Errorf("%s: %w", TensorName, err)
	}
	list, ok := storage.(*arrow.FixedSizeListType)
	if !ok || p.Permutation != nil && !slices.IsSorted(p.Permutation) {
		return nil, fmt.Errorf("%s: storage %v, metadata %s", TensorName, storage, data)
	}
	t := &TensorType{shape: p.Shape}
	t.Storage = list
	n := int64(1)
	for _, d := range p.Shape {
		if d < 0 || d != 0 && n > int64(list.Len())/d {
			n = -1
			break
		}
		n *= d
	}
	if n != int64(list.Len()) {
		return nil, fmt.Errorf("%s: shape %v in lists of %d", TensorName, p.Shape, list.Len())
	}
	return t, nil
}

// TensorArray is an array of TensorType.
type TensorArray struct{ array.ExtensionArrayBase }

// ValueStr returns the values of item i.
func (a *TensorArray) ValueStr(i int) string { return a.Storage().ValueStr(i) }

// fixedWidth reports whether t may be the value type of tensors: numbers and times.
func fixedWidth(t arrow.DataType) bool {
	_, ok := t.(arrow.FixedWidthDataType)
	switch t.ID() {
	case arrow.FIXED_SIZE_LIST, arrow.DICTIONARY, arrow.STRUCT, arrow.EXTENSION, arrow.FIXED_SIZE_BINARY:
		return false
	}
	return ok
}
