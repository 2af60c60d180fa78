//go:build libzstd && cgo

package filter

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// frames returns Zstandard frames of several kinds, by name.
func frames(tb testing.TB) map[string][]byte {
	tb.Helper()
	plain, shuffled := prices(40000)
	encode := func(b []byte, opts ...zstd.EOption) []byte {
		e, err := zstd.NewWriter(nil, opts...)
		if err != nil {
			tb.Fatal(err)
		}
		defer e.Close()
		return e.EncodeAll(b, nil)
	}
	stream := func(b []byte, opts ...zstd.EOption) []byte {
		var z bytes.Buffer
		e, err := zstd.NewWriter(&z, opts...)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err = e.Write(b); err == nil {
			err = e.Close()
		}
		if err != nil {
			tb.Fatal(err)
		}
		return z.Bytes()
	}
	one := encode(shuffled)
	skipped := binary.LittleEndian.AppendUint32([]byte{0x50, 0x2a, 0x4d, 0x18}, 3)
	skipped = append(skipped, "abc"...)
	dictionary := bytes.Clone(one)
	dictionary[4] |= 3
	return map[string][]byte{
		"shuffled":    one,
		"plain":       encode(plain, zstd.WithEncoderLevel(zstd.SpeedBestCompression)),
		"no checksum": encode(shuffled, zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true)),
		"stream":      stream(shuffled, zstd.WithWindowSize(zstd.MinWindowSize)),
		"zeros":       encode(make([]byte, len(plain))),
		"empty":       encode(nil, zstd.WithZeroFrames(true)),
		"two":         append(bytes.Clone(one), stream(plain[:1000])...),
		"skippable":   append(skipped, one...),
		"dictionary":  dictionary,
		"window":      {0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0, 1, 0, 0},
		"version 0.7": {0x27, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x40, 0, 3, 'a', 'b', 'c', 0xc0, 0, 0},
		"nothing":     {},
	}
}

// sameZstd decodes src with both decoders, which must agree on the bytes and on whether they are valid.
func sameZstd(t *testing.T, st *State, src []byte, size int) {
	t.Helper()
	inC, inGo := make([]byte, size), make([]byte, size)
	n, err := st.unzstd(inC, src)
	want, wantErr := st.unzstdGo(inGo, src)
	if (err == nil) != (wantErr == nil) || n != want || err == nil && !bytes.Equal(inC[:n], inGo[:n]) {
		t.Errorf("%d bytes in %d: %d, %v; in Go %d, %v", len(src), size, n, err, want, wantErr)
	}
}

// TestZstdBuilds decodes frames, whole, cut and changed, into buffers of several sizes as builds with and without C do.
func TestZstdBuilds(t *testing.T) {
	st := NewState()
	defer st.Close()
	for name, src := range frames(t) {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{0, 1, 1000, 319999, 320000, 320001, 400000} {
				sameZstd(t, st, src, size)
			}
			for cut := 0; cut < len(src); cut += 1 + len(src)/50 {
				sameZstd(t, st, src[:cut], 320000)
			}
			sameZstd(t, st, append(bytes.Clone(src), 0), 320000)
			for bit := 0; bit < 8*len(src); bit += 1 + len(src)/5 {
				b := bytes.Clone(src)
				b[bit/8] ^= 1 << (bit % 8)
				sameZstd(t, st, b, 320000)
			}
		})
	}
}

// TestZstdInC has the C decoder take the frames that chunks are made of.
func TestZstdInC(t *testing.T) {
	for name, src := range frames(t) {
		st := NewState()
		switch n, err := st.unzstd(make([]byte, 400000), src); name {
		case "shuffled", "plain", "no checksum", "stream", "zeros", "empty":
			if want := map[bool]int{false: 320000}[name == "empty"]; n != want || err != nil || st.zstd != nil || st.zstdC.d == nil {
				t.Errorf("%s: %d, %v, not by C", name, n, err)
			}
		default:
			if st.zstd == nil {
				t.Errorf("%s: not by Go", name)
			}
		}
		st.Close()
	}
}

// FuzzZstd compares the decoders.
func FuzzZstd(f *testing.F) {
	for _, src := range frames(f) {
		f.Add(src[:min(len(src), 4096)], 320000)
	}
	f.Fuzz(func(t *testing.T, src []byte, size int) {
		st := NewState()
		defer st.Close()
		sameZstd(t, st, src, min(max(size, 0), 1<<20))
	})
}
