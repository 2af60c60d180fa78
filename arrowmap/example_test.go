package arrowmap_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/source"
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

// An array that stands somewhere in a file's bytes, HDF5 or not: here every third of some 16-bit numbers.
func ExampleMapArray() {
	name := filepath.Join(os.TempDir(), "h5arrow-example.bin")
	var data []byte
	for i := range 12 {
		data = binary.LittleEndian.AppendUint16(data, uint16(i))
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		log.Fatal(err)
	}
	defer os.Remove(name)
	src, err := source.Open(name)
	if err != nil {
		log.Fatal(err)
	}
	defer src.Release()
	v, err := arrowmap.MapArray(src, arrowmap.RawArray{Offset: 2, DType: "<i2", Shape: []int64{4}, Strides: []int64{6}})
	if err != nil {
		log.Fatal(err)
	}
	a, err := v.Read(context.Background(), 0, v.Len())
	if err != nil {
		log.Fatal(err)
	}
	defer a.Release()
	fmt.Println(v.Type(), v.Access(), a)
	// Output:
	// int16 gathered [1 4 7 10]
}

// One dataset, and one that says which of its values are missing.
func ExampleFile_MapDataset() {
	f, err := arrowmap.Open("testdata/defects.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	data, err := f.H5().Lookup("/chunked_mask/columns/x/data")
	if err != nil {
		log.Fatal(err)
	}
	mask, err := f.H5().Lookup("/chunked_mask/columns/x/mask")
	if err != nil {
		log.Fatal(err)
	}
	v, err := f.MapDataset(data.(*h5.Dataset), arrowmap.NullSource{Data: mask.(*h5.Dataset)})
	if err != nil {
		log.Fatal(err)
	}
	part, err := v.Slice(4, 8)
	if err != nil {
		log.Fatal(err)
	}
	a, err := part.Read(context.Background(), 0, part.Len())
	if err != nil {
		log.Fatal(err)
	}
	defer a.Release()
	fmt.Println(v.Access(), v.Len(), "rows, four of them:", a)
	// Output:
	// lazy 11 rows, four of them: [40 (null) 60 70]
}
