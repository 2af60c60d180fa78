package vaexutil_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/vaexutil"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/source"
)

// An array somewhere in a file's bytes, HDF5 or not: here every third of some 16-bit numbers.
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
	v, err := vaexutil.MapArray(src, vaexutil.RawArray{Offset: 2, DType: "<i2", Shape: []int64{4}, Strides: []int64{6}})
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

// A dataset, and another one that says which of its values are missing.
func ExampleMapDataset() {
	f, err := arrowmap.Open("../testdata/defects.h5")
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
	v, err := vaexutil.MapDataset(f, data.(*h5.Dataset), vaexutil.NullSource{Data: mask.(*h5.Dataset)})
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
