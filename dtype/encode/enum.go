package encode

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// enum is the labels of a dictionary as members of an enumeration.
type enum struct {
	info
	values map[string][]byte // stored
}

// enumerable reports whether a dictionary's labels are known before there are arrays, and may be an enumeration's.
func (b *planner) enumerable(md arrow.Metadata) bool {
	_, known := md.GetValue(dtype.MetaEnum)
	return b.opt.Categories == CategoriesEnum || b.opt.Categories == CategoriesAuto && (known || b.opt.Labels != nil)
}

func (b *planner) enum(t *arrow.DictionaryType, md arrow.Metadata, depth int) (node, error) {
	if err := b.noSentinel(t, depth); err != nil {
		return nil, err
	}
	if !isText(t.ValueType) || isBinary(t.ValueType) {
		return nil, h5err.New(h5err.Unsupported, "an enumeration of %s", t.ValueType)
	}
	signed := arrow.IsSignedInteger(t.IndexType.ID())
	labels, values, err := b.members(md, signed)
	if err != nil {
		return nil, err
	}
	w := t.IndexType.(arrow.FixedWidthDataType).Bytes()
	for _, x := range values {
		for !fitsIn(x, w, signed) {
			if w *= 2; w > 8 {
				return nil, h5err.New(h5err.Unsupported, "an enumeration with the value %d", int64(x))
			}
		}
	}
	for w < 8 && len(labels) > 1<<(8*w-types.One(signed)) {
		w *= 2
	}
	base := intOf(w, signed)
	n := &enum{values: map[string][]byte{}}
	n.typ = &h5.Type{Class: h5.ClassEnum, Size: w, Order: base.Order, Base: base, Names: labels}
	for i, l := range labels {
		v := nullbitmap.Stored(values[i], w, nullbitmap.LittleEndian)
		if _, twice := n.values[l]; twice || l == "" || strings.IndexByte(l, 0) >= 0 {
			return nil, h5err.New(h5err.Unsupported, "an enumeration with a second or empty label %q", l)
		}
		n.values[l] = v
		n.typ.Values = append(n.typ.Values, v...)
	}
	if types.IsBool(labels, values, w) || types.IsLogical(labels, values, w) {
		b.lost = append(b.lost, "the enumeration of FALSE and TRUE is read back as bool")
		n.arrow = arrow.FixedWidthTypes.Boolean
	} else {
		index, _ := types.ArrowInt(signed, w)
		n.arrow = &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}
		if t.Ordered {
			b.lost = append(b.lost, "that the labels are ordered is lost")
		}
	}
	n.delivery, n.reason = dtype.Converted, "labels become members of an enumeration"
	return n, nil
}

// members returns the labels and the values of an enumeration's members, of which there is at least one. Values are
// sign-extended where they are signed.
func (b *planner) members(md arrow.Metadata, signed bool) (labels []string, values []uint64, err error) {
	text, known := md.GetValue(dtype.MetaEnum)
	switch {
	case b.opt.Labels != nil:
		labels = b.opt.Labels
		for i := range labels {
			values = append(values, uint64(i))
		}
	case known:
		if labels, values, err = parseMembers(text, signed); err != nil {
			return nil, nil, err
		}
	default:
		return nil, nil, h5err.New(h5err.Argument, "an enumeration without labels")
	}
	if len(labels) == 0 {
		return nil, nil, h5err.New(h5err.Unsupported, "an enumeration without members")
	}
	return labels, values, nil
}

// parseMembers reads what package dtype wrote under dtype.MetaEnum: a JSON object in the order of the file.
func parseMembers(text string, signed bool) (labels []string, values []uint64, err error) {
	bad := func() ([]string, []uint64, error) {
		return nil, nil, h5err.New(h5err.Argument, "the metadata %s do not list members: %.80s", dtype.MetaEnum, text)
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
		var x uint64
		if signed {
			var i int64
			i, err = strconv.ParseInt(number.String(), 10, 64)
			x = uint64(i)
		} else {
			x, err = strconv.ParseUint(number.String(), 10, 64)
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

func (n *enum) put(dst []byte, stride int, s *source) error {
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
				return nullInside(i, labels.DataType())
			}
			if value = found[k]; value == nil {
				return element.New(i, h5err.Argument, "the label %.40q is not a member of the enumeration", text(k))
			}
		}
		copy(dst[i*stride:i*stride+n.typ.Size], value)
	}
	return nil
}
