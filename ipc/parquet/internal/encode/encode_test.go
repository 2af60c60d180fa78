package encode_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/h5arrow/h5arrow/ipc/parquet/internal/encode"
)

// A dictionary numbers values in their order, and gives up on too many and on values that were chosen to collide.
func TestDictionary(t *testing.T) {
	var d encode.Dictionary[uint64]
	d.Reset(100_000)
	rng := rand.New(rand.NewPCG(1, 1))
	values := make([]uint64, 200_000)
	for i := range values {
		values[i] = rng.Uint64N(50_000) << 20
	}
	indices, ok := d.Add(nil, values)
	if !ok || len(indices) != len(values) {
		t.Fatal(ok, len(indices))
	}
	for i, v := range values {
		if d.Values[indices[i]] != v {
			t.Fatalf("value %d is %d, want %d", i, d.Values[indices[i]], v)
		}
	}
	d.Reset(3)
	if _, ok := d.Add(nil, []uint64{1, 2, 1, 3}); !ok || len(d.Values) != 3 {
		t.Error(d.Values)
	}
	if _, ok := d.Add(nil, []uint64{4}); ok {
		t.Error("a fourth value")
	}
	const factor = 0x9e3779b97f4a7c15 // of the hash
	inverse := uint64(factor)
	for range 6 {
		inverse *= 2 - factor*inverse
	}
	d.Reset(1000)
	for i := range values[:1000] {
		values[i] = uint64(i) * inverse
	}
	if indices, ok := d.Add(nil, values[:1000]); ok || len(indices) > 100 {
		t.Error("values that collide were added", len(indices))
	}
}

// Split has the bytes of all values one after the other, however many there are.
func TestSplit(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for n := range 40 {
		wide, narrow := make([]uint64, n), make([]uint32, n)
		for i := range n {
			wide[i], narrow[i] = rng.Uint64(), rng.Uint32()
		}
		if got, want := encode.Split([]byte{9}, wide), transposed(encode.Plain(nil, wide), n, 8); !bytes.Equal(got[1:], want) || got[0] != 9 {
			t.Errorf("%d wide values: %x, want %x", n, got, want)
		}
		if got, want := encode.Split(nil, narrow), transposed(encode.Plain(nil, narrow), n, 4); !bytes.Equal(got, want) {
			t.Errorf("%d narrow values: %x, want %x", n, got, want)
		}
	}
}

func transposed(b []byte, n, width int) []byte {
	out := make([]byte, 0, len(b))
	for k := range width {
		for i := range n {
			out = append(out, b[i*width+k])
		}
	}
	return out
}
