package arrowmap_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/layout"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	nb "github.com/h5arrow/h5arrow/nullbitmap"
)

// rule returns a rule that must be right.
func rule(r nb.Rule, err error) nb.Rule {
	if err != nil {
		panic(err)
	}
	return r
}

// TestNullRules gives every kind of source of nulls to contiguous and to chunked data, and compares with a loop over the
// values.
func TestNullRules(t *testing.T) {
	stored := func(v int64) []byte { return nb.Stored(uint64(v), 4, nb.LittleEndian) }
	for _, how := range []string{"mapped", "read"} {
		f := openHow(t, "testdata/defects.h5", how)
		for _, path := range []string{"/short_mask/columns/x/data", "/chunked_mask/columns/x/data"} {
			self := dataset(t, f, path)
			for _, tt := range []struct {
				name string
				null arrowmap.NullSource
				is   func(v int32) bool
			}{
				{"several sentinels", arrowmap.NullSource{Kind: convention.NullRule, Rule: rule(nb.Equal(stored(10), stored(90), stored(-1)))}, func(v int32) bool { return v == 10 || v == 90 }},
				{"a range", arrowmap.NullSource{Kind: convention.NullRule, Rule: rule(nb.OutsideInt(4, nb.LittleEndian, 20, 80))}, func(v int32) bool { return v < 20 || v > 80 }},
				{"an open range", arrowmap.NullSource{Kind: convention.NullRule, Rule: rule(nb.OutsideInt(4, nb.LittleEndian, math.MinInt64, 80))}, func(v int32) bool { return v > 80 }},
				{"joined rules", arrowmap.NullSource{Kind: convention.NullRule, Rule: rule(nb.Any(rule(nb.Equal(stored(0))), rule(nb.OutsideInt(4, nb.LittleEndian, 0, 50))))}, func(v int32) bool { return v == 0 || v > 50 }},
				{"a named bit of a bit field, set is null", arrowmap.NullSource{Kind: convention.NullMask, Data: self, Rule: rule(nb.AnyBit(stored(1<<3), nb.SetIsNull))}, func(v int32) bool { return v&8 != 0 }},
				{"a named bit of a bit field, set is valid", arrowmap.NullSource{Kind: convention.NullMask, Data: self, Rule: rule(nb.AnyBit(stored(1<<3), nb.SetIsValid))}, func(v int32) bool { return v&8 == 0 }},
				{"integers, not zero is valid", arrowmap.NullSource{Kind: convention.NullMask, Data: self, Rule: rule(nb.Nonzero(4, nb.SetIsValid))}, func(v int32) bool { return v == 0 }},
			} {
				got := column(t, f, path, tt.null).(*array.Int32)
				for i := range got.Len() {
					if v := int32(10 * i); got.IsNull(i) != tt.is(v) {
						t.Errorf("%s, %s, %s: row %d is null: %t", tt.name, how, path, i, got.IsNull(i))
					}
				}
			}
		}
		floats := column(t, f, "/csr_matrix/columns/m/data", arrowmap.NullSource{Kind: convention.NullRule, Rule: rule(nb.Equal(nb.StoredFloat(2.5, 8, nb.LittleEndian)))})
		if got := values(floats); got != "1.5 null 3.5" {
			t.Errorf("the bytes of a float: %s", got)
		}
	}
}

// TestNullBits reads a bitmap in both orders and both polarities.
func TestNullBits(t *testing.T) {
	for _, how := range []string{"mapped", "read"} {
		f := openHow(t, "testdata/defects.h5", how)
		const group = "/mask_and_bitmap/columns/x/"
		bytes := column(t, f, group+"null_bitmap").(*array.Uint8).Uint8Values()
		for _, order := range []nb.BitOrder{0, nb.LSBFirst, nb.MSBFirst} {
			for _, set := range []nb.Polarity{0, nb.SetIsValid, nb.SetIsNull} {
				got := column(t, f, group+"data", arrowmap.NullSource{Kind: convention.NullBitmap, Data: dataset(t, f, group+"null_bitmap"), Bits: order, Set: set})
				for i := range got.Len() {
					at := i % 8
					if order == nb.MSBFirst {
						at = 7 - at
					}
					if want := bytes[i/8]>>at&1 == 1 != (set == nb.SetIsNull); got.IsValid(i) != want {
						t.Errorf("%s, %v, %v: row %d is valid: %t", how, order, set, i, got.IsValid(i))
					}
				}
			}
		}
	}
}

// TestNullRuleArguments tells rules apart that are for other values.
func TestNullRuleArguments(t *testing.T) {
	f := openHow(t, "testdata/defects.h5", "mapped")
	wide := rule(nb.Nonzero(8, nb.SetIsNull))
	for _, tt := range []struct {
		path string
		null arrowmap.NullSource
	}{
		{"/short_mask/columns/x/data", arrowmap.NullSource{Kind: convention.NullRule, Rule: wide}},
		{"/short_mask/columns/x/data", arrowmap.NullSource{Kind: convention.NullRule}},
		{"/short_mask/columns/x/data", arrowmap.NullSource{Kind: convention.NullMask, Data: dataset(t, f, "/short_mask/columns/x/data"), Rule: wide}},
		{"/chunked_text/columns/s/data", arrowmap.NullSource{Kind: convention.NullRule, Rule: wide}},
		{"/short_mask/columns/x/data", arrowmap.NullSource{}},
	} {
		if _, err := f.MapDataset(dataset(t, f, tt.path), tt.null); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", tt.path, err)
		}
	}
}

// TestFieldMetadata shows what the metadata of fields say, and that package encode makes the column's HDF5 form of it again.
func TestFieldMetadata(t *testing.T) {
	f := openHow(t, "testdata/defects.h5", "mapped")
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
			f = openHow(t, name, "mapped")
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
