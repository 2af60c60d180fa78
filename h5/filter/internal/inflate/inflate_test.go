package inflate

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"math/rand/v2"
	"testing"

	kzlib "github.com/klauspost/compress/zlib"
)

// inputs are bytes of several kinds: what matters is that all block types, long codes, near and far matches occur.
func inputs() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	m := map[string][]byte{"empty": {}, "one": {7}}
	fill := func(name string, n int, f func(b []byte, i int)) {
		b := make([]byte, n)
		for i := range b {
			f(b, i)
		}
		m[name] = b
	}
	fill("zeros", 100_000, func(b []byte, i int) {})
	fill("noise", 70_000, func(b []byte, i int) { b[i] = byte(r.Uint32()) })
	fill("skewed", 200_000, func(b []byte, i int) { b[i] = byte(1<<r.IntN(9)) + byte(r.IntN(2)) })
	fill("steps", 50_000, func(b []byte, i int) { b[i] = byte(i / 37) })
	for _, period := range []int{2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 259} {
		fill(fmt.Sprint("period", period), 10_000, func(b []byte, i int) {
			if i < period {
				b[i] = byte(r.Uint32())
			} else if b[i] = b[i-period]; r.IntN(100) == 0 {
				b[i]++
			}
		})
	}
	fill("far", 120_000, func(b []byte, i int) {
		if i < 40_000 || r.IntN(50) == 0 {
			b[i] = byte(r.Uint32())
		} else {
			b[i] = b[i-32_768+i/1000%7]
		}
	})
	fill("floats", 160_000, func(b []byte, i int) {
		b[i] = []byte{byte(r.IntN(4)), byte(r.IntN(256)), byte(i / 4000), 0x40}[i/40_000]
	})
	return m
}

