package node

import (
	"maps"
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/h5arrow/h5arrow/h5"
)

// Storage finds out how many stored bytes rows have. It keeps what it learned of each dataset.
type Storage struct {
	datasets map[Place]*stored
}

// Bytes is the number of stored bytes that rows [a,b) of some columns of one file need. Chunks count whole. Text, lists and other
// values that are found through offsets count by their share of the rows, rows that are datasets of their own as if they
// were not compressed. Values in the file's heaps do not count.
func (s *Storage) Bytes(columns []Node, a, b int64) (n int64, err error) {
	asked := map[Place][2]int64{}
	datasets := map[Place]Dataset{}
	add := func(d Dataset, lo, hi int64, _ func([]byte) bool) {
		at := d.Place()
		if x, ok := asked[at]; ok {
			lo, hi = min(lo, x[0]), max(hi, x[1])
		}
		asked[at], datasets[at] = [2]int64{lo, hi}, d
	}
	for _, c := range columns {
		c.Wants(a, b, add)
		switch c := c.(type) {
		case *dictionary: // every reader needs all labels
			c.labels.Wants(0, c.labels.Describe().Rows, add)
		case *cells:
			n += (c.sum[b] - c.sum[a]) * int64(c.def.Type.Size)
		}
		scattered(c, func(d Dataset) {
			st, e := s.dataset(d)
			if e != nil {
				err = e
				return
			}
			n += share(st.between(0, st.rows), b-a, c.Describe().Rows)
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

// Datasets calls add for the datasets that rows [a,b) of a column need, possibly several times.
func Datasets(n Node, a, b int64, add func(d Dataset)) {
	all := func(d Dataset, _, _ int64, _ func([]byte) bool) { add(d) }
	n.Wants(a, b, all)
	if d, ok := n.(*dictionary); ok {
		d.labels.Wants(0, d.labels.Describe().Rows, all)
	}
	scattered(n, add)
}

// scattered calls add for the datasets of which a column reads rows that only other values tell: Wants does not name them.
func scattered(n Node, add func(d Dataset)) {
	switch n := n.(type) {
	case *derived:
		scattered(n.of, add)
	case *fields:
		for _, f := range n.of {
			scattered(f, add)
		}
	case *computed:
		for _, f := range n.of {
			f.Wants(0, f.Describe().Rows, func(d Dataset, _, _ int64, _ func([]byte) bool) { add(d) })
			scattered(f, add)
		}
	case *dictionary:
		scattered(n.indices, add)
	case *padded:
		scattered(n.of, add)
	case *grouped:
		scattered(n.of, add)
	case *masked:
		scattered(n.of, add)
	case *taken:
		n.of.Wants(0, n.of.Describe().Rows, func(d Dataset, _, _ int64, _ func([]byte) bool) { add(d) })
		scattered(n.of, add)
	case *spread:
		n.of.Wants(0, n.of.Describe().Rows, func(d Dataset, _, _ int64, _ func([]byte) bool) { add(d) })
		scattered(n.of, add)
	case *text:
		add(of(n.data))
	case *transposed:
		add(of(n.ds))
	case *list:
		for _, item := range n.items {
			item.Wants(0, item.Describe().Rows, func(d Dataset, _, _ int64, _ func([]byte) bool) { add(d) })
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

func (s *Storage) dataset(d Dataset) (*stored, error) {
	if st := s.datasets[d.Place()]; st != nil {
		return st, nil
	}
	st, err := storedOf(d)
	if err != nil {
		return nil, err
	}
	if s.datasets == nil {
		s.datasets = map[Place]*stored{}
	}
	s.datasets[d.Place()] = st
	return st, nil
}

func storedOf(ds Dataset) (*stored, error) {
	l, err := ds.Layout()
	if err != nil {
		return nil, err
	}
	dims, dim := ds.Dims(), ds.RowDim()
	d := &stored{rows: ds.Rows()}
	if ds.Squeeze && dim < len(dims) {
		d.rows = int64(dims[dim])
	}
	switch {
	case l.Storage == h5.StorageNone:
	case ds.Order != nil:
		err = d.cells(ds, l)
	case l.Storage == h5.StorageChunked && dim < len(dims):
		err = d.index(ds.Dataset, dims, l.ChunkDims, dim)
	default:
		d.row, err = ds.RowBytes()
		for _, n := range dims[min(1, len(dims)):min(dim+1, len(dims))] { // a row of the squeezed shape is less
			d.row /= max(1, int64(n))
		}
	}
	return d, err
}

// cells adds up the stored bytes of cells: those of a chunk are where its first cell is.
func (d *stored) cells(ds Dataset, l *h5.Layout) (err error) {
	dims, o := ds.Dims(), ds.Order
	d.rows = o.Cells()
	if l.Storage != h5.StorageChunked {
		d.row, err = ds.RowBytes()
		for _, n := range dims[1:len(o.Shape())] { // a cell is less than a row
			d.row /= max(1, int64(n))
		}
		return err
	}
	d.chunk = o.BlockCells()
	bytes := map[int64]int64{}
	start, at := make([]uint64, len(dims)), make([]int64, len(o.Shape()))
	err = ds.EachChunk(func(c h5.Chunk) error {
		l.ChunkStart(c.Number, dims, start)
		for i, n := range o.Shape() {
			if at[i] = int64(start[i]); at[i] >= n {
				return nil
			}
		}
		bytes[o.Row(at)/d.chunk] += c.Size
		return nil
	})
	d.add(bytes)
	return err
}

// add adds bands that have so many bytes.
func (d *stored) add(bytes map[int64]int64) {
	for _, number := range slices.Sorted(maps.Keys(bytes)) {
		d.bands = append(d.bands, band{number, bytes[number]})
	}
	for i := range d.bands[min(1, len(d.bands)):] {
		d.bands[i+1].end += d.bands[i].end
	}
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
	d.add(bytes)
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
