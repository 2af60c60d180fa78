package fileset

import (
	"context"
	"math"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Split is a range of rows of one file.
type Split struct {
	From, To int64 // rows of the table, as Slice takes them
	File     string
	FileFrom int64 // row of the table in that file that From is
	Bytes    int64 // about how many bytes of Arrow memory the rows take, with all columns
}

// Splits divides the rows, before conditions, into ranges that can be read on their own: each file at the borders of its chunks, into
// splits of about so many bytes, arrowmap.DefaultSplitBytes for 0, or so many that there are about count of them. A table without rows
// has none. It opens all files, unless that was done.
func (t *Table) Splits(ctx context.Context, count int, bytes int64) ([]Split, error) {
	if count < 0 || bytes < 0 || t.limit >= 0 {
		return nil, h5err.New(h5err.Argument, "a table with a limit, or a negative size of splits")
	}
	total, err := t.Rows(ctx)
	if err != nil {
		return nil, err
	}
	if count == 0 && bytes == 0 {
		bytes = arrowmap.DefaultSplitBytes
	}
	var out []Split
	first, end := t.span()
	for i := first; i < end; i++ {
		start, k := t.set.end(i-1), &t.set.files[i]
		a, b := max(t.from-start, 0), min(t.end(), k.end)-start
		n := int64(arrowmap.MaxSplits)
		if count > 0 {
			n = pass.CeilDiv(b-a, max(1, pass.CeilDiv(total, int64(count))))
		}
		if all, ok := pass.Product(b-a, k.bytes); ok && bytes > 0 {
			n = min(n, pass.CeilDiv(all, bytes))
		}
		for _, r := range pass.Cut(a, b, n, k.chunkRows) {
			if r[0] == r[1] {
				continue
			}
			s := Split{From: start + r[0] - t.from, To: start + r[1] - t.from, File: t.set.names[i], FileFrom: r[0]}
			var ok bool
			if s.Bytes, ok = pass.Product(r[1]-r[0], k.bytes); !ok {
				s.Bytes = math.MaxInt64
			}
			out = append(out, s)
		}
	}
	return out, nil
}
