package layout_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/layout"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/encode"
)

// shown returns attributes as text.
func shown(attrs []attr.Attribute) string {
	var out []string
	for _, a := range attrs {
		value := fmt.Sprintf("%x", a.Data)
		if a.Type.VarString {
			value = string(a.Data[8:])
		}
		out = append(out, a.Name+"="+value+" "+a.Type.String())
	}
	return strings.Join(out, ", ")
}

// TestVaex has the paths and the attributes of one column of each kind.
func TestVaex(t *testing.T) {
	text := " vstr(utf8,nullterm)"
	utf8 := arrow.BinaryTypes.String
	for _, tt := range []struct {
		typ    arrow.DataType
		opt    encode.Options
		column string
		want   []string // path: attributes
	}{
		{arrow.PrimitiveTypes.Int32, encode.Options{}, "", []string{"data: ", "null_bitmap: "}},
		{arrow.PrimitiveTypes.Int16, encode.Options{Nulls: encode.NullsSentinel, Sentinel: []byte{0x19, 0xfc}}, "", []string{"data: _FillValue=19fc i16le"}},
		{arrow.PrimitiveTypes.Float32, encode.Options{Nulls: encode.NullsSentinel}, "", []string{"data: "}},
		{arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Float32), encode.Options{}, "", []string{"data: ", "mask: "}},
		{arrow.FixedWidthTypes.Timestamp_ns, encode.Options{}, "", []string{"data: dtype=datetime64[ns]" + text + ", h5arrow.timezone=UTC" + text, "null_bitmap: "}},
		{arrow.FixedWidthTypes.Date32, encode.Options{}, "", []string{"data: dtype=datetime64[D]" + text, "null_bitmap: "}},
		{arrow.FixedWidthTypes.Duration_ms, encode.Options{}, "", []string{"data: dtype=timedelta64[ms]" + text, "null_bitmap: "}},
		{utf8, encode.Options{}, "", []string{"data: dtype=str" + text, "indices: ", "null_bitmap: "}},
		{utf8, encode.Options{Text: encode.TextUTF32, TextWidth: 5, Nulls: encode.NullsMask}, "", []string{"data: dtype=utf32" + text + ", dlength=0500000000000000 i64le", "mask: "}},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: utf8, Ordered: true}, encode.Options{},
			"type=dictionary_encoded" + text + ", ordered=01 enum(i8){FALSE=0, TRUE=1}",
			[]string{"indices/data: ", "indices/null_bitmap: ", "dictionary/data: dtype=str" + text, "dictionary/indices: ", "dictionary/null_bitmap: "}},
	} {
		p, err := encode.New(arrow.Field{Name: "x", Type: tt.typ}, tt.opt)
		if err != nil {
			t.Fatal(err)
		}
		c := layout.Vaex(p, arrow.Metadata{})
		var got []string
		for _, d := range c.Datasets {
			got = append(got, d.Path+": "+shown(d.Attributes))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v:\n got %q\nwant %q", tt.typ, got, tt.want)
		}
		if s := shown(c.Attributes); s != tt.column {
			t.Errorf("%v: attributes %s", tt.typ, s)
		}
		for _, d := range c.Datasets {
			if dir, _, inside := strings.Cut(d.Path, "/"); inside != slices.Contains(c.Groups, dir) {
				t.Errorf("%v: %s in the groups %v", tt.typ, d.Path, c.Groups)
			}
		}
	}
}

// TestVaexMetadata shows that attributes come back, but not those that say how the column was stored.
func TestVaexMetadata(t *testing.T) {
	md := arrow.MetadataFrom(map[string]string{
		"hdf5.attr.unit": "m", "hdf5.attr.n": "3", "hdf5.attr.dtype": "S9", "hdf5.attr.list": `{"hdf5_type":"vlen(ref)","base64":"AA=="}`,
		"pandas": "{}", dtype.MetaTypes: `{"n":"i16le"}`,
	})
	p, err := encode.New(arrow.Field{Name: "x", Type: arrow.FixedWidthTypes.Timestamp_ns, Metadata: md}, encode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := layout.Vaex(p, md)
	if got := shown(c.Attributes); got != "n=0300 i16le, unit=m vstr(utf8,nullterm)" {
		t.Errorf("attributes %s", got)
	}
	if !slices.Equal(c.Dropped, []string{"list"}) {
		t.Errorf("dropped %v", c.Dropped)
	}
}
