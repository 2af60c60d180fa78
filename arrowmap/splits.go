package arrowmap

import (
	"maps"
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"

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
	if err := t.consistent(); err != nil {
		return nil, err
	}
	total := t.Rows()
	pieces, err := t.pieces()
	if err != nil {
		return nil, err
	}
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

// pieces are tables of one file each that together have the rows of t, in order; one without rows where t has none.
func (t *Table) pieces() ([]*Table, error) {
	if t.parts == nil {
		return []*Table{t}, nil
	}
	var out []*Table
	start, end := int64(0), t.from+t.Rows()
	for _, p := range t.parts {
		rows := p.Rows()
		a, b := max(t.from-start, 0), min(end-start, rows)
		start += rows
		if a >= b && (start < end || len(out) > 0) {
			continue
		}
		piece, err := p.Slice(min(a, rows), max(b, min(a, rows)))
		if err != nil {
			return nil, err
		}
		more, err := piece.pieces()
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// splits divides a table of one file. total is the number of rows that the splits of all files are to hold.
func (t *Table) splits(o *splitOptions, total int64) ([]Split, error) {
	foot := t.Footprint()
	from, rows := t.from, t.Rows()
	n := int64(MaxSplits)
	if o.count > 0 { // this file's share: the splits of all files have about total/count rows
		n = ceilDiv(rows, max(1, ceilDiv(total, int64(o.count))))
	}
	if bytes, ok := product(rows, foot.Bytes); ok && o.bytes > 0 {
		n = min(n, ceilDiv(bytes, o.bytes))
	}
	var stored storage
	var splits []Split
	for _, r := range cut(from, from+rows, n, foot.ChunkRows) {
		s := Split{From: r[0] - from, To: r[1] - from, File: t.f.f.Name(), FileFrom: r[0]}
		var ok bool
		if s.Bytes, ok = product(r[1]-r[0], foot.Bytes); !ok {
			s.Bytes = math.MaxInt64
		}
		if o.stored {
			var err error
			if s.StoredBytes, err = stored.bytes(t, r[0], r[1]); err != nil {
				return nil, err
			}
		}
		splits = append(splits, s)
	}
	return splits, nil
}

// cut divides the rows [a,b) into n ranges or fewer, which end at multiples of step where step is above 0, else at
// multiples of 64. No rows are one range.
func cut(a, b, n, step int64) [][2]int64 {
	if step <= 0 {
		step = 64
	}
	if n <= 1 || a >= b {
		return [][2]int64{{a, b}}
	}
	start := a - a%step // a range is a multiple of step from here
	size := max(ceilDiv(ceilDiv(b-start, n), step), 1) * step
	var ranges [][2]int64
	for a < b {
		end := b
		if b-start > size { // then start+size does not overflow
			end = start + size
		}
		ranges = append(ranges, [2]int64{a, end})
		a, start = end, end
	}
	return ranges
}

func ceilDiv(a, b int64) int64 {
	if a <= 0 {
		return 0
	}
	return (a-1)/b + 1
}

// product is a*b of numbers that are not negative; ok is false when it overflows.
func product(a, b int64) (n int64, ok bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(lo), hi == 0 && lo <= math.MaxInt64
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
	seen := map[place]bool{}
	for _, c := range t.columns {
		if c.Err != nil {
			continue
		}
		n, exact := fixedBytes(c.Type)
		if !exact {
			n = c.node.width()
		}
		f.Bytes += n
		f.Exact = f.Exact && exact && c.Nulls == nil
		switch {
		case c.Delivery != dtype.Mapped:
			f.Copied += n
		case c.Nulls != nil && c.Nulls.Delivery != dtype.Mapped:
			f.Copied++
		}
		c.node.wants(0, 0, func(of rowsOf, _, _ int64, _ func([]byte) bool) {
			l, err := of.ds.Layout()
			if err != nil || l.Storage != h5.StorageChunked || seen[of.place()] {
				return
			}
			seen[of.place()] = true
			f.ChunkBytes += l.ChunkBytes
			if dim := of.rowDim(); dim < len(l.ChunkDims) && of.ds.Dims()[dim] == uint64(c.node.rows()) {
				f.ChunkRows = max(f.ChunkRows, int64(min(l.ChunkDims[dim], 1<<40)))
			}
		})
	}
	f.Bytes = max(f.Bytes, 1)
	return f
}

// fixedBytes is the size of a value of a type whose values take the same whole number of bytes each; exact is false for
// other types.
func fixedBytes(t arrow.DataType) (n int64, exact bool) {
	switch t := t.(type) {
	case *arrow.BooleanType, *arrow.DictionaryType:
		return 0, false
	case *arrow.FixedSizeListType:
		n, exact = fixedBytes(t.Elem())
		return n * int64(t.Len()), exact
	case *arrow.StructType:
		for _, f := range t.Fields() {
			m, ok := fixedBytes(f.Type)
			if !ok {
				return 0, false
			}
			n += m
		}
		return n, true
	case arrow.ExtensionType:
		return fixedBytes(t.StorageType())
	case arrow.FixedWidthDataType:
		return int64(t.Bytes()), true
	}
	return 0, false
}

// rowDim is the dimension that counts the rows of a dataset.
func (of rowsOf) rowDim() int {
	dims := of.ds.Dims()
	dim := 0
	for of.squeeze && dim < len(dims)-1 && dims[dim] == 1 {
		dim++
	}
	return dim
}

// storage finds out how many stored bytes rows have. It keeps what it learned of each dataset.
type storage struct {
	datasets map[place]*stored
}

// bytes is the number of stored bytes of the rows [a,b) of a table of one file. Chunks count whole. Text, lists and other
// values that are found through offsets count by their share of the rows, rows that are datasets of their own as if they
// were not compressed. Values in the file's heaps do not count.
func (s *storage) bytes(t *Table, a, b int64) (n int64, err error) {
	asked := map[place][2]int64{}
	datasets := map[place]rowsOf{}
	add := func(of rowsOf, lo, hi int64, _ func([]byte) bool) {
		at := of.place()
		if x, ok := asked[at]; ok {
			lo, hi = min(lo, x[0]), max(hi, x[1])
		}
		asked[at], datasets[at] = [2]int64{lo, hi}, of
	}
	for _, c := range t.columns {
		c.node.wants(a, b, add)
		switch d := c.node.(type) {
		case *dictionaryNode: // every reader needs all labels
			d.labels.wants(0, d.labels.rows(), add)
		case *cellsNode:
			n += (d.sum[b] - d.sum[a]) * int64(d.def.Type.Size)
		}
		scattered(c.node, func(of rowsOf) {
			d, e := s.dataset(of)
			if e != nil {
				err = e
				return
			}
			n += share(d.between(0, d.rows), b-a, c.node.rows())
		})
	}
	for at, rows := range asked {
		d, e := s.dataset(datasets[at])
		if e != nil {
			return 0, e
		}
		n += d.between(rows[0], rows[1])
	}
	return n, err
}

// scattered calls add for the datasets of which a column reads rows that only other values tell: wants does not name them.
func scattered(n node, add func(of rowsOf)) {
	switch n := n.(type) {
	case *derivedNode:
		scattered(n.node, add)
	case *stringsNode:
		add(rows(n.data))
	case *transposedNode:
		add(rows(n.ds))
	case *listNode:
		for _, item := range n.items {
			item.wants(0, item.rows(), func(of rowsOf, _, _ int64, _ func([]byte) bool) { add(of) })
			scattered(item, add)
		}
	}
}

// share is n*part/all, for part of all.
func share(n, part, all int64) int64 {
	if part >= all {
		return n
	}
	hi, lo := bits.Mul64(uint64(n), uint64(part))
	q, _ := bits.Div64(hi, lo, uint64(all))
	return int64(q)
}

// stored is how many bytes of a file the rows of a dataset take.
type stored struct {
	rows  int64
	row   int64  // bytes of a row where storage is not chunked
	chunk int64  // rows of a chunk, 0 where storage is not chunked
	bands []band // with a chunk, in order
}

// band is the chunks that hold the same rows.
type band struct {
	number int64 // the first row divided by the rows of a chunk
	end    int64 // stored bytes of this band and all before it
}

func (s *storage) dataset(of rowsOf) (*stored, error) {
	if d := s.datasets[of.place()]; d != nil {
		return d, nil
	}
	d, err := storedOf(of)
	if err != nil {
		return nil, err
	}
	if s.datasets == nil {
		s.datasets = map[place]*stored{}
	}
	s.datasets[of.place()] = d
	return d, nil
}

func storedOf(of rowsOf) (*stored, error) {
	l, err := of.ds.Layout()
	if err != nil {
		return nil, err
	}
	dims, dim := of.ds.Dims(), of.rowDim()
	d := &stored{rows: of.ds.Rows()}
	if of.squeeze && dim < len(dims) {
		d.rows = int64(dims[dim])
	}
	switch {
	case l.Storage == h5.StorageNone:
	case l.Storage == h5.StorageChunked && dim < len(dims):
		err = d.index(of.ds, dims, l.ChunkDims, dim)
	default:
		d.row, err = of.ds.RowBytes()
		for _, n := range dims[min(1, len(dims)):min(dim+1, len(dims))] { // a row of the squeezed shape is less
			d.row /= max(1, int64(n))
		}
	}
	return d, err
}

// index adds up the stored bytes of chunks, by the rows that they hold. The dimensions before dim have one element.
func (d *stored) index(ds *h5.Dataset, dims, chunk []uint64, dim int) error {
	across := uint64(1) // chunks that hold the same rows
	for i := dim + 1; i < len(dims); i++ {
		across *= (dims[i]-1)/chunk[i] + 1
	}
	d.chunk = int64(min(chunk[dim], math.MaxInt64))
	bytes := map[int64]int64{}
	err := ds.EachChunk(func(c h5.Chunk) error {
		bytes[int64(c.Number/across)] += c.Size
		return nil
	})
	for _, number := range slices.Sorted(maps.Keys(bytes)) {
		d.bands = append(d.bands, band{number, bytes[number]})
	}
	for i := range d.bands[min(1, len(d.bands)):] {
		d.bands[i+1].end += d.bands[i].end
	}
	return err
}

// between is the stored bytes of the rows [lo,hi), of whole chunks.
func (d *stored) between(lo, hi int64) int64 {
	if d.chunk == 0 || lo >= hi {
		return d.row * max(0, hi-lo)
	}
	until := func(number int64) int64 { // bytes of the bands before this one
		i := sort.Search(len(d.bands), func(i int) bool { return d.bands[i].number >= number })
		if i == 0 {
			return 0
		}
		return d.bands[i-1].end
	}
	return until((hi-1)/d.chunk+1) - until(lo/d.chunk)
}
