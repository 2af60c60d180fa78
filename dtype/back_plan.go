package dtype

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// backPlanner makes the nodes of one column.
type backPlanner struct {
	opt   BackOptions
	nulls NullsAs
	lost  []string // what reading does not give back
	attrs []Attribute
}

func (o *BackOptions) check() error {
	bad := func(format string, args ...any) error { return h5err.New(h5err.Argument, format, args...) }
	switch {
	case o.Nulls > NullsSentinel:
		return bad("%v", o.Nulls)
	case o.Text > TextHeap:
		return bad("%v", o.Text)
	case o.Categories > CategoriesDictionary:
		return bad("%v", o.Categories)
	case o.Width != 0 && o.Width != 1 && o.Width != 2 && o.Width != 4 && o.Width != 8:
		return bad("numbers of %d bytes", o.Width)
	case o.OffsetWidth != 0 && o.OffsetWidth != 4 && o.OffsetWidth != 8:
		return bad("offsets of %d bytes", o.OffsetWidth)
	case o.Sentinel != nil && o.Nulls != NullsSentinel:
		return bad("a sentinel for nulls by %v", o.Nulls)
	case o.TextWidth < 0 || o.TextWidth > math.MaxInt32/4:
		return bad("text of width %d", o.TextWidth)
	}
	return nil
}

func back(f arrow.Field, o BackOptions, depth int) (*BackPlan, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if f.Type == nil {
		return nil, h5err.New(h5err.Argument, "a field without a type")
	}
	b := &backPlanner{opt: o, nulls: o.Nulls}
	item, dims, wrap, err := b.shape(f)
	if err != nil {
		return nil, err
	}
	if b.nulls == NullsAuto {
		b.fromMetadata(item, f.Metadata)
	}
	if b.nulls == NullsAuto {
		if b.nulls = NullsBitmap; len(dims) > 0 {
			b.nulls = NullsMask
		}
	}
	p := &BackPlan{Dims: dims, Nulls: b.nulls, name: f.Name, items: 1}
	for _, d := range dims {
		p.items *= int64(d)
	}
	switch t := item.(type) {
	case *arrow.DictionaryType:
		if len(dims) == 0 && !b.enumerable(f.Metadata) {
			if depth > 0 {
				return nil, unsupportedType(t, "inside a dictionary")
			}
			err = b.dictionary(p, f, t)
			break
		}
		err = b.cells(p, item, f.Metadata, wrap)
	default:
		if isText(item) && o.Text == TextArrow && len(dims) == 0 {
			err = b.text(p, item)
			break
		}
		err = b.cells(p, item, f.Metadata, wrap)
	}
	if err != nil {
		return nil, err
	}
	if len(b.lost) > 0 {
		p.Reason = strings.Trim(p.Reason+"; "+strings.Join(b.lost, "; "), "; ")
	}
	p.Column, p.Dropped = columnAttributes(f.Metadata, p)
	return p, nil
}

// shape splits a field's type into the type of an item and the shape of a row. wrap makes the type of rows from one of
// items.
func (b *backPlanner) shape(f arrow.Field) (item arrow.DataType, dims []uint64, wrap func(arrow.DataType) arrow.DataType, err error) {
	t, tensor := f.Type, false
	if e, ok := t.(arrow.ExtensionType); ok {
		if e.ExtensionName() != TensorName {
			return nil, nil, nil, unsupportedType(t, "")
		}
		if dims, err = tensorDims(e.StorageType(), e.Serialize()); err != nil {
			return nil, nil, nil, err
		}
		t, tensor = e.StorageType().(*arrow.FixedSizeListType).Elem(), true
	} else if name, ok := f.Metadata.GetValue("ARROW:extension:name"); ok && name == TensorName {
		data, _ := f.Metadata.GetValue("ARROW:extension:metadata")
		if dims, err = tensorDims(t, data); err != nil {
			return nil, nil, nil, err
		}
		t, tensor = t.(*arrow.FixedSizeListType).Elem(), true
	}
	if tensor {
		return t, dims, func(item arrow.DataType) arrow.DataType { return newTensorType(item, dims) }, nil
	}
	for {
		l, ok := t.(*arrow.FixedSizeListType)
		if !ok {
			break
		}
		dims = append(dims, uint64(max(l.Len(), 0)))
		t = l.Elem()
	}
	if _, _, err := nest(t, dims); err != nil {
		return nil, nil, nil, err
	}
	return t, dims, func(item arrow.DataType) arrow.DataType {
		lists, _, _ := nest(item, dims)
		if len(lists) == 0 {
			return item
		}
		return lists[0]
	}, nil
}

