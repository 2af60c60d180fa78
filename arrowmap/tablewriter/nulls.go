package tablewriter

import (
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/write"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// nulls is the dataset of a column's nulls. It is made when the first null arrives, and not at all without one.
type nulls struct {
	w     *output
	path  string
	rows  uint64   // of the column, or write.Unknown
	mask  *h5.Type // of a mask; nil: a bitmap
	dims  []uint64 // of the items of a row, for masks
	items int      // of a row

	d    *write.Dataset
	made func() error // called when the dataset has been made
	n    uint64       // rows so far
	bits []byte       // of a bitmap, that have not been written
	have int          // number of bits
}

// nulls returns where nulls of a column go.
func (w *output) nulls(x nulls) (*nulls, error) {
	x.w = w
	if w.old == nil {
		return &x, nil
	}
	return &x, x.resume()
}

// add adds the nulls of n rows, as package encode makes them: a byte for each item or a bit for each row; none if nothing is null.
func (x *nulls) add(p []byte, n int) error {
	if p == nil && x.d == nil {
		x.n += uint64(n)
		return nil
	}
	if x.d == nil {
		if err := x.make(); err != nil {
			return err
		}
		before := x.n
		x.n = 0
		for before > 0 {
			part := min(before, 1<<20)
			if err := x.append(nil, int(part)); err != nil {
				return err
			}
			before -= part
		}
	}
	return x.append(p, n)
}

func (x *nulls) make() (err error) {
	rows, t := x.rows, x.mask
	if t == nil {
		t = byteType()
		if rows != write.Unknown {
			rows = (rows + 7) / 8
		}
	}
	chunk := x.w.o.ChunkRows
	if x.mask == nil {
		chunk = (chunk + 7) / 8
	}
	if x.d, err = x.w.f.Dataset(x.path, x.w.spec(t, rows, x.dims, chunk)); err == nil && x.made != nil {
		err = x.made()
	}
	return err
}

func (x *nulls) append(p []byte, n int) error {
	x.n += uint64(n)
	if x.mask != nil {
		if p == nil {
			p = make([]byte, n*x.items)
		}
		return x.d.Write(p)
	}
	for len(x.bits) < (x.have+n+7)/8 {
		x.bits = append(x.bits, 0)
	}
	if p != nil {
		nullbitmap.Copy(x.bits, x.have, p, 0, n)
	} else {
		nullbitmap.Fill(x.bits, x.have, n, true)
	}
	x.have += n
	whole := x.have / 8
	if err := x.d.Write(x.bits[:whole]); err != nil {
		return err
	}
	rest := copy(x.bits, x.bits[whole:])
	x.bits, x.have = x.bits[:rest], x.have%8
	return nil
}

// finish writes the bits of the last rows.
func (x *nulls) finish() error {
	if x.d == nil || x.have == 0 {
		return nil
	}
	nullbitmap.ClearTrailing(x.bits, x.have)
	return x.d.Write(x.bits[:1])
}
