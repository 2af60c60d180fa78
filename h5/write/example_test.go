package write_test

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/write"
)

func Example() {
	dir, err := os.MkdirTemp("", "h5arrow")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := os.Create(filepath.Join(dir, "out.h5"))
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	f, err := write.Create(w)
	if err != nil {
		log.Fatal(err)
	}
	int32s := &h5.Type{Class: h5.ClassFixed, Size: 4, Order: h5.LittleEndian, Signed: true, Precision: 32}
	d, err := f.Dataset("/run/time", write.Spec{Type: int32s, Space: write.Shape(write.Unknown), ChunkDims: []uint64{1024}, Filters: []h5.Filter{{ID: 2}, {ID: 1}}})
	if err != nil {
		log.Fatal(err)
	}
	rows := make([]byte, 4*3000)
	for i := range 3000 {
		binary.LittleEndian.PutUint32(rows[4*i:], uint32(i))
	}
	if err := d.Write(rows); err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}

	in, err := h5.Open(w.Name())
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	o, err := in.Lookup("/run/time")
	if err != nil {
		log.Fatal(err)
	}
	l, err := o.(*h5.Dataset).Layout()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(o.(*h5.Dataset).Rows(), "rows,", l.Storage, l.Index)
	// Output: 3000 rows, chunked fixed-array
}