// tensorDims returns the shape of the items of a tensor type.
func tensorDims(storage arrow.DataType, data string) ([]uint64, error) {
	t, err := (*TensorType)(nil).Deserialize(storage, data)
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "a tensor")
	}
	var dims []uint64
	for _, n := range t.(*TensorType).shape {
		dims = append(dims, uint64(n))
	}
	_, _, err = nest(storage, dims)
	return dims, err
}

// fromMetadata takes the spelling of nulls from the metadata that reading gave a field.
func (b *backPlanner) fromMetadata(item arrow.DataType, md arrow.Metadata) {
	text, _ := md.GetValue(MetaNulls)
	first, _, several := strings.Cut(text, "; ")
	switch {
	case strings.HasPrefix(first, "_FillValue="):
		text = first // what else was missing gets the fill value, too
	case several: // what they add up to is one bitmap or mask
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

// cells plans a column that is one dataset of elements, and perhaps one of nulls.
func (b *backPlanner) cells(p *BackPlan, item arrow.DataType, md arrow.Metadata, wrap func(arrow.DataType) arrow.DataType) error {
	n, err := b.node(item, md, 0)
	if err != nil {
		return err
	}
	in := n.backBase()
	p.Type, p.Arrow, p.Attributes = in.typ, wrap(in.arrow), b.attrs
	p.Delivery, p.Reason, p.Read = in.delivery, in.reason, in.read
	if size, ok := mulInt(p.items, int64(in.typ.Size)); !ok || size > math.MaxInt32 {
		return h5err.New(h5err.Unsupported, "rows of %d items of %d bytes", p.items, in.typ.Size)
	}
	_, p.Read.Tensor = p.Arrow.(*TensorType)
	data := Part{Path: "data", Role: RoleData, Type: in.typ, Dims: p.Dims, Attributes: b.attrs, Flat: in.flat}
	if in.cellDims > 0 {
		data.Dims = append(slices.Clone(p.Dims), in.cellDims)
		if len(p.Dims) > 0 {
			return h5err.New(h5err.Unsupported, "UTF-32 text in rows of shape %v", p.Dims)
		}
		p.Dims = data.Dims
	}
	p.Layout = []Part{data}
	p.root = &backCells{node: n, dims: len(p.Dims) - one(in.cellDims > 0)}
	b.nullPart(p, "", data.Dims[:len(data.Dims)-one(in.cellDims > 0)])
	return nil
}

// nullPart adds the dataset of nulls, beside the data in the group dir.
func (b *backPlanner) nullPart(p *BackPlan, dir string, dims []uint64) {
	switch b.nulls {
	case NullsMask:
		p.Layout = append(p.Layout, Part{Path: dir + "mask", Role: RoleMask, Type: boolType(), Dims: dims, Optional: true})
	case NullsBitmap:
		p.Layout = append(p.Layout, Part{Path: dir + "null_bitmap", Role: RoleBitmap, Type: intOf(1, false), Optional: true})
	}
}

// text plans text in Arrow's own layout.
func (b *backPlanner) text(p *BackPlan, t arrow.DataType) error {
	if b.nulls == NullsSentinel {
		return h5err.New(h5err.Unsupported, "text has no sentinel for nulls")
	}
	if b.opt.Width != 0 {
		return h5err.New(h5err.Argument, "%s has no width of %d bytes", t, b.opt.Width)
	}
	width := 4
	if t.ID() == arrow.LARGE_STRING || t.ID() == arrow.LARGE_BINARY {
		width = 8
	}
	own := width
	if b.opt.OffsetWidth != 0 {
		width = b.opt.OffsetWidth
	}
	isBinary := isBinaryText(t)
	p.Type = &h5.Type{Class: h5.ClassString, Size: 1, Pad: h5.NullPad}
	p.Arrow = stringTypes[one(isBinary)][width/8]
	p.Attributes = []Attribute{textAttribute("dtype", "str")}
	p.Delivery = Mapped
	if width != own {
		p.Delivery, p.Reason = Converted, fmt.Sprintf("offsets of %d bytes", width)
	}
	if isBinary {
		p.Read.Strings = StringsBinary
		b.lost = append(b.lost, "binary is read back as such with StringsBinary only")
	}
	p.Layout = []Part{
		{Path: "data", Role: RoleData, Type: p.Type, Attributes: p.Attributes},
		{Path: "indices", Role: RoleOffsets, Type: intOf(width, true)},
	}
	b.nullPart(p, "", nil)
	p.root = &backText{width: width, binary: isBinary}
	return nil
}

// dictionary plans vaex's groups of indices and labels.
func (b *backPlanner) dictionary(p *BackPlan, f arrow.Field, t *arrow.DictionaryType) error {
	if b.nulls == NullsSentinel {
		return h5err.New(h5err.Unsupported, "dictionary indices have no sentinel for nulls")
	}
	o := b.opt
	o.Nulls = b.nulls
	indices, err := back(arrow.Field{Name: f.Name, Type: t.IndexType}, BackOptions{Nulls: o.Nulls}, 1)
	if err != nil {
		return err
	}
	if _, ok := t.ValueType.(*arrow.FixedSizeListType); ok {
		return unsupportedType(t.ValueType, "as labels of a dictionary")
	}
	labels, err := back(arrow.Field{Name: f.Name, Type: t.ValueType, Metadata: f.Metadata}, o, 1)
	if err != nil {
		return err
	}
	p.Type, p.Delivery, p.Reason, p.Read = indices.Type, indices.Delivery, labels.Reason, labels.Read
	p.Arrow = &arrow.DictionaryType{IndexType: t.IndexType, ValueType: labels.Arrow, Ordered: t.Ordered}
	p.Column = []Attribute{textAttribute("type", "dictionary_encoded")}
	if t.Ordered {
		p.Column = append(p.Column, Attribute{Name: "ordered", Type: boolType(), Data: []byte{1}})
	}
	for _, part := range indices.Layout {
		part.Path = "indices/" + part.Path
		p.Layout = append(p.Layout, part)
	}
	for _, part := range labels.Layout {
		part.Path = "dictionary/" + part.Path
		p.Layout = append(p.Layout, part)
	}
	p.root = &backDictionary{indices: indices, labels: labels}
	return nil
}

// enumerable tells whether a dictionary's labels are known before there are arrays, and may be an enumeration's.
func (b *backPlanner) enumerable(md arrow.Metadata) bool {
	_, known := md.GetValue(MetaEnum)
	return b.opt.Categories == CategoriesEnum || b.opt.Categories == CategoriesAuto && (known || b.opt.Labels != nil)
}

// node returns what encodes the elements of a type. At depth 0 nulls are spelled beside the values.
func (b *backPlanner) node(t arrow.DataType, md arrow.Metadata, depth int) (backNode, error) {
	if depth > maxDepth {
		return nil, h5err.New(h5err.Unsupported, "types nested deeper than %d", maxDepth)
	}
	if b.opt.Width != 0 && !arrow.IsInteger(t.ID()) && !arrow.IsFloating(t.ID()) && depth == 0 {
		return nil, h5err.New(h5err.Argument, "%s has no width of %d bytes", t, b.opt.Width)
	}
	switch t := t.(type) {
	case *arrow.BooleanType:
		return b.boolean(depth)
	case *arrow.TimestampType:
		return b.instant("datetime64", t.Unit.String(), 8, zoneless(t), t.TimeZone, depth)
	case *arrow.DurationType:
		return b.instant("timedelta64", t.Unit.String(), 8, t, "", depth)
	case *arrow.Date32Type:
		return b.instant("datetime64", "D", 4, t, "", depth)
	case *arrow.Date64Type:
		b.lost = append(b.lost, "date64 is read back as timestamp[ms]")
		return b.instant("datetime64", "ms", 8, &arrow.TimestampType{Unit: arrow.Millisecond}, "", depth)
	case *arrow.Time32Type:
		b.lost = append(b.lost, "the time of day is read back as a duration")
		return b.instant("timedelta64", t.Unit.String(), 4, &arrow.DurationType{Unit: t.Unit}, "", depth)
	case *arrow.Time64Type:
		b.lost = append(b.lost, "the time of day is read back as a duration")
		return b.instant("timedelta64", t.Unit.String(), 8, &arrow.DurationType{Unit: t.Unit}, "", depth)
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
		if !isText(t.ValueType) || isBinaryText(t.ValueType) {
			return nil, unsupportedType(t, "inside other types")
		}
		b.lost = append(b.lost, "dictionaries inside other types become their labels")
		return b.textCell(t.ValueType, depth)
	}
	switch {
	case arrow.IsInteger(t.ID()), arrow.IsFloating(t.ID()):
		return b.number(t, depth)
	case isText(t):
		return b.textCell(t, depth)
	}
	return nil, unsupportedType(t, "")
}

func zoneless(t *arrow.TimestampType) arrow.DataType {
	if t.TimeZone == "" {
		return t
	}
	return &arrow.TimestampType{Unit: t.Unit}
}

// noSentinel returns an error where nulls should be a value of elements that have none to spare.
func (b *backPlanner) noSentinel(t arrow.DataType, depth int) error {
	if b.nulls == NullsSentinel && depth == 0 {
		return h5err.New(h5err.Unsupported, "%s has no sentinel for nulls", t)
	}
	return nil
}

func (b *backPlanner) boolean(depth int) (backNode, error) {
	if err := b.noSentinel(arrow.FixedWidthTypes.Boolean, depth); err != nil {
		return nil, err
	}
	return &backBool{backInfo{typ: boolType(), arrow: arrow.FixedWidthTypes.Boolean, delivery: Packed, reason: "bits become byte booleans"}}, nil
}

func (b *backPlanner) number(t arrow.DataType, depth int) (backNode, error) {
	own := t.(arrow.FixedWidthDataType).Bytes()
	w := own
	if depth == 0 && b.opt.Width != 0 {
		w = b.opt.Width
	}
	isFloat := arrow.IsFloating(t.ID())
	n := &backNumber{from: own, to: w, fill: make([]byte, w)}
	n.delivery, n.arrow = Mapped, t
	switch {
	case isFloat:
		if n.typ = floatType(w, h5.LittleEndian); n.typ == nil {
			return nil, h5err.New(h5err.Argument, "floats of %d bytes", w)
		}
		n.arrow = ieeeOf(w)
		n.fill = nullbitmap.StoredFloat(math.NaN(), w, nullbitmap.LittleEndian)
	default:
		signed := arrow.IsSignedInteger(t.ID())
		n.typ = intOf(w, signed)
		n.arrow, _ = intType(signed, w)
		n.signed = signed
	}
	if w != own {
		n.delivery, n.reason = Converted, fmt.Sprintf("stored in %d bytes", w)
		n.convert = n.intTo
		if isFloat {
			n.convert = n.floatTo
		}
	}
	if b.nulls == NullsSentinel && depth == 0 {
		return n, b.sentinel(n, isFloat)
	}
	return n, nil
}

// sentinel makes a value of n mean null: NaN, or the one in the options, which the attribute _FillValue tells.
func (b *backPlanner) sentinel(n *backNumber, isFloat bool) (err error) {
	s := b.opt.Sentinel
	if s != nil && len(s) != n.to {
		return h5err.New(h5err.Argument, "a sentinel of %d bytes for elements of %d", len(s), n.to)
	}
	if isFloat && (s == nil || isNaN(s)) {
		if s != nil {
			n.fill = s
		}
		n.read.NaNAsNull = true
		n.nulls = true
		n.null, err = nullbitmap.NaN(n.to, nullbitmap.LittleEndian)
		return err
	}
	if s == nil {
		return h5err.New(h5err.Argument, "no sentinel for nulls of %s", n.arrow)
	}
	n.fill, n.nulls = s, true
	b.attrs = append(b.attrs, Attribute{Name: "_FillValue", Type: n.typ, Data: s})
	if isFloat {
		n.null, err = nullbitmap.EqualFloat(n.to, nullbitmap.LittleEndian, storedFloat(s))
		return err
	}
	n.null, err = nullbitmap.Equal(s)
	return err
}

// instant plans times, stored as numpy does: int64 under an attribute `dtype`, or in an opaque type inside others.
func (b *backPlanner) instant(kind, unit string, from int, t arrow.DataType, zone string, depth int) (backNode, error) {
	if b.opt.Sentinel != nil && depth == 0 {
		return nil, h5err.New(h5err.Argument, "a sentinel for %s: it has NaT", t)
	}
	name := kind + "[" + unit + "]"
	n := &backNumber{from: from, to: 8, signed: true, fill: nullbitmap.Stored(1<<63, 8, nullbitmap.LittleEndian), nulls: true}
	n.arrow, n.delivery = t, Mapped
	var err error
	if n.null, err = nullbitmap.Equal(n.fill); err != nil {
		return nil, err
	}
	if from != 8 {
		n.convert, n.delivery, n.reason = n.intTo, Converted, "stored in 64 bits"
	}
	if depth > 0 {
		n.typ, n.spelled = &h5.Type{Class: h5.ClassOpaque, Size: 8, Tag: "NUMPY:" + name}, true
		if zone != "" {
			b.lost = append(b.lost, "time zones inside other types are lost")
		}
		return n, nil
	}
	n.typ = intOf(8, true)
	b.attrs = append(b.attrs, textAttribute("dtype", name))
	if zone != "" {
		b.attrs = append(b.attrs, textAttribute(ZoneAttribute, zone))
		n.arrow = &arrow.TimestampType{Unit: t.(*arrow.TimestampType).Unit, TimeZone: zone}
	}
	return n, nil
}

func (b *backPlanner) opaque(t *arrow.FixedSizeBinaryType, md arrow.Metadata, depth int) (backNode, error) {
	if err := b.noSentinel(t, depth); err != nil {
		return nil, err
	}
	if t.ByteWidth < 1 {
		return nil, h5err.New(h5err.Unsupported, "%s", t)
	}
	tag, _ := md.GetValue(MetaOpaqueTag)
	if _, ok := numpyTag(tag); ok || strings.IndexByte(tag, 0) >= 0 || len(tag) > 255 {
		return nil, h5err.New(h5err.Unsupported, "the tag %.40q of opaque bytes", tag)
	}
	n := &backNumber{from: t.ByteWidth, to: t.ByteWidth, fill: make([]byte, t.ByteWidth), bytes: true}
	n.typ, n.arrow, n.delivery = &h5.Type{Class: h5.ClassOpaque, Size: t.ByteWidth, Tag: tag}, t, Mapped
	return n, nil
}

func (b *backPlanner) record(t *arrow.StructType, depth int) (backNode, error) {
	if err := b.noSentinel(t, depth); err != nil {
		return nil, err
	}
	if t.NumFields() == 0 {
		return nil, h5err.New(h5err.Unsupported, "a struct without fields")
	}
	n := &backRecord{}
	n.typ = &h5.Type{Class: h5.ClassCompound}
	n.delivery, n.reason = Gathered, "fields become members of a compound"
	seen := map[string]bool{}
	var fields []arrow.Field
	for i, f := range t.Fields() {
		if f.Name == "" || seen[f.Name] || strings.IndexByte(f.Name, 0) >= 0 {
			return nil, h5err.New(h5err.Unsupported, "a struct with a second or nameless field %q", f.Name)
		}
		seen[f.Name] = true
		m, err := b.node(t.Field(i).Type, f.Metadata, depth+1)
		if err != nil {
			return nil, within(err, f.Name)
		}
		in := m.backBase()
		n.typ.Members = append(n.typ.Members, h5.Member{Name: f.Name, Offset: n.typ.Size, Type: in.typ})
		if n.typ.Size > math.MaxInt32-in.typ.Size {
			return nil, h5err.New(h5err.Unsupported, "a struct of more than %d bytes", math.MaxInt32)
		}
		n.typ.Size += in.typ.Size
		n.members = append(n.members, m)
		n.inherit(in)
		fields = append(fields, arrow.Field{Name: f.Name, Type: in.arrow, Nullable: true, Metadata: f.Metadata})
	}
	n.arrow = arrow.StructOf(fields...)
	return n, nil
}

func (b *backPlanner) block(t *arrow.FixedSizeListType, md arrow.Metadata, depth int) (backNode, error) {
	if t.Len() < 1 {
		return nil, h5err.New(h5err.Unsupported, "lists of %d items", t.Len())
	}
	item, err := b.node(t.Elem(), fieldMetadata(t.ElemField(), md), depth+1)
	if err != nil {
		return nil, err
	}
	in := item.backBase()
	n := &backBlock{item: item, n: int(t.Len())}
	n.inherit(in)
	size, ok := mulInt(int64(n.n), int64(in.typ.Size))
	if !ok || size > math.MaxInt32 {
		return nil, h5err.New(h5err.Unsupported, "lists of %d items of %d bytes", n.n, in.typ.Size)
	}
	dims, base := []uint64{uint64(n.n)}, in.typ
	if base.Class == h5.ClassArray { // one array type of all dimensions, as other writers have it
		dims, base = append(dims, base.Dims...), base.Base
	}
	n.typ = &h5.Type{Class: h5.ClassArray, Size: size, Base: base, Dims: dims}
	n.arrow, n.delivery, n.reason = arrow.FixedSizeListOf(t.Len(), in.arrow), in.delivery, in.reason
	return n, nil
}

// fieldMetadata is a field's metadata, or its owner's where it has none: an enumeration's members stand there.
func fieldMetadata(f arrow.Field, owner arrow.Metadata) arrow.Metadata {
	if f.HasMetadata() {
		return f.Metadata
	}
	return owner
}

func (b *backPlanner) sequence(f arrow.Field, depth int) (backNode, error) {
	if err := b.noSentinel(arrow.ListOf(f.Type), depth); err != nil {
		return nil, err
	}
	item, err := b.node(f.Type, f.Metadata, depth+1)
	if err != nil {
		return nil, err
	}
	in := item.backBase()
	n := &backSequence{item: item}
	n.inherit(in)
	n.flat = true
	n.typ = &h5.Type{Class: h5.ClassVLen, Size: 16, Base: in.typ}
	n.arrow = arrow.ListOfField(arrow.Field{Name: "item", Type: in.arrow, Nullable: true, Metadata: f.Metadata})
	n.delivery, n.reason = Converted, "sequences in the heap"
	return n, nil
}

func (b *backPlanner) enum(t *arrow.DictionaryType, md arrow.Metadata, depth int) (backNode, error) {
	if err := b.noSentinel(t, depth); err != nil {
		return nil, err
	}
	if !isText(t.ValueType) || isBinaryText(t.ValueType) {
		return nil, h5err.New(h5err.Unsupported, "an enumeration of %s", t.ValueType)
	}
	labels, values := b.opt.Labels, []int64(nil)
	text, known := md.GetValue(MetaEnum)
	switch {
	case labels != nil:
		for i := range labels {
			values = append(values, int64(i))
		}
	case known:
		var err error
		if labels, values, err = parseMembers(text, arrow.IsUnsignedInteger(t.IndexType.ID())); err != nil {
			return nil, err
		}
	default:
		return nil, h5err.New(h5err.Argument, "an enumeration without labels")
	}
	if len(labels) == 0 {
		return nil, h5err.New(h5err.Unsupported, "an enumeration without members")
	}
	signed := arrow.IsSignedInteger(t.IndexType.ID())
	w := t.IndexType.(arrow.FixedWidthDataType).Bytes()
	n := &backEnum{values: map[string][]byte{}}
	for _, x := range values {
		for !fitsIn(uint64(x), w, signed) {
			if w *= 2; w > 8 {
				return nil, h5err.New(h5err.Unsupported, "an enumeration with the value %d", x)
			}
		}
	}
	for w < 8 && len(labels) > 1<<(8*w-one(signed)) {
		w *= 2
	}
	base := intOf(w, signed)
	n.typ = &h5.Type{Class: h5.ClassEnum, Size: w, Order: base.Order, Base: base, Names: labels}
	for i, l := range labels {
		v := nullbitmap.Stored(uint64(values[i]), w, nullbitmap.LittleEndian)
		if _, twice := n.values[l]; twice || l == "" || strings.IndexByte(l, 0) >= 0 {
			return nil, h5err.New(h5err.Unsupported, "an enumeration with a second or empty label %q", l)
		}
		n.values[l] = v
		n.typ.Values = append(n.typ.Values, v...)
	}
	if isBool(labels, unsigned(values), w) {
		b.lost = append(b.lost, "the enumeration of FALSE and TRUE is read back as bool")
		n.arrow = arrow.FixedWidthTypes.Boolean
	} else {
		index, _ := intType(signed, w)
		n.arrow = &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}
		if t.Ordered {
			b.lost = append(b.lost, "that the labels are ordered is lost")
		}
	}
	n.delivery, n.reason = Converted, "labels become members of an enumeration"
	return n, nil
}

func unsigned(values []int64) []uint64 {
	out := make([]uint64, len(values))
	for i, x := range values {
		out[i] = uint64(x)
	}
	return out
}

// parseMembers reads what members wrote: a JSON object in the order of the file.
func parseMembers(text string, isUnsigned bool) (labels []string, values []int64, err error) {
	bad := func() ([]string, []int64, error) {
		return nil, nil, h5err.New(h5err.Argument, "the metadata %s are no members: %.80s", MetaEnum, text)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return bad()
	}
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return bad()
		}
		value, err := d.Token()
		number, ok := value.(json.Number)
		if err != nil || !ok {
			return bad()
		}
		var x int64
		if isUnsigned {
			var u uint64
			u, err = strconv.ParseUint(number.String(), 10, 64)
			x = int64(u)
		} else {
			x, err = strconv.ParseInt(number.String(), 10, 64)
		}
		if err != nil {
			return bad()
		}
		labels, values = append(labels, name), append(values, x)
	}
	if tok, err := d.Token(); err != nil || tok != json.Delim('}') {
		return bad()
	}
	return labels, values, nil
}

