package parquet

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Conversion describes a column whose type Parquet lacks.
type Conversion struct {
	Column string // names from the top, joined by dots
	From   arrow.DataType
	To     string // what is written instead
}

// String describes the conversion in a sentence.
func (c Conversion) String() string {
	return fmt.Sprintf("column %s: Parquet has no %s, it is written as %s", c.Column, c.From, c.To)
}

// Conversions returns the columns of a schema whose types Parquet lacks and that are written as other types. A type that
// cannot be written is an error of kind Unsupported that names the column. The options
// are those of Write.
func Conversions(s *arrow.Schema, opts ...Option) ([]Conversion, error) {
	o, err := defaults(opts)
	if err != nil {
		return nil, err
	}
	t, err := newTypes(s, o.compat)
	if err != nil {
		return nil, err
	}
	return t.conversions, nil
}

// types is a schema in two other forms.
type types struct {
	encoded     *arrow.Schema // for arrow-go's writer
	stored      *arrow.Schema // stored in the file for readers that know Arrow
	conversions []Conversion

	compat Compat
}

func newTypes(s *arrow.Schema, compat Compat) (*types, error) {
	t := &types{compat: compat}
	encoded, stored, err := t.fields("", s.Fields())
	if err != nil {
		return nil, err
	}
	md := s.Metadata()
	t.encoded, t.stored = arrow.NewSchema(encoded, &md), arrow.NewSchema(stored, &md)
	return t, nil
}

func (t *types) fields(path string, in []arrow.Field) (encoded, stored []arrow.Field, err error) {
	for _, f := range in {
		e, s, err := t.field(path+f.Name, f)
		if err != nil {
			return nil, nil, err
		}
		encoded, stored = append(encoded, e), append(stored, s)
	}
	return encoded, stored, nil
}

func (t *types) field(path string, f arrow.Field) (encoded, stored arrow.Field, err error) {
	encoded, stored = f, f
	encoded.Type, stored.Type, err = t.typ(path, f.Type)
	return encoded, stored, err
}

// element is the field of a list's items under the name that it has in Parquet.
func (t *types) element(path string, f arrow.Field) (encoded, stored arrow.Field, err error) {
	f.Name = "element"
	return t.field(path, f)
}

// typ returns the types for a type in both schemas.
func (t *types) typ(path string, in arrow.DataType) (encoded, stored arrow.DataType, err error) {
	convert := func(to string) { t.conversions = append(t.conversions, Conversion{path, in, to}) }
	switch in := in.(type) {
	case *arrow.BooleanType, *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type, *arrow.Uint8Type,
		*arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type, *arrow.Float16Type, *arrow.Float32Type, *arrow.Float64Type,
		*arrow.StringType, *arrow.LargeStringType, *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.Date32Type,
		*arrow.Time64Type, *arrow.Decimal128Type, *arrow.Decimal256Type, *arrow.NullType:
		return in, in, nil
	case *arrow.FixedSizeBinaryType:
		if in.ByteWidth > 0 {
			return in, in, nil
		}
	case *arrow.TimestampType:
		if in.Unit == arrow.Nanosecond && t.compat == Format1 {
			convert("timestamp[us], cut off")
			return in, in, nil
		}
		if in.Unit != arrow.Second {
			return in, in, nil
		}
		convert("timestamp[ms]")
		return in, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: in.TimeZone}, nil
	case *arrow.DurationType:
		convert("int64, which readers of the Arrow schema make a duration again")
		return arrow.PrimitiveTypes.Int64, in, nil
	case *arrow.Time32Type:
		if in.Unit == arrow.Second {
			convert("time32[ms]")
		}
		return in, arrow.FixedWidthTypes.Time32ms, nil
	case *arrow.Date64Type:
		convert("a date of days")
		return in, in, nil
	case *arrow.DictionaryType:
		return t.dictionary(path, in)
	case *arrow.StructType:
		if in.NumFields() == 0 {
			break
		}
		e, s, err := t.fields(path+".", in.Fields())
		if err != nil {
			return nil, nil, err
		}
		return arrow.StructOf(e...), arrow.StructOf(s...), nil
	case *arrow.ListType:
		e, s, err := t.element(path, in.ElemField())
		return arrow.ListOfField(e), arrow.ListOfField(s), err
	case *arrow.LargeListType:
		e, s, err := t.element(path, in.ElemField())
		return arrow.LargeListOfField(e), arrow.LargeListOfField(s), err
	case *arrow.FixedSizeListType: // as lists of any size: arrow-go's writer does not accept slices or null rows of these
		e, s, err := t.element(path, in.ElemField())
		return arrow.LargeListOfField(e), arrow.FixedSizeListOfField(in.Len(), s), err
	case *arrow.MapType:
		ke, ks, err := t.field(path+".key", in.KeyField())
		if err != nil {
			return nil, nil, err
		}
		ie, is, err := t.field(path+".value", in.ItemField())
		return arrow.MapOfFields(ke, ie), arrow.MapOfFields(ks, is), err
	case arrow.ExtensionType:
		if _, nested := in.StorageType().(arrow.NestedType); !nested {
			if _, _, err := t.typ(path, in.StorageType()); err != nil {
				return nil, nil, err
			}
			return in, in, nil
		}
		e, _, err := t.typ(path, in.StorageType())
		return e, in, err
	}
	return nil, nil, h5err.New(h5err.Unsupported, "column %s: Parquet has no type for %s", path, in).
		WithHint("leave the column out, or write an .arrow file")
}

// dictionary keeps dictionaries that arrow-go writes as such.
func (t *types) dictionary(path string, in *arrow.DictionaryType) (encoded, stored arrow.DataType, err error) {
	e, s, err := t.typ(path, in.ValueType)
	if err != nil {
		return nil, nil, err
	}
	switch in.ValueType.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY:
		return in, in, nil
	}
	return e, &arrow.DictionaryType{IndexType: in.IndexType, ValueType: s, Ordered: in.Ordered}, nil
}
