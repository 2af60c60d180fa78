package rule

import (
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// TestRuleWords checks the text of the values that a rule compares with, which is in the metadata of fields.
func TestRuleWords(t *testing.T) {
	integer := func(size int, signed bool, o h5.ByteOrder) *h5.Type {
		return &h5.Type{Class: h5.ClassFixed, Size: size, Order: o, Signed: signed, Precision: 8 * size}
	}
	double := &h5.Type{Class: h5.ClassFloat, Size: 8, Order: h5.LittleEndian}
	for _, tt := range []struct {
		t      *h5.Type
		values [][]byte
		want   string
	}{
		{integer(2, true, h5.LittleEndian), [][]byte{{0x19, 0xfc}}, "_FillValue=-999"},
		{integer(2, true, h5.BigEndian), [][]byte{{0xfc, 0x19}, {0, 7}}, "_FillValue=-999,7"},
		{integer(1, false, h5.LittleEndian), [][]byte{{255}}, "_FillValue=255"},
		{integer(8, true, h5.LittleEndian), [][]byte{{0, 0, 0, 0, 0, 0, 0, 0x80}}, "_FillValue=-9223372036854775808"},
		{integer(8, false, h5.LittleEndian), [][]byte{{255, 255, 255, 255, 255, 255, 255, 255}}, "_FillValue=18446744073709551615"},
		{double, [][]byte{nullbitmap.StoredFloat(-0.5, 8, nullbitmap.LittleEndian)}, "_FillValue=-0.5"},
		{double, [][]byte{{0, 0, 0, 0, 0, 0, 0xf8, 0x7f}}, "_FillValue=NaN"},
	} {
		got, err := Equal(tt.t, tt.values, "_FillValue")
		if err != nil || len(got) != 1 || got[0].Text != tt.want {
			t.Errorf("%v %x: %v, want %q (%v)", tt.t, tt.values, got, tt.want, err)
		}
	}
}
