package fileset

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Split is a range of rows of one file.
type Split struct {
	From, To int64 // rows of the table, as Slice takes them
	File     string
	FileFrom int64 // row of the table in that file that From is
	Bytes    int64 // about how many bytes of Arrow memory the rows take, with the selected columns
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
	rowBytes := t.rowBytes()
	for i := first; i < end; i++ {
		start, k := t.set.end(i-1), &t.set.files[i]
		row := rowBytes(k)
		a, b := max(t.from-start, 0), min(t.end(), k.end)-start
		n := int64(arrowmap.MaxSplits)
		if count > 0 {
			n = pass.CeilDiv(b-a, max(1, pass.CeilDiv(total, int64(count))))
		}
		if all, ok := pass.Product(b-a, row); ok && bytes > 0 {
			n = min(n, pass.CeilDiv(all, bytes))
		}
		for _, r := range pass.Cut(a, b, n, k.chunkRows) {
			if r[0] == r[1] {
				continue
			}
			s := Split{From: start + r[0] - t.from, To: start + r[1] - t.from, File: t.set.names[i], FileFrom: r[0]}
			var ok bool
			if s.Bytes, ok = pass.Product(r[1]-r[0], row); !ok {
				s.Bytes = math.MaxInt64
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// rowBytes returns a function that says about how many bytes a row of a file takes with the selected columns. Of columns of no fixed width,
// whose bytes are known together only, each is taken to have as many as the others.
func (t *Table) rowBytes() func(f *known) int64 {
	type width struct{ fixed, others, chosen, varying int64 }
	kinds := make([]width, len(t.set.kinds))
	for k, kind := range t.set.kinds {
		var chosen []arrow.Field
		for _, i := range t.at {
			if i < t.set.own && kind.at[i] >= 0 {
				chosen = append(chosen, kind.fields[kind.at[i]])
			}
		}
		w := &kinds[k]
		w.fixed, w.others = widths(kind.fields)
		w.chosen, w.varying = widths(chosen)
	}
	return func(f *known) int64 {
		w := kinds[f.kind]
		bytes := w.chosen
		if w.others > 0 {
			bytes += int64(float64(max(f.bytes-w.fixed, 0)) / float64(w.others) * float64(w.varying))
		}
		return max(min(bytes, f.bytes), 1)
	}
}

// widths returns how many bytes the columns of a fixed width take, and how many have none.
func widths(fields []arrow.Field) (bytes, others int64) {
	for _, f := range fields {
		if n, ok := values.FixedBytes(f.Type); ok {
			bytes += n
		} else {
			others++
		}
	}
	return bytes, others
}
