package main

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// filenameColumn is the name of the column that --filename adds.
const filenameColumn = "filename"

// fileRows is a file and how many rows it gives.
type fileRows struct {
	name string
	rows int64
}

// filenames adds to each batch a dictionary column with the name of the file that a row comes from. The dictionary holds
// all files, so that it is the same for all batches.
type filenames struct {
	array.RecordReader
	schema *arrow.Schema
	typ    *arrow.DictionaryType
	names  arrow.Array
	files  []fileRows
	row    int64 // of the next batch
	rec    arrow.RecordBatch
}

func addFilenames(rr array.RecordReader, files []fileRows, first int64) (array.RecordReader, error) {
	if rr.Schema().HasField(filenameColumn) {
		return nil, usage("--filename: the table has a column of that name already")
	}
	f := &filenames{RecordReader: rr, files: files, row: first,
		typ: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}}
	md := rr.Schema().Metadata()
	fields := slices.Concat(rr.Schema().Fields(), []arrow.Field{{Name: filenameColumn, Type: f.typ, Nullable: true}})
	f.schema = arrow.NewSchema(fields, &md)
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for _, file := range files {
		b.Append(printable(file.name))
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
	end, file := int64(0), -1
	for range rec.NumRows() {
		for f.row >= end {
			file++
			end += f.files[file].rows
		}
		b.UnsafeAppend(int32(file))
		f.row++
	}
	indices := b.NewArray()
	defer indices.Release()
	column := array.NewDictionaryArray(f.typ, indices, f.names)
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
