package values

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Pick returns the values at these places of an array, which ascend.
func Pick(arr arrow.Array, at []int32, mem memory.Allocator) (arrow.Array, error) {
	if n := len(at); int(at[n-1]-at[0]) == n-1 {
		return array.NewSlice(arr, int64(at[0]), int64(at[0])+int64(n)), nil
	}
	d, err := Spread{Alloc: mem}.Data(arr.Data(), arr.DataType(), at)
	if err == nil {
		defer d.Release()
		return array.MakeFromData(d), nil
	}
	if !h5err.Is(err, h5err.Unsupported) {
		return nil, err
	}
	var runs []arrow.Array
	defer func() {
		for _, r := range runs {
			r.Release()
		}
	}()
	for i := 0; i < len(at); {
		j := i + 1
		for j < len(at) && at[j] == at[j-1]+1 {
			j++
		}
		runs = append(runs, array.NewSlice(arr, int64(at[i]), int64(at[j-1])+1))
		i = j
	}
	return array.Concatenate(runs, mem)
}
