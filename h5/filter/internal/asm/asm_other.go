//go:build !amd64 || purego

package asm

func unshuffleFast(dst, src []byte, width, n int) int { return 0 }

func bitPlaneFast(dst, rows []byte) int { return 0 }

func adlerSums(b []byte) (sum, weighted uint64) { return adlerMore(b, 0, 0) }

func fletcherSums(b []byte) (sum, weighted uint64) { return fletcherMore(b, 0, 0) }
