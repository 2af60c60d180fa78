//go:build !purego

package nullbitmap

import (
	"golang.org/x/sys/cpu"

	"github.com/h5arrow/h5arrow/nullbitmap/internal/asm"
)

// The yardsticks: vector loops of the kind that the kernels in use are, which do nothing with the bytes.

func onlyRead(p []byte) {
	switch {
	case cpu.X86.HasAVX512F:
		asm.ReadAVX512(&p[0], len(p))
	case cpu.X86.HasAVX2:
		asm.ReadAVX2(&p[0], len(p))
	}
}

func onlyWrite(p []byte) {
	switch {
	case cpu.X86.HasAVX512F:
		asm.WriteAVX512(&p[0], len(p), 1)
	case cpu.X86.HasAVX2:
		asm.WriteAVX2(&p[0], len(p), 1)
	}
}
