package stored

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/message"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// maxScaled is the number of digits of decimals that are stored as scaled integers of 64 bits.
const maxScaled = 18

// Type returns the type that values of t are stored as, t itself where there is nothing to convert.
func Type(t arrow.DataType) arrow.DataType {
	out := t
	switch t := t.(type) {
	case *arrow.Decimal32Type:
		out = arrow.PrimitiveTypes.Int32
	case *arrow.Decimal64Type:
		out = arrow.PrimitiveTypes.Int64
	case *arrow.Decimal128Type:
		out = decimalType(t.Precision)
	case *arrow.Decimal256Type:
		out = decimalType(t.Precision)
	case *arrow.RunEndEncodedType:
		out = Type(t.Encoded())
	case *arrow.ListViewType:
		out = arrow.ListOfField(fieldOf(t.ElemField()))
	case *arrow.LargeListViewType:
		out = arrow.LargeListOfField(fieldOf(t.ElemField()))
	case arrow.ExtensionType:
		if t.ExtensionName() != dtype.TensorName {
			out = Type(t.StorageType())
		}
	default:
		out = Inside(t, fieldOf)
	}
	if Same(out, t) {
		return t
	}
	return out
}

func decimalType(precision int32) arrow.DataType {
	if precision <= maxScaled {
		return arrow.PrimitiveTypes.Int64
	}
	return arrow.BinaryTypes.String
}

func fieldOf(f arrow.Field) arrow.Field {
	f.Type = Type(f.Type)
	return f
}

// Same reports whether two types are equal, down to the names and the metadata of fields inside them.
func Same(a, b arrow.DataType) bool {
	return a == b || arrow.TypeEqual(unasked(a, true), unasked(b, true), arrow.CheckMetadata())
}

// Equal reports whether two types are equal, apart from the metadata of fields inside them.
func Equal(a, b arrow.DataType) bool {
	return a == b || arrow.TypeEqual(unasked(a, false), unasked(b, false))
}

// unasked returns a type whose timestamps have not looked up their zones, with or without the metadata of fields: of dictionaries and
// large lists, arrow.TypeEqual compares these in any case.
func unasked(t arrow.DataType, metadata bool) arrow.DataType {
	switch t := t.(type) {
	case *arrow.TimestampType:
		return &arrow.TimestampType{Unit: t.Unit, TimeZone: t.TimeZone}
	case *arrow.RunEndEncodedType:
		r := arrow.RunEndEncodedOf(t.RunEnds(), unasked(t.Encoded(), metadata))
		r.ValueNullable = t.ValueNullable
		return r
	}
	return Inside(t, func(f arrow.Field) arrow.Field {
		if f.Type = unasked(f.Type, metadata); !metadata {
			f.Metadata = arrow.Metadata{}
		}
		return f
	})
}

// Storage returns a type whose extensions are replaced by their storage, and run ends of 16 bits by those of 32, also inside other
// types.
func Storage(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case arrow.ExtensionType:
		return Storage(t.StorageType())
	case *arrow.RunEndEncodedType:
		ends := t.RunEnds()
		if ends.ID() == arrow.INT16 { // batches that are read may have more rows
			ends = arrow.PrimitiveTypes.Int32
		}
		return arrow.RunEndEncodedOf(ends, Storage(t.Encoded()))
	}
	return Inside(t, func(f arrow.Field) arrow.Field {
		f.Type = Storage(f.Type)
		return f
	})
}

