package encode

import (
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// planner makes the nodes of one column.
type planner struct {
	opt   Options
	nulls Nulls
	lost  []string // what reading does not give back
}

// newPlan is New, at a depth of 1 for the indices and the labels of a dictionary.
func newPlan(f arrow.Field, o Options, depth int) (*Plan, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if f.Type == nil {
		return nil, h5err.New(h5err.Argument, "a field without a type")
	}
	shape, err := shapeOf(f)
	if err != nil {
		return nil, err
	}
	b := &planner{opt: o, nulls: o.Nulls}
	if b.nulls == NullsAuto {
		b.fromMetadata(shape.item, f.Metadata)
	}
	if b.nulls == NullsAuto {
		if b.nulls = NullsBitmap; len(shape.dims) > 0 {
			b.nulls = NullsMask
		}
	}
	p := &Plan{Nulls: b.nulls, name: f.Name, items: shape.items}
	switch t, isDict := shape.item.(*arrow.DictionaryType); {
	case isDict && len(shape.dims) == 0 && !b.enumerable(f.Metadata):
		if depth > 0 {
			return nil, unsupportedType(t, "inside a dictionary")
		}
		err = b.dictionary(p, f, t)
	case isText(shape.item) && o.Text == TextArrow && len(shape.dims) == 0:
		err = b.text(p, shape.item)
	default:
		err = b.cells(p, shape, f.Metadata)
	}
	if err != nil {
		return nil, err
	}
	if len(b.lost) > 0 {
		p.Reason = strings.Trim(p.Reason+"; "+strings.Join(b.lost, "; "), "; ")
	}
	return p, nil
}

// shape is a field's type, taken apart.
type shape struct {
	item   arrow.DataType
	dims   []uint64 // of a row
	items  int64    // of a row
	tensor *dtype.TensorType
}

func shapeOf(f arrow.Field) (shape, error) {
	storage, data, isTensor := f.Type, "", false
	if e, ok := f.Type.(arrow.ExtensionType); ok {
		if e.ExtensionName() != dtype.TensorName {
			return shape{}, unsupportedType(f.Type, "")
		}
		storage, data, isTensor = e.StorageType(), e.Serialize(), true
	} else if name, ok := f.Metadata.GetValue("ARROW:extension:name"); ok && name == dtype.TensorName {
		data, _ = f.Metadata.GetValue("ARROW:extension:metadata")
		isTensor = true
	}
	s := shape{item: storage}
	if isTensor {
		t, err := (*dtype.TensorType)(nil).Deserialize(storage, data)
		if err != nil {
			return shape{}, h5err.Wrap(h5err.Unsupported, err, "a tensor")
		}
		s.tensor = t.(*dtype.TensorType)
		s.item = storage.(*arrow.FixedSizeListType).Elem()
		for _, n := range s.tensor.Shape() {
			s.dims = append(s.dims, uint64(n))
		}
	} else {
		for l, ok := s.item.(*arrow.FixedSizeListType); ok; l, ok = s.item.(*arrow.FixedSizeListType) {
			s.dims = append(s.dims, uint64(max(l.Len(), 0)))
			s.item = l.Elem()
		}
	}
	var err error
	_, s.items, err = types.Nest(s.item, s.dims)
	return s, err
}

// of returns the type of rows of s whose items have another type.
func (s *shape) of(item arrow.DataType) (arrow.DataType, error) {
	if s.tensor != nil {
		n := s.tensor.StorageType().(*arrow.FixedSizeListType).Len()
		return s.tensor.Deserialize(arrow.FixedSizeListOf(n, item), s.tensor.Serialize())
	}
	lists, _, err := types.Nest(item, s.dims)
	if err != nil || len(lists) == 0 {
		return item, err
	}
	return lists[0], nil
}

// levels returns the number of lists around the items of a row.
func (s *shape) levels() int {
	if s.tensor != nil {
		return types.One(len(s.dims) > 0)
	}
	return len(s.dims)
}

// fromMetadata takes the representation of nulls from the metadata that reading gave a field.
func (b *planner) fromMetadata(item arrow.DataType, md arrow.Metadata) {
	text, _ := md.GetValue(dtype.MetaNulls)
	first, _, several := strings.Cut(text, "; ")
	switch {
	case strings.HasPrefix(first, "_FillValue="):
		text = first // values that were missing for other reasons get the fill value, too
	case several: // their union is one bitmap or mask
		text = ""
	}
	switch {
	case strings.HasPrefix(text, "mask:"):
		b.nulls = NullsMask
	case strings.HasPrefix(text, "bitmap:"):
		b.nulls = NullsBitmap
	case strings.HasPrefix(text, "_FillValue="):
		if v, ok := parseSentinel(item, strings.TrimPrefix(text, "_FillValue=")); ok && b.opt.Width == 0 {
			b.nulls, b.opt.Sentinel = NullsSentinel, v
		}
	}
}

// parseSentinel reads a number as an element of a type, little-endian.
func parseSentinel(t arrow.DataType, text string) ([]byte, bool) {
	f, ok := t.(arrow.FixedWidthDataType)
	if !ok {
		return nil, false
	}
	w := f.BitWidth() / 8
	switch {
	case arrow.IsSignedInteger(t.ID()):
		x, err := strconv.ParseInt(text, 10, 8*w)
		return nullbitmap.Stored(uint64(x), w, nullbitmap.LittleEndian), err == nil
	case arrow.IsUnsignedInteger(t.ID()):
		x, err := strconv.ParseUint(text, 10, 8*w)
		return nullbitmap.Stored(x, w, nullbitmap.LittleEndian), err == nil
	case arrow.IsFloating(t.ID()):
		x, err := strconv.ParseFloat(text, 64)
		return nullbitmap.StoredFloat(x, w, nullbitmap.LittleEndian), err == nil
	}
	return nil, false
}

// unsupportedType is the error about a type that HDF5 has no counterpart for.
func unsupportedType(t arrow.DataType, where string) error {
	name := t.Name()
	if e, ok := t.(arrow.ExtensionType); ok {
		name = "extension " + e.ExtensionName()
	}
	return h5err.New(h5err.Unsupported, "%s", strings.TrimSpace("Arrow's "+name+" has no counterpart in HDF5 "+where))
}

// nullDataset returns the dataset of nulls for items in the shape dims of each row, if there is one.
func (b *planner) nullDataset(dims []uint64) []Dataset {
	switch b.nulls {
	case NullsMask:
		return []Dataset{{Role: RoleMask, Type: types.Bool(), Dims: dims, Optional: true}}
	case NullsBitmap:
		return []Dataset{{Role: RoleBitmap, Type: intOf(1, false), Optional: true}}
	}
	return nil
}

// roleOfNulls returns the role of the dataset of nulls, 0 when there is none.
func (b *planner) roleOfNulls() Role {
	switch b.nulls {
	case NullsMask:
		return RoleMask
	case NullsBitmap:
		return RoleBitmap
	}
	return 0
}

// noSentinel returns an error where nulls should be a value of elements that have none to spare.
func (b *planner) noSentinel(t arrow.DataType, depth int) error {
	if b.nulls == NullsSentinel && depth == 0 {
		return h5err.New(h5err.Unsupported, "%s has no sentinel for nulls", t)
	}
	return nil
}

// node returns the node of a type. Only nulls of nodes at depth 0 are represented beside the values.
func (b *planner) node(t arrow.DataType, md arrow.Metadata, depth int) (node, error) {
	if depth > types.MaxDepth {
		return nil, h5err.New(h5err.Unsupported, "types nested deeper than %d", types.MaxDepth)
	}
	if b.opt.Width != 0 && !arrow.IsInteger(t.ID()) && !arrow.IsFloating(t.ID()) && depth == 0 {
		return nil, h5err.New(h5err.Argument, "%s has no width of %d bytes", t, b.opt.Width)
	}
	switch t := t.(type) {
	case *arrow.BooleanType:
		return b.boolean(depth)
	case *arrow.TimestampType, *arrow.DurationType, *arrow.Date32Type, *arrow.Date64Type, *arrow.Time32Type, *arrow.Time64Type:
		return b.time(t, depth)
	case *arrow.FixedSizeBinaryType:
		return b.opaque(t, md, depth)
	case *arrow.StructType:
		return b.record(t, depth)
	case *arrow.FixedSizeListType:
		return b.block(t, md, depth)
	case *arrow.ListType:
		return b.sequence(t.ElemField(), depth)
	case *arrow.LargeListType:
		b.lost = append(b.lost, "large_list is read back as list")
		return b.sequence(t.ElemField(), depth)
	case *arrow.DictionaryType:
		if b.enumerable(md) {
			return b.enum(t, md, depth)
		}
		if !isText(t.ValueType) || isBinary(t.ValueType) {
			return nil, unsupportedType(t, "inside other types")
		}
		b.lost = append(b.lost, "dictionaries inside other types become their labels")
		return b.cell(t.ValueType, depth)
	}
	switch {
	case arrow.IsInteger(t.ID()), arrow.IsFloating(t.ID()):
		return b.number(t, depth)
	case isText(t):
		return b.cell(t, depth)
	}
	return nil, unsupportedType(t, "")
}

// fieldMetadata returns a field's metadata, or its owner's where it has none: they have the members of an enumeration.
func fieldMetadata(f arrow.Field, owner arrow.Metadata) arrow.Metadata {
	if f.HasMetadata() {
		return f.Metadata
	}
	return owner
}

// intOf is the little-endian integer type of w bytes.
func intOf(w int, signed bool) *h5.Type { return types.Int(w, signed, h5.LittleEndian) }

// withCell returns the dimensions of a dataset whose items are cells of several elements.
func withCell(dims []uint64, elements uint64) []uint64 {
	if elements == 0 {
		return dims
	}
	return append(slices.Clone(dims), elements)
}
