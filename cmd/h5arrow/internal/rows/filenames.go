// Package rows has readers of record batches that change what another reader returns, and prints rows.
package rows

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Filename is the name of the column that AddFilenames adds.
const Filename = "filename"

// FilenameType is the type of that column.
var FilenameType = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

// File is a file and the number of rows that come from it.
type File struct {
	Name string
	Rows int64
}

// filenames adds the column to each batch. Its dictionary holds all files, so that it is the same for all batches.
type filenames struct {
	array.RecordReader
	schema *arrow.Schema
	names  arrow.Array
	files  []File
	first  int64
	row    int64 // of the next batch
	rec    arrow.RecordBatch
}

// AddFilenames adds to each batch a column with the name of the file that a row comes from. The rows are those of the
// files from row first on; where rr has RowNumbers, as an arrowmap.Reader has, these are counted from there. The returned reader owns rr; on errors, rr is released.
func AddFilenames(rr array.RecordReader, files []File, first int64) (array.RecordReader, error) {
	if rr.Schema().HasField(Filename) {
		rr.Release()
		return nil, h5err.New(h5err.Argument, "--filename: the table already has a column of that name")
	}
	f := &filenames{RecordReader: rr, files: files, first: first, row: first}
	md := rr.Schema().Metadata()
	fields := slices.Concat(rr.Schema().Fields(), []arrow.Field{{Name: Filename, Type: FilenameType, Nullable: true}})
	f.schema = arrow.NewSchema(fields, &md)
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for _, file := range files {
		b.Append(text.Printable(file.Name))
	}
	f.names = b.NewArray()
	return f, nil
}

// Schema is the schema with the added column.
func (f *filenames) Schema() *arrow.Schema { return f.schema }

// Next moves to the next batch.
func (f *filenames) Next() bool {
	f.drop()
	if !f.RecordReader.Next() {
		return false
	}
	rec := f.RecordReader.RecordBatch()
	b := array.NewInt32Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(int(rec.NumRows()))
	var numbers []int64
	if r, ok := f.RecordReader.(interface{ RowNumbers() []int64 }); ok {
		numbers = r.RowNumbers()
	}
	end, file := int64(0), -1
	for i := range rec.NumRows() {
		row := f.row
		if numbers != nil {
			row = f.first + numbers[i]
		}
		for row >= end {
			file++
			end += f.files[file].Rows
		}
		b.UnsafeAppend(int32(file))
		f.row++
	}
	indices := b.NewArray()
	defer indices.Release()
	column := array.NewDictionaryArray(FilenameType, indices, f.names)
	defer column.Release()
	f.rec = array.NewRecordBatch(f.schema, slices.Concat(rec.Columns(), []arrow.Array{column}), rec.NumRows())
	return true
}

func (f *filenames) drop() {
	if f.rec != nil {
		f.rec.Release()
		f.rec = nil
	}
}

// RecordBatch is the current batch.
func (f *filenames) RecordBatch() arrow.RecordBatch { return f.rec }

// Record is RecordBatch.
func (f *filenames) Record() arrow.RecordBatch { return f.rec }

// Release releases the batch and the reader below. It is called once.
func (f *filenames) Release() {
	f.drop()
	f.names.Release()
	f.RecordReader.Release()
}
