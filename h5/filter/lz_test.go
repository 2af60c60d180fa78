package filter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"math/rand/v2"
	"strings"
	"testing"
)

// naiveMatch is what a match means.
func naiveMatch(b []byte, dist, n int) []byte {
	for range n {
		b = append(b, b[len(b)-dist])
	}
	return b
}

func count(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8*7)
	}
	return b
}

func lzLiterals(b []byte, limit int, head func(n int) []byte) (out []byte) {
	for len(b) > 0 {
		n := min(len(b), limit)
		out = append(append(out, head(n)...), b[:n]...)
		b = b[n:]
	}
	return out
}

func lzRuns(b []byte) []byte {
	return lzLiterals(b, 32, func(n int) []byte { return []byte{byte(n - 1)} })
}

// longLiterals is how LZO starts with a long run of literals: 3 + 15 + 255 for each zero + the last byte.
func longLiterals(b []byte) []byte {
	n := len(b) - 18
	out := []byte{0}
	for ; n > 255; n -= 255 {
		out = append(out, 0)
	}
	return append(append(out, byte(n)), b...)
}

func join(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

// stream is an encoded stream, and what it decodes to.
type stream struct {
	name   string
	decode func(dst, src []byte) (int, error)
	src    []byte
	want   []byte
	err    error
}

func streams() []stream {
	lzoPlain := func(dst, src []byte) (int, error) { n, _, err := lzoDecode(dst, src); return n, err }
	long := count(40_000)
	end := "\x11\x00\x00"
	return []stream{
		{"lzf: nothing", lzfDecode, nil, nil, nil},
		{"lzf: literals", lzfDecode, join(4, "abcde"), []byte("abcde"), nil},
		{"lzf: match of 3", lzfDecode, join(2, "abc", 0x20, 2), []byte("abcabc"), nil},
		{"lzf: run", lzfDecode, join(0, "a", 0xe0, 9, 0), bytes.Repeat([]byte("a"), 19), nil},
		{"lzf: longest, farthest", lzfDecode, join(lzRuns(long[:8192]), 0xff, 255, 255), naiveMatch(bytes.Clone(long[:8192]), 8192, 264), nil},
		{"lzf: before the data", lzfDecode, join(2, "abc", 0x20, 3), nil, corrupt("a match starts before the data")},
		{"lzf: cut", lzfDecode, join(4, "abcd"), nil, errShort},
		{"lzf: cut in a match", lzfDecode, join(0, "a", 0x20), nil, errShort},
		{"lzf: cut in a length", lzfDecode, join(0, "a", 0xe0), nil, errShort},

		{"blosclz: literals", bloscLZDecode, join(0x24, "abcde"), []byte("abcde"), nil},
		{"blosclz: match of 3", bloscLZDecode, join(2, "abc", 0x20, 2, 0, "x"), []byte("abcabcx"), nil},
		{"blosclz: length in three bytes", bloscLZDecode, join(0, "a", 0xe0, 255, 255, 3, 0), bytes.Repeat([]byte("a"), 523), nil},
		{"blosclz: near, farthest", bloscLZDecode, join(lzRuns(long[:8191]), 0x3f, 254), naiveMatch(bytes.Clone(long[:8191]), 8191, 3), nil},
		{"blosclz: far, nearest", bloscLZDecode, join(lzRuns(long[:8192]), 0x3f, 255, 0, 0), naiveMatch(bytes.Clone(long[:8192]), 8192, 3), nil},
		{"blosclz: far", bloscLZDecode, join(lzRuns(long), 0x5f, 255, 0x78, 0x20), naiveMatch(bytes.Clone(long), 8192+0x7820, 4), nil},
		{"blosclz: before the data", bloscLZDecode, join(2, "abc", 0x20, 3), nil, corrupt("a match starts before the data")},
		{"blosclz: nothing", bloscLZDecode, nil, nil, errShort},
		{"blosclz: cut", bloscLZDecode, join(4, "abcd"), nil, errShort},
		{"blosclz: cut in a length", bloscLZDecode, join(0, "a", 0xe0, 255), nil, errShort},
		{"blosclz: cut in a far distance", bloscLZDecode, join(lzRuns(long), 0x5f, 255, 0x78), nil, errShort},

		{"lzo: end", lzoPlain, []byte(end), nil, nil},
		{"lzo: 4 literals first", lzoPlain, join(21, "abcd", end), []byte("abcd"), nil},
		{"lzo: 2 literals first, then a match of 2", lzoPlain, join(19, "ab", 0<<2|1, 0, "x", end), []byte("abbbx"), nil},
		{"lzo: long literals, then a match of 3", lzoPlain, join(longLiterals(long[:2100]), 3<<2, 1, end), naiveMatch(bytes.Clone(long[:2100]), 2049+3+4, 3), nil},
		{"lzo: 15 more literals", lzoPlain, join(15, long[:18], end), long[:18], nil},
		{"lzo: match of 3 to 4", lzoPlain, join(21, "abcd", 0x40|0x20|3<<2|2, 0, "xy", end), []byte("abcdabcdxy"), nil},
		{"lzo: match of 5 to 8", lzoPlain, join(21, "abcd", 0xe0|1<<2, 0, end), []byte("abcdcdcdcdcd"), nil},
		{"lzo: match within 16 KiB", lzoPlain, join(21, "abcd", 0x20|5, 0|3<<2|1, 0, "z", end), []byte("abcdabcdabcz"), nil},
		{"lzo: long match within 16 KiB", lzoPlain, join(21, "abcd", 0x20, 0, 0, 7, 0, 0, end), naiveMatch([]byte("abcd"), 1, 2+31+2*255+7), nil},
		{"lzo: match within 48 KiB", lzoPlain, join(longLiterals(long), 0x10|8|2, 0|1<<2, 0x10, end), naiveMatch(bytes.Clone(long), 32768+1+0x400, 4), nil},
		{"lzo: long match within 48 KiB", lzoPlain, join(longLiterals(long), 0x10, 0, 9, 0|1<<2, 0, end), naiveMatch(bytes.Clone(long), 16384+1, 2+7+255+9), nil},
		{"lzo: nothing", lzoPlain, nil, nil, errShort},
		{"lzo: no end", lzoPlain, join(21, "abcd"), nil, errShort},
		{"lzo: before the data", lzoPlain, join(21, "abcd", 0x20|5, 0|4<<2, 0, end), nil, corrupt("a match starts before the data")},
		{"lzo: a length without an end", lzoPlain, join(21, "abcd", 0x20, 0, 0, 0), nil, errShort},
		{"lzo: literals without an end", lzoPlain, join(0, 0, 0), nil, errShort},
		{"lzo: cut in a distance", lzoPlain, join(21, "abcd", 0x21, 0), nil, errShort},
	}
}

// TestStreams decodes streams written by hand, one for each kind of instruction of each of the formats.
func TestStreams(t *testing.T) {
	for _, c := range streams() {
		got := bytes.Repeat([]byte{0xa5}, len(c.want)+64)
		n, err := c.decode(got[:len(c.want)+32:len(c.want)+32], c.src)
		if c.err != nil {
			if got = make([]byte, 50_000); err == nil || !errors.Is(err, c.err) {
				if _, err = c.decode(got, c.src); !errors.Is(err, c.err) {
					t.Errorf("%s: %v, want %v", c.name, err, c.err)
				}
			}
			continue
		}
		if err != nil || !bytes.Equal(got[:n], c.want) {
			t.Errorf("%s: %d bytes, want %d, first different %d; %v", c.name, n, len(c.want), firstDifference(got[:n], c.want), err)
			continue
		}
		if bytes.Count(got[len(c.want)+32:], []byte{0xa5}) != 32 {
			t.Errorf("%s: bytes after the end of dst were written", c.name)
		}
		for _, room := range []int{0, 1, len(c.want) / 2, len(c.want) - 1} {
			if room >= 0 && room < len(c.want) {
				if _, err := c.decode(make([]byte, room), c.src); !errors.Is(err, errTooLong) {
					t.Errorf("%s: room for %d of %d: %v", c.name, room, len(c.want), err)
				}
			}
		}
	}
}

func TestLZOTrailer(t *testing.T) {
	stream := []byte("\x15abcd\x11\x00\x00")
	p, dst := pipeline(t, Spec{ID: 305, Values: []uint32{1, 23, 0}}), make([]byte, 4)
	good := binary.LittleEndian.AppendUint32(bytes.Clone(stream), adler32.Checksum([]byte("abcd")))
	good = binary.LittleEndian.AppendUint32(good, 4)
	for _, src := range [][]byte{stream, good} {
		if err := p.Decode(NewState(), dst, src, 0); err != nil || string(dst) != "abcd" {
			t.Errorf("%q, %v", dst, err)
		}
	}
	good[len(stream)] ^= 1
	if err := p.Decode(NewState(), dst, good, 0); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Error(err)
	}
}

