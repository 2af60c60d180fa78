package check_test

import (
	"context"
	"fmt"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
)

func Example() {
	f, err := h5.Open("../../testdata/sample.h5")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	counts, err := check.File(context.Background(), f, check.Options{Deep: true}, func(err error) { fmt.Println(err) })
	if err != nil {
		panic(err)
	}
	fmt.Println(counts.Groups, "groups,", counts.Datasets, "datasets,", counts.Chunks, "chunks")
	// Output:
	// 14 groups, 16 datasets, 14 chunks
}
