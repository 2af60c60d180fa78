//go:build !purego

#include "textflag.h"

// Eight elements, R8 bytes apart from SI on; R9 is three times and R10 is four times R8. SI and DI go to the next ones.
#define EIGHT(LOAD, STORE, WIDTH) \
	LOAD  (SI), AX;        \
	LOAD  (SI)(R8*1), BX;  \
	LOAD  (SI)(R8*2), DX;  \
	LOAD  (SI)(R9*1), R11; \
	ADDQ  R10, SI;         \
	STORE AX, (DI);        \
	STORE BX, WIDTH(DI);   \
	STORE DX, (2*WIDTH)(DI); \
	STORE R11, (3*WIDTH)(DI); \
	LOAD  (SI), AX;        \
	LOAD  (SI)(R8*1), BX;  \
	LOAD  (SI)(R8*2), DX;  \
	LOAD  (SI)(R9*1), R11; \
	ADDQ  R10, SI;         \
	STORE AX, (4*WIDTH)(DI); \
	STORE BX, (5*WIDTH)(DI); \
	STORE DX, (6*WIDTH)(DI); \
	STORE R11, (7*WIDTH)(DI); \
	ADDQ  $(8*WIDTH), DI

#define ARGS \
	MOVQ dst+0(FP), DI;     \
	MOVQ src+8(FP), SI;     \
	MOVQ stride+16(FP), R8; \
	MOVQ n+24(FP), CX;      \
	LEAQ (R8)(R8*2), R9;    \
	MOVQ R8, R10;           \
	SHLQ $2, R10

// func gather1(dst, src *byte, stride, n int)
TEXT ·gather1(SB), NOSPLIT, $0-32
	ARGS

loop:
	EIGHT(MOVBLZX, MOVB, 1)
	SUBQ $8, CX
	JNZ  loop
	RET

// func gather2(dst, src *byte, stride, n int)
TEXT ·gather2(SB), NOSPLIT, $0-32
	ARGS

loop:
	EIGHT(MOVWLZX, MOVW, 2)
	SUBQ $8, CX
	JNZ  loop
	RET

// func gather4(dst, src *byte, stride, n int)
TEXT ·gather4(SB), NOSPLIT, $0-32
	ARGS

loop:
	EIGHT(MOVL, MOVL, 4)
	SUBQ $8, CX
	JNZ  loop
	RET

// func gather8(dst, src *byte, stride, n int)
TEXT ·gather8(SB), NOSPLIT, $0-32
	ARGS

loop:
	EIGHT(MOVQ, MOVQ, 8)
	SUBQ $8, CX
	JNZ  loop
	RET

// An element of R13 bytes in two words, the second of which ends where it does: R12 is where that starts.
#define PAIR(LOAD, STORE) \
	LOAD  (SI), AX;        \
	LOAD  (SI)(R12*1), BX; \
	ADDQ  R8, SI;          \
	STORE AX, (DI);        \
	STORE BX, (DI)(R12*1); \
	ADDQ  R13, DI

// func pair4(dst, src *byte, stride, n, width int)
TEXT ·pair4(SB), NOSPLIT, $0-40
	ARGS
	MOVQ width+32(FP), R13
	LEAQ -4(R13), R12

loop:
	PAIR(MOVL, MOVL)
	PAIR(MOVL, MOVL)
	PAIR(MOVL, MOVL)
	PAIR(MOVL, MOVL)
	SUBQ $4, CX
	JNZ  loop
	RET

// func pair8(dst, src *byte, stride, n, width int)
TEXT ·pair8(SB), NOSPLIT, $0-40
	ARGS
	MOVQ width+32(FP), R13
	LEAQ -8(R13), R12

loop:
	PAIR(MOVQ, MOVQ)
	PAIR(MOVQ, MOVQ)
	PAIR(MOVQ, MOVQ)
	PAIR(MOVQ, MOVQ)
	SUBQ $4, CX
	JNZ  loop
	RET

// func transpose8(dst *[8]*byte, src *byte, stride, n, ahead int)
TEXT ·transpose8(SB), NOSPLIT, $0-40
	ARGS
	MOVQ 0(DI), AX
	MOVQ 8(DI), BX
	MOVQ 16(DI), DX
	MOVQ 24(DI), R11
	XORQ R12, R12         // bytes that each column has
	MOVQ ahead+32(FP), R13

loop:
	LEAQ       (SI)(R13*1), DI
	PREFETCHT0 (DI)
	PREFETCHT0 (DI)(R8*1)
	PREFETCHT0 (DI)(R8*2)
	PREFETCHT0 (DI)(R9*1)
	PREFETCHT0 256(AX)(R12*1)
	PREFETCHT0 256(BX)(R12*1)
	PREFETCHT0 256(DX)(R12*1)
	PREFETCHT0 256(R11)(R12*1)
	VMOVDQU    (SI), Y0
	VMOVDQU    (SI)(R8*1), Y1
	VMOVDQU    (SI)(R8*2), Y2
	VMOVDQU    (SI)(R9*1), Y3
	ADDQ       R10, SI
	VPUNPCKLQDQ Y1, Y0, Y4 // columns 0 and 2 of rows 0 and 1
	VPUNPCKHQDQ Y1, Y0, Y5 // columns 1 and 3
	VPUNPCKLQDQ Y3, Y2, Y6
	VPUNPCKHQDQ Y3, Y2, Y7
	VPERM2I128 $0x20, Y6, Y4, Y0
	VPERM2I128 $0x20, Y7, Y5, Y1
	VPERM2I128 $0x31, Y6, Y4, Y2
	VPERM2I128 $0x31, Y7, Y5, Y3
	VMOVDQU    Y0, (AX)(R12*1)
	VMOVDQU    Y1, (BX)(R12*1)
	VMOVDQU    Y2, (DX)(R12*1)
	VMOVDQU    Y3, (R11)(R12*1)
	ADDQ       $32, R12
	SUBQ       $4, CX
	JNZ        loop
	VZEROUPPER
	RET

