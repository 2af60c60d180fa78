package values

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/source"
)

// Sizes of batches that are joined of small ones.
const (
	joinedRows  = 1 << 16
	joinedBytes = 4 << 20
	maxLoose    = 256 // small batches that wait to be joined: each takes some KB
)

// JoinedRows is the number of rows up to which small batches are joined, for options of reading, which are 0 where they are not set,
// and rows of about so many bytes.
func JoinedRows(batchRows, batchBytes, maxMemory, rowBytes int64) int64 {
	if batchRows > 0 {
		return batchRows
	}
	bytes := int64(joinedBytes)
	for _, n := range []int64{batchBytes, maxMemory / 16} {
		if n > 0 {
			bytes = min(bytes, n)
		}
	}
	return max(1, min(joinedRows, bytes/max(1, rowBytes)))
}

// Joiner joins successive small batches of one schema.
type Joiner struct {
	Schema *arrow.Schema
	Alloc  memory.Allocator
	Next   func() (arrow.RecordBatch, error)   // returns a batch, which the Joiner releases, or nil at the end
	Copied func(column int, array arrow.Array) // is called for each column that was joined, unless it is nil
	loose  arrow.RecordBatch                   // was read and did not fit into the batch before
}

// Batch returns the next batch, nil at the end. It has more than so many rows only if Next returned it. After enough rows no other batch is
// read.
func (j *Joiner) Batch(limit, enough int64) (arrow.RecordBatch, error) {
	var list []arrow.RecordBatch
	defer func() { releaseAll(list) }()
	rows, piles := int64(0), 0 // the first ones of the list are joined already
	for rows < enough {
		rec, err := j.take()
		if err != nil {
			return nil, err
		}
		if rec == nil {
			break
		}
		if len(list) > 0 && rows+rec.NumRows() > limit {
			j.loose = rec
			break
		}
		list, rows = append(list, rec), rows+rec.NumRows()
		if len(list)-piles == maxLoose {
			pile, err := j.concat(list[piles:])
			if err != nil {
				return nil, err
			}
			releaseAll(list[piles:])
			list = append(list[:piles], pile)
			piles++
		}
	}
	switch len(list) {
	case 0:
		return nil, nil
	case 1:
		list[0].Retain()
		return list[0], nil
	}
	return j.concat(list)
}

// take returns the batch that did not fit before, or the next one.
func (j *Joiner) take() (arrow.RecordBatch, error) {
	if rec := j.loose; rec != nil {
		j.loose = nil
		return rec, nil
	}
	return j.Next()
}

// Release gives up a batch that was read and not returned.
func (j *Joiner) Release() {
	if j.loose != nil {
		j.loose.Release()
		j.loose = nil
	}
}

// concat returns a batch of the rows of all these.
func (j *Joiner) concat(list []arrow.RecordBatch) (arrow.RecordBatch, error) {
	rows := int64(0)
	for _, rec := range list {
		rows += rec.NumRows()
	}
	columns := make([]arrow.Array, 0, j.Schema.NumFields())
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	parts := make([]arrow.Array, len(list))
	for i := range j.Schema.NumFields() {
		for k, rec := range list {
			parts[k] = rec.Column(i)
		}
		err := source.Guard(func() error {
			c, err := array.Concatenate(parts, j.Alloc)
			if err == nil {
				columns = append(columns, c)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if j.Copied != nil {
			j.Copied(i, columns[i])
		}
	}
	return array.NewRecordBatch(j.Schema, columns, rows), nil
}

func releaseAll(list []arrow.RecordBatch) {
	for _, rec := range list {
		rec.Release()
	}
}
