package values

import (
	"math"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// TestExact looks for the longest unit of times: real ones, and those of two parts.
func TestExact(t *testing.T) {
	day := 1704067200000.0 // 2024-01-01
	for _, tt := range []struct {
		hi, lo float64
		unit   arrow.TimeUnit
		count  int64
	}{
		{0, 0, arrow.Millisecond, 0},
		{day, 0, arrow.Millisecond, 1704067200000},
		{-1, 0, arrow.Millisecond, -1},
		{day + 0.123, 0, arrow.Microsecond, 1704067200000123},
		{-0.001, 0, arrow.Microsecond, -1},
		{0.1, 0, arrow.Microsecond, 100},
		{0.0000125, 0, arrow.Nanosecond, 13},
		{day, 0.5, arrow.Microsecond, 1704067200000500},
		{day, 1e-6, arrow.Nanosecond, 1704067200000000001},
		{day, -1e-6, arrow.Nanosecond, 1704067199999999999},
		{day + 0.25, 0.00005, arrow.Nanosecond, 1704067200000250050},
	} {
		unit := arrow.Millisecond
		for unit < arrow.Nanosecond && !Exact(tt.hi, tt.lo, unit) {
			unit++
		}
		n, ok := Count(tt.hi, tt.lo, unit)
		if unit != tt.unit || n != tt.count || !ok {
			t.Errorf("%v and %v: %d %v (%v), want %d %v", tt.hi, tt.lo, n, unit, ok, tt.count, tt.unit)
		}
	}
	for _, hi := range []float64{math.NaN(), math.Inf(-1), math.MinInt64, math.MinInt64 / 1e3, math.MinInt64 / 1e6} {
		if Finite(hi, 0) {
			t.Errorf("%v is a time", hi)
		}
	}
	if _, ok := Count(1e16, 0, arrow.Nanosecond); ok {
		t.Error("1e16 milliseconds in nanoseconds fit")
	}
}

// TestStep compares times by months and days with those that package time counts, and looks at what is too much.
func TestStep(t *testing.T) {
	origin := time.Date(2023, 10, 31, 6, 30, 0, 0, time.UTC)
	st := Step{Origin: float64(origin.UnixMilli()), Months: 1, Days: 1, Millis: 0.5}
	if u := st.Unit(10); u != arrow.Microsecond {
		t.Errorf("unit %v", u)
	}
	for i, want := range []string{"2023-10-31T06:30:00", "2023-12-01T06:30:00.0005", "2024-01-02T06:30:00.001", "2024-02-03T06:30:00.0015", "2024-03-04T06:30:00.002"} {
		n, ok := st.at(int64(i), arrow.Microsecond)
		if got := time.UnixMicro(n).UTC().Format("2006-01-02T15:04:05.999999"); got != want || !ok {
			t.Errorf("row %d: %s, want %s", i, got, want)
		}
	}
	for _, tt := range []struct {
		st Step
		i  int64
	}{
		{Step{Months: 1 << 20}, 1 << 40}, {Step{Days: -1 << 30}, 1 << 10}, {Step{Millis: 1e15}, 1 << 40}, {Step{Rate: 1e-300}, 3},
		{Step{Origin: 9e18}, 0}, {Step{Origin: 9e12, Millis: 1}, 1 << 44},
	} {
		if n, ok := tt.st.at(tt.i, arrow.Nanosecond); ok {
			t.Errorf("%+v: row %d is %d", tt.st, tt.i, n)
		}
	}
	arr, err := (&Step{Rate: 3}).Generate(2, 4, arrow.Nanosecond, arrow.FixedWidthTypes.Duration_ns, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer arr.Release()
	if got := arr.(*array.Duration).DurationValues(); got[0] != 666666667 || got[1] != 1000000000 {
		t.Errorf("%d", got)
	}
}

// TestUnits decodes characters of 16 and of 32 bits, also broken ones.
func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		units []uint16
		want  string
		bad   bool
	}{
		{[]uint16{'a', 0xe9, 0xd83d, 0xde00}, "aé😀", false},
		{[]uint16{'a', 0, 0}, "a\x00\x00", false},
		{[]uint16{0xd83d}, "", true},
		{[]uint16{0xd83d, 'a'}, "", true},
		{[]uint16{0xde00, 0xd83d}, "", true},
	} {
		got, err := AppendUTF16(nil, tt.units)
		if string(got) != tt.want || tt.bad != h5err.Is(err, h5err.Corrupt) {
			t.Errorf("%x: %q, %v; want %q", tt.units, got, err, tt.want)
		}
	}
	b := array.NewUint32Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]uint32{'a', 0x1f600, 0, 'b', 0, 0}, nil)
	in := b.NewArray()
	defer in.Release()
	text, err := Cut(in, 3, 0, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Release()
	if s := text.(*array.String); s.Len() != 2 || s.Value(0) != "a😀" || s.Value(1) != "b" {
		t.Errorf("%v", text)
	}
	b.AppendValues([]uint32{0xd800}, nil)
	bad := b.NewArray()
	defer bad.Release()
	if _, err := Cut(bad, 1, 0, memory.DefaultAllocator); !h5err.Is(err, h5err.Corrupt) {
		t.Errorf("half a pair: %v, want Corrupt", err)
	}
}

// TestIndices makes indices of codes; 0 is null where codes count from 1.
func TestIndices(t *testing.T) {
	b := array.NewInt16Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]int16{2, 0, 1}, nil)
	codes := b.NewArray()
	defer codes.Release()
	for first, want := range map[int64]string{0: "[2 0 1]", 1: "[1 (null) 0]"} {
		got, err := Indices(codes, first, 0, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != want {
			t.Errorf("from %d: %v, want %s", first, got, want)
		}
		got.Release()
	}
	b.Append(-1)
	bad := b.NewArray()
	defer bad.Release()
	if _, err := Indices(bad, 1, 0, memory.DefaultAllocator); !h5err.Is(err, h5err.Corrupt) {
		t.Errorf("code -1: %v, want Corrupt", err)
	}
}
