//go:build cgo

package cdata_test

import (
	"context"
	"fmt"
	"io"

	consumer "github.com/apache/arrow-go/v18/arrow/cdata"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/cdata"
)

func Example() {
	f, err := arrowmap.Open("../../testdata/sample.h5")
	if err != nil {
		panic(err)
	}
	table, err := f.Table("")
	if err != nil {
		panic(err)
	}
	var stream cdata.Stream // a consumer in C hands over its own
	if err := cdata.ExportTable(context.Background(), table, &stream); err != nil {
		panic(err)
	}
	f.Close() // what was exported stays

	rows := int64(0)
	r, err := consumer.ImportCRecordReader(&stream, nil)
	if err != nil {
		panic(err)
	}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			panic(err)
		}
		rows += rec.NumRows()
	}
	fmt.Println(rows, "rows")
	// Output: 50000 rows
}
