// Package asm holds the assembly kernels of package nullbitmap, for amd64 and without the build tag purego. They check
// nothing: their callers do. A group is 64 elements, so 8 bytes of bits.
//
// The files kernels_amd64.* are generated.
package asm

//go:generate sh -c "cd gen && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg asm"
