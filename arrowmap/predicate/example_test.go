package predicate_test

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/predicate"
)

func ExampleParse() {
	conditions, err := predicate.Parse("speed > 2.5 and speed is not null")
	if err != nil {
		panic(err)
	}
	b := array.NewInt32Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]int32{1, 2, 3, 4}, nil)
	speed := b.NewArray()
	defer speed.Release()
	mask := make([]uint64, predicate.Words(speed.Len()))
	predicate.Fill(mask, speed.Len())
	for _, c := range conditions {
		test, err := predicate.New(arrow.PrimitiveTypes.Int32, c.Op, c.Values...)
		if err != nil {
			panic(err)
		}
		if err := test.Matcher().Choose(speed, 0, speed.Len(), mask); err != nil {
			panic(err)
		}
	}
	fmt.Printf("%04b: %d rows\n", mask[0], predicate.Count(mask))
	// Output: 1100: 2 rows
}
