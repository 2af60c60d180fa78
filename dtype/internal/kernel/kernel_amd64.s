//go:build !purego

#include "textflag.h"

// func swapAVX2(dst, src *byte, n int, mask *[16]byte)
TEXT ·swapAVX2(SB), NOSPLIT, $0-32
	MOVQ           dst+0(FP), DI
	MOVQ           src+8(FP), SI
	MOVQ           n+16(FP), CX
	MOVQ           mask+24(FP), AX
	VBROADCASTI128 (AX), Y0

swap128:
	CMPQ    CX, $128
	JLT     swap32
	VMOVDQU (SI), Y1
	VMOVDQU 32(SI), Y2
	VMOVDQU 64(SI), Y3
	VMOVDQU 96(SI), Y4
	VPSHUFB Y0, Y1, Y1
	VPSHUFB Y0, Y2, Y2
	VPSHUFB Y0, Y3, Y3
	VPSHUFB Y0, Y4, Y4
	VMOVDQU Y1, (DI)
	VMOVDQU Y2, 32(DI)
	VMOVDQU Y3, 64(DI)
	VMOVDQU Y4, 96(DI)
	ADDQ    $128, SI
	ADDQ    $128, DI
	SUBQ    $128, CX
	JMP     swap128

swap32:
	CMPQ    CX, $32
	JLT     swapped
	VMOVDQU (SI), Y1
	VPSHUFB Y0, Y1, Y1
	VMOVDQU Y1, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $32, CX
	JMP     swap32

swapped:
	VZEROUPPER
	RET

// Validation of UTF-8 after Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte" (2021): three
// tables, looked up by the halves of a byte and the one before it, hold a bit for each way in which such a pair can be
// wrong; their conjunction is the ways in which it is.
//
//	0x01 too short: a lead byte, or ASCII, where a continuation should be
//	0x02 too long: ASCII, then a continuation
//	0x04 overlong, 3 bytes: E0 80..9F
//	0x08 above 10FFFF: F4 90.., F5..
//	0x10 surrogate: ED A0..BF
//	0x20 overlong, 2 bytes: C0, C1
//	0x40 overlong, 4 bytes: F0 80..8F; above 10FFFF with 80..8F: F5..
//	0x80 two continuations: right only as the third or fourth byte

// By the high half of the byte before.
DATA ·utf8Before<>+0(SB)/8, $0x0202020202020202
DATA ·utf8Before<>+8(SB)/8, $0x4915012180808080
GLOBL ·utf8Before<>(SB), RODATA|NOPTR, $16

// By the low half of the byte before.
DATA ·utf8BeforeLow<>+0(SB)/8, $0xcbcbcb8b8383a3e7
DATA ·utf8BeforeLow<>+8(SB)/8, $0xcbcbdbcbcbcbcbcb
GLOBL ·utf8BeforeLow<>(SB), RODATA|NOPTR, $16

// By the high half of the byte.
DATA ·utf8Now<>+0(SB)/8, $0x0101010101010101
DATA ·utf8Now<>+8(SB)/8, $0x01010101babaaee6
GLOBL ·utf8Now<>(SB), RODATA|NOPTR, $16

// What the last bytes of 32 may be at most without asking for more.
DATA ·utf8Last<>+0(SB)/8, $0xffffffffffffffff
DATA ·utf8Last<>+8(SB)/8, $0xffffffffffffffff
DATA ·utf8Last<>+16(SB)/8, $0xffffffffffffffff
DATA ·utf8Last<>+24(SB)/8, $0xbfdfefffffffffff
GLOBL ·utf8Last<>(SB), RODATA|NOPTR, $32

DATA ·utf8Const<>+0(SB)/1, $0x0f
DATA ·utf8Const<>+1(SB)/1, $0x60
DATA ·utf8Const<>+2(SB)/1, $0x70
DATA ·utf8Const<>+3(SB)/1, $0x80
GLOBL ·utf8Const<>(SB), RODATA|NOPTR, $4

// func utf8AVX2(b *byte, n int) bool
TEXT ·utf8AVX2(SB), NOSPLIT, $0-17
	MOVQ           b+0(FP), SI
	MOVQ           n+8(FP), CX
	VBROADCASTI128 ·utf8Before<>(SB), Y0
	VBROADCASTI128 ·utf8BeforeLow<>(SB), Y1
	VBROADCASTI128 ·utf8Now<>(SB), Y2
	VMOVDQU        ·utf8Last<>(SB), Y3
	VPBROADCASTB   ·utf8Const<>+0(SB), Y4
	VPBROADCASTB   ·utf8Const<>+1(SB), Y5
	VPBROADCASTB   ·utf8Const<>+2(SB), Y6
	VPBROADCASTB   ·utf8Const<>+3(SB), Y7
	VPXOR          Y8, Y8, Y8                     // errors
	VPXOR          Y9, Y9, Y9                     // the 32 bytes before
	VPXOR          Y10, Y10, Y10                  // what those still ask for

block:
	VMOVDQU   (SI), Y11
	VPMOVMSKB Y11, AX
	TESTL     AX, AX
	JNZ       some

	// ASCII: nothing may be asked for.
	VPOR Y10, Y8, Y8
	VPXOR Y10, Y10, Y10
	JMP  next

some:
	VPERM2I128 $0x21, Y11, Y9, Y12    // the last half of the bytes before, the first of these
	VPALIGNR   $15, Y12, Y11, Y13     // each byte's predecessor
	VPSRLW     $4, Y13, Y14
	VPAND      Y4, Y14, Y14
	VPSHUFB    Y14, Y0, Y14
	VPAND      Y4, Y13, Y13
	VPSHUFB    Y13, Y1, Y13
	VPAND      Y13, Y14, Y14
	VPSRLW     $4, Y11, Y13
	VPAND      Y4, Y13, Y13
	VPSHUFB    Y13, Y2, Y13
	VPAND      Y13, Y14, Y14          // ways in which the pairs are wrong
	VPALIGNR   $14, Y12, Y11, Y13
	VPSUBUSB   Y5, Y13, Y13           // highest bit: the third byte of a character
	VPALIGNR   $13, Y12, Y11, Y15
	VPSUBUSB   Y6, Y15, Y15           // highest bit: the fourth
	VPOR       Y15, Y13, Y13
	VPAND      Y7, Y13, Y13
	VPXOR      Y13, Y14, Y14          // two continuations are right just there
	VPOR       Y14, Y8, Y8
	VPSUBUSB   Y3, Y11, Y10

next:
	VMOVDQA Y11, Y9
	ADDQ    $32, SI
	SUBQ    $32, CX
	JNZ     block

	VPTEST Y8, Y8
	SETEQ  ret+16(FP)
	VZEROUPPER
	RET
