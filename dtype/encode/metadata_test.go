package encode_test

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/layout"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
)

// TestMetadata shows that what reading says in a field's metadata is enough to make the HDF5 type again.
func TestMetadata(t *testing.T) {
	for _, src := range []*h5.Type{
		dtest.Enum(dtest.LE(2), "low", -300, `a"b`, 7), dtest.Enum(dtest.LE(1), "red", 0, "blue", 1), dtest.Enum(dtest.LEU(8), "m", 3), dtest.Opaque(5, "a tag"), dtest.Opaque(5, ""),
		dtest.Compound(5, "e", 0, dtest.Enum(dtest.LE(1), "x", 5, "y", 6), "o", 1, dtest.Opaque(4, "inner")), dtest.Bool(), dtest.LE(4), dtest.LEU(2), types.Float(4, h5.LittleEndian),
		dtest.VLen(dtest.LE(2)), dtest.VLen(dtest.VLen(dtest.Enum(dtest.LE(1), "x", 5))), dtest.Array(dtest.LE(2), 2, 3),
	} {
		p, err := dtype.New(dtype.Source{Type: src}, dtype.Options{})
		if err != nil {
			t.Fatal(err)
		}
		back, err := encode.New(arrow.Field{Name: "x", Type: p.Arrow, Metadata: arrow.MetadataFrom(p.Metadata)}, encode.Options{})
		if err != nil {
			t.Errorf("%v: %v", src, err)
			continue
		}
		got := back.Datasets[0].Type
		if dims := back.Datasets[0].Dims; len(dims) > 0 {
			got = dtest.Array(got, dims...)
		}
		if got.String() != src.String() {
			t.Errorf("%v became %v", src, got)
		}
		if !arrow.TypeEqual(back.Arrow, p.Arrow) {
			t.Errorf("%v is read as %v", p.Arrow, back.Arrow)
		}
	}
}

// TestEnumsOfBooleans shows that labels which mean booleans are said to be read back as such: with NA they are R's logical.
func TestEnumsOfBooleans(t *testing.T) {
	for _, labels := range [][]string{{"FALSE", "TRUE"}, {"FALSE", "TRUE", "NA"}} {
		p, err := encode.New(arrow.Field{Name: "x", Type: dtest.DictOf(arrow.PrimitiveTypes.Uint8, arrow.BinaryTypes.String)}, encode.Options{Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		back, err := dtype.New(dtype.Source{Type: p.Datasets[0].Type}, dtype.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !arrow.TypeEqual(p.Arrow, arrow.FixedWidthTypes.Boolean) || !arrow.TypeEqual(back.Arrow, p.Arrow) {
			t.Errorf("%q: promised %v, read as %v", labels, p.Arrow, back.Arrow)
		}
	}
}

// FuzzMetadata reads metadata that anyone may have written: plans and attributes are sound, or there is an error.
func FuzzMetadata(f *testing.F) {
	f.Add(`{"a":1,"b":-2}`, "5", "i16le", "_FillValue=3")
	f.Add(`{"a":`, `["NaN",1.5]`, "f32le", "mask:/m")
	f.Add(`{"a":99999999999999999999}`, `[1,[2]]`, "text", "_FillValue=NaN; missing_value=1")
	f.Add(`{}`, `{"hdf5_type":"x"}`, "u8", "")
	f.Fuzz(func(t *testing.T, enum, value, typ, nulls string) {
		named := fmt.Sprintf(`{"v":%q}`, typ)
		md := arrow.MetadataFrom(map[string]string{dtype.MetaEnum: enum, dtype.MetaAttribute + "v": value, dtype.MetaTypes: named, dtype.MetaNulls: nulls, dtype.MetaOpaqueTag: value})
		for _, typ := range []arrow.DataType{dtest.DictOf(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String), arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Float64, &arrow.FixedSizeBinaryType{ByteWidth: 8}} {
			p, err := encode.New(arrow.Field{Name: "x", Type: typ, Metadata: md}, encode.Options{})
			if err != nil {
				continue
			}
			c := layout.Vaex(p, md)
			for _, a := range append(c.Attributes, c.Datasets[0].Attributes...) {
				n := 1
				for _, d := range a.Dims {
					n *= int(d)
				}
				if !a.Type.VarString && len(a.Data) != n*a.Type.Size {
					t.Errorf("%d bytes for %d of %v", len(a.Data), n, a.Type)
				}
			}
			if _, err := dtype.New(dtype.Source{Type: p.Datasets[0].Type, DType: p.Datasets[0].DType}, p.Read); err != nil {
				t.Errorf("%v can't be read: %v", p.Datasets[0].Type, err)
			}
		}
	})
}
