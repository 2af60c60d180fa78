package dtype

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"

	"github.com/h5arrow/h5arrow/dtype/internal/kernel"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// backNode writes the elements of one type.
type backNode interface {
	backBase() *backInfo

	// put writes all elements of s to dst, stride bytes from one to the next. Nodes that are flat have no put.
	put(dst []byte, stride int, s *backSource) error

	// add appends element i of s in flat form. Nodes that are not flat have no add.
	add(dst []byte, s *backSource, i int) ([]byte, error)
}

// backInfo is what all nodes have.
type backInfo struct {
	typ      *h5.Type
	arrow    arrow.DataType // what reading gives
	read     Options        // with these options
	delivery Delivery
	reason   string
	flat     bool
	cellDims uint64 // UTF-32: elements that a value takes, a dimension of the dataset
}

func (n *backInfo) backBase() *backInfo              { return n }
func (*backInfo) put([]byte, int, *backSource) error { panic("dtype: a flat element has no cell") }
func (*backInfo) add(b []byte, _ *backSource, _ int) ([]byte, error) {
	panic("dtype: a fixed element is no flat one")
}
func (n *backInfo) inherit(in *backInfo) {
	n.flat = n.flat || in.flat
	if in.read.Strings != StringsUTF8 {
		n.read.Strings = in.read.Strings
	}
}

// unspelled is the error about a null that its HDF5 type has no spelling for.
func unspelled(i int, t arrow.DataType) error {
	return &cellError{i, h5err.New(h5err.Unsupported, "a null %s inside another value has no spelling in HDF5", t)}
}

// absent reports whether element i of s is to be written as a fill; err when it is a null that nothing spells.
func (s *backSource) absent(i int, t arrow.DataType) (bool, error) {
	if !s.alive(i) {
		return true, nil
	}
	if s.IsNull(i) {
		return true, unspelled(i, t)
	}
	return false, nil
}

// gaps tells whether s may have elements that are to be written as fills.
func (s *backSource) gaps() bool { return s.live != nil || s.NullN() > 0 }

// addFixed appends element i of s, of a node that is not flat.
func addFixed(n backNode, dst []byte, s *backSource, i int) ([]byte, error) {
	v := s.value(i)
	defer v.Release()
	size := n.backBase().typ.Size
	dst = append(dst, make([]byte, size)...)
	err := n.put(dst[len(dst)-size:], size, &v)
	return dst, owners(err, func(int) int { return i })
}

// addAny appends element i of s in flat form.
func addAny(n backNode, dst []byte, s *backSource, i int) ([]byte, error) {
	if n.backBase().flat {
		return n.add(dst, s, i)
	}
	return addFixed(n, dst, s, i)
}

// backNumber is integers, floats, times and opaque bytes: elements that Arrow has as they are, but for their width.
type backNumber struct {
	backInfo
	from, to int
	signed   bool
	bytes    bool                               // no number: the order of the host does not matter
	convert  func(x uint64) (y uint64, ok bool) // nil: the same bits
	fill     []byte                             // of to bytes
	null     nullbitmap.Rule                    // stored values that are read as null
	nulls    bool                               // null is in use
	spelled  bool                               // fill spells null, without anything beside the values
}

// stored returns the bytes of s's elements as Arrow has them.
func (n *backNumber) stored(s *backSource) []byte {
	d := s.Data()
	b := d.Buffers()[1]
	if b == nil || d.Len() == 0 {
		return nil
	}
	return b.Bytes()[d.Offset()*n.from:][:d.Len()*n.from]
}

// share returns the array's own bytes where they are what is to be written.
func (n *backNumber) share(s *backSource) ([]byte, bool, error) {
	if n.convert != nil || s.gaps() || !n.bytes && n.to > 1 && kernel.HostIsBig() {
		return nil, false, nil
	}
	b := n.stored(s)
	return b, true, n.ambiguous(b, n.to, s)
}

