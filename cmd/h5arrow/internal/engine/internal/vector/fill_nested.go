//go:build duckdb_arrow && cgo

package vector

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Entry is the engine's position of a list among the items.
type Entry struct{ Offset, Length uint64 }

// listFiller writes lists.
type listFiller struct {
	nulls
	width   int
	child   Filler
	offsets []int64
	narrow  []int32
}

func (f *listFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	f.offsets = Room(f.offsets, n+1)
	values := arr.(array.ListLike).ListValues()
	if err := readOffsets(f.offsets, &f.narrow, Buffer(arr, 1), arr.Data().Offset()+off, f.width, int64(values.Len())); err != nil {
		return err
	}
	valid := f.write(arr, off, n, up, v)
	first, all := f.offsets[0], f.offsets[n]-f.offsets[0]
	if err := reserve(v, all); err != nil {
		return err
	}
	out := Memory[Entry](duck.VectorGetData(v), n)
	for i := range out {
		out[i] = Entry{uint64(f.offsets[i] - first), uint64(f.offsets[i+1] - f.offsets[i])}
		if IsNull(valid, i) {
			out[i] = Entry{}
		}
	}
	return f.child.Fill(values, int(first), int(all), nil, duck.ListVectorGetChild(v))
}

// reserve makes room for n items of the lists of v.
func reserve(v duck.Vector, n int64) error {
	if duck.ListVectorReserve(v, duck.IdxT(n)) != duck.StateSuccess || duck.ListVectorSetSize(v, duck.IdxT(n)) != duck.StateSuccess {
		return h5err.New(h5err.Memory, "the SQL engine has no room for %d items of lists", n)
	}
	return nil
}

func (f *listFiller) Close() { f.child.Close() }

// arrayFiller writes lists of fixed size.
type arrayFiller struct {
	nulls
	items int
	list  bool // as LIST
	child Filler
	bits  []byte
}

func (f *arrayFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	valid := f.write(arr, off, n, up, v)
	first, all := (arr.Data().Offset()+off)*f.items, n*f.items
	values := arr.(array.ListLike).ListValues()
	if first+all > values.Len() {
		return h5err.New(h5err.Corrupt, "%d lists of %d items of %d", n, f.items, values.Len())
	}
	if f.list {
		if err := reserve(v, int64(all)); err != nil {
			return err
		}
		for i, out := 0, Memory[Entry](duck.VectorGetData(v), n); i < n; i++ {
			out[i] = Entry{uint64(i * f.items), uint64(f.items)}
		}
		return f.child.Fill(values, first, all, nil, duck.ListVectorGetChild(v))
	}
	var below []byte
	if valid != nil { // the engine requires the items of a null array to be null
		f.bits = Room(f.bits, (all+63)/64*8)
		nullbitmap.Repeat(f.bits, 0, valid, 0, n, f.items, nullbitmap.Overwrite)
		below = f.bits
	}
	return f.child.Fill(values, first, all, below, duck.ArrayVectorGetChild(v))
}

func (f *arrayFiller) Close() { f.child.Close() }

// structFiller writes structs.
type structFiller struct {
	nulls
	children []Filler
}

func (f *structFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	valid := f.write(arr, off, n, up, v)
	s := arr.(*array.Struct)
	for i, c := range f.children {
		if err := c.Fill(s.Field(i), off, n, valid, duck.StructVectorGetChild(v, duck.IdxT(i))); err != nil {
			return err
		}
	}
	return nil
}

func (f *structFiller) Close() {
	for _, c := range f.children {
		c.Close()
	}
}

// storageFiller writes what an extension type is stored as.
type storageFiller struct{ Filler }

func (f *storageFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	return f.Filler.Fill(arr.(array.ExtensionArray).Storage(), off, n, up, v)
}
