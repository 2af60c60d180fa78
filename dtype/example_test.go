package dtype_test

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
)

// Four times as vaex stores them: 64-bit integers with an attribute that says what they mean, and a mask that says
// which are there.
func ExampleNew() {
	plan, err := dtype.New(dtype.Source{
		Type:  &h5.Type{Class: h5.ClassFixed, Size: 8, Order: h5.LittleEndian, Signed: true, Precision: 64},
		DType: "datetime64[s]",
	}, dtype.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan.Arrow, plan.Delivery)

	column, err := plan.Build(dtype.Raw{
		Bytes: []byte{
			0, 0, 0, 0, 0, 0, 0, 0,
			1, 0, 0, 0, 0, 0, 0, 0,
			2, 0, 0, 0, 0, 0, 0, 0,
			0, 0, 0, 0, 0, 0, 0, 0x80, // NaT
		},
		Rows:  4,
		Valid: dtype.Bitmap{Bits: []byte{0b1101}},
		Nulls: 1,
	}, &dtype.Env{Alloc: memory.DefaultAllocator, Where: "/table/columns/t/data"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer column.Release()
	for i := range column.Len() {
		fmt.Println(column.ValueStr(i))
	}
	// Output:
	// timestamp[s] mapped
	// 1970-01-01T00:00:00
	// (null)
	// 1970-01-01T00:00:02
	// (null)
}

// Two rows of a compound, big-endian, become a struct column.
func ExamplePlan_Build() {
	compound := &h5.Type{Class: h5.ClassCompound, Size: 6, Members: []h5.Member{
		{Name: "id", Offset: 0, Type: &h5.Type{Class: h5.ClassFixed, Size: 2, Order: h5.BigEndian, Precision: 16}},
		{Name: "name", Offset: 2, Type: &h5.Type{Class: h5.ClassString, Size: 4, Pad: h5.NullPad}},
	}}
	plan, err := dtype.New(dtype.Source{Type: compound}, dtype.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	column, err := plan.Build(dtype.Raw{Bytes: []byte("\x00\x01one\x00\x00\x02two\x00"), Rows: 2}, &dtype.Env{Alloc: memory.DefaultAllocator})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer column.Release()
	fmt.Println(compound)
	fmt.Println(plan.Delivery, "because of", plan.Reason)
	fmt.Println(column)
	// Output:
	// compound6{id@0:u16be, name@2:str4(ascii,nullpad)}
	// gathered because of members of a compound
	// {[1 2] ["one" "two"]}
}
