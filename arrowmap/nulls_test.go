package arrowmap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/arrowmap/layout"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// TestFieldMetadata shows what the metadata of fields say, and that package encode makes the column's HDF5 form of it again.
func TestFieldMetadata(t *testing.T) {
	f := tabletest.OpenHow(t, "testdata/defects.h5", "mapped")
	for _, tt := range []struct {
		table, column, key, want string
		nulls                    encode.Nulls
		typ                      string // that encode.New makes
	}{
		{"/chunked_mask", "x", dtype.MetaNulls, "mask:/chunked_mask/columns/x/mask", encode.NullsMask, "i32le"},
		{"/chunked_bitmap", "x", dtype.MetaNulls, "bitmap:/chunked_bitmap/columns/x/null_bitmap", encode.NullsBitmap, "i32le"},
		{"/mask_and_bitmap", "x", dtype.MetaNulls, "mask:/mask_and_bitmap/columns/x/mask; bitmap:/mask_and_bitmap/columns/x/null_bitmap", encode.NullsBitmap, "i32le"},
		{"/big_endian_time", "t", dtype.MetaDType, "datetime64[ns]", encode.NullsBitmap, "i64le"},
		{"/utf32", "w", dtype.MetaDType, "utf32", encode.NullsBitmap, "str1(ascii,nullpad)"},
		{"/kinds", "enum", dtype.MetaEnum, "", encode.NullsBitmap, "enum"},
	} {
		tab, err := f.Table(tt.table)
		if err != nil {
			t.Fatal(err)
		}
		fields, _ := tab.Schema().FieldsByName(tt.column)
		if len(fields) != 1 {
			t.Fatalf("no column %s in %s", tt.column, tt.table)
		}
		got, ok := fields[0].Metadata.GetValue(tt.key)
		if !ok || tt.want != "" && got != tt.want {
			t.Errorf("%s %s: %s is %q, want %q", tt.table, tt.column, tt.key, got, tt.want)
		}
		p, err := encode.New(fields[0], encode.Options{})
		if err != nil {
			t.Fatal(err)
		}
		typ := p.Datasets[0].Type.String()
		if p.Nulls != tt.nulls || !strings.HasPrefix(typ, tt.typ) {
			t.Errorf("%s %s: encoded by %v as %s", tt.table, tt.column, p.Nulls, typ)
		}
		if tt.key == dtype.MetaEnum {
			if want := dataset(t, f, "/kinds/columns/enum/data").Type().String(); typ != want {
				t.Errorf("the enumeration %s became %s", want, typ)
			}
		}
	}
}

// TestAttributesThereAndBack compares the attributes of every object of the test files with those that layout.Vaex
// makes of the metadata.
func TestAttributesThereAndBack(t *testing.T) {
	same := 0
	for _, name := range []string{"testdata/defects.h5", "testdata/defects_v1.h5", "sample.h5"} {
		var f *arrowmap.File
		if name == "sample.h5" {
			f = open(t, name)
		} else {
			f = tabletest.OpenHow(t, name, "mapped")
		}
		tables, err := f.Tables()
		if err != nil {
			t.Fatal(err)
		}
		for _, tab := range tables {
			for _, c := range tab.Columns() {
				if c.Err != nil {
					continue
				}
				p, err := encode.New(c.Field(), encode.Options{})
				if h5err.Is(err, h5err.Unsupported) {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				made := map[string]string{}
				for _, a := range layout.Vaex(p, c.Field().Metadata).Attributes {
					made[a.Name] = fmt.Sprint(a.Type.Class, a.Type.Size)
				}
				for _, o := range []string{c.Path, c.Path[:strings.LastIndexByte(c.Path, '/')]} {
					obj, err := f.H5().Lookup(o)
					if err != nil || o == tab.Path() {
						continue
					}
					attrs, err := obj.Attributes()
					if err != nil {
						t.Fatal(err)
					}
					for _, a := range attrs {
						_, text := a.Text()
						want := fmt.Sprint(a.Type().Class, a.Type().Size)
						if got, ok := made[a.Name]; ok && !text && got != want {
							t.Errorf("%s: attribute %s of type %s came back as %s", o, a.Name, want, got)
						} else if ok {
							same++
						}
					}
				}
			}
		}
	}
	if same == 0 {
		t.Error("no attribute was compared")
	}
}

func dataset(t *testing.T, f *arrowmap.File, path string) *h5.Dataset {
	t.Helper()
	o, err := f.H5().Lookup(path)
	if err != nil {
		t.Fatal(err)
	}
	return o.(*h5.Dataset)
}
