package dtype

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
)

// TestSpans builds durations whose stored unit the attribute units names, beside a dtype that names the type in memory.
func TestSpans(t *testing.T) {
	f := func(size int) *h5.Type { return types.Float(size, h5.BigEndian) }
	span := func(t *h5.Type, dtype, units string) Source { return Source{Type: t, DType: dtype, Units: units} }
	u64 := *be(8)
	u64.Signed = false
	const nat = "8000000000000000"
	runBuild(t, []buildTest{
		{"hours as seconds", span(be(8), "timedelta64[s]", "hours"), Options{}, "0000000000000002 ffffffffffffffff " + nat, "", 3, "duration[s]", Converted, "[7200 -3600 (null)]"},
		{"a mask", span(be(8), "timedelta64[s]", "hours"), Options{}, "0000000000000002 0000000000000001", "01", 2, "duration[s]", Converted, "[(null) 3600]"},
		{"the same unit", span(be(8), "timedelta64[ns]", "nanoseconds"), Options{}, "0000000000000002 " + nat, "", 2, "duration[ns]", Swapped, "[2 (null)]"},
		{"a shorter unit", span(be(8), "timedelta64[s]", "milliseconds"), Options{}, "0000000000000002", "", 1, "duration[ms]", Swapped, "[2]"},
		{"weeks", span(be(2), "timedelta64[D]", "weeks"), Options{}, "0002 ffff", "", 2, "duration[s]", Converted, "[1209600 -604800]"},
		{"narrow", span(be(4), "<m8[ms]", "days"), Options{}, "00000001 80000000", "", 2, "duration[ms]", Converted, "[86400000 -185542587187200000]"},
		{"out of range", span(be(8), "timedelta64[ns]", "days"), Options{}, "7fffffffffffffff 8000000000000001 0000000000000001", "", 3, "duration[ns]", Converted, "[(null) (null) 86400000000000]"},
		{"unsigned", span(&u64, "timedelta64[s]", "seconds"), Options{}, "ffffffffffffffff 7fffffffffffffff", "", 2, "duration[s]", Converted, "[(null) 9223372036854775807]"},
		{"doubles", span(f(8), "timedelta64[s]", "hours"), Options{}, "3fe0000000000000 7ff8000000000000 7ff0000000000000 3f40000000000000", "", 4, "duration[s]", Converted, "[1800 (null) (null) 2]"},
		{"floats", span(f(4), "timedelta64[ms]", "seconds"), Options{}, "3fc00000 ff800000", "", 2, "duration[ms]", Converted, "[1500 (null)]"},
		{"half floats", span(f(2), "timedelta64[s]", "minutes"), Options{}, "3e00 7e00", "", 2, "duration[s]", Converted, "[90 (null)]"},
		{"no unit in memory", span(be(8), "timedelta64", "minutes"), Options{}, "0000000000000002", "", 1, "duration[s]", Converted, "[120]"},
		{"not a unit", span(be(8), "timedelta64[ms]", "K"), Options{}, "0000000000000002", "", 1, "duration[ms]", Swapped, "[2]"},
		{"not of datetime64", span(be(8), "datetime64[ms]", "hours"), Options{}, "0000000000000002", "", 1, "timestamp[ms]", Swapped, "[2]"},
	})
	p := plan(t, span(be(8), "timedelta64[s]", "hours"), Options{})
	if got := p.Metadata[MetaAttribute+"units"]; got != "seconds" {
		t.Errorf("the units of the durations are said to be %q", got)
	}
}

func TestTimeUnit(t *testing.T) {
	for name, want := range map[string]arrow.TimeUnit{"Days": arrow.Second, "ms": arrow.Millisecond, "us": arrow.Microsecond, "nsec": arrow.Nanosecond} {
		if _, unit, ok := TimeUnit(name); !ok || unit != want {
			t.Errorf("%s: %v %v", name, unit, ok)
		}
	}
	for _, name := range []string{"", "months", "years", "m", "hours since 2000-01-01"} {
		if ticks, _, ok := TimeUnit(name); ok {
			t.Errorf("%q: %d", name, ticks)
		}
	}
}
