//go:build !purego

package nullbitmap

import (
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/h5arrow/h5arrow/nullbitmap/internal/asm"
)

// The yardsticks: vector loops of the same kind that do nothing with the bytes.

func benchRead(b *testing.B, p []byte) {
	if cpu.X86.HasAVX2 {
		loop(b, "read/avx2", len(p), func() { asm.ReadAVX2(&p[0], len(p)) })
	}
	if cpu.X86.HasAVX512F {
		loop(b, "read/avx512", len(p), func() { asm.ReadAVX512(&p[0], len(p)) })
	}
}

func benchWrite(b *testing.B, p []byte) {
	if cpu.X86.HasAVX2 {
		loop(b, "write/avx2", len(p), func() { asm.WriteAVX2(&p[0], len(p), 1) })
	}
	if cpu.X86.HasAVX512F {
		loop(b, "write/avx512", len(p), func() { asm.WriteAVX512(&p[0], len(p), 1) })
	}
	loop(b, "write/clear", len(p), func() { clear(p) })
}
