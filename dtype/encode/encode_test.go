package encode_test

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
)

// ranges are the slices of n rows that tests take: all, every start in the first bytes of a bitmap, none.
func ranges(n int) [][2]int {
	out := [][2]int{{0, n}, {n, n}, {0, 0}}
	for from := 1; from < min(n, 10); from++ {
		out = append(out, [2]int{from, n}, [2]int{from, from + (n-from)/2})
	}
	return out
}

// TestRoundTrip stores every kind of column in HDF5's form, whole and in slices that start at any bit, and reads it
// again.
func TestRoundTrip(t *testing.T) {
	for _, c := range testCases() {
		t.Run(c.name+"/"+c.typ.String(), func(t *testing.T) {
			a := dtest.ArrayOf(t, c.typ, c.rows)
			p, err := encode.New(arrow.Field{Name: "x", Type: c.typ, Nullable: true, Metadata: arrow.MetadataFrom(c.md)}, c.opt)
			if err != nil {
				t.Fatal(err)
			}
			want, wantType := a, c.typ
			if c.back != nil {
				wantType = c.back
			}
			if c.want != "" {
				want = dtest.ArrayOf(t, wantType, c.want)
			}
			if !arrow.TypeEqual(p.Arrow, wantType) {
				t.Errorf("the plan promises %v, not %v", p.Arrow, wantType)
			}
			for _, r := range ranges(a.Len()) {
				from, to := int64(r[0]), int64(r[1])
				got := decode(t, write(t, p, c.md, array.NewSlice(a, from, to)))
				if s := array.NewSlice(want, from, to); dtest.Rows(got) != dtest.Rows(s) {
					t.Errorf("rows %d to %d:\n got %s\nwant %s", from, to, dtest.Rows(got), dtest.Rows(s))
				}
				if !arrow.TypeEqual(got.DataType(), p.Arrow) {
					t.Errorf("%v was read, %v was promised", got.DataType(), p.Arrow)
				}
				dtest.Validate(t, got)
				got.Release()
			}
		})
	}
}

// TestSlicedNulls is defect 3 of vaex's writer by name: the bitmap of a slice starts at the slice.
func TestSlicedNulls(t *testing.T) {
	a := dtest.ArrayOf(t, arrow.PrimitiveTypes.Int64, "[null,1,null,3,4,5,6,7,8,null,10,11]")
	p, err := encode.New(arrow.Field{Name: "x", Type: a.DataType()}, encode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := write(t, p, nil, array.NewSlice(a, 3, 12)).bytes(t, "null_bitmap"); !bytes.Equal(got, []byte{0b1011_1111, 0b1}) {
		t.Errorf("bitmap %08b", got)
	}
}

// TestFills shows what is stored under nulls.
func TestFills(t *testing.T) {
	for _, tt := range []struct {
		typ  arrow.DataType
		rows string
		opt  encode.Options
		want string
	}{
		{arrow.PrimitiveTypes.Int16, "[1,null]", encode.Options{}, "0100 0000"},
		{arrow.PrimitiveTypes.Float32, "[1,null]", encode.Options{Nulls: encode.NullsMask}, "0000803f 0000c07f"},
		{arrow.FixedWidthTypes.Timestamp_s, "[1,null]", encode.Options{}, "0100000000000000 0000000000000080"},
		{arrow.FixedWidthTypes.Boolean, "[true,null,false]", encode.Options{}, "010000"},
		{arrow.PrimitiveTypes.Int16, "[1,null]", encode.Options{Nulls: encode.NullsSentinel, Sentinel: []byte{0x19, 0xfc}}, "0100 19fc"},
		{arrow.BinaryTypes.String, `["ab",null,"c"]`, encode.Options{}, "616263"},
	} {
		p, err := encode.New(arrow.Field{Name: "x", Type: tt.typ}, tt.opt)
		if err != nil {
			t.Fatal(err)
		}
		if got := write(t, p, nil, dtest.ArrayOf(t, tt.typ, tt.rows)).bytes(t, "data"); !bytes.Equal(got, dtest.Unhex(t, tt.want)) {
			t.Errorf("%v %s: %x", tt.typ, tt.rows, got)
		}
	}
}

// TestShares shows that values without nulls are the array's own memory.
func TestShares(t *testing.T) {
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Float64, &arrow.TimestampType{Unit: arrow.Second}, arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Float64)} {
		rows := "[1,2,3,4]"
		if typ.ID() == arrow.FIXED_SIZE_LIST {
			rows = "[[1,2],[3,4]]"
		}
		a := dtest.ArrayOf(t, typ, rows)
		p, err := encode.New(arrow.Field{Name: "x", Type: typ}, encode.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := write(t, p, nil, array.NewSlice(a, 1, int64(a.Len())))
		values := a.Data()
		skip := 8
		if l, ok := a.(*array.FixedSizeList); ok {
			values, skip = l.ListValues().Data(), 16
		}
		data := w.bytes(t, "data")
		if &data[0] != &values.Buffers()[1].Bytes()[skip] || p.Delivery != dtype.Mapped || p.Reason != "" || w.find("null_bitmap") >= 0 || w.find("mask") >= 0 {
			t.Errorf("%v: copied, %v %s", typ, p.Delivery, p.Reason)
		}
	}
}

func TestTextWidth(t *testing.T) {
	a := dtest.ArrayOf(t, arrow.BinaryTypes.String, `["a","日本",null,"é"]`)
	for as, want := range map[encode.Text]int{encode.TextFixed: 6, encode.TextUTF32: 2, encode.TextLatin1: 2} {
		if got := encode.TextWidth(a, as); got != want {
			t.Errorf("%v: %d, want %d", as, got, want)
		}
	}
	if got := encode.TextWidth(array.NewSlice(a, 2, 3), encode.TextFixed); got != 1 {
		t.Errorf("no text: %d", got)
	}
}

// TestReasons shows that a plan says why its values are copied, and what reading does not give back.
func TestReasons(t *testing.T) {
	for _, tt := range []struct {
		typ      arrow.DataType
		opt      encode.Options
		delivery dtype.Delivery
		reason   string
	}{
		{arrow.PrimitiveTypes.Int32, encode.Options{}, dtype.Mapped, ""},
		{arrow.BinaryTypes.String, encode.Options{}, dtype.Mapped, ""},
		{arrow.FixedWidthTypes.Boolean, encode.Options{}, dtype.Packed, "bits become byte booleans"},
		{arrow.FixedWidthTypes.Date32, encode.Options{}, dtype.Converted, "stored in 64 bits"},
		{arrow.FixedWidthTypes.Date64, encode.Options{}, dtype.Mapped, "date64 is read back as timestamp[ms]"},
		{arrow.LargeListOf(arrow.PrimitiveTypes.Int8), encode.Options{}, dtype.Converted, "sequences in the heap; large_list is read back as list"},
		{dtest.StructOf("a", arrow.PrimitiveTypes.Int8), encode.Options{}, dtype.Gathered, "fields become members of a compound"},
		{arrow.BinaryTypes.LargeString, encode.Options{OffsetWidth: 4}, dtype.Converted, "offsets of 4 bytes"},
		{arrow.PrimitiveTypes.Int32, encode.Options{Width: 1}, dtype.Converted, "stored in 1 bytes"},
	} {
		p, err := encode.New(arrow.Field{Name: "x", Type: tt.typ}, tt.opt)
		if err != nil {
			t.Fatal(err)
		}
		if p.Delivery != tt.delivery || p.Reason != tt.reason {
			t.Errorf("%v: %v, %q", tt.typ, p.Delivery, p.Reason)
		}
	}
}
