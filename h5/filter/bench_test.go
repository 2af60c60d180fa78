package filter

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// prices is a chunk of 64-bit floats with two decimals, and its shuffled form.
func prices(n int) (plain, shuffled []byte) {
	r := rand.New(rand.NewPCG(1, 1))
	plain, shuffled = make([]byte, 8*n), make([]byte, 8*n)
	for i := range n {
		binary.LittleEndian.PutUint64(plain[8*i:], math.Float64bits(math.Round(math.Exp(r.NormFloat64())*1000)/100))
	}
	for i, b := range plain {
		shuffled[i%8*n+i/8] = b
	}
	return plain, shuffled
}

func deflated(b []byte) []byte {
	var z bytes.Buffer
	w, _ := zlib.NewWriterLevel(&z, 4)
	w.Write(b)
	w.Close()
	return z.Bytes()
}

// TestConcurrent has one pipeline decode in several goroutines at once.
func TestConcurrent(t *testing.T) {
	plain, shuffled := prices(3000)
	src := deflated(shuffled)
	p := pipeline(t, Spec{ID: 2, Values: []uint32{8}}, Spec{ID: 1})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			st := NewState()
			defer st.Close()
			dst := make([]byte, len(plain))
			for range 20 {
				clear(dst)
				if err := p.Decode(st, dst, src, 0); err != nil || !bytes.Equal(dst, plain) {
					t.Errorf("other bytes, %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkDecode(b *testing.B) {
	plain, shuffled := prices(1 << 16)
	dst := make([]byte, len(plain))
	shuffle, deflate := Spec{ID: 2, Values: []uint32{8}}, Spec{ID: 1}
	z := deflated(shuffled)
	e, _ := zstd.NewWriter(nil)
	block := make([]byte, lz4.CompressBlockBound(len(shuffled)))
	n, _ := lz4.CompressBlock(shuffled, block, nil)
	l := binary.BigEndian.AppendUint64(nil, uint64(len(shuffled)))
	l = binary.BigEndian.AppendUint32(l, uint32(len(shuffled)))
	l = append(binary.BigEndian.AppendUint32(l, uint32(n)), block[:n]...)
	for _, c := range []struct {
		name  string
		specs []Spec
		src   []byte
	}{
		{"nothing", nil, plain},
		{"shuffle", []Spec{shuffle}, shuffled},
		{"shuffle, deflate", []Spec{shuffle, deflate}, z},
		{"shuffle, zstd", []Spec{shuffle, {ID: 32015}}, e.EncodeAll(shuffled, nil)},
		{"shuffle, lz4", []Spec{shuffle, {ID: 32004}}, l},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, st := pipeline(b, c.specs...), NewState()
			defer st.Close()
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Decode(st, dst, c.src, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("shuffle, deflate: naive", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		b.ReportAllocs()
		for b.Loop() {
			r, err := zlib.NewReader(bytes.NewReader(z))
			if err != nil {
				b.Fatal(err)
			}
			tmp, err := io.ReadAll(r)
			if err != nil {
				b.Fatal(err)
			}
			for i := range dst {
				dst[i] = tmp[i%8*(len(dst)/8)+i/8]
			}
		}
	})
}
