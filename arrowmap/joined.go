package arrowmap

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype"
)

// joined is batches of which successive small ones are joined.
type joined struct {
	*chain
	rows    int64             // at most, of joined batches
	pending arrow.RecordBatch // was read and did not fit any more
	copied  []int64
}

const (
	joinedRows  = 1 << 16
	joinedBytes = 4 << 20
	maxLoose    = 256 // small batches that wait to be joined: each takes some KB
)

func newJoined(in *chain, o readOptions, rowBytes int64) *joined {
	rows := o.BatchRows
	if rows == 0 {
		bytes := int64(joinedBytes)
		for _, n := range []int64{o.BatchBytes, o.MaxMemory / 16} {
			if n > 0 {
				bytes = min(bytes, n)
			}
		}
		rows = max(1, min(joinedRows, bytes/max(1, rowBytes)))
	}
	return &joined{chain: in, rows: rows}
}

func (j *joined) next() (arrow.RecordBatch, error) {
	var list []arrow.RecordBatch
	rows, piles := int64(0), 0 // the first ones of the list are joined already
	release := func() {
		for _, rec := range list {
			rec.Release()
		}
	}
	for {
		rec := j.pending
		j.pending = nil
		if rec == nil {
			var err error
			if rec, err = j.chain.next(); err != nil {
				release()
				return nil, err
			}
			if rec == nil {
				break
			}
		}
		if len(list) > 0 && rows+rec.NumRows() > j.rows {
			j.pending = rec
			break
		}
		rows += rec.NumRows()
		list = append(list, rec)
		if len(list)-piles == maxLoose {
			pile, err := j.concat(list[piles:])
			if err != nil {
				release()
				return nil, err
			}
			for _, rec := range list[piles:] {
				rec.Release()
			}
			list = append(list[:piles], pile)
			piles++
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	if len(list) == 1 {
		return list[0], nil
	}
	defer release()
	return j.concat(list)
}

// concat joins batches.
func (j *joined) concat(list []arrow.RecordBatch) (arrow.RecordBatch, error) {
	rows := int64(0)
	for _, rec := range list {
		rows += rec.NumRows()
	}
	if j.copied == nil {
		j.copied = make([]int64, len(j.total))
	}
	columns := make([]arrow.Array, 0, len(j.total))
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	for i := range j.total {
		parts := make([]arrow.Array, len(list))
		for k, rec := range list {
			parts[k] = rec.Column(i)
		}
		c, err := array.Concatenate(parts, j.o.Alloc)
		if err != nil {
			return nil, err
		}
		j.copied[i] += int64(c.Data().SizeInBytes())
		columns = append(columns, c)
	}
	return array.NewRecordBatch(j.schema, columns, rows), nil
}

func (j *joined) close() {
	if j.pending != nil {
		j.pending.Release()
		j.pending = nil
	}
	j.chain.close()
}

func (j *joined) report() []ColumnReport {
	out := j.chain.report()
	for i, n := range j.copied {
		out[i].CopiedBytes += n
		if out[i].Reason == "" {
			out[i].Delivery, out[i].Reason = dtype.Decoded, "small groups are joined"
		}
	}
	return out
}
