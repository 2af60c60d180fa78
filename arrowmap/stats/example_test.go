package stats_test

import (
	"context"
	"fmt"
	"log"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/stats"
)

// The columns of a table are described in one pass.
func Example() {
	f, err := arrowmap.Open("../../testdata/sample.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("")
	if err == nil {
		table, err = table.Select("fare", "rating")
	}
	if err != nil {
		log.Fatal(err)
	}
	columns, err := stats.Table(context.Background(), table)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range columns {
		fmt.Println(c.Name, c.Nulls, "nulls,", c.Distinct, "values from", c.Bounds.ValueStr(0), "to", c.Bounds.ValueStr(1), "median", c.Quartiles.ValueStr(1))
	}
	// Output:
	// fare 0 nulls, 2532 values from 3.05 to 51.24 median 9.35
	// rating 19892 nulls, 5 values from 1 to 5 median 3
}
