package vaexutil_test

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/arrowmap/vaexutil"
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
		f := tabletest.OpenHow(t, "../testdata/defects.h5", how)
		for _, path := range []string{"/short_mask/columns/x/data", "/chunked_mask/columns/x/data"} {
			self := dataset(t, f, path)
			for _, tt := range []struct {
				name string
				null vaexutil.NullSource
				is   func(v int32) bool
			}{
				{"several sentinels", vaexutil.NullSource{Kind: convention.NullRule, Rule: rule(nb.Equal(stored(10), stored(90), stored(-1)))}, func(v int32) bool { return v == 10 || v == 90 }},
				{"a range", vaexutil.NullSource{Kind: convention.NullRule, Rule: rule(nb.OutsideInt(4, nb.LittleEndian, 20, 80))}, func(v int32) bool { return v < 20 || v > 80 }},
				{"an open range", vaexutil.NullSource{Kind: convention.NullRule, Rule: rule(nb.OutsideInt(4, nb.LittleEndian, math.MinInt64, 80))}, func(v int32) bool { return v > 80 }},
				{"joined rules", vaexutil.NullSource{Kind: convention.NullRule, Rule: rule(nb.Any(rule(nb.Equal(stored(0))), rule(nb.OutsideInt(4, nb.LittleEndian, 0, 50))))}, func(v int32) bool { return v == 0 || v > 50 }},
				{"a named bit of a bit field, set is null", vaexutil.NullSource{Kind: convention.NullMask, Data: self, Rule: rule(nb.AnyBit(stored(1<<3), nb.SetIsNull))}, func(v int32) bool { return v&8 != 0 }},
				{"a named bit of a bit field, set is valid", vaexutil.NullSource{Kind: convention.NullMask, Data: self, Rule: rule(nb.AnyBit(stored(1<<3), nb.SetIsValid))}, func(v int32) bool { return v&8 == 0 }},
				{"integers, not zero is valid", vaexutil.NullSource{Kind: convention.NullMask, Data: self, Rule: rule(nb.Nonzero(4, nb.SetIsValid))}, func(v int32) bool { return v == 0 }},
			} {
				got := column(t, f, path, tt.null).(*array.Int32)
				for i := range got.Len() {
					if v := int32(10 * i); got.IsNull(i) != tt.is(v) {
						t.Errorf("%s, %s, %s: row %d is null: %t", tt.name, how, path, i, got.IsNull(i))
					}
				}
			}
		}
		floats := column(t, f, "/csr_matrix/columns/m/data", vaexutil.NullSource{Kind: convention.NullRule, Rule: rule(nb.Equal(nb.StoredFloat(2.5, 8, nb.LittleEndian)))})
		if got := tabletest.Values(floats); got != "1.5 null 3.5" {
			t.Errorf("the bytes of a float: %s", got)
		}
	}
}

// TestNullBits reads a bitmap in both orders and both polarities.
func TestNullBits(t *testing.T) {
	for _, how := range []string{"mapped", "read"} {
		f := tabletest.OpenHow(t, "../testdata/defects.h5", how)
		const group = "/mask_and_bitmap/columns/x/"
		bytes := column(t, f, group+"null_bitmap").(*array.Uint8).Uint8Values()
		for _, order := range []nb.BitOrder{0, nb.LSBFirst, nb.MSBFirst} {
			for _, set := range []nb.Polarity{0, nb.SetIsValid, nb.SetIsNull} {
				got := column(t, f, group+"data", vaexutil.NullSource{Kind: convention.NullBitmap, Data: dataset(t, f, group+"null_bitmap"), Bits: order, Set: set})
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

// TestNullRuleArguments shows that rules for other values are refused.
func TestNullRuleArguments(t *testing.T) {
	f := tabletest.OpenHow(t, "../testdata/defects.h5", "mapped")
	wide := rule(nb.Nonzero(8, nb.SetIsNull))
	for _, tt := range []struct {
		path string
		null vaexutil.NullSource
	}{
		{"/short_mask/columns/x/data", vaexutil.NullSource{Kind: convention.NullRule, Rule: wide}},
		{"/short_mask/columns/x/data", vaexutil.NullSource{Kind: convention.NullRule}},
		{"/short_mask/columns/x/data", vaexutil.NullSource{Kind: convention.NullMask, Data: dataset(t, f, "/short_mask/columns/x/data"), Rule: wide}},
		{"/chunked_text/columns/s/data", vaexutil.NullSource{Kind: convention.NullRule, Rule: wide}},
		{"/short_mask/columns/x/data", vaexutil.NullSource{}},
	} {
		if _, err := vaexutil.MapDataset(f, dataset(t, f, tt.path), tt.null); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", tt.path, err)
		}
	}
}
