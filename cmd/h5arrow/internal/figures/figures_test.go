package figures

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Times are cut so that what is left tells a thousandth of the range apart.
func TestTimePlaces(t *testing.T) {
	const whole = "2024-02-29T00:00:02.542"
	start := time.Date(2024, 2, 29, 0, 0, 2, 542e6, time.UTC).UnixMilli()
	for _, c := range []struct {
		span time.Duration
		want string
	}{{0, whole}, {999 * time.Second, whole}, {1000 * time.Second, "2024-02-29T00:00:02"}, {17 * time.Hour, "2024-02-29T00:00"}, {999 * 24 * time.Hour, "2024-02-29T00:00"},
		{1000 * 24 * time.Hour, "2024-02-29"}} {
		b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Millisecond})
		b.AppendValues([]arrow.Timestamp{arrow.Timestamp(start), arrow.Timestamp(start + c.span.Milliseconds())}, nil)
		bounds := b.NewArray()
		if got := cutTime(whole, timePlaces(bounds)); got != c.want {
			t.Errorf("range of %v: %s, want %s", c.span, got, c.want)
		}
		bounds.Release()
		b.Release()
	}
	for _, other := range []string{"null", "-0001-02-29T00:00:02", "12024-02-29T00:00:02", "2024-02-29"} {
		if got := cutTime(other, 10); got != other {
			t.Errorf("%s became %s", other, got)
		}
	}
}
