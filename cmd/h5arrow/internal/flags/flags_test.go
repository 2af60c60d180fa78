package flags

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "1000000": 1e6, "64MiB": 64 << 20, "1G": 1 << 30, "1g": 1 << 30, "1.5GiB": 3 << 29, "2kB": 2000, "3 TB": 3e12, "7B": 7,
		"": -1, "0": -1, "-1": -1, "x": -1, "1X": -1, "GiB": -1, "1e3": -1, "9000000T": -1, "0.1": -1,
	} {
		var s Size
		err := s.Set(text)
		if (err != nil) != (want < 0) || err == nil && int64(s) != want {
			t.Errorf("%q: %d, %v", text, s, err)
		}
	}
}

func TestRowRange(t *testing.T) {
	for text, want := range map[string][2]int64{
		"1:2": {1, 2}, "0:0": {0, 0}, ":": {0, -1}, "5:": {5, -1}, ":7": {0, 7}, "9223372036854775807:": {math.MaxInt64, -1},
		"-5:": {-5, -1}, "-5:7": {-5, 7},
	} {
		var r Rows
		if err := r.Set(text); err != nil || r.A != want[0] || r.B != want[1] {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	}
	for _, text := range []string{"", "5", "2:1", ":-1", "-9223372036854775808:", "a:b", "1:2:3", "9223372036854775808:", "1.5:2"} {
		var r Rows
		if r.Set(text) == nil {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

func TestRowsOf(t *testing.T) {
	for _, c := range []struct{ a, total, want int64 }{{0, 10, 0}, {3, 10, 3}, {-3, 10, 7}, {-10, 10, 0}, {-11, 10, 0}, {-1, 0, 0}} {
		if a, b := (&Rows{A: c.a, B: -1}).Of(c.total); a != c.want || b != -1 {
			t.Errorf("%d of %d rows: %d, want %d", c.a, c.total, a, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	for text, want := range map[string]int64{
		"decoded-bytes=1000": 1000, "decoded-bytes=9223372036854775807": math.MaxInt64, "decoded-bytes=1GiB": 1 << 30, "attribute-size=2kB": 2000,
		"decoded-bytes=0": -1, "decoded-bytes": -1, "decoded-bytes=": -1, "decoded-bytes=x": -1, "decoded-bytes=0.1": -1,
		"chunks=7": 7, "chunks=1GiB": -1, "nesting=10001": -1, "unknown=1": -1,
	} {
		var l Limits
		err := l.Set(text)
		if (err != nil) != (want < 0) || err == nil && l.String() != text[:strings.IndexByte(text, '=')+1]+strconv.FormatInt(want, 10) {
			t.Errorf("%q: %s, %v", text, l.String(), err)
		}
	}
	var l Limits
	if l.Set("decoded-bytes=1MiB") != nil || l.Set("rank=3") != nil {
		t.Fatal(l.String())
	}
	if got := l.Onto(h5.Limits{Rank: 9, Links: 5}); got.DecodedBytes != 1<<20 || got.Rank != 3 || got.Links != 5 {
		t.Errorf("%+v", got)
	}
}
