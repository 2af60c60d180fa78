package encode_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

func TestParse(t *testing.T) {
	shuffle := filter.Spec{ID: encode.Shuffle, Optional: true}
	for text, want := range map[string][]filter.Spec{
		"none":     nil,
		"gzip":     {{ID: encode.Deflate, Optional: true, Values: []uint32{4}}},
		"gzip:0":   {{ID: encode.Deflate, Optional: true, Values: []uint32{0}}},
		"zstd:22":  {{ID: encode.Zstd, Optional: true, Name: "zstd", Values: []uint32{22}}},
		"lz4":      {{ID: encode.LZ4, Optional: true, Name: "lz4"}},
		"lzf":      {{ID: encode.LZF, Optional: true, Name: "lzf"}},
		"blosc2:9": {{ID: encode.Blosc2, Optional: true, Name: "blosc2", Values: []uint32{0, 0, 0, 0, 9, 1, 1}}},
	} {
		got, err := encode.Parse(text, false)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if text == "none" {
			continue
		}
		if !strings.HasPrefix(text, "blosc2") { // it shuffles on its own
			want = append([]filter.Spec{shuffle}, want...)
		}
		if got, err = encode.Parse(text, true); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, shuffled: %+v, %v", text, got, err)
		}
	}
	for text, message := range map[string]string{
		"gzip:10": "levels from 0 to 9", "gzip:": "levels from 0 to 9", "zstd:0": "levels from 1 to 22", "blosc2:10": "levels from 1 to 9",
		"lz4:1": "no levels", "brotli": "none, gzip[:LEVEL], zstd[:LEVEL], lz4, lzf or blosc2[:LEVEL]", "none:1": "not known",
	} {
		if _, err := encode.Parse(text, false); !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := encode.Parse("none", true); !h5err.Is(err, h5err.Argument) {
		t.Errorf("a shuffle alone: %v", err)
	}
}
