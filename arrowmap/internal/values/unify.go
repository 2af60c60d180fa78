package values

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// HasDictionary reports whether a type is a dictionary, or has one within it.
func HasDictionary(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return true
	case arrow.NestedType:
		for _, f := range t.Fields() {
			if HasDictionary(f.Type) {
				return true
			}
		}
	}
	return false
}

// Unify returns what brings arrays to one type with one dictionary in each place that has one, nil for those that are as they
// have to be. Dictionaries may have other labels, or the same in another order: all get the labels in the order in which
// the arrays have them. Arrays of nulls have no type of their own. Other numbers and text get the smallest type that has the values of
// all if widen is set. Where an array is of another type, differs is its number, else -1.
func Unify(arrays []arrow.Array, widen bool) (as []*Recode, differs int, err error) {
	_, as, differs, err = unify(arrays, widen)
	return as, differs, err
}

func unify(arrays []arrow.Array, widen bool) (t arrow.DataType, as []*Recode, differs int, err error) {
	as = make([]*Recode, len(arrays))
	typed := typedOf(arrays)
	if typed < 0 {
		return arrow.Null, as, -1, nil
	}
	switch t = arrays[typed].DataType(); t := t.(type) {
	case *arrow.DictionaryType:
		return unifyLabels(arrays)
	case *arrow.ListType, *arrow.FixedSizeListType, *arrow.StructType:
		return unifyItems(arrays, t.(arrow.NestedType), widen)
	}
	var types []arrow.DataType
	for k, a := range arrays {
		switch own := a.DataType(); {
		case own.ID() == arrow.NULL:
		case arrow.TypeEqual(own, t):
			types = append(types, own)
		case !widen:
			return t, nil, k, nil
		default:
			if t, _ = Widest(append(types, own)); t == nil {
				return arrays[typed].DataType(), nil, k, nil
			}
			types = append(types, own)
		}
	}
	for k, a := range arrays {
		if !arrow.TypeEqual(a.DataType(), t) {
			as[k] = &Recode{typ: t}
		}
	}
	return t, as, -1, nil
}

// typedOf returns the number of the first array that is not of nulls, -1 for none.
func typedOf(arrays []arrow.Array) int {
	for k, a := range arrays {
		if a.DataType().ID() != arrow.NULL {
			return k
		}
	}
	return -1
}

// unifyItems is unify for lists and structs of the outer form of t.
func unifyItems(arrays []arrow.Array, t arrow.NestedType, widen bool) (arrow.DataType, []*Recode, int, error) {
	as := make([]*Recode, len(arrays))
	children := make([][]arrow.Array, t.NumFields()) // of each field
	null := array.NewNull(0)
	for k, a := range arrays {
		switch {
		case a.DataType().ID() == arrow.NULL:
			as[k] = &Recode{}
		case !sameForm(a.DataType(), t):
			return t, nil, k, nil
		}
		for i := range children {
			child := arrow.Array(null)
			if as[k] == nil {
				child = childOf(a, i)
			}
			children[i] = append(children[i], child)
		}
	}
	fields := make([]arrow.Field, len(children))
	items := make([][]*Recode, len(children))
	for i := range children {
		fields[i] = t.Fields()[i]
		var differs int
		var err error
		if fields[i].Type, items[i], differs, err = unify(children[i], widen); err != nil || differs >= 0 {
			return t, nil, differs, err
		}
		for k, r := range items[i] {
			if r != nil && as[k] == nil {
				as[k] = &Recode{}
			}
		}
	}
	typ := formed(t, fields)
	for k, r := range as {
		if r == nil {
			continue
		}
		r.typ = typ
		for i := range items {
			r.items = append(r.items, items[i][k])
		}
	}
	return typ, as, -1, nil
}

// sameForm reports whether types are lists of one kind, or structs of the same fields, whatever the types of the items.
func sameForm(a, b arrow.DataType) bool {
	if a.ID() != b.ID() {
		return false
	}
	switch a := a.(type) {
	case *arrow.FixedSizeListType:
		return a.Len() == b.(*arrow.FixedSizeListType).Len()
	case *arrow.StructType:
		b := b.(*arrow.StructType)
		if a.NumFields() != b.NumFields() {
			return false
		}
		for i := range a.NumFields() {
			if a.Field(i).Name != b.Field(i).Name {
				return false
			}
		}
	}
	return true
}

