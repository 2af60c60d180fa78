package encode

import (
	"bytes"
	"compress/zlib"
	"io"
	"math"
	"math/rand/v2"
	"testing"
)

// planes returns n bytes of each of the kinds in turn, as a shuffle leaves them.
func planes(n int, kinds string) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	var out []byte
	for _, k := range kinds {
		start := len(out)
		for i := range n {
			b := byte(r.Uint32())
			switch k {
			case 'z': // zeros
				b = 0
			case 's': // sixteen values
				b &= 15
			case 'n': // a normal distribution
				b = byte(int(r.NormFloat64() * 60))
			case 'c': // a counter: even, but all of it repeats
				b = byte(i * 7)
			case 'p': // the same noise again after 20000 bytes
				if i >= 20000 {
					b = out[start+i-20000]
				}
			}
			out = append(out, b)
		}
	}
	return out
}

func TestNoise(t *testing.T) {
	for _, tt := range []struct {
		kinds string
		want  int // in units of noiseUnit
	}{
		{"r", 4}, {"rrz", 8}, {"zr", 0}, {"s", 0}, {"n", 0}, {"c", 0}, {"rs", 4}, {"rcr", 4}, {"p", 0}, {"rp", 3},
	} {
		if got := noise(planes(4*noiseUnit, tt.kinds)); got != tt.want*noiseUnit {
			t.Errorf("%s: %d bytes, want %d", tt.kinds, got, tt.want*noiseUnit)
		}
	}
	if n := noise(planes(noiseUnit-1, "r")); n != 0 {
		t.Errorf("less than a unit: %d bytes of noise", n)
	}
}

// TestNoiseSize compares sizes with those that the encoder alone makes, and reads the streams with another decoder.
func TestNoiseSize(t *testing.T) {
	st := NewState()
	defer st.Close()
	for _, kinds := range []string{"", "r", "rz", "rrrrrrsz", "sr", "n", "c", "p", "pp", "rcrc"} {
		for _, n := range []int{1, noiseUnit + 1, 65535, 80000} {
			src := planes(n, kinds)
			for _, level := range []deflate{0, 1, 4} {
				got, err := level.encode(st, nil, src)
				if err != nil {
					t.Fatal(err)
				}
				r, err := zlib.NewReader(bytes.NewReader(got))
				if err != nil {
					t.Fatalf("%s %d, level %d: %v", kinds, n, level, err)
				}
				if back, err := io.ReadAll(r); err != nil || !bytes.Equal(back, src) {
					t.Fatalf("%s %d, level %d: %d bytes come back, %v", kinds, n, level, len(back), err)
				}
				alone, err := st.deflate(nil, src, int(level))
				if err != nil {
					t.Fatal(err)
				}
				if limit := int(math.Ceil(float64(len(alone))*1.02)) + 32; len(got) > limit {
					t.Errorf("%s %d, level %d: %d bytes, %d by the encoder alone", kinds, n, level, len(got), len(alone))
				}
			}
		}
	}
}