func (n *backNumber) put(dst []byte, stride int, s *backSource) error {
	src, rows := n.stored(s), s.Len()
	switch {
	case src == nil: // no rows, or nulls without values
	case n.convert != nil:
		for i := range rows {
			y, ok := n.convert(loadInt(src, n.from, i))
			if !ok && s.alive(i) && s.IsValid(i) {
				return &cellError{i, h5err.New(h5err.Argument, "%s does not fit %d bytes", s.ValueStr(i), n.to)}
			}
			putLittle(dst[i*stride:], n.to, y)
		}
	case stride == n.to:
		copy(dst, src)
	default:
		for i := range rows {
			copy(dst[i*stride:i*stride+n.to], src[i*n.from:])
		}
	}
	if n.convert == nil && !n.bytes && n.to > 1 && kernel.HostIsBig() {
		for i := range rows {
			cell := dst[i*stride : i*stride+n.to]
			kernel.Swap(cell, cell, n.to)
		}
	}
	if err := n.ambiguous(dst, stride, s); err != nil {
		return err
	}
	if !s.gaps() {
		return nil
	}
	for i := range rows {
		gone, err := s.absent(i, n.arrow)
		if err != nil && !n.spelled {
			return err
		}
		if gone {
			copy(dst[i*stride:i*stride+n.to], n.fill)
		}
	}
	return nil
}

// ambiguous returns an error when a valid element would be read as null.
func (n *backNumber) ambiguous(dst []byte, stride int, s *backSource) error {
	if !n.nulls || s.Len() == 0 || len(dst) == 0 {
		return nil
	}
	bits := make([]byte, (s.Len()+7)/8)
	if n.null.ApplyStrided(bits, 0, dst, stride, s.Len(), nullbitmap.Overwrite) == 0 {
		return nil
	}
	for i := range s.Len() {
		if bits[i>>3]>>(i&7)&1 == 0 && s.alive(i) && s.IsValid(i) {
			return &cellError{i, h5err.New(h5err.Unsupported, "the value %s means null in HDF5", s.ValueStr(i))}
		}
	}
	return nil
}

// intTo converts an integer of from bytes to one of to bytes.
func (n *backNumber) intTo(x uint64) (uint64, bool) {
	if n.signed {
		shift := 64 - 8*uint(n.from)
		x = uint64(int64(x<<shift) >> shift)
	}
	return x, fitsIn(x, n.to, n.signed)
}

// floatTo converts a float, exactly or not at all. NaN is any NaN.
func (n *backNumber) floatTo(x uint64) (uint64, bool) {
	v := floatFrom(x, n.from)
	y := floatBits(n.to, v)
	return y, v != v || floatFrom(y, n.to) == v
}

func floatFrom(x uint64, w int) float64 {
	switch w {
	case 2:
		return float64(float16.FromBits(uint16(x)).Float32())
	case 4:
		return float64(math.Float32frombits(uint32(x)))
	}
	return math.Float64frombits(x)
}

// storedFloat returns a little-endian float.
func storedFloat(b []byte) float64 {
	x := uint64(0)
	for i := len(b) - 1; i >= 0; i-- {
		x = x<<8 | uint64(b[i])
	}
	return floatFrom(x, len(b))
}

func isNaN(b []byte) bool { v := storedFloat(b); return v != v }

func putLittle(dst []byte, w int, x uint64) {
	for i := range w {
		dst[i] = byte(x >> (8 * i))
	}
}

// backBool is booleans, a byte each.
type backBool struct{ backInfo }

func (n *backBool) put(dst []byte, stride int, s *backSource) error {
	d := s.Data()
	bits := d.Buffers()[1]
	switch {
	case bits == nil || d.Len() == 0:
	case stride == 1:
		nullbitmap.UnpackBools(dst[:d.Len()], bits.Bytes(), d.Offset())
	default:
		for i := range d.Len() {
			at := d.Offset() + i
			dst[i*stride] = bits.Bytes()[at>>3] >> (at & 7) & 1
		}
	}
	if !s.gaps() {
		return nil
	}
	for i := range d.Len() {
		gone, err := s.absent(i, n.arrow)
		if err != nil {
			return err
		}
		if gone {
			dst[i*stride] = 0
		}
	}
	return nil
}

