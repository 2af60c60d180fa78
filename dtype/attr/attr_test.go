package attr_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
)

// TestFromMetadata makes attributes of what metadata say of them.
func TestFromMetadata(t *testing.T) {
	for _, tt := range []struct {
		typ        *h5.Type // nil: text
		text, want string   // the value in metadata; the attribute's bytes, "text" for those of text
		named      string   // what dtype.MetaTypes must say
	}{
		{nil, "meters per second", "text", ""},
		{nil, "5", "text", attr.TypeText},
		{nil, `["a"]`, "text", attr.TypeText},
		{nil, "true", "text", ""},
		{nil, "", "text", ""},
		{dtest.LE(8), "5", "0500000000000000", ""},
		{dtest.LE(2), "-2", "feff", "i16le"},
		{dtest.LEU(1), "[1,2]", "0102", "u8"},
		{dtest.BE(4), "1", "00000001", "i32be"},
		{types.Float(8, h5.LittleEndian), "0.5", "000000000000e03f", ""},
		{types.Float(8, h5.LittleEndian), "5", "0000000000001440", "f64le"},
		{types.Float(4, h5.LittleEndian), `["NaN",1]`, "0000c07f 0000803f", "f32le"},
		{dtest.VarStr(), `["a","b"]`, "0100000000000000 61 0100000000000000 62", ""},
	} {
		name := attr.TypeName(tt.typ, tt.text)
		if name != tt.named {
			t.Errorf("%v %s: the type %q is to be noted, not %q", tt.typ, tt.text, tt.named, name)
		}
		md := map[string]string{dtype.MetaAttribute + "a": tt.text}
		if name != "" {
			md[dtype.MetaTypes] = fmt.Sprintf(`{"a":%q}`, name)
		}
		attrs, dropped := attr.FromMetadata(arrow.MetadataFrom(md), nil)
		if len(attrs) != 1 || len(dropped) != 0 || attrs[0].Name != "a" {
			t.Errorf("%v %s: attributes %v, dropped %v", tt.typ, tt.text, attrs, dropped)
			continue
		}
		a := attrs[0]
		if tt.want == "text" {
			if string(a.Data[8:]) != tt.text || !a.Type.VarString {
				t.Errorf("%q became %v %q", tt.text, a.Type, a.Data)
			}
			continue
		}
		if a.Type.String() != tt.typ.String() && !a.Type.VarString || !bytes.Equal(a.Data, dtest.Unhex(t, tt.want)) {
			t.Errorf("%v %s became %v %x", tt.typ, tt.text, a.Type, a.Data)
		}
	}
}

// TestDropped shows which attributes are left out, and which can't be made again.
func TestDropped(t *testing.T) {
	md := arrow.MetadataFrom(map[string]string{
		"hdf5.attr.unit": "m", "hdf5.attr.n": "3", "hdf5.attr.dtype": "S9", "hdf5.attr.list": `{"hdf5_type":"vlen(ref)","base64":"AA=="}`,
		"hdf5.attr.": "x", "pandas": "{}", dtype.MetaTypes: `{"n":"i16le"}`,
	})
	attrs, dropped := attr.FromMetadata(md, []string{"dtype"})
	var names []string
	for _, a := range attrs {
		names = append(names, a.Name+" "+a.Type.String())
	}
	if got := strings.Join(names, ", "); got != "n i16le, unit vstr(utf8,nullterm)" {
		t.Errorf("attributes %s", got)
	}
	if !slices.Equal(dropped, []string{"list"}) {
		t.Errorf("dropped %v", dropped)
	}
}