// textCell plans text in cells, or in the heap.
func (b *backPlanner) textCell(t arrow.DataType, depth int) (backNode, error) {
	if err := b.noSentinel(t, depth); err != nil {
		return nil, err
	}
	as := b.opt.Text
	if as == TextArrow || depth > 0 && as == TextUTF32 {
		as = TextHeap
	}
	isBinary := isBinaryText(t)
	if t.ID() == arrow.LARGE_STRING || t.ID() == arrow.LARGE_BINARY {
		b.lost = append(b.lost, t.Name()+" is read back with 32-bit offsets")
	}
	if as != TextHeap && b.opt.TextWidth < 1 {
		return nil, h5err.New(h5err.Argument, "text in cells of no width").WithHint("TextWidth measures it")
	}
	if isBinary && as == TextHeap {
		n := &backBytes{backInfo{typ: &h5.Type{Class: h5.ClassVLen, Size: 16, Base: intOf(1, false)}, flat: true,
			arrow: arrow.ListOf(arrow.PrimitiveTypes.Uint8), delivery: Converted, reason: "sequences in the heap"}}
		b.lost = append(b.lost, "binary is read back as list<uint8>")
		return n, nil
	}
	n := &backTextCell{as: as, width: b.opt.TextWidth, binary: isBinary}
	n.arrow, n.delivery = arrow.BinaryTypes.String, Converted
	switch as {
	case TextHeap:
		n.typ, n.flat, n.reason = &h5.Type{Class: h5.ClassVLen, Size: 16, VarString: true, CharSet: h5.UTF8}, true, "strings in the heap"
	case TextUTF32:
		if isBinary {
			return nil, h5err.New(h5err.Unsupported, "binary as UTF-32")
		}
		n.typ, n.cellDims, n.reason = intOf(4, false), uint64(n.width), "UTF-8 to UTF-32"
		size := make([]byte, 8)
		binary.LittleEndian.PutUint64(size, uint64(n.width))
		b.attrs = append(b.attrs, textAttribute("dtype", "utf32"), Attribute{Name: "dlength", Type: intOf(8, true), Data: size})
	default:
		n.typ, n.reason = &h5.Type{Class: h5.ClassString, Size: n.width, Pad: h5.NullPad, CharSet: h5.UTF8}, "text in cells of one width"
		if as == TextLatin1 {
			n.typ.CharSet = h5.ASCII
			n.read.Strings = StringsLatin1
		}
		if isBinary {
			n.typ.CharSet = h5.ASCII
			n.arrow, n.read.Strings = arrow.BinaryTypes.Binary, StringsBinary
		}
	}
	return n, nil
}

// intOf is the little-endian integer type of w bytes.
func intOf(w int, signed bool) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: w, Order: h5.LittleEndian, Signed: signed, Precision: 8 * w}
}

// boolType is the enumeration that h5py and vaex store booleans in.
func boolType() *h5.Type {
	return &h5.Type{Class: h5.ClassEnum, Size: 1, Order: h5.LittleEndian, Base: intOf(1, true), Names: []string{"FALSE", "TRUE"}, Values: []byte{0, 1}}
}

func ieeeOf(w int) arrow.DataType {
	for i := range ieeeFormats {
		if ieeeFormats[i].width == w {
			return ieeeFormats[i].arrow
		}
	}
	return nil
}

// fitsIn tells whether an integer, sign-extended where it is signed, fits w bytes.
func fitsIn(x uint64, w int, signed bool) bool {
	shift := 64 - 8*uint(w)
	if signed {
		return uint64(int64(x<<shift)>>shift) == x
	}
	return x<<shift>>shift == x
}
