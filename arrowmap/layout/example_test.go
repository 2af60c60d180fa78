package layout_test

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/layout"
	"github.com/h5arrow/h5arrow/dtype/encode"
)

// The datasets of a column of text in vaex's files.
func ExampleVaex() {
	field := arrow.Field{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true}
	plan, err := encode.New(field, encode.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	column := layout.Vaex(plan, field.Metadata)
	for i, d := range column.Datasets {
		fmt.Println(d.Path, plan.Datasets[i].Type, plan.Datasets[i].Role)
		for _, a := range d.Attributes {
			fmt.Printf("  %s=%s\n", a.Name, a.Data[8:])
		}
	}
	// Output:
	// data str1(ascii,nullpad) data
	//   dtype=str
	// indices i32le offsets
	// null_bitmap u8 bitmap
}
