package hextest_test

import (
	"encoding/binary"
	"testing"

	"github.com/h5arrow/h5arrow/h5/internal/hextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

func TestBytes(t *testing.T) {
	if got := string(hextest.Bytes("41 'BC' // 44\n\t4546**2 00**0")); got != "ABCEFEF" {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{"4", "4g", "41**x"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is accepted", bad)
				}
			}()
			hextest.Bytes(bad)
		}()
	}
}

func TestFile(t *testing.T) {
	f := hextest.Load(t, "example")
	sum := func(p []byte) uint32 { return binary.LittleEndian.Uint32(p) }
	if at := f.At(t, "second: value"); at != 13 || string(f.Field(t, "second: value")) != "\x01\x02" {
		t.Errorf("value at %d", at)
	}
	if got := sum(f.Field(t, "second: sum")); got != meta.Checksum(f.Bytes[9:15]) {
		t.Errorf("checksum %#x", got)
	}
	b := f.Patch(t, "second: value", 7)
	if b[13] != 7 || b[14] != 2 || f.Bytes[13] != 1 || sum(b[15:]) != meta.Checksum(b[9:15]) {
		t.Errorf("patched to % x", b)
	}
	if b = f.Patch(t, "second: sum", 0xab); b[15] != 0xab || b[13] != 1 {
		t.Errorf("patched to % x", b)
	}
	f.Check(t, "nineteen bytes\n")
}
