package main

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// form is what an output is to be.
type form uint8

const (
	_           form = iota
	arrowFile        // .arrow, .feather
	arrowStream      // .arrows, pipes and devices
	parquetFile      // .parquet
)

// formOf returns the form that an output's name asks for; special is that it names a pipe or a device.
func formOf(name string, special bool) (form, error) {
	switch suffix := strings.ToLower(filepath.Ext(name)); {
	case suffix == ".arrow" || suffix == ".feather":
		return arrowFile, nil
	case suffix == ".parquet":
		return parquetFile, nil
	case suffix == ".arrows" || special:
		return arrowStream, nil
	}
	return 0, usageAt(name, "this suffix says nothing about the form").
		WithHint("known are .arrow, .feather, .arrows and .parquet; - is a stream on stdout")
}

// codecs are the words of --compression: "" is what the form does by itself.
var codecs = []string{"none", "lz4", "zstd", "snappy"}

// encoding is how record batches become an output.
type encoding struct {
	form     form
	codec    string // one of codecs; "" is zstd for Parquet and none for Arrow
	workers  int
	rows     int64 // of a row group; 0: by bytes
	bytes    int64 // of a row group, about; 0: the usual
	memory   int64 // for what is being encoded, 0: no bound
	progress func(ipc.Stats)
}

// check refuses a codec that the form does not have.
func (e *encoding) check() error {
	if e.codec == "snappy" && e.form != parquetFile {
		return usage("--compression snappy is for Parquet").WithHint("Arrow has %s", strings.Join(codecs[:3], ", "))
	}
	return nil
}

// compresses tells whether the batches are encoded by workers, several at a time.
func (e *encoding) compresses() bool {
	return e.form == parquetFile || !slices.Contains([]string{"", "none"}, e.codec)
}

// parquetBatch is about how many bytes the batches of a row group have, which must not depend on the number of workers. A
// column of a batch takes about 1 KiB beside its values, so that batches of many columns are larger.
func parquetBatch(memory int64, columns int) int64 {
	wide := min(int64(columns)*4<<10, memory/8) // the reader's budget is twice that
	return max(512<<10, min(32<<20, max(memory/64, wide)))
}

// write writes all batches. What it counts as a batch is a row group in Parquet.
func (e *encoding) write(ctx context.Context, w io.Writer, rr array.RecordReader) (ipc.Stats, error) {
	if e.form == parquetFile {
		codec := parquet.Zstd
		if e.codec != "" {
			var err error
			if codec, err = parquet.ParseCompression(e.codec); err != nil {
				return ipc.Stats{}, err
			}
		}
		return parquet.Write(ctx, w, rr, parquet.WithCompression(codec), parquet.WithWorkers(e.workers), parquet.WithGroupRows(e.rows),
			parquet.WithGroupBytes(e.bytes), parquet.WithMaxMemory(e.memory), parquet.WithProgress(e.progress))
	}
	codec := ipc.None
	if e.codec != "" {
		var err error
		if codec, err = ipc.ParseCompression(e.codec); err != nil {
			return ipc.Stats{}, err
		}
	}
	format := ipc.Stream
	if e.form == arrowFile {
		format = ipc.File
	}
	return ipc.Write(ctx, w, format, rr, ipc.WithCompression(codec), ipc.WithWorkers(e.workers), ipc.WithProgress(e.progress))
}
