package zones

import (
	"crypto/sha256"
	"reflect"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

func sample() *Index {
	return &Index{Size: 12345, Time: -6, Options: "{x:1}", Tables: []Table{{Path: "/t", Rows: 2500, Step: 1000, Columns: []Column{
		{Name: "a", Type: "int64", Hash: [32]byte{1, 2}, Zones: []predicate.Stats{{Rows: 1000, Nulls: 1, Low: -1 << 63, High: 7}, {Rows: 1000, Nulls: 1000}, {Rows: 500, Low: 3, High: 1<<63 - 1}}},
		{Name: "b", Type: "utf8", Text: true, Zones: []predicate.Stats{{Rows: 1000, First: "", Last: "\xff"}, {Rows: 1000, First: "a", Last: "b"}, {Rows: 500, Nulls: 500}}},
	}}, {Path: "/empty", Step: 1}}}
}

func TestEncode(t *testing.T) {
	want := sample()
	b := want.Encode()
	got, err := Decode(b)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	for i := range b { // each byte matters
		c := append([]byte{}, b...)
		c[i] ^= 1
		if _, err := Decode(c); !h5err.Is(err, h5err.Corrupt) {
			t.Errorf("byte %d: %v", i, err)
		}
		if _, err := Decode(b[:i]); !h5err.Is(err, h5err.Corrupt) {
			t.Errorf("%d bytes: %v", i, err)
		}
	}
}

// summed returns b with the right checksum at its end.
func summed(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(append([]byte{}, b...), sum[:]...)
}

// FuzzDecode: no index, also with the right checksum, takes more memory than a multiple of its size, or more than an error.
func FuzzDecode(f *testing.F) {
	b := sample().Encode()
	f.Add(b[len(magic) : len(b)-sha256.Size])
	f.Add([]byte(strings.Repeat("\xff", 40)))
	f.Fuzz(func(t *testing.T, body []byte) {
		x, err := Decode(summed(append([]byte(magic), body...)))
		if err != nil {
			if !h5err.Is(err, h5err.Corrupt) {
				t.Error(err)
			}
			return
		}
		again, err := Decode(x.Encode())
		if err != nil || !reflect.DeepEqual(again, x) {
			t.Errorf("%+v became %+v, %v", x, again, err)
		}
	})
}
