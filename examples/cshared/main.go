//go:build cgo

// Command cshared is h5arrow as a C library: built with -buildmode=c-shared, it exports a function that opens a table and
// fills a struct ArrowArrayStream. read.py loads it into Python.
package main

// #include <stdint.h>
// #include <stdlib.h>
import "C"

import (
	"context"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/cdata"
	"github.com/h5arrow/h5arrow/h5/source"
)

// h5arrow_stream opens a table of a file ("" means its only table) and fills the struct ArrowArrayStream at out, whose bytes
// must be zero. It returns NULL, or an error message that the caller must free with free(3).
//
//export h5arrow_stream
func h5arrow_stream(path, table *C.char, out C.uintptr_t) *C.char {
	if err := stream(C.GoString(path), C.GoString(table), cdata.StreamFromPtr(uintptr(out))); err != nil {
		return C.CString(err.Error())
	}
	return nil
}

func stream(path, table string, out *cdata.Stream) error {
	f, err := arrowmap.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // the stream keeps what it needs
	t, err := f.Table(table)
	if err != nil {
		return err
	}
	return cdata.ExportTable(context.Background(), t, out)
}

// h5arrow_mappings returns the number of files that are mapped now.
//
//export h5arrow_mappings
func h5arrow_mappings() C.int { return C.int(source.LiveMappings()) }

func main() {} // required in a library, too, and not called