func TestCopyMatch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for dist := 1; dist < 70; dist++ {
		for n := 1; n < 140; n++ {
			for _, room := range []int{0, 1, 7, 8, 40} {
				head := make([]byte, dist+r.IntN(10))
				for i := range head {
					head[i] = byte(r.Uint32())
				}
				b := make([]byte, len(head)+n+room)
				copy(b, head)
				copyMatch(b, len(head), dist, n)
				if want := naiveMatch(head, dist, n); !bytes.Equal(b[:len(want)], want) {
					t.Fatalf("distance %d, %d bytes, room for %d more: differs", dist, n, room)
				}
			}
		}
	}
}

func BenchmarkCopyMatch(b *testing.B) {
	buf := make([]byte, 4096)
	for _, c := range []struct{ dist, n int }{{1, 40}, {3, 9}, {4, 12}, {8, 6}, {100, 6}, {100, 40}, {300, 264}} {
		name := fmt.Sprintf("%d bytes from %d", c.n, c.dist)
		b.Run("own/"+name, func(b *testing.B) {
			for b.Loop() {
				copyMatch(buf, 1000, c.dist, c.n)
			}
		})
		b.Run("naive/"+name, func(b *testing.B) {
			for b.Loop() {
				naiveMatch(buf[:1000], c.dist, c.n)
			}
		})
	}
}
