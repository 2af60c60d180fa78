package dtype

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// NullsAs says how a column's nulls are spelled in HDF5. The zero value is the default.
type NullsAs uint8

// The spellings of nulls.
const (
	NullsAuto     NullsAs = iota // as the field's metadata say (h5arrow.nulls); else a bitmap, or a mask for N-D items
	NullsBitmap                  // `null_bitmap`: a bit an item, least significant first, 1 is valid, zeros behind the last
	NullsMask                    // `mask`: a boolean an item, true is missing
	NullsSentinel                // a value of the data: NaN, NaT, or BackOptions.Sentinel
)

var nullsAsNames = [...]string{"auto", "bitmap", "mask", "sentinel"}

// String returns the spelling's name.
func (n NullsAs) String() string { return enumName("nulls", nullsAsNames[:], int(n)) }

// TextAs says how text is stored in HDF5. The zero value is the default.
type TextAs uint8

// The ways to store text.
const (
	TextArrow  TextAs = iota // as vaex does: the bytes, and `indices` into them; in the heap where that can't be
	TextFixed                // UTF-8 in cells of TextWidth bytes, padded with NULs
	TextUTF32                // TextWidth code points of 32 bits, with the attributes dtype='utf32' and dlength
	TextLatin1               // ISO 8859-1 in cells of TextWidth bytes, padded with NULs
	TextHeap                 // variable strings in the heap
)

var textAsNames = [...]string{"arrow", "fixed", "utf32", "latin1", "heap"}

// String returns the way's name.
func (t TextAs) String() string { return enumName("text", textAsNames[:], int(t)) }

// CategoriesAs says what becomes of dictionary columns. The zero value is the default.
type CategoriesAs uint8

// The ways to store dictionaries.
const (
	CategoriesAuto       CategoriesAs = iota // an enumeration where the labels are known beforehand, else vaex's groups
	CategoriesEnum                           // an enumeration, of BackOptions.Labels or the members in the field's metadata
	CategoriesDictionary                     // groups `indices` and `dictionary`
)

var categoriesAsNames = [...]string{"auto", "enum", "dictionary"}

// String returns the way's name.
func (c CategoriesAs) String() string { return enumName("categories", categoriesAsNames[:], int(c)) }

// BackOptions are the choices on the way from Arrow to HDF5. The zero value is the documented default of each.
type BackOptions struct {
	Nulls    NullsAs
	Sentinel []byte // NullsSentinel: the element that means null, little-endian; nil: NaN, NaT

	Text      TextAs
	TextWidth int // bytes of a cell, or code points under TextUTF32; TextWidth, the function, measures

	Categories CategoriesAs
	Labels     []string // of enumerations: their values are 0, 1, ...

	Width       int // bytes of stored integers or floats, 0: those that they have; a value that does not fit is an error
	OffsetWidth int // bytes of the offsets of text, 4 or 8, 0: those that they have
}

// Attribute is an HDF5 attribute to be written.
type Attribute struct {
	Name string
	Type *h5.Type
	Dims []uint64 // none: scalar
	Data []byte   // the elements as stored; a variable string as 8 bytes of length, little-endian, and its bytes
}

// Role is what a dataset of a column holds.
type Role uint8

// The roles.
const (
	_           Role = iota
	RoleData         // the values
	RoleMask         // a boolean an item, true where it is missing
	RoleBitmap       // a bit an item, 1 where it is valid
	RoleOffsets      // where each string begins in the data, and where the last ends
)

var roleNames = [...]string{"invalid", "data", "mask", "bitmap", "offsets"}

// String returns the role's name.
func (r Role) String() string { return enumName("role", roleNames[:], int(r)) }

// Part is one dataset of a column.
type Part struct {
	Path       string // below the column's group, as vaex has it: data, mask, null_bitmap, indices, dictionary/data, ...
	Role       Role
	Type       *h5.Type
	Dims       []uint64 // of the dataset, after the first
	Attributes []Attribute

	// Optional parts are left out by Encode when nothing is null.
	Optional bool

	// Flat elements point to the heap. They are given in flat form, one behind the other: a variable string as its
	// length in bytes (8 bytes, little-endian) and its bytes, a sequence as its number of elements (the same) and its
	// elements, a compound as its members without padding, an array as its items.
	Flat bool
}

