//go:build libhdf5 && cgo

package libhdf5_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/libhdf5"
)

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "example.h5")

	w, err := libhdf5.Create(path, libhdf5.Align(1, 64))
	if err != nil {
		log.Fatal(err)
	}
	spec := libhdf5.Spec{Type: libhdf5.Int(2, true, h5.BigEndian), Space: libhdf5.Shape(2, 2)}
	if err := w.Write("/group/numbers", spec, []byte{0, 1, 0, 2, 0, 3, 0xff, 0xff}); err != nil {
		log.Fatal(err)
	}
	if err := w.StringAttribute("/group/numbers", "unit", "m"); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	f, err := libhdf5.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	info, err := f.Dataset("/group/numbers")
	if err != nil {
		log.Fatal(err)
	}
	row, err := f.ReadRows("/group/numbers", 1, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Type, info.Space.Dims, info.Storage, info.Offset%64)
	fmt.Printf("% x\n", row)
	// Output:
	// i16be [2 2] contiguous 0
	// 00 03 ff ff
}
