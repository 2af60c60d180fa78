package filter_test

import (
	"bytes"
	"compress/zlib"
	"fmt"

	"github.com/h5arrow/h5arrow/h5/filter"
)

func ExamplePipeline_Decode() {
	// What a file says of a dataset of 32-bit integers: shuffle, then deflate.
	p, err := filter.New([]filter.Spec{{ID: 2, Values: []uint32{4}}, {ID: 1, Values: []uint32{6}}})
	if err != nil {
		fmt.Println(err)
		return
	}

	// A chunk of two: 0x04030201 and 0x08070605.
	var stored bytes.Buffer
	w := zlib.NewWriter(&stored)
	w.Write([]byte{1, 5, 2, 6, 3, 7, 4, 8})
	w.Close()

	st := filter.NewState() // one per goroutine
	defer st.Close()
	chunk := make([]byte, 8)
	if err := p.Decode(st, chunk, stored.Bytes(), 0); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(chunk)
	// Output: [1 2 3 4 5 6 7 8]
}

func ExampleNew_unsupported() {
	_, err := filter.New([]filter.Spec{{ID: 32013, Name: "H5Z-ZFP-1.1.1"}})
	fmt.Println(err)
	// Output: unsupported: filter 32013 (zfp) is not implemented
}

func ExampleNewLazy() {
	// The filter is optional, and the writer did not have it: bit 0 of the chunk's mask is set.
	p, err := filter.NewLazy([]filter.Spec{{ID: 32013, Optional: true}})
	if err != nil {
		fmt.Println(err)
		return
	}
	st := filter.NewState()
	defer st.Close()
	chunk := make([]byte, 3)
	fmt.Println(p.Decode(st, chunk, []byte{1, 2, 3}, 1), chunk)
	fmt.Println(p.Decode(st, chunk, []byte{1, 2, 3}, 0))
	// Output:
	// <nil> [1 2 3]
	// unsupported: filter 32013 (zfp) is not implemented
}