// backEnum is the labels of a dictionary as members of an enumeration.
type backEnum struct {
	backInfo
	values map[string][]byte // stored
}

func (n *backEnum) put(dst []byte, stride int, s *backSource) error {
	d, ok := s.Array.(*array.Dictionary)
	if !ok {
		return h5err.New(h5err.Argument, "%s where a dictionary was planned", s.DataType())
	}
	labels := d.Dictionary()
	text, ok := textOf(labels)
	if !ok {
		return h5err.New(h5err.Argument, "a dictionary of %s where text was planned", labels.DataType())
	}
	found := make([][]byte, labels.Len())
	for i := range found {
		if labels.IsValid(i) {
			found[i] = n.values[text(i)]
		}
	}
	first := n.typ.Values[:n.typ.Size]
	for i := range s.Len() {
		gone, err := s.absent(i, n.arrow)
		if err != nil {
			return err
		}
		value := first // also under nulls: readers without a mask find a member
		if !gone {
			k, err := labelOf(d, i)
			if err != nil {
				return err
			}
			if labels.IsNull(k) {
				return unspelled(i, labels.DataType())
			}
			if value = found[k]; value == nil {
				return &cellError{i, h5err.New(h5err.Argument, "the label %.40q is no member of the enumeration", text(k))}
			}
		}
		copy(dst[i*stride:i*stride+n.typ.Size], value)
	}
	return nil
}

// labelOf returns the number of the label of row i, which must be there.
func labelOf(d *array.Dictionary, i int) (int, error) {
	k := d.GetValueIndex(i)
	if k < 0 || k >= d.Dictionary().Len() {
		return 0, corruptAt(i, "index %d into a dictionary of %d", k, d.Dictionary().Len())
	}
	return k, nil
}

// backRecord is a struct as a compound without padding.
type backRecord struct {
	backInfo
	members []backNode
}

// fields returns the members' arrays. A null struct's fields do not count where the struct's null is spelled.
func (n *backRecord) fields(s *backSource) ([]backSource, error) {
	st, ok := s.Array.(*array.Struct)
	if !ok || st.NumField() != len(n.members) {
		return nil, h5err.New(h5err.Argument, "%s where a struct of %d fields was planned", s.DataType(), len(n.members))
	}
	for i := range s.Len() {
		if !s.gaps() {
			break
		}
		if _, err := s.absent(i, n.arrow); err != nil {
			return nil, err
		}
	}
	out := make([]backSource, len(n.members))
	for k := range out {
		out[k] = s.items(st.Field(k), 1)
	}
	return out, nil
}

func (n *backRecord) put(dst []byte, stride int, s *backSource) error {
	fields, err := n.fields(s)
	if err != nil || s.Len() == 0 {
		return err
	}
	for k, m := range n.members {
		if err := m.put(dst[n.typ.Members[k].Offset:], stride, &fields[k]); err != nil {
			return err
		}
	}
	return nil
}

func (n *backRecord) add(dst []byte, s *backSource, i int) ([]byte, error) {
	one := s.value(i)
	defer one.Release()
	fields, err := n.fields(&one)
	for k, m := range n.members {
		if err != nil {
			break
		}
		dst, err = addAny(m, dst, &fields[k], 0)
	}
	return dst, owners(err, func(int) int { return i })
}

// backBlock is lists of one length inside other types.
type backBlock struct {
	backInfo
	item backNode
	n    int
}

// listItems returns the items of a list array's rows.
func listItems(l *array.FixedSizeList) arrow.Array {
	k := int(l.DataType().(*arrow.FixedSizeListType).Len())
	at := l.Data().Offset() * k
	return array.NewSlice(l.ListValues(), int64(at), int64(at+l.Len()*k))
}

