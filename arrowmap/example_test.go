package arrowmap_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/h5err"
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

// Columns are selected by name, in the order of the names. A name that no column has, or that is there twice, is an error.
func ExampleTable_Select() {
	f, err := arrowmap.Open("../testdata/sample.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("")
	if err != nil {
		log.Fatal(err)
	}
	trips, err := table.Select("fare", "distance")
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range trips.Columns() {
		fmt.Println(c.Name, c.Type)
	}
	_, err = table.Select("fare", "tip", "fare")
	fmt.Println(err)
	_, err = table.Select("faer")
	fmt.Println(errors.Is(err, h5err.Argument))
	// Output:
	// fare float32
	// distance float32
	// ../testdata/sample.h5: /table: column fare is selected twice
	// true
}

// Attributes of the file's objects are metadata of the schema and its fields.
func ExampleTable_Schema() {
	f, err := arrowmap.Open("../testdata/sample.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("/table")
	if err != nil {
		log.Fatal(err)
	}
	schema := table.Schema()
	description, _ := schema.Metadata().GetValue("hdf5.attr.description")
	fmt.Println(description)
	distance, _ := schema.FieldsByName("distance")
	unit, _ := distance[0].Metadata.GetValue("hdf5.attr.units")
	fmt.Println(distance[0].Type, unit)
	// Output:
	// 50,000 taxi rides that nobody took
	// float32 km
}

// Rows of which conditions hold are chosen while they are read: other columns are read only where rows are chosen, and zones
// that an index rules out are not read at all. The report has exact counts of nulls.
func ExampleTable_Where() {
	f, err := arrowmap.Open("../testdata/sample.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("/table")
	if err == nil {
		table, err = table.Select("fare", "tip", "zone")
	}
	if err != nil {
		log.Fatal(err)
	}
	conditions, err := predicate.Parse("fare > 30 and zone = 'Harbour'")
	if err != nil {
		log.Fatal(err)
	}
	where, err := table.Where(conditions...)
	if err != nil {
		log.Fatal(err)
	}
	r, err := table.Reader(context.Background(), arrowmap.WithWhere(where))
	if err != nil {
		log.Fatal(err)
	}
	defer r.Release()
	rows := int64(0)
	for r.Next() {
		rows += r.RecordBatch().NumRows()
	}
	if r.Err() != nil {
		log.Fatal(r.Err())
	}
	fmt.Println(rows, "of", table.Rows(), "rows")
	for _, c := range r.Report() {
		fmt.Println(c.Name, c.NullCount, "nulls")
	}
	// Output:
	// 21 of 50000 rows
	// fare 0 nulls
	// tip 1 nulls
	// zone 0 nulls
}
