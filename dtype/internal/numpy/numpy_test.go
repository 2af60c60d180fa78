package numpy

import "testing"

func TestParseInstant(t *testing.T) {
	for s, want := range map[string]Instant{
		"datetime64[ns]":  {Unit: "ns"},
		"timedelta64[D]":  {Delta: true, Unit: "D"},
		"M8[us]":          {Unit: "us"},
		"<M8[ns]":         {Unit: "ns", Order: '<'},
		">m8[s]":          {Delta: true, Unit: "s", Order: '>'},
		"=M8[ms]":         {Unit: "ms"},
		"|m8[h]":          {Delta: true, Unit: "h"},
		"M8[1s]":          {Unit: "s"},
		"M8[25s]":         {Unit: "25s"},
		"datetime64":      {},
		"m8":              {Delta: true},
		">datetime64[μs]": {Unit: "μs", Order: '>'},
	} {
		got, ok := ParseInstant(s)
		if !ok || got != want {
			t.Errorf("%q: %+v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "<", "M8[", "M8]", "M8s", "datetime64ns", "datetime32[s]", "x M8[s]", "M8[s]x", "int64"} {
		if got, ok := ParseInstant(s); ok {
			t.Errorf("%q: %+v", s, got)
		}
	}
}

func TestTag(t *testing.T) {
	for tag, want := range map[string]bool{"NUMPY:M8[s]": true, "NUMPY:>m8[D]": true, "NUMPY:i4": false, "M8[s]": false, "": false} {
		if _, ok := Tag(tag); ok != want {
			t.Errorf("%q: %v", tag, ok)
		}
	}
}