func compress(b []byte, level int) []byte {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
	if err != nil {
		panic(err)
	}
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// both runs a test with assembly, where there is any, and without.
func both(t *testing.T, f func(t *testing.T, d *Decoder)) {
	t.Run("best", func(t *testing.T) { f(t, new(Decoder)) })
	if hasBMI2 {
		t.Run("plain", func(t *testing.T) { f(t, &Decoder{plain: true}) })
	}
}

func TestZlib(t *testing.T) { both(t, testZlib) }

func testZlib(t *testing.T, d *Decoder) {
	levels := []int{zlib.HuffmanOnly, 0, 1, 6, 9}
	if testing.Short() {
		levels = []int{zlib.HuffmanOnly, 6}
	}
	for name, want := range inputs() {
		for _, level := range levels {
			src := compress(want, level)
			got := make([]byte, len(want))
			n, err := d.Zlib(got, src, adler32.Checksum)
			if err != nil || n != len(want) || !bytes.Equal(got, want) {
				t.Fatalf("%s, level %d: %d bytes, %v", name, level, n, err)
			}
			if n, err := d.Zlib(make([]byte, len(want)+1000), append(src, 1, 2, 3), adler32.Checksum); err != nil || n != len(want) {
				t.Fatalf("%s, level %d, with room and bytes after: %d bytes, %v", name, level, n, err)
			}
			if len(want) > 0 {
				if _, err := d.Zlib(got[:len(want)-1], src, adler32.Checksum); !errors.Is(err, ErrLong) {
					t.Fatalf("%s, level %d, too little room: %v", name, level, err)
				}
			}
			for _, cut := range []int{1, 2, 3, 4, 5, 6, 13, len(src) / 2, len(src) - 1, len(src)} {
				if _, err := d.Zlib(make([]byte, len(want)), src[:max(len(src)-cut, 0)], adler32.Checksum); err == nil {
					t.Fatalf("%s, level %d, %d bytes short: no error", name, level, cut)
				}
			}
		}
	}
}

// TestShort has the end of the input at every place of a stream, and too little room for every length.
func TestShort(t *testing.T) { both(t, testShort) }

func testShort(t *testing.T, d *Decoder) {
	want := append(bytes.Repeat([]byte("abcdefghij"), 60), bytes.Repeat([]byte("xyz."), 200)...)
	src := compress(want, 9)
	for n := range src {
		if _, err := d.Zlib(make([]byte, 2000), src[:n], adler32.Checksum); err == nil {
			t.Fatalf("%d of %d bytes: no error", n, len(src))
		}
	}
	for n := range want {
		got := bytes.Repeat([]byte{0xa5}, n+64)
		m, err := d.Zlib(got[:n:n], src, adler32.Checksum)
		if !errors.Is(err, ErrLong) {
			t.Fatalf("room for %d bytes: %v", n, err)
		}
		if !bytes.Equal(got[:m], want[:m]) || got[n] != 0xa5 {
			t.Fatalf("room for %d bytes: what was written is wrong", n)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		src  string // deflate
		want error
	}{
		{"nothing", "", ErrShort},
		{"type 3", "\x07", ErrBlock},
		{"stored, complement", "\x01\x05\x00\x00\x00", ErrStored},
		{"stored, short", "\x01\x05\x00\xfa\xffabcd", ErrShort},
		{"fixed, match before the data", "\x03\x02\x00", ErrDistance},
		{"fixed, length 286", "\x1b\x03", ErrSymbol},
		{"dynamic, 287 lengths", "\xf5\x00\x00\x00\x00\x00\x00\x00\x00", ErrCodes},
	} {
		var d Decoder
		if _, _, err := d.Inflate(make([]byte, 300), []byte(c.src)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		src  string
		want error
	}{{"\x78", ErrShort}, {"\x78\x9d", ErrHeader}, {"\x79\x9c", ErrHeader}, {"\x78\xbb", ErrDict}, {"\x78\x9c\x03\x00\x00\x00\x00\x02", ErrChecksum}} {
		var d Decoder
		if _, err := d.Zlib(make([]byte, 10), []byte(c.src), adler32.Checksum); !errors.Is(err, c.want) {
			t.Errorf("%x: %v, want %v", c.src, err, c.want)
		}
	}
}

func TestAllocs(t *testing.T) {
	var d Decoder
	want := inputs()["floats"]
	src, dst := compress(want, 6), make([]byte, len(want))
	if n := testing.AllocsPerRun(10, func() { d.Zlib(dst, src, adler32.Checksum) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzInflate compares with the standard library: each accepts what the other accepts, with the same result.
func FuzzInflate(f *testing.F) {
	for _, b := range inputs() {
		b = b[:min(len(b), 3000)]
		for _, level := range []int{zlib.HuffmanOnly, 0, 1, 9} {
			f.Add(compress(b, level)[2:], 3100)
		}
	}
	f.Add([]byte("\x05\xc0\x81\x00\x00\x00\x00\x00\x90\xff\x6b\x04"), 100)
	f.Fuzz(func(t *testing.T, src []byte, room int) {
		if room < 0 || room > 1<<20 {
			return
		}
		var d Decoder
		b := bytes.Repeat([]byte{0xa5}, room+32)
		n, taken, err := d.Inflate(b[:room:room], src)
		if hasBMI2 {
			p := Decoder{plain: true}
			b2 := make([]byte, room)
			n2, taken2, err2 := p.Inflate(b2, src)
			if n != n2 || err == nil && taken != taken2 || err != err2 || !bytes.Equal(b[:n], b2[:n]) {
				t.Fatalf("%d bytes from %d, %v; without assembly %d from %d, %v", n, taken, err, n2, taken2, err2)
			}
		}
		if n > room || err == nil && (taken > len(src) || taken < 0) {
			t.Fatalf("%d bytes of %d written, %d of %d taken", n, room, taken, len(src))
		}
		for _, c := range b[room:] {
			if c != 0xa5 {
				t.Fatal("bytes after the end of dst were written")
			}
		}
		in := bytes.NewReader(src)
		want, werr := io.ReadAll(io.LimitReader(flate.NewReader(in), int64(room)+1))
		switch {
		case len(want) > room:
			// Which error it is differs: a stored block may be both too long and cut short, and the library
			// accepts a code without an end of block, which zlib does not.
			if err == nil {
				t.Fatal("too long, but no error")
			}
		case werr != nil:
			if err == nil {
				t.Fatalf("no error where there is %v", werr)
			}
		case err != nil:
			t.Fatalf("%v after %d bytes, where there is no error", err, n)
		case !bytes.Equal(b[:n], want):
			t.Fatal("other bytes")
		case len(src)-in.Len() != taken:
			t.Fatalf("took %d bytes, not %d", taken, len(src)-in.Len())
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	for _, name := range []string{"floats", "skewed", "steps", "noise", "far"} {
		want := inputs()[name]
		src, dst := compress(want, 6), make([]byte, len(want))
		b.Run("own/"+name, func(b *testing.B) {
			var d Decoder
			b.SetBytes(int64(len(want)))
			for b.Loop() {
				if _, err := d.Zlib(dst, src, func([]byte) uint32 { return adler32.Checksum(want) }); err != nil {
					b.Fatal(err)
				}
			}
		})
		type reader interface {
			io.Reader
			Reset(io.Reader, []byte) error
		}
		in := bytes.NewReader(src)
		run := func(name string, r io.Reader) {
			b.Run(name, func(b *testing.B) {
				b.SetBytes(int64(len(want)))
				for b.Loop() {
					in.Reset(src)
					if err := r.(reader).Reset(in, nil); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(r, dst); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		k, _ := kzlib.NewReader(bytes.NewReader(src))
		run("klauspost/"+name, k)
		s, _ := zlib.NewReader(bytes.NewReader(src))
		run("standard/"+name, s)
	}
}
