package arrowmap_test

import (
	"context"
	"fmt"
	"log"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
)

// A file's table becomes record batches. What can be mapped is: such arrays outlive the file.
func Example() {
	f, err := arrowmap.Open("testdata/defects.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("/mask_and_bitmap")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(table.Convention(), table.Rows(), "rows")
	for _, c := range table.Columns() {
		fmt.Println(c.Name, c.Type, c.Delivery, c.Nulls.Source)
	}
	r, err := table.Reader(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
		fmt.Println(r.RecordBatch().Column(0))
	}
	if r.Err() != nil {
		log.Fatal(r.Err())
	}
	// Output:
	// vaex 11 rows
	// x int32 mapped mask+bitmap
	// [0 (null) 20 30 40 (null) 60 70 80 (null) 100]
}

// Columns and rows are chosen before anything is read, and a report says afterwards what it took.
func ExampleTable_Reader() {
	f, err := arrowmap.Open("testdata/defects.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("/kinds")
	if err == nil {
		table, err = table.Select("enum", "matrix", "s3")
	}
	if err == nil {
		table, err = table.Slice(1, 3)
	}
	if err != nil {
		log.Fatal(err)
	}
	r, err := table.Reader(context.Background(), arrowmap.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
		for i, c := range r.RecordBatch().Columns() {
			fmt.Print(r.Schema().Field(i).Name)
			for k := range c.Len() {
				fmt.Print(" ", c.ValueStr(k))
			}
			fmt.Println()
		}
	}
	if r.Err() != nil {
		log.Fatal(r.Err())
	}
	for _, c := range r.Report() {
		fmt.Println(c.Name, c.Delivery, c.NullCount)
	}
	// Output:
	// enum blue red
	// matrix [2,3] [4,5]
	// s3  xyz
	// enum converted 0
	// matrix mapped 0
	// s3 converted 0
}

// All rows of which conditions hold, at once, with attributes of the file's objects.
func ExampleTable_ReadAll() {
	f, err := arrowmap.Open("../cmd/h5arrow/testdata/two.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("/a")
	if err != nil {
		log.Fatal(err)
	}
	conditions, err := predicate.Parse("id >= 5")
	if err != nil {
		log.Fatal(err)
	}
	where, err := table.Where(conditions...)
	if err != nil {
		log.Fatal(err)
	}
	all, err := table.ReadAll(context.Background(), arrowmap.WithWhere(where))
	if err != nil {
		log.Fatal(err)
	}
	defer all.Release()
	fmt.Println(all.NumRows(), "of", table.Rows(), "rows")
	for i := range all.NumCols() {
		c := all.Column(int(i))
		fmt.Println(c.Name(), c.DataType(), c.NullN(), "nulls")
	}
	attributes, err := table.Object().Attributes()
	fmt.Println(len(attributes), err)
	// Output:
	// 3 of 8 rows
	// id int32 0 nulls
	// word utf8 0 nulls
	// x,y float64 0 nulls
	// 0 <nil>
}
