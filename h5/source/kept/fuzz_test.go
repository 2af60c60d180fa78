package kept_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/kept"
)

// FuzzDecode decodes indexes whose checksum is right, and reads through them.
func FuzzDecode(f *testing.F) {
	o := newObject(20_000)
	x, _ := o.index(f)
	b, err := x.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[:len(b)-sha256.Size])
	f.Add([]byte("h5idx\x00\x02\n\x05\x00\x01\x01\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		sum := sha256.Sum256(b)
		x, err := kept.Decode(append(b[:len(b):len(b)], sum[:]...))
		if err != nil {
			return
		}
		again, err := x.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if y, err := kept.Decode(again); err != nil || y.Size() != x.Size() || y.Version() != x.Version() {
			t.Fatal(err)
		}
		s := source.New(x.Over(o, nil), int64(len(o.data)), "object")
		defer s.Release()
		for _, off := range []int64{0, 1, 511, 512, 19_999} {
			p := make([]byte, 512)
			if n, _ := s.ReadMetadata(p, off); !bytes.Equal(p[n:], make([]byte, 512-n)) {
				t.Error("more than was read is changed")
			}
		}
	})
}