// formed returns the type of the form of t with other fields.
func formed(t arrow.NestedType, fields []arrow.Field) arrow.DataType {
	switch t := t.(type) {
	case *arrow.ListType:
		return arrow.ListOfField(fields[0])
	case *arrow.FixedSizeListType:
		return arrow.FixedSizeListOfField(t.Len(), fields[0])
	}
	return arrow.StructOf(fields...)
}

// childOf returns a child of an array of lists or of structs. It belongs to the array.
func childOf(a arrow.Array, i int) arrow.Array {
	switch a := a.(type) {
	case *array.Struct:
		return a.Field(i)
	case array.ListLike:
		return a.ListValues()
	}
	return nil
}

// unifyLabels is unify for dictionaries.
func unifyLabels(arrays []arrow.Array) (arrow.DataType, []*Recode, int, error) {
	as := make([]*Recode, len(arrays))
	labels := make([]arrow.Array, len(arrays)) // nil where all is null
	var first arrow.Array                      // that is not empty
	var typ *arrow.DictionaryType              // of the first that has labels, or else of the first
	for k, a := range arrays {
		d, ok := a.(*array.Dictionary)
		if !ok {
			if a.DataType().ID() != arrow.NULL {
				return typ, nil, k, nil
			}
			continue
		}
		labels[k] = d.Dictionary()
		if typ == nil || first == nil && labels[k].Len() > 0 {
			typ = d.DataType().(*arrow.DictionaryType)
		}
		if first == nil && labels[k].Len() > 0 {
			first = labels[k]
		}
	}
	equal := true
	for k, l := range labels {
		if l == nil {
			equal = false
			continue
		}
		t := arrays[k].DataType().(*arrow.DictionaryType)
		if l.Len() > 0 && !arrow.TypeEqual(t.ValueType, typ.ValueType) {
			return typ, nil, k, nil
		}
		equal = equal && arrow.TypeEqual(t, typ) && (first == nil || array.Equal(first, l))
	}
	if equal {
		return typ, as, -1, nil
	}
	return joinLabels(arrays, labels, typ)
}

// joinLabels makes one dictionary of several.
func joinLabels(arrays, labels []arrow.Array, typ *arrow.DictionaryType) (arrow.DataType, []*Recode, int, error) {
	u, err := array.NewDictionaryUnifier(memory.DefaultAllocator, typ.ValueType)
	if err != nil {
		return nil, nil, -1, h5err.Wrap(h5err.Unsupported, err, "labels of %s that differ between files", typ.ValueType)
	}
	defer u.Release()
	as := make([]*Recode, len(labels))
	ordered, sameIndex, largest := true, true, 0
	for k, l := range labels {
		as[k] = &Recode{}
		if l == nil || l.Len() == 0 {
			continue
		}
		d := arrays[k].DataType().(*arrow.DictionaryType)
		ordered = ordered && d.Ordered
		sameIndex = sameIndex && arrow.TypeEqual(d.IndexType, typ.IndexType)
		at, err := u.UnifyAndTranspose(l)
		if err != nil {
			return nil, nil, -1, h5err.Wrap(h5err.Unsupported, err, "the labels of files as one dictionary")
		}
		as[k].at = append([]int32{}, arrow.Int32Traits.CastFromBytes(at.Bytes())[:l.Len()]...)
		at.Release()
		for own, place := range as[k].at {
			ordered = ordered && own == int(place)
			largest = max(largest, int(place))
		}
	}
	index := typ.IndexType
	if !sameIndex || largest > maxIndex(index) {
		for _, index = range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32} {
			if largest <= maxIndex(index) {
				break
			}
		}
	}
	all, err := u.GetResultWithIndexType(arrow.PrimitiveTypes.Int64)
	if err != nil {
		return nil, nil, -1, h5err.Wrap(h5err.Unsupported, err, "the labels of files as one dictionary")
	}
	t := &arrow.DictionaryType{IndexType: index, ValueType: typ.ValueType, Ordered: ordered}
	for _, r := range as {
		r.typ, r.labels = t, all
	}
	return t, as, -1, nil
}

// maxIndex is the largest place that an index type can name.
func maxIndex(t arrow.DataType) int {
	switch t.ID() {
	case arrow.INT8:
		return math.MaxInt8
	case arrow.UINT8:
		return math.MaxUint8
	case arrow.INT16:
		return math.MaxInt16
	case arrow.UINT16:
		return math.MaxUint16
	}
	return math.MaxInt32
}
