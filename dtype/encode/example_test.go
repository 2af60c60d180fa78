package encode_test

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/encode"
)

// Three of five times become what HDF5 stores: the bitmap starts at the slice's first row, and NaT is stored under the null.
func ExampleNew() {
	field := arrow.Field{Name: "t", Type: &arrow.TimestampType{Unit: arrow.Second}, Nullable: true}
	plan, err := encode.New(field, encode.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	times, _, err := array.FromJSON(memory.DefaultAllocator, field.Type, strings.NewReader("[1, 2, null, 4, 5]"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer times.Release()
	slice := array.NewSlice(times, 1, 4)
	defer slice.Release()
	contents, err := plan.Encode(slice, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan.Datasets[0].Type, plan.Datasets[0].DType)
	for i, c := range contents {
		fmt.Printf("%v: %d elements, %x\n", plan.Datasets[i].Role, c.Rows, c.Bytes)
	}
	// Output:
	// i64le datetime64[s]
	// data: 3 elements, 020000000000000000000000000000800400000000000000
	// bitmap: 1 elements, 05
}
