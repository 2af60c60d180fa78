//go:build cgo

package cdata

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/cdata"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// ImportReader returns the batches of a stream, which it moves: in is empty afterwards. What a producer's struct says of its
// memory is trusted. Errors of the producer are I/O errors. Release releases the stream.
func ImportReader(in *Stream) (rr array.RecordReader, err error) {
	defer func() {
		if p := recover(); p != nil { // types that arrow-go does not know
			err = h5err.New(h5err.Unsupported, "a stream of Arrow data: %v", p)
		}
	}()
	r, err := cdata.ImportCRecordReader(in, nil)
	if err != nil {
		return nil, h5err.Wrap(h5err.IO, err, "a stream of Arrow data")
	}
	rr, ok := r.(array.RecordReader)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "a stream of Arrow data of type %s", fmt.Sprintf("%T", r))
	}
	return rr, nil
}