func (n *backBlock) items(s *backSource) (backSource, error) {
	l, ok := s.Array.(*array.FixedSizeList)
	if !ok || int(l.DataType().(*arrow.FixedSizeListType).Len()) != n.n {
		return backSource{}, h5err.New(h5err.Argument, "%s where lists of %d were planned", s.DataType(), n.n)
	}
	for i := range s.Len() {
		if !s.gaps() {
			break
		}
		if _, err := s.absent(i, n.arrow); err != nil {
			return backSource{}, err
		}
	}
	return s.items(listItems(l), n.n), nil
}

func (n *backBlock) put(dst []byte, stride int, s *backSource) error {
	items, err := n.items(s)
	if err != nil || s.Len() == 0 {
		return err
	}
	defer items.Release()
	cells := dst
	if stride != n.typ.Size {
		cells = make([]byte, s.Len()*n.typ.Size)
	}
	if err := n.item.put(cells, n.item.backBase().typ.Size, &items); err != nil {
		return owners(err, func(i int) int { return i / n.n })
	}
	if stride != n.typ.Size {
		for i := range s.Len() {
			copy(dst[i*stride:i*stride+n.typ.Size], cells[i*n.typ.Size:])
		}
	}
	return nil
}

func (n *backBlock) add(dst []byte, s *backSource, i int) ([]byte, error) {
	one := s.value(i)
	defer one.Release()
	items, err := n.items(&one)
	if err != nil {
		return dst, owners(err, func(int) int { return i })
	}
	defer items.Release()
	for k := range n.n {
		if dst, err = addAny(n.item, dst, &items, k); err != nil {
			return dst, owners(err, func(int) int { return i })
		}
	}
	return dst, nil
}

// backSequence is lists of any length, in flat form.
type backSequence struct {
	backInfo
	item backNode
}

func (n *backSequence) add(dst []byte, s *backSource, i int) ([]byte, error) {
	l, ok := s.Array.(array.ListLike)
	if !ok {
		return dst, h5err.New(h5err.Argument, "%s where lists were planned", s.DataType())
	}
	gone, err := s.absent(i, n.arrow)
	if err != nil {
		return dst, err
	}
	if gone {
		return binary.LittleEndian.AppendUint64(dst, 0), nil
	}
	from, to := l.ValueOffsets(i)
	if from < 0 || to < from || to > int64(l.ListValues().Len()) || to-from > math.MaxUint32 {
		return dst, corruptAt(i, "a list of items %d to %d of %d", from, to, l.ListValues().Len())
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(to-from))
	items := backSource{Array: array.NewSlice(l.ListValues(), from, to)}
	defer items.Release()
	if in := n.item.backBase(); !in.flat {
		size := int(to-from) * in.typ.Size
		dst = append(dst, make([]byte, size)...)
		err = n.item.put(dst[len(dst)-size:], in.typ.Size, &items)
		return dst, owners(err, func(int) int { return i })
	}
	for k := range items.Len() {
		if dst, err = n.item.add(dst, &items, k); err != nil {
			return dst, owners(err, func(int) int { return i })
		}
	}
	return dst, nil
}

// backCells is a column of one dataset of elements.
type backCells struct {
	node backNode
	dims int // lists around an item
}

