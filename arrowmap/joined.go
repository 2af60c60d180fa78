package arrowmap

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/dtype"
)

// joined is batches of which successive small ones are joined.
type joined struct {
	*chain
	rows   int64 // at most, of joined batches
	joiner values.Joiner
	copied []int64
}

func newJoined(in *chain, o readOptions, rowBytes int64) *joined {
	j := &joined{chain: in, rows: values.JoinedRows(o.BatchRows, o.BatchBytes, o.MaxMemory, rowBytes)}
	j.joiner = values.Joiner{Schema: in.schema, Alloc: in.o.Alloc, Next: in.next, Copied: j.count}
	return j
}

func (j *joined) next() (arrow.RecordBatch, error) { return j.joiner.Batch(j.rows, math.MaxInt64) }

// count counts what joining has copied.
func (j *joined) count(column int, arr arrow.Array) {
	if j.copied == nil {
		j.copied = make([]int64, len(j.total))
	}
	j.copied[column] += int64(arr.Data().SizeInBytes())
}

func (j *joined) close() {
	j.joiner.Release()
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