// Inside returns a type with each field of it, down one level, replaced by what fn returns: items of lists, fields of structs, labels
// of dictionaries, which are fields without a name.
func Inside(t arrow.DataType, fn func(arrow.Field) arrow.Field) arrow.DataType {
	switch t := t.(type) {
	case *arrow.ListType:
		return arrow.ListOfField(fn(t.ElemField()))
	case *arrow.LargeListType:
		return arrow.LargeListOfField(fn(t.ElemField()))
	case *arrow.ListViewType:
		return arrow.ListViewOfField(fn(t.ElemField()))
	case *arrow.LargeListViewType:
		return arrow.LargeListViewOfField(fn(t.ElemField()))
	case *arrow.FixedSizeListType:
		return arrow.FixedSizeListOfField(t.Len(), fn(t.ElemField()))
	case *arrow.StructType:
		fields := make([]arrow.Field, t.NumFields())
		for i := range fields {
			fields[i] = fn(t.Field(i))
		}
		return arrow.StructOf(fields...)
	case *arrow.DictionaryType:
		return &arrow.DictionaryType{IndexType: t.IndexType, ValueType: fn(arrow.Field{Type: t.ValueType}).Type, Ordered: t.Ordered}
	}
	return t
}

// Field returns the value of the attribute for a column of type t. Extensions are replaced by their storage.
func Field(t arrow.DataType) (string, error) {
	s := arrow.NewSchema([]arrow.Field{{Name: "", Type: Storage(t), Nullable: true}}, nil)
	var b bytes.Buffer
	if err := ipc.NewWriter(&b, ipc.WithSchema(s)).Close(); err != nil {
		return "", h5err.Wrap(h5err.Unsupported, err, "the type %s", t)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// Parse returns the type in the value of the attribute, which comes from a file, unchecked. Errors are of kind Corrupt.
func Parse(text string) (t arrow.DataType, err error) {
	corrupt := func(err error) error {
		return h5err.Wrap(h5err.Corrupt, err, "the attribute %s is not an Arrow schema in base64", Attribute)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, corrupt(err)
	}
	defer func() {
		if p := recover(); p != nil { // arrow-go's parser does not check the offsets in a message
			t, err = nil, h5err.New(h5err.Corrupt, "the attribute %s is a broken Arrow schema", Attribute)
		}
	}()
	const prefix, continuation = 8, 0xffffffff
	if size := len(b) - prefix; size < prefix || binary.LittleEndian.Uint32(b[4:]) > uint32(size) {
		return nil, h5err.New(h5err.Corrupt, "the attribute %s is cut short", Attribute)
	}
	if message.Verify(b[prefix:][:binary.LittleEndian.Uint32(b[4:])]) != 0 || binary.LittleEndian.Uint32(b) != continuation {
		return nil, h5err.New(h5err.Corrupt, "the attribute %s is not an Arrow schema", Attribute)
	}
	r, err := ipc.NewReader(bytes.NewReader(b)) // it has no limits of its own
	if err != nil {
		return nil, corrupt(err)
	}
	defer r.Release()
	if n := r.Schema().NumFields(); n != 1 {
		return nil, h5err.New(h5err.Corrupt, "the attribute %s has %d fields, not one", Attribute, n)
	}
	t = r.Schema().Field(0).Type
	return t, checkType(t)
}

// checkType refuses types that no column has, so that whoever works with them need not check.
func checkType(t arrow.DataType) error {
	bad := func() error { return h5err.New(h5err.Corrupt, "the attribute %s names the type %s", Attribute, t) }
	switch t := t.(type) {
	case *arrow.FixedSizeBinaryType:
		if t.ByteWidth < 1 {
			return bad()
		}
	case *arrow.FixedSizeListType:
		if t.Len() < 1 {
			return bad()
		}
		return checkType(t.Elem())
	case *arrow.DictionaryType:
		if !arrow.IsInteger(t.IndexType.ID()) {
			return bad()
		}
		return checkType(t.ValueType)
	case *arrow.RunEndEncodedType:
		if t.RunEnds().ID() != arrow.INT32 && t.RunEnds().ID() != arrow.INT64 || t.Encoded().ID() == arrow.RUN_END_ENCODED {
			return bad()
		}
		return checkType(t.Encoded())
	case *arrow.MapType, arrow.UnionType, arrow.ExtensionType:
		return bad()
	case *arrow.StructType:
		for _, f := range t.Fields() {
			if err := checkType(f.Type); err != nil {
				return err
			}
		}
	case arrow.ListLikeType:
		return checkType(t.Elem())
	}
	return nil
}
