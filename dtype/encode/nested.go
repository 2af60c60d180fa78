package encode

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// record is a struct as a compound without padding.
type record struct {
	info
	members []fixed
}

// flatRecord is a struct with members in the heap.
type flatRecord struct {
	info
	members []node
}

func (b *planner) record(t *arrow.StructType, depth int) (node, error) {
	if err := b.noSentinel(t, depth); err != nil {
		return nil, err
	}
	if t.NumFields() == 0 {
		return nil, h5err.New(h5err.Unsupported, "a struct without fields")
	}
	n := info{typ: &h5.Type{Class: h5.ClassCompound}, delivery: dtype.Gathered, reason: "fields become members of a compound"}
	seen := map[string]bool{}
	var members []node
	var sized []fixed
	var fields []arrow.Field
	for _, f := range t.Fields() {
		if f.Name == "" || seen[f.Name] || strings.IndexByte(f.Name, 0) >= 0 {
			return nil, h5err.New(h5err.Unsupported, "a struct with a second or nameless field %q", f.Name)
		}
		seen[f.Name] = true
		m, err := b.node(f.Type, f.Metadata, depth+1)
		if err != nil {
			return nil, element.Member(err, f.Name)
		}
		in := m.base()
		n.typ.Members = append(n.typ.Members, h5.Member{Name: f.Name, Offset: n.typ.Size, Type: in.typ})
		if n.typ.Size > math.MaxInt32-in.typ.Size {
			return nil, h5err.New(h5err.Unsupported, "a struct of more than %d bytes", math.MaxInt32)
		}
		n.typ.Size += in.typ.Size
		n.inherit(in)
		members = append(members, m)
		if m, ok := m.(fixed); ok {
			sized = append(sized, m)
		}
		fields = append(fields, arrow.Field{Name: f.Name, Type: in.arrow, Nullable: true, Metadata: f.Metadata})
	}
	n.arrow = arrow.StructOf(fields...)
	if len(sized) == len(members) {
		return &record{n, sized}, nil
	}
	return &flatRecord{n, members}, nil
}

// fields returns the arrays of count members. The fields of a null struct do not count where its null is represented.
func (n *info) fields(s *source, count int) ([]source, error) {
	st, ok := s.Array.(*array.Struct)
	if !ok || st.NumField() != count {
		return nil, h5err.New(h5err.Argument, "%s where a struct of %d fields was planned", s.DataType(), count)
	}
	if err := s.noneAbsent(n.arrow); err != nil {
		return nil, err
	}
	out := make([]source, count)
	for k := range out {
		out[k] = s.items(st.Field(k), 1)
	}
	return out, nil
}