// func transpose4(dst *[8]*byte, src *byte, stride, n, ahead int)
TEXT ·transpose4(SB), NOSPLIT, $0-40
	ARGS
	XORQ R12, R12                 // bytes that each column has
	MOVQ ahead+32(FP), R13

loop:
	TESTQ      $63, R12 // a line of each column once
	JNZ        rows
	MOVQ       0(DI), AX
	MOVQ       8(DI), BX
	MOVQ       16(DI), DX
	MOVQ       24(DI), R11
	PREFETCHT0 256(AX)(R12*1)
	PREFETCHT0 256(BX)(R12*1)
	PREFETCHT0 256(DX)(R12*1)
	PREFETCHT0 256(R11)(R12*1)
	MOVQ       32(DI), AX
	MOVQ       40(DI), BX
	MOVQ       48(DI), DX
	MOVQ       56(DI), R11
	PREFETCHT0 256(AX)(R12*1)
	PREFETCHT0 256(BX)(R12*1)
	PREFETCHT0 256(DX)(R12*1)
	PREFETCHT0 256(R11)(R12*1)

rows:
	LEAQ       (SI)(R13*1), AX
	PREFETCHT0 (AX)
	PREFETCHT0 (AX)(R8*1)
	PREFETCHT0 (AX)(R8*2)
	PREFETCHT0 (AX)(R9*1)
	ADDQ       R10, AX
	PREFETCHT0 (AX)
	PREFETCHT0 (AX)(R8*1)
	PREFETCHT0 (AX)(R8*2)
	PREFETCHT0 (AX)(R9*1)
	VMOVDQU     (SI), Y0
	VMOVDQU     (SI)(R8*1), Y1
	VMOVDQU     (SI)(R8*2), Y2
	VMOVDQU     (SI)(R9*1), Y3
	ADDQ        R10, SI
	VMOVDQU     (SI), Y4
	VMOVDQU     (SI)(R8*1), Y5
	VMOVDQU     (SI)(R8*2), Y6
	VMOVDQU     (SI)(R9*1), Y7
	ADDQ        R10, SI
	VPUNPCKLDQ  Y1, Y0, Y8        // columns 0, 1 and 4, 5 of rows 0 and 1
	VPUNPCKHDQ  Y1, Y0, Y9        // columns 2, 3 and 6, 7
	VPUNPCKLDQ  Y3, Y2, Y10
	VPUNPCKHDQ  Y3, Y2, Y11
	VPUNPCKLDQ  Y5, Y4, Y12
	VPUNPCKHDQ  Y5, Y4, Y13
	VPUNPCKLDQ  Y7, Y6, Y14
	VPUNPCKHDQ  Y7, Y6, Y15
	VPUNPCKLQDQ Y10, Y8, Y0       // columns 0 and 4 of rows 0 to 3
	VPUNPCKHQDQ Y10, Y8, Y1       // 1 and 5
	VPUNPCKLQDQ Y11, Y9, Y2       // 2 and 6
	VPUNPCKHQDQ Y11, Y9, Y3       // 3 and 7
	VPUNPCKLQDQ Y14, Y12, Y4      // the same of rows 4 to 7
	VPUNPCKHQDQ Y14, Y12, Y5
	VPUNPCKLQDQ Y15, Y13, Y6
	VPUNPCKHQDQ Y15, Y13, Y7
	MOVQ        0(DI), AX
	MOVQ        8(DI), BX
	MOVQ        16(DI), DX
	MOVQ        24(DI), R11
	VPERM2I128  $0x20, Y4, Y0, Y8
	VPERM2I128  $0x20, Y5, Y1, Y9
	VPERM2I128  $0x20, Y6, Y2, Y10
	VPERM2I128  $0x20, Y7, Y3, Y11
	VMOVDQU     Y8, (AX)(R12*1)
	VMOVDQU     Y9, (BX)(R12*1)
	VMOVDQU     Y10, (DX)(R12*1)
	VMOVDQU     Y11, (R11)(R12*1)
	MOVQ        32(DI), AX
	MOVQ        40(DI), BX
	MOVQ        48(DI), DX
	MOVQ        56(DI), R11
	VPERM2I128  $0x31, Y4, Y0, Y8
	VPERM2I128  $0x31, Y5, Y1, Y9
	VPERM2I128  $0x31, Y6, Y2, Y10
	VPERM2I128  $0x31, Y7, Y3, Y11
	VMOVDQU     Y8, (AX)(R12*1)
	VMOVDQU     Y9, (BX)(R12*1)
	VMOVDQU     Y10, (DX)(R12*1)
	VMOVDQU     Y11, (R11)(R12*1)
	ADDQ        $32, R12
	SUBQ        $8, CX
	JNZ         loop
	VZEROUPPER
	RET
