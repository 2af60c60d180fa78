package dtype

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// offsetBytes stores offsets of a width and byte order.
func offsetBytes(width int, big bool, offsets ...int64) []byte {
	o := binary.ByteOrder(binary.LittleEndian)
	if big {
		o = binary.BigEndian
	}
	b := make([]byte, width*len(offsets))
	for i, x := range offsets {
		if width == 4 {
			o.PutUint32(b[4*i:], uint32(x))
		} else {
			o.PutUint64(b[8*i:], uint64(x))
		}
	}
	return b
}

func TestBuildStrings(t *testing.T) {
	tests := []struct {
		name    string
		data    string
		start   int64
		offsets []int64
		valid   string
		opt     Options
		want    string
	}{
		{"plain", "abcdé", 0, []int64{0, 2, 2, 6}, "", Options{}, `["ab" "" "cdé"]`},
		{"nulls", "abcd", 0, []int64{0, 2, 2, 4}, "101", Options{}, `["ab" (null) "cd"]`},
		{"bytes before and after", "xxabcyy", 0, []int64{2, 3, 5}, "", Options{}, `["a" "bc"]`},
		{"a slice of the data", "abc", 1000, []int64{1000, 1001, 1003}, "", Options{}, `["a" "bc"]`},
		{"a slice with more around", "xabcx", 999, []int64{1000, 1001, 1003}, "", Options{}, `["a" "bc"]`},
		{"not text under a null", "a\xff\xfeb", 0, []int64{0, 1, 3, 4}, "101", Options{}, `["a" (null) "b"]`},
		{"half a character under a null", "a\xc3\xa9b", 0, []int64{0, 2, 4}, "01", Options{Strings: StringsBinary}, `[(null) "\xa9b"]`},
		{"half a character at the border of a null", "a\xc3\xa9", 0, []int64{0, 1, 2, 3}, "100", Options{}, `["a" (null) (null)]`},
		{"no rows", "", 0, []int64{0}, "", Options{}, `[]`},
		{"no rows, offset", "abc", 0, []int64{2}, "", Options{}, `[]`},
		{"binary", "\xff\xfe", 0, []int64{0, 1, 2}, "", Options{Strings: StringsBinary}, `["\xff" "\xfe"]`},
		{"Latin-1", "a\xe9\xff", 0, []int64{0, 2, 2, 3}, "", Options{Strings: StringsLatin1}, `["aé" "" "ÿ"]`},
		{"Latin-1 and nulls", "a\xe9\xff", 0, []int64{0, 2, 2, 3}, "011", Options{Strings: StringsLatin1}, `[(null) "" "ÿ"]`},
		{"Latin-1 in a slice", "a\xe9", 7, []int64{7, 9}, "", Options{Strings: StringsLatin1}, `["aé"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, width := range []int{4, 8} {
				for _, big := range []bool{false, true} {
					for _, mode := range []string{"copied", "owned", "mutable"} {
						b := append([]byte{1, 2, 3}, offsetBytes(width, big, tt.offsets...)...)
						data := []byte("?" + tt.data)
						raw := StringsRaw{
							Data: data[1:], DataStart: tt.start, Offsets: b[3:], OffsetWidth: width, OffsetsBig: big,
							Rows: len(tt.offsets) - 1, Nulls: -1,
						}
						if mode != "copied" {
							raw.DataOwner, raw.DataAt = memory.NewBufferBytes(data), 1
							raw.OffsetsOwner, raw.OffsetsAt = memory.NewBufferBytes(b), 3
							raw.OffsetsMutable = mode == "mutable"
						}
						if tt.valid != "" {
							raw.Valid = bitmapOf(tt.valid, 5)
						}
						a, err := BuildStrings(raw, tt.opt, testEnv(t))
						if err != nil {
							t.Fatal(err)
						}
						if got := render(a); got != tt.want {
							t.Errorf("width %d, big %v, %s: got %s, want %s", width, big, mode, got, tt.want)
						}
						want := types.ArrowText(tt.opt.Strings == StringsBinary, width)
						if !arrow.TypeEqual(a.DataType(), want) {
							t.Errorf("type %v, want %v", a.DataType(), want)
						}
						dtest.Validate(t, a)
						a.Release()
					}
				}
			}
		})
	}
}

func TestBuildStringsErrors(t *testing.T) {
	tests := []struct {
		name    string
		data    string
		offsets []int64
		texts   []string
	}{
		{"not monotone", "abcdef", []int64{0, 4, 3, 6}, []string{"row 11", "3 after 4"}},
		{"beyond the data", "abc", []int64{0, 1, 4}, []string{"row 11", "4 in 3 bytes"}},
		{"an inner one beyond the data", "abc", []int64{0, 9, 2}, []string{"row 10", "9"}},
		{"no rows, beyond the data", "abc", []int64{4}, []string{"4 in 3 bytes"}},
		{"negative", "abc", []int64{-4, 1, 2}, []string{"row 10", "-4"}},
		{"a later one negative", "abc", []int64{0, -1, 2}, []string{"row 10", "-1 after 0"}},
		{"not UTF-8", "okok\xff\xfeok", []int64{0, 2, 4, 6, 8}, []string{"row 12", "0xFF", "Options.Strings"}},
		{"split character", "aé", []int64{0, 2, 3}, []string{"row 10", "0xC3 at 1"}},
		{"split character, first half empty", "éa", []int64{1, 2, 3}, []string{"row 10"}},
		{"surrogate", "\xed\xa0\x80", []int64{0, 3}, []string{"row 10"}},
		{"overlong", "\xc0\xaf", []int64{0, 2}, []string{"row 10"}},
	}
	for _, tt := range tests {
		for _, width := range []int{4, 8} {
			raw := StringsRaw{Data: []byte(tt.data), Offsets: offsetBytes(width, false, tt.offsets...), OffsetWidth: width, Rows: len(tt.offsets) - 1, Row0: 10}
			a, err := BuildStrings(raw, Options{}, testEnv(t))
			if err == nil {
				t.Errorf("%s: %v", tt.name, a)
				a.Release()
				continue
			}
			dtest.WantError(t, err, h5err.Corrupt, append(tt.texts, "/d")...)
		}
	}
	raw := StringsRaw{Data: []byte("abc"), Offsets: offsetBytes(8, false, 0, 1<<63-1), OffsetWidth: 8, Rows: 1}
	_, err := BuildStrings(raw, Options{}, testEnv(t))
	dtest.WantError(t, err, h5err.Corrupt, "9223372036854775807")
	raw = StringsRaw{Data: []byte("abc"), DataStart: 5, Offsets: offsetBytes(8, false, 4, 6), OffsetWidth: 8, Rows: 1}
	_, err = BuildStrings(raw, Options{}, testEnv(t))
	dtest.WantError(t, err, h5err.Corrupt, "4")
}

func TestBuildStringsContradictions(t *testing.T) {
	off := offsetBytes(4, false, 0, 1)
	owner := memory.NewBufferBytes(off)
	for name, raw := range map[string]StringsRaw{
		"width":            {Offsets: off, OffsetWidth: 2, Rows: 1},
		"too few offsets":  {Offsets: off, OffsetWidth: 4, Rows: 2},
		"no offsets":       {OffsetWidth: 4},
		"negative rows":    {Offsets: off, OffsetWidth: 4, Rows: -1},
		"negative start":   {Offsets: off, OffsetWidth: 4, Rows: 1, DataStart: -1},
		"data's owner":     {Offsets: off, OffsetWidth: 4, Rows: 1, Data: off, DataOwner: owner, DataAt: 1},
		"offsets' owner":   {Offsets: off, OffsetWidth: 4, Rows: 1, OffsetsOwner: owner, OffsetsAt: 1},
		"bitmap too short": {Offsets: off, OffsetWidth: 4, Rows: 1, Valid: Bitmap{Bits: []byte{}}, Nulls: -1},
		"validity":         {Offsets: off, OffsetWidth: 4, Rows: 1, ValidBuf: memory.NewBufferBytes(nil), Nulls: -1},
	} {
		_, err := BuildStrings(raw, Options{}, testEnv(t))
		if !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// None of the three buffers of a string column is copied.
func TestBuildStringsZeroCopy(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	file := memory.NewResizableBuffer(mem)
	b := append([]byte("?aébc"), offsetBytes(4, false, 0, 1, 3, 5)...)
	bits := len(b)
	file.Resize(bits + 1)
	copy(file.Bytes(), b)
	file.Bytes()[bits] = 0b101
	none := memory.NewCheckedAllocator(memory.NewGoAllocator())
	for _, from := range []int{0, 1} { // the whole, and a slice from the second row on
		raw := StringsRaw{
			Data: file.Bytes()[1:6], DataOwner: file, DataAt: 1,
			Offsets: file.Bytes()[6+4*from:], OffsetsOwner: file, OffsetsAt: 6 + 4*from, OffsetWidth: 4, Rows: 3 - from,
		}
		want := `["a" "é" "bc"]`
		if from == 0 {
			raw.ValidBuf, raw.Nulls, want = memory.SliceBuffer(file, bits, 1), 1, `["a" (null) "bc"]`
		} else {
			want = `["é" "bc"]`
		}
		a, err := BuildStrings(raw, Options{}, &Env{Alloc: none})
		if err != nil {
			t.Fatal(err)
		}
		if got := render(a); got != want {
			t.Error(got)
		}
		bufs := a.Data().Buffers()
		if &bufs[1].Bytes()[0] != &file.Bytes()[6+4*from] || &bufs[2].Bytes()[0] != &file.Bytes()[1] {
			t.Error("a buffer was copied")
		}
		if from == 0 && &bufs[0].Bytes()[0] != &file.Bytes()[bits] {
			t.Error("the validity was copied")
		}
		if raw.ValidBuf != nil {
			raw.ValidBuf.Release()
		}
		a.Release()
	}
	none.AssertSize(t, 0)
	file.Release()
}

// checkUTF8 agrees with looking at each value alone.
func TestCheckUTF8(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "plain text of some length, longer than a few words are", "é", "日本", "😀", "\xff", "\xc3", "\xa9", "\xed\xa0\x80", "\xc0\x80", ""}
	seen := map[bool]int{}
	valids := 0
	for range 6000 {
		var data []byte
		offsets := []int{0}
		weird := rng.IntN(3)
		for range rng.IntN(6) {
			for range rng.IntN(3) {
				k := 5
				if weird == 0 {
					k = len(pieces)
				}
				data = append(data, pieces[rng.IntN(k)]...)
			}
			offsets = append(offsets, len(data))
		}
		if weird == 1 && len(offsets) > 2 { // a border moved
			i := 1 + rng.IntN(len(offsets)-2)
			offsets[i] = max(offsets[i-1], offsets[i]-rng.IntN(3))
		}
		n := len(offsets) - 1
		c := &ctx{env: testEnvQuiet()}
		digits := strings.Repeat("1", n)
		if rng.IntN(2) == 0 {
			b := []byte(digits)
			for i := range b {
				b[i] -= byte(rng.IntN(2))
			}
			digits = string(b)
		}
		valid := c.validityOf(bitmapOf(digits, 0), nil, -1, n)
		want, wantAll := -1, true
		for i := range n {
			if utf8.Valid(data[offsets[i]:offsets[i+1]]) {
				continue
			}
			wantAll = false
			if digits[i] == '1' {
				want = i
				break
			}
		}
		data = append(data, 0x80) // bytes after the last do not count
		got := -1
		all, err := checkUTF8(data, endsOf(offsets, 4+4*rng.IntN(2), rng.Int64N(2)*1000), n, valid)
		if err != nil {
			var e *element.Error
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			got = e.I
		}
		if got != want || all && !wantAll {
			t.Fatalf("%q at %v, valid %s: row %d, want %d, all %v", data, offsets, digits, got, want, all)
		}
		seen[want < 0]++
		if all {
			valids++
		}
		c.release()
	}
	if seen[true] < 500 || seen[false] < 500 || valids == 0 {
		t.Errorf("%v, %d times all values", seen, valids)
	}
}

// endsOf returns offsets into data whose first byte has the offset start.
func endsOf(offsets []int, width int, start int64) ends {
	b := make([]byte, width*len(offsets))
	for i, o := range offsets {
		putInt(b, width, i, uint64(int64(o)+start))
	}
	return ends{b: b, width: width, start: start}
}

func testEnvQuiet() *Env { return &Env{Alloc: memory.NewGoAllocator()} }

func TestBuildDictionary(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	labels := array.NewStringBuilder(mem)
	defer labels.Release()
	labels.AppendValues([]string{"red", "", "größe"}, []bool{true, false, true})
	dict := labels.NewArray()
	defer dict.Release()
	types := []arrow.DataType{
		arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Uint16,
		arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64,
	}
	build := func(dt arrow.DataType, values string) arrow.Array {
		a, _, err := array.FromJSON(mem, dt, strings.NewReader(values))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, dt := range types {
		good := build(dt, "[2, 0, null, 1]")
		a, err := BuildDictionary(good, dict, true, 0, "/d")
		if err != nil {
			t.Fatalf("%v: %v", dt, err)
		}
		dtest.Validate(t, a)
		want := fmt.Sprintf("dictionary<values=utf8, indices=%v, ordered=true>", dt)
		if a.DataType().String() != want || a.NullN() != 1 {
			t.Errorf("%v, %d nulls", a.DataType(), a.NullN())
		}
		if &a.Data().Buffers()[1].Bytes()[0] != &good.Data().Buffers()[1].Bytes()[0] {
			t.Error("the indices were copied")
		}
		a.Release()
		slice := array.NewSlice(good, 1, 3)
		a, err = BuildDictionary(slice, dict, false, 0, "/d")
		if err != nil {
			t.Fatalf("%v: %v", dt, err)
		}
		if got := a.(*array.Dictionary).Indices(); a.Len() != 2 || got.ValueStr(0) != "0" || !a.IsNull(1) {
			t.Errorf("slice: %v", a)
		}
		a.Release()
		slice.Release()
		good.Release()
		bad := []string{"[0, 3]"}
		if arrow.IsSignedInteger(dt.ID()) {
			bad = append(bad, "[0, -1]")
		}
		for _, values := range bad {
			for _, nulls := range []string{"", ", null"} {
				b := build(dt, strings.Replace(values, "]", nulls+"]", 1))
				_, err := BuildDictionary(b, dict, false, 40, "/d")
				dtest.WantError(t, err, h5err.Corrupt, "/d", "row 41", "dictionary of 3")
				b.Release()
			}
		}
	}
	// -1 in one byte is beyond a dictionary that is longer than any index.
	long := array.NewStringBuilder(mem)
	defer long.Release()
	long.AppendValues(slices.Repeat([]string{"x"}, 300), nil)
	many := long.NewArray()
	defer many.Release()
	b := build(arrow.PrimitiveTypes.Int8, "[127, -1]")
	_, err := BuildDictionary(b, many, false, 0, "/d")
	dtest.WantError(t, err, h5err.Corrupt, "row 1", "-1")
	b.Release()
	b = build(arrow.PrimitiveTypes.Uint8, "[255]")
	a, err := BuildDictionary(b, many, false, 0, "/d")
	if err != nil {
		t.Fatal(err)
	}
	a.Release()
	b.Release()
	f := build(arrow.PrimitiveTypes.Float32, "[0]")
	_, err = BuildDictionary(f, dict, false, 0, "/d")
	dtest.WantError(t, err, h5err.Corrupt, "not integers")
	f.Release()
}

// An index under a null may be anything.
func TestBuildDictionaryUnderNull(t *testing.T) {
	env := testEnv(t)
	p := plan(t, Source{Type: le(4)}, Options{})
	idx, err := p.Build(Raw{Bytes: dtest.Unhex(t, "00000000 ffffffff"), Rows: 2, Valid: bitmapOf("10", 0), Nulls: -1}, env)
	if err != nil {
		t.Fatal(err)
	}
	defer idx.Release()
	s, err := BuildStrings(StringsRaw{Data: []byte("a"), Offsets: offsetBytes(4, false, 0, 1), OffsetWidth: 4, Rows: 1}, Options{}, env)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	a, err := BuildDictionary(idx, s, false, 0, "/d")
	if err != nil {
		t.Fatal(err)
	}
	if got := render(a); got != "{ dictionary: [\"a\"]\n  indices: [0 (null)] }" {
		t.Error(got)
	}
	a.Release()
}

// After a fault while an array looks at its text, nothing holds the buffers. Offsets past the end make it panic, as a fault does.
func TestTextArrayFault(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	offsets, text := memory.NewResizableBuffer(mem), memory.NewResizableBuffer(mem)
	defer offsets.Release()
	defer text.Release()
	offsets.Resize(8)
	text.Resize(3)
	copy(offsets.Bytes(), []byte{0, 0, 0, 0, 9, 9, 0, 0})
	d := array.NewData(arrow.BinaryTypes.String, 1, []*memory.Buffer{nil, offsets, text}, nil, 0, 0)
	defer d.Release()
	defer func() {
		if recover() == nil {
			t.Error("no fault")
		}
	}()
	textArray(d)
}
