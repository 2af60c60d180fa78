//go:build !amd64 || purego

package kernel

// swapVector swaps as many leading bytes as vector instructions do well, and returns their number.
func swapVector(dst, src []byte, width int) int { return 0 }

// utf8Vector reports whether b, up to some point, is valid UTF-8, and how many bytes it looked at. A character may be cut
// there.
func utf8Vector(b []byte) (n int, ok bool) { return 0, true }
