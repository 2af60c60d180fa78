package arrowmap

import (
	"math"

	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Split is a range of rows of a table that can be read on its own, by another process or machine too.
type Split struct {
	From, To int64 // rows [From, To) of the table, as Slice takes them

	File     string // name of the file that holds the rows
	FileFrom int64  // row of the table in that file that From is

	Bytes       int64 // about how many bytes of Arrow memory the rows take (Footprint)
	StoredBytes int64 // bytes of the file to read for them; 0 without WithStoredBytes
}

// SplitOption sets how Splits divides a table.
type SplitOption func(*splitOptions) error

type splitOptions struct {
	count  int
	bytes  int64
	stored bool
}

// DefaultSplitBytes is the size of a split in Arrow memory where no option sets another.
const DefaultSplitBytes = 128 << 20

// MaxSplits is the largest number of splits of one file's table.
const MaxSplits = 1 << 20

// WithSplitCount divides the rows into at most n splits; each further file of a table of several files may add one. They
// are of about equal size, as large as n allows, or as WithSplitBytes says where that gives fewer. Zero sets no number;
// more than MaxSplits is an Argument error.
func WithSplitCount(n int) SplitOption {
	return func(o *splitOptions) error {
		if n < 0 || n > MaxSplits {
			return h5err.New(h5err.Argument, "%d splits", n).WithHint("choose 1 to %d", MaxSplits)
		}
		o.count = n
		return nil
	}
}

// WithSplitBytes sets about how many bytes of Arrow memory a split takes. Zero means DefaultSplitBytes, or what follows from
// WithSplitCount.
func WithSplitBytes(n int64) SplitOption {
	return func(o *splitOptions) error {
		if n < 0 {
			return h5err.New(h5err.Argument, "splits of %d bytes", n)
		}
		o.bytes = n
		return nil
	}
}

// WithStoredBytes fills in StoredBytes. It reads the chunk indexes of the table's datasets.
func WithStoredBytes() SplitOption {
	return func(o *splitOptions) error {
		o.stored = true
		return nil
	}
}

// Splits divides the table's rows, in order and without gaps, into ranges that can be read in parallel. Splits end where
// chunks of the column with the tallest chunks do, or else at multiples of 64 rows of the file; so there may be fewer of
// them than asked for. The rows of one split are in one file: a table of several files has at least one split for each
// file with rows. A table without rows has one split without rows. The result depends on the file and the options only.
//
// It returns an error for a table with a column that can't be read, as Reader does.
func (t *Table) Splits(opts ...SplitOption) ([]Split, error) {
	o := splitOptions{}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if o.bytes == 0 && o.count == 0 {
		o.bytes = DefaultSplitBytes
	}
	pieces, err := t.pieces()
	if err != nil {
		return nil, err
	}
	total := t.Rows()
	var splits []Split
	at := int64(0)
	for _, p := range pieces {
		part, err := p.splits(&o, total)
		if err != nil {
			return nil, err
		}
		for _, s := range part {
			s.From, s.To = s.From+at, s.To+at
			splits = append(splits, s)
		}
		at += p.Rows()
	}
	return splits, nil
}

// splits divides a table of one file. total is the number of rows that the splits of all files are to hold.
func (t *Table) splits(o *splitOptions, total int64) ([]Split, error) {
	foot := t.Footprint()
	from, rows := t.from, t.Rows()
	n := int64(MaxSplits)
	if o.count > 0 { // this file's share: the splits of all files have about total/count rows
		n = pass.CeilDiv(rows, max(1, pass.CeilDiv(total, int64(o.count))))
	}
	if bytes, ok := pass.Product(rows, foot.Bytes); ok && o.bytes > 0 {
		n = min(n, pass.CeilDiv(bytes, o.bytes))
	}
	var stored node.Storage
	var splits []Split
	for _, r := range pass.Cut(from, from+rows, n, foot.ChunkRows) {
		s := Split{From: r[0] - from, To: r[1] - from, File: t.f.f.Name(), FileFrom: r[0]}
		var ok bool
		if s.Bytes, ok = pass.Product(r[1]-r[0], foot.Bytes); !ok {
			s.Bytes = math.MaxInt64
		}
		if b, ok := t.body.(*stack); ok && o.stored {
			var err error
			if s.StoredBytes, err = b.storedBytes(r[0], r[1]); err != nil {
				return nil, err
			}
		} else if o.stored {
			var err error
			if s.StoredBytes, err = stored.Bytes(t.nodes(), r[0], r[1]); err != nil {
				return nil, err
			}
		}
		splits = append(splits, s)
	}
	return splits, nil
}

// Footprint describes the memory that a table's rows take.
type Footprint struct {
	Bytes  int64 // bytes of Arrow memory of a row, at least 1; an average or estimate where rows differ
	Exact  bool  // every row takes exactly Bytes
	Copied int64 // of Bytes and of the nulls, what is decoded or converted; the rest is mapped

	ChunkRows  int64 // rows of the tallest chunk of the columns' datasets, 0 without chunks
	ChunkBytes int64 // bytes of one decoded chunk of each chunked dataset, together
}

// Footprint returns what a row of the table takes. It reads no values and no chunk index. Columns that can't be read
// do not count. Of a table of several files it describes the first.
func (t *Table) Footprint() Footprint {
	f := Footprint{Exact: true}
	seen := map[node.Place]bool{}
	for _, c := range t.columns {
		if c.Err != nil {
			continue
		}
		n, exact := values.FixedBytes(c.Type)
		if !exact {
			n = c.node.Describe().RowBytes
		}
		f.Bytes += n
		f.Exact = f.Exact && exact && c.Nulls == nil
		switch {
		case c.Delivery != dtype.Mapped:
			f.Copied += n
		case c.Nulls != nil && c.Nulls.Delivery != dtype.Mapped:
			f.Copied++
		}
		c.node.Wants(0, 0, func(d node.Dataset, _, _ int64, _ func([]byte) bool) {
			l, err := d.Layout()
			if err != nil || l.Storage != h5.StorageChunked || seen[d.Place()] {
				return
			}
			seen[d.Place()] = true
			f.ChunkBytes += l.ChunkBytes
			f.ChunkRows = max(f.ChunkRows, d.ChunkRows(l, c.rows()))
		})
	}
	f.Bytes = max(f.Bytes, 1)
	return f
}