func (n *record) put(dst []byte, stride int, s *source) error {
	fields, err := n.fields(s, len(n.members))
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

func (n *flatRecord) add(dst []byte, s *source, i int) ([]byte, error) {
	value := s.value(i)
	defer value.Release()
	fields, err := n.fields(&value, len(n.members))
	for k, m := range n.members {
		if err != nil {
			break
		}
		dst, err = appendElement(m, dst, &fields[k], 0)
	}
	return dst, element.Owner(err, func(int) int { return i })
}

// block is lists of one length inside other types.
type block struct {
	info
	item fixed
	n    int
}

// flatBlock is lists of one length, of items in the heap.
type flatBlock struct {
	info
	item flat
	n    int
}

func (b *planner) block(t *arrow.FixedSizeListType, md arrow.Metadata, depth int) (node, error) {
	if t.Len() < 1 {
		return nil, h5err.New(h5err.Unsupported, "lists of %d items", t.Len())
	}
	item, err := b.node(t.Elem(), fieldMetadata(t.ElemField(), md), depth+1)
	if err != nil {
		return nil, err
	}
	in := item.base()
	count := int(t.Len())
	size, ok := types.Product(int64(count), int64(in.typ.Size))
	if !ok || size > math.MaxInt32 {
		return nil, h5err.New(h5err.Unsupported, "lists of %d items of %d bytes", count, in.typ.Size)
	}
	dims, base := []uint64{uint64(count)}, in.typ
	if base.Class == h5.ClassArray { // one array type of all dimensions, as other writers have it
		dims, base = append(dims, base.Dims...), base.Base
	}
	n := info{typ: &h5.Type{Class: h5.ClassArray, Size: size, Base: base, Dims: dims}}
	n.inherit(in)
	n.arrow, n.delivery, n.reason = arrow.FixedSizeListOf(t.Len(), in.arrow), in.delivery, in.reason
	if item, ok := item.(fixed); ok {
		return &block{n, item, count}, nil
	}
	return &flatBlock{n, item.(flat), count}, nil
}

// listed returns the items of lists of count.
func (n *info) listed(s *source, count int) (source, error) {
	l, ok := s.Array.(*array.FixedSizeList)
	if !ok || listLen(l) != count {
		return source{}, h5err.New(h5err.Argument, "%s where lists of %d were planned", s.DataType(), count)
	}
	if err := s.noneAbsent(n.arrow); err != nil {
		return source{}, err
	}
	return s.items(listItems(l), count), nil
}

func (n *block) put(dst []byte, stride int, s *source) error {
	items, err := n.listed(s, n.n)
	if err != nil {
		return err
	}
	defer items.Release()
	if s.Len() == 0 {
		return nil
	}
	cells := dst
	if stride != n.typ.Size {
		cells = make([]byte, s.Len()*n.typ.Size)
	}
	if err := n.item.put(cells, n.item.base().typ.Size, &items); err != nil {
		return element.Owner(err, func(i int) int { return i / n.n })
	}
	if stride != n.typ.Size {
		for i := range s.Len() {
			copy(dst[i*stride:i*stride+n.typ.Size], cells[i*n.typ.Size:])
		}
	}
	return nil
}

func (n *flatBlock) add(dst []byte, s *source, i int) ([]byte, error) {
	value := s.value(i)
	defer value.Release()
	items, err := n.listed(&value, n.n)
	if err != nil {
		return dst, element.Owner(err, func(int) int { return i })
	}
	defer items.Release()
	for k := range n.n {
		if dst, err = n.item.add(dst, &items, k); err != nil {
			return dst, element.Owner(err, func(int) int { return i })
		}
	}
	return dst, nil
}

// sequence is lists of any length.
type sequence struct {
	info
	item node
}

func (b *planner) sequence(f arrow.Field, depth int) (node, error) {
	if err := b.noSentinel(arrow.ListOf(f.Type), depth); err != nil {
		return nil, err
	}
	item, err := b.node(f.Type, f.Metadata, depth+1)
	if err != nil {
		return nil, err
	}
	in := item.base()
	n := &sequence{item: item}
	n.inherit(in)
	n.typ = &h5.Type{Class: h5.ClassVLen, Size: 16, Base: in.typ}
	n.arrow = arrow.ListOfField(arrow.Field{Name: "item", Type: in.arrow, Nullable: true, Metadata: f.Metadata})
	n.delivery, n.reason = dtype.Converted, "sequences in the heap"
	return n, nil
}

func (n *sequence) add(dst []byte, s *source, i int) ([]byte, error) {
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
		return dst, element.New(i, h5err.Corrupt, "a list of items %d to %d of %d", from, to, l.ListValues().Len())
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(to-from))
	items := source{Array: array.NewSlice(l.ListValues(), from, to)}
	defer items.Release()
	switch item := n.item.(type) {
	case fixed:
		width := item.base().typ.Size
		size := int(to-from) * width
		dst = append(dst, make([]byte, size)...)
		err = item.put(dst[len(dst)-size:], width, &items)
	case flat:
		for k := 0; k < items.Len() && err == nil; k++ {
			dst, err = item.add(dst, &items, k)
		}
	}
	return dst, element.Owner(err, func(int) int { return i })
}