func (r *backCells) encode(p *BackPlan, a arrow.Array) (Parts, error) {
	rows := a.Len()
	if e, ok := a.(array.ExtensionArray); ok {
		a = e.Storage()
	}
	s := (&backSource{Array: a}).own()
	levels := r.dims
	if t, ok := p.Arrow.(*TensorType); ok {
		levels = one(len(t.shape) > 0)
	}
	for range levels {
		l, ok := s.Array.(*array.FixedSizeList)
		if !ok {
			return nil, h5err.New(h5err.Argument, "%s where rows of shape %v were planned", a.DataType(), p.Dims)
		}
		k := int(l.DataType().(*arrow.FixedSizeListType).Len())
		items := listItems(l)
		defer items.Release()
		next := s.items(items, k)
		s = next.own()
	}
	if n := int64(rows) * p.items; int64(s.Len()) != n {
		return nil, h5err.New(h5err.Argument, "%d items where %d were planned", s.Len(), n)
	}
	in := r.node.backBase()
	if t := s.DataType().ID(); !r.takes(s.DataType()) {
		return nil, h5err.New(h5err.Argument, "%s where %s was planned", t, in.arrow)
	}
	data := Encoded{Path: p.Layout[0].Path, Rows: uint64(rows)}
	shared, ok, err := r.share(&s)
	if err != nil {
		return nil, err
	}
	switch {
	case ok:
		data.Bytes = shared
	case in.flat:
		for i := range s.Len() {
			if data.Bytes, err = r.node.add(data.Bytes, &s, i); err != nil {
				return nil, err
			}
		}
	default:
		width := in.typ.Size * int(max(in.cellDims, 1))
		size, ok := mulInt(int64(s.Len()), int64(width))
		if !ok {
			return nil, h5err.New(h5err.Limit, "%d cells of %d bytes", s.Len(), width)
		}
		data.Bytes = make([]byte, size)
		if err := r.node.put(data.Bytes, width, &s); err != nil {
			return nil, err
		}
	}
	return appendNulls(Parts{data}, p.Layout[1:], &s, rows), nil
}

// takes tells whether the node was made for arrays of a type.
func (r *backCells) takes(t arrow.DataType) bool {
	switch n := r.node.(type) {
	case *backNumber:
		f, ok := t.(arrow.FixedWidthDataType)
		return ok && f.BitWidth() == 8*n.from && t.ID() != arrow.DICTIONARY
	case *backBool:
		return t.ID() == arrow.BOOL
	case *backTextCell, *backBytes:
		return isText(t) || t.ID() == arrow.DICTIONARY
	}
	return true // they look for themselves
}

func (r *backCells) share(s *backSource) ([]byte, bool, error) {
	if n, ok := r.node.(*backNumber); ok {
		return n.share(s)
	}
	return nil, false, nil
}

// appendNulls adds the mask or the bitmap that the layout has, if anything of s is null.
func appendNulls(parts Parts, layout []Part, s *backSource, rows int) Parts {
	if len(layout) == 0 || s.live == nil || nullbitmap.CountNulls(s.live, 0, s.Len()) == 0 {
		return parts
	}
	e := Encoded{Path: layout[0].Path}
	if layout[0].Role == RoleMask {
		e.Rows, e.Bytes = uint64(rows), make([]byte, s.Len())
		nullbitmap.ToMask(e.Bytes, nullbitmap.SetIsNull, s.live, 0)
	} else {
		e.Bytes = make([]byte, (s.Len()+7)/8) // live may have any bits behind the last
		nullbitmap.Copy(e.Bytes, 0, s.live, 0, s.Len())
		e.Rows = uint64(len(e.Bytes))
	}
	return append(parts, e)
}

// backDictionary is vaex's dictionary columns.
type backDictionary struct{ indices, labels *BackPlan }

func (r *backDictionary) encode(p *BackPlan, a arrow.Array) (Parts, error) {
	d, ok := a.(*array.Dictionary)
	if !ok {
		return nil, h5err.New(h5err.Argument, "%s where a dictionary was planned", a.DataType())
	}
	for i := range d.Len() {
		if d.IsValid(i) {
			if _, err := labelOf(d, i); err != nil {
				return nil, err
			}
		}
	}
	indices, err := r.indices.root.encode(r.indices, d.Indices())
	if err != nil {
		return nil, err
	}
	labels, err := r.labels.Encode(d.Dictionary())
	if err != nil {
		return nil, h5err.Wrap(h5err.KindOf(err), err, "the labels of a dictionary")
	}
	var out Parts
	for _, e := range indices {
		e.Path = "indices/" + e.Path
		out = append(out, e)
	}
	for _, e := range labels {
		e.Path = "dictionary/" + e.Path
		out = append(out, e)
	}
	return out, nil
}