// BackPlan knows how a column is spelled in HDF5, and makes the bytes. It is immutable and may be used by several
// goroutines at once.
type BackPlan struct {
	Type       *h5.Type // of an element of the data; of the indices for a dictionary
	Dims       []uint64 // shape of a row
	Attributes []Attribute
	Column     []Attribute // of the column's group: those of its field's metadata, and type='dictionary_encoded'
	Layout     []Part      // all datasets; the data come first

	Nulls    NullsAs        // how nulls are spelled; never NullsAuto
	Arrow    arrow.DataType // what reading the column gives; Reason says why where that is not the field's own type
	Read     Options        // what must be chosen on reading for that
	Delivery Delivery       // Mapped: the array's buffers are handed on where nothing is null
	Reason   string         // why it isn't Mapped, and what is lost; "" when nothing is
	Dropped  []string       // attributes in the field's metadata that can't be made again

	name  string
	items int64 // of a row
	root  backRoot
}

// backRoot makes the parts of a column.
type backRoot interface {
	encode(p *BackPlan, a arrow.Array) (Parts, error)
}

// Encoded is the contents of one dataset.
type Encoded struct {
	Path  string
	Rows  uint64 // extent of the first dimension
	Bytes []byte // the elements as stored, or in flat form; may be the array's own memory, and must not be changed
}

// Parts are the contents of a column's datasets, in the order of BackPlan.Layout.
type Parts []Encoded

// Find returns the contents of the dataset at a path, nil when there are none.
func (p Parts) Find(path string) *Encoded {
	for i := range p {
		if p[i].Path == path {
			return &p[i]
		}
	}
	return nil
}

// Back returns the plan for storing arrays of a field in HDF5, so that New and Build make the same arrays again. What
// HDF5 has no room for is Unsupported, by name: decimals, unions, maps, intervals, run-end encoding, views of lists, and
// extensions but for tensors. Options that contradict the type or themselves are Argument errors.
func Back(f arrow.Field, o BackOptions) (*BackPlan, error) {
	p, err := back(f, o, 0)
	return p, h5err.In(err, "", f.Name)
}

// Encode makes the contents of a column's datasets from an array, which may be a slice with any offset. Values are
// exact or an error that names the row: text with NULs where HDF5 ends at one, values that do not fit the chosen width,
// a valid value that equals the sentinel, nulls inside a struct or a list, a label that is no member of the
// enumeration. Values under a null are never the cause of one, and are not written: fills stand in their place, NaN for
// floats, NaT for times, else zeros.
//
// The result may share memory with a, and is valid as long as a is.
func (p *BackPlan) Encode(a arrow.Array) (Parts, error) {
	parts, err := p.root.encode(p, a)
	if err != nil {
		return nil, (&Plan{Items: p.items}).place(err, 0, p.name)
	}
	return parts, nil
}

// TextWidth returns the least BackOptions.TextWidth for the text of an array under a way to store it, at least 1.
// Arrays of several batches need the widest.
func TextWidth(a arrow.Array, as TextAs) int {
	if list, ok := a.(*array.FixedSizeList); ok {
		return TextWidth(listItems(list), as)
	}
	text, ok := textOf(a)
	if !ok {
		return 1
	}
	w := 1
	for i := range a.Len() {
		if a.IsValid(i) {
			w = max(w, cellWidth(text(i), as))
		}
	}
	return w
}

// backSource is an array and which of its values count, as the nodes of the way back see it.
type backSource struct {
	arrow.Array
	live []byte // bits from 0 on, 0 where the value or what it belongs to is null and spelled elsewhere; nil: all count
}

func (s *backSource) alive(i int) bool { return s.live == nil || s.live[i>>3]>>(i&7)&1 != 0 }

// items returns the n*k items that n values of s consist of: those of arr.
func (s *backSource) items(arr arrow.Array, k int) backSource {
	out := backSource{Array: arr}
	if s.live != nil {
		out.live = make([]byte, (s.Len()*k+7)/8)
		nullbitmap.Repeat(out.live, 0, s.live, 0, s.Len(), k, nullbitmap.Overwrite)
	}
	return out
}

// value returns value i of s by itself. The caller releases it.
func (s *backSource) value(i int) backSource {
	out := backSource{Array: array.NewSlice(s.Array, int64(i), int64(i+1))}
	if !s.alive(i) {
		out.live = []byte{0}
	}
	return out
}

// own returns s with the array's own nulls taken out of live: they are spelled beside the values.
func (s *backSource) own() backSource {
	n := s.Len()
	if s.NullN() == 0 {
		return *s
	}
	out := backSource{Array: s.Array, live: make([]byte, (n+7)/8)}
	nullbitmap.Copy(out.live, 0, s.NullBitmapBytes(), s.Data().Offset(), n)
	if s.live != nil {
		nullbitmap.And(out.live, 0, s.live, 0, n)
	}
	return out
}
