package chunk_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
)

func Example() {
	f, err := h5.Open("testdata/chunked.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	o, err := f.Lookup("/deflate")
	if err != nil {
		log.Fatal(err)
	}
	r, err := chunk.NewReader(o.(*h5.Dataset))
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	fmt.Println(r.Rows(), "rows of", r.RowBytes(), "bytes, in chunks of", r.ChunkRows())

	rows := make([]byte, 5*r.RowBytes())
	if err := r.Read(context.Background(), 98, 103, rows); err != nil {
		log.Fatal(err)
	}
	for i := range 5 {
		fmt.Print(binary.LittleEndian.Uint32(rows[4*i:]), " ")
	}
	fmt.Println()
	// Output:
	// 1003 rows of 4 bytes, in chunks of 100
	// 686 693 700 707 714
}

// Start reads with all cores, and passes on each band of rows while it is in a core's cache.
func ExampleReader_Start() {
	f, err := h5.Open("testdata/chunked.h5")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	o, err := f.Lookup("/deflate")
	if err != nil {
		log.Fatal(err)
	}
	r, err := chunk.NewReader(o.(*h5.Dataset))
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	pool := chunk.NewPool(4)
	defer pool.Close()

	var sum atomic.Uint64
	add := func(_, _ int64, rows []byte) error {
		for ; len(rows) > 0; rows = rows[4:] {
			sum.Add(uint64(binary.LittleEndian.Uint32(rows)))
		}
		return nil
	}
	dst := make([]byte, r.Rows()*r.RowBytes())
	done := make(chan error)
	r.Start(context.Background(), pool, 0, r.Rows(), dst, chunk.StartOptions{Each: add}, func(err error) { done <- err })
	if err := <-done; err != nil {
		log.Fatal(err)
	}
	fmt.Println(sum.Load())
	// Output: 3517521
}
