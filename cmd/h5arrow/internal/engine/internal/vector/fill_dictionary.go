//go:build duckdb_arrow && cgo

package vector

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// dictionary reads indices.
type dictionary struct {
	index  int // bytes of one
	signed bool
	bytes  []byte
}

// indices writes rows [off,off+n) of an array of dictionary indices to sel; those of null rows become none. An index
// that is not below size is an error.
func (d *dictionary) indices(sel []duck.SelT, arr arrow.Array, off, n, size int, valid []byte, none duck.SelT) error {
	d.bytes = Room(d.bytes, 8*n)
	b := d.bytes[:n*d.index]
	CopyRows(b, arr, off, n, d.index)
	for i := range n {
		if IsNull(valid, i) {
			sel[i] = none
			continue
		}
		var k uint64
		switch d.index {
		case 1:
			k = uint64(b[i])
		case 2:
			k = uint64(arrow.Uint16Traits.CastFromBytes(b[2*i : 2*i+2])[0])
		case 4:
			k = uint64(arrow.Uint32Traits.CastFromBytes(b[4*i : 4*i+4])[0])
		default:
			k = arrow.Uint64Traits.CastFromBytes(b[8*i : 8*i+8])[0]
		}
		if k >= uint64(size) { // negative ones are too large as well
			return h5err.New(h5err.Corrupt, "index %d of a dictionary of %d values", k, size)
		}
		sel[i] = duck.SelT(k)
	}
	return nil
}

// dictionaryFiller creates dictionary vectors. The engine's vector of values is created once for each dictionary.
type dictionaryFiller struct {
	dictionary
	typ    arrow.DataType
	values Filler
	of     arrow.ArrayData // the dictionary that labels was created from
	labels duck.Vector     // the values, and a null after them
	size   int
	marks  nulls
}

func (f *dictionaryFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	d := arr.(*array.Dictionary)
	if f.of != arr.Data().Dictionary() {
		if err := f.label(d); err != nil {
			return err
		}
	}
	size := (n + 63) / 64 * 8
	var valid []byte
	if bits := Buffer(arr, 0); len(bits) > 0 {
		f.marks.bits = Room(f.marks.bits, size)
		if nullbitmap.Copy(f.marks.bits, 0, bits, arr.Data().Offset()+off, n) > 0 {
			valid = f.marks.bits
		}
	}
	// The engine keeps the selection as long as the vector that is created with it.
	sel := duck.CreateSelectionVector(duck.IdxT(n))
	defer duck.DestroySelectionVector(&sel)
	list := Selected(sel, n)
	if err := f.indices(list, arr, off, n, f.size, valid, duck.SelT(f.size)); err != nil {
		return err
	}
	duck.VectorReferenceVector(v, f.labels)
	duck.SliceVector(v, sel, duck.IdxT(n))
	return nil
}

// label creates the vector of values.
func (f *dictionaryFiller) label(d *array.Dictionary) error {
	f.drop()
	values := d.Dictionary()
	if values.Len() >= math.MaxInt32 {
		return h5err.New(h5err.Limit, "a dictionary of %d values", values.Len())
	}
	lt, err := LogicalType(f.typ)
	if err != nil {
		return err
	}
	defer duck.DestroyLogicalType(&lt)
	f.size = values.Len()
	f.labels = duck.CreateVector(lt, duck.IdxT(f.size+1))
	if err := f.values.Fill(values, 0, f.size, nil, f.labels); err != nil {
		return err
	}
	duck.VectorEnsureValidityWritable(f.labels)
	duck.ValiditySetRowInvalid(duck.VectorGetValidity(f.labels), duck.IdxT(f.size))
	f.of = d.Data().Dictionary()
	f.of.Retain()
	return nil
}

func (f *dictionaryFiller) drop() {
	duck.DestroyVector(&f.labels)
	if f.of != nil {
		f.of.Release()
		f.of = nil
	}
}

func (f *dictionaryFiller) Close() {
	f.drop()
	f.values.Close()
}

// expandedFiller writes the values of a dictionary in place of its indices.
type expandedFiller struct {
	nulls
	dictionary
	values Filler
	sel    []duck.SelT
}

func (f *expandedFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	d := arr.(*array.Dictionary).Dictionary()
	valid := f.write(arr, off, n, up, v)
	f.sel = Room(f.sel, n)
	if err := f.indices(f.sel, arr, off, n, d.Len(), valid, duck.SelT(math.MaxUint32)); err != nil {
		return err
	}
	t, ok := f.values.(*textFiller)
	if !ok {
		return h5err.New(h5err.Unsupported, "the SQL engine can't read a dictionary of %s inside another type", d.DataType())
	}
	if err := t.read(d, 0, d.Len()); err != nil {
		return err
	}
	out := textFiller{offsets: make([]int64, 1, n+1)}
	gone := make([]byte, (n+63)/64*8)
	missing := nullbitmap.Fill(gone, 0, n, true)
	for i, k := range f.sel {
		switch {
		case k == math.MaxUint32:
		case d.IsNull(int(k)): // a value that is null
			gone[i/8] &^= 1 << (i % 8)
			missing++
		default:
			out.bytes = append(out.bytes, t.bytes[t.offsets[k]:t.offsets[k+1]]...)
		}
		out.offsets = append(out.offsets, int64(len(out.bytes)))
	}
	out.put(n, v)
	if missing > 0 {
		if valid != nil {
			nullbitmap.And(gone, 0, valid, 0, n)
		}
		f.set(gone, v)
	}
	return nil
}
