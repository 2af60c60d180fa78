package values

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Recode is how the arrays of one file become those of several. A nil one leaves them as they are.
type Recode struct {
	typ    arrow.DataType
	labels arrow.Array // of a dictionary
	at     []int32     // of each of the file's own labels in labels
	items  []*Recode   // of the children of lists and structs
}

// Type is the type of the arrays that Apply returns.
func (r *Recode) Type() arrow.DataType { return r.typ }

// Apply returns an array of the file as one of all files. The caller releases it; arr stays the caller's.
func (r *Recode) Apply(arr arrow.Array, mem memory.Allocator) arrow.Array {
	data := r.data(arr, mem)
	defer data.Release()
	return array.MakeFromData(data)
}

// data returns the data of what Apply makes.
func (r *Recode) data(arr arrow.Array, mem memory.Allocator) arrow.ArrayData {
	if r == nil {
		arr.Data().Retain()
		return arr.Data()
	}
	switch r.typ.(type) {
	case *arrow.DictionaryType:
		return r.indices(arr, mem)
	case *arrow.StructType:
		return r.members(arr, mem)
	case *arrow.FixedSizeListType:
		return r.lists(arr, mem)
	case *arrow.ListType:
		return r.runs(arr, mem)
	}
	if arr.DataType().ID() != arrow.NULL {
		return widened(arr, r.typ, mem)
	}
	null := array.MakeArrayOfNull(clean{mem}, r.typ, arr.Len())
	defer null.Release()
	null.Data().Retain()
	return null.Data()
}

// indices is data for dictionaries.
func (r *Recode) indices(arr arrow.Array, mem memory.Allocator) arrow.ArrayData {
	n := arr.Len()
	width := r.typ.(*arrow.DictionaryType).IndexType.(arrow.FixedWidthDataType).Bytes()
	indices := blank(n*width, mem)
	defer indices.Release()
	out := indices.Bytes()
	valid, nulls := validity(arr, mem)
	defer valid.Release()
	if own, ok := arr.(*array.Dictionary); ok {
		for i := range n {
			if own.IsNull(i) {
				continue
			}
			for k, at := 0, r.at[own.GetValueIndex(i)]; k < width; k, at = k+1, at>>8 {
				out[i*width+k] = byte(at)
			}
		}
	}
	return array.NewDataWithDictionary(r.typ, n, []*memory.Buffer{valid, indices}, nulls, 0, r.labels.Data().(*array.Data))
}

// members is data for structs.
func (r *Recode) members(arr arrow.Array, mem memory.Allocator) arrow.ArrayData {
	var children []arrow.ArrayData
	for i, item := range r.items {
		if s, ok := arr.(*array.Struct); ok {
			children = append(children, item.data(s.Field(i), mem))
		} else {
			children = append(children, item.nulls(arr.Len(), mem))
		}
	}
	return r.nested(arr, nil, children, mem)
}

// lists is data for lists of fixed size.
func (r *Recode) lists(arr arrow.Array, mem memory.Allocator) arrow.ArrayData {
	size := int(r.typ.(*arrow.FixedSizeListType).Len())
	l, ok := arr.(*array.FixedSizeList)
	if !ok {
		return r.nested(arr, nil, []arrow.ArrayData{r.items[0].nulls(arr.Len()*size, mem)}, mem)
	}
	from := int64(l.Data().Offset() * size)
	items := array.NewSlice(l.ListValues(), from, from+int64(l.Len()*size))
	defer items.Release()
	return r.nested(arr, nil, []arrow.ArrayData{r.items[0].data(items, mem)}, mem)
}

// runs is data for lists.
func (r *Recode) runs(arr arrow.Array, mem memory.Allocator) arrow.ArrayData {
	offsets := blank(4*(arr.Len()+1), mem)
	defer offsets.Release()
	l, ok := arr.(*array.List)
	if !ok || l.Len() == 0 {
		return r.nested(arr, offsets, []arrow.ArrayData{r.items[0].nulls(0, mem)}, mem)
	}
	own := l.Offsets()[l.Data().Offset():][:l.Len()+1]
	for i := range own {
		arrow.Int32Traits.CastFromBytes(offsets.Bytes())[i] = own[i] - own[0]
	}
	items := array.NewSlice(l.ListValues(), int64(own[0]), int64(own[l.Len()]))
	defer items.Release()
	return r.nested(arr, offsets, []arrow.ArrayData{r.items[0].data(items, mem)}, mem)
}

// nested makes data of the nulls of arr, and children, which it takes over.
func (r *Recode) nested(arr arrow.Array, offsets *memory.Buffer, children []arrow.ArrayData, mem memory.Allocator) arrow.ArrayData {
	valid, nulls := validity(arr, mem)
	defer valid.Release()
	buffers := []*memory.Buffer{valid}
	if offsets != nil {
		buffers = append(buffers, offsets)
	}
	defer func() {
		for _, c := range children {
			c.Release()
		}
	}()
	return array.NewData(r.typ, arr.Len(), buffers, children, nulls, 0)
}

// nulls is data for nulls that the file stores without a type.
func (r *Recode) nulls(n int, mem memory.Allocator) arrow.ArrayData {
	null := array.NewNull(n)
	defer null.Release()
	return r.data(null, mem)
}

// validity returns a copy of the validity of an array, which starts with its first value, and the number of nulls.
func validity(arr arrow.Array, mem memory.Allocator) (*memory.Buffer, int) {
	n := arr.Len()
	valid := blank((n+7)/8, mem)
	if arr.DataType().ID() == arrow.NULL {
		return valid, n
	}
	if bits := arr.Data().Buffers()[0]; arr.NullN() > 0 && bits != nil {
		nullbitmap.Copy(valid.Bytes(), 0, bits.Bytes(), arr.Data().Offset(), n)
		return valid, arr.NullN()
	}
	nullbitmap.Fill(valid.Bytes(), 0, n, true)
	return valid, 0
}

// blank returns a buffer of zeros.
func blank(n int, mem memory.Allocator) *memory.Buffer { return Spread{Alloc: mem}.zeros(n) }

// Counting is an allocator that counts what is allocated.
type Counting struct {
	memory.Allocator
	Bytes int64
}

// Allocate implements memory.Allocator.
func (c *Counting) Allocate(n int) []byte {
	c.Bytes += int64(n)
	return c.Allocator.Allocate(n)
}

// Reallocate implements memory.Allocator.
func (c *Counting) Reallocate(n int, p []byte) []byte {
	c.Bytes += int64(max(0, n-len(p)))
	return c.Allocator.Reallocate(n, p)
}

// clean is an allocator of memory whose bytes are zero, as MakeArrayOfNull expects.
type clean struct{ memory.Allocator }

// Allocate implements memory.Allocator.
func (z clean) Allocate(n int) []byte {
	b := z.Allocator.Allocate(n)
	clear(b)
	return b
}
